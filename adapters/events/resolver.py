"""`EnvoyResolver`: Powertools' routes on the events of Envoy's filter, which no resolver of its own reads.

It is Powertools' resolver for HTTP APIs with a translation before and after it, so routes, middlewares, validation and
exception handlers are Powertools' own. An event of an HTTP API itself passes as it is.
"""

from collections.abc import Mapping
from typing import Any, cast

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from .handler import gateway_handler
from .shapes import FigContext


class EnvoyResolver(APIGatewayHttpResolver):
    """Powertools' resolver for functions that the router invokes; it serves an HTTP API at the same time."""

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """The answer of the route that matches, in the form that the event's sender reads.

        A request whose event cannot be read is left to legacy. Raises: AnswerInvalid, and what a route raises.
        """
        return cast("dict[str, Any]", gateway_handler(super().resolve)(event, context))

    @property
    def fig(self) -> FigContext:
        """What the router says of the request at hand: route, side, user, claims, and whether it is a shadow."""
        return cast("FigContext", self.current_event.raw_event["requestContext"].get("fig") or {"shadow": False})
