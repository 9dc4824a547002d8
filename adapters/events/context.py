"""`requestContext`: the router's own headers in the places where API Gateway v2 has them.

The entry removes every inbound `x-fig-*`, so what is read here was set by the router.
"""

import json
from collections.abc import Mapping
from time import gmtime, time

from strangler_fig.names import (
    CLAIMS_HEADER,
    CLIENT_HEADER,
    ROUTE_HEADER,
    SHADOW_HEADER,
    SIDE_HEADER,
    USER_HEADER,
)

from ..errors import EventUnreadable
from .claims import read_claims
from .shapes import FigContext, GatewayContext

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def request_context(method: str, path: str, headers: Mapping[str, str], now: float) -> GatewayContext:
    """The context of a request; `path` as the client encoded it, `now` in seconds since 1970.

    Raises: EventUnreadable, when the claims are no JSON object.
    """
    host = _without_port(headers.get("host", ""))
    claims = read_claims(headers.get(CLAIMS_HEADER, ""), now)
    context: GatewayContext = {
        "accountId": "anonymous",
        "apiId": "fig",
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": _client(headers),
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": headers.get("x-request-id", ""),
        "routeKey": "$default",
        "stage": "$default",
        "time": _common_log_time(now),
        "timeEpoch": int(now * 1000),
        "fig": _fig(headers, claims),
    }
    if claims is not None:
        try:
            strings = {name: _as_gateway_writes(value) for name, value in claims.items()}
        except RecursionError as error:
            message = f"{CLAIMS_HEADER} is nested too deeply"
            raise EventUnreadable(message) from error
        context["authorizer"] = {"jwt": {"claims": strings, "scopes": None}}
    return context


def fig_of(headers: Mapping[str, str]) -> FigContext:
    """What the router's headers say, where the router is known to be the caller. Raises: EventUnreadable."""
    return _fig(headers, read_claims(headers.get(CLAIMS_HEADER, ""), time()))


def _fig(headers: Mapping[str, str], claims: dict[str, object] | None) -> FigContext:
    fig: FigContext = {"shadow": headers.get(SHADOW_HEADER) == "1"}
    if route := headers.get(ROUTE_HEADER):
        fig["route"] = route
    if side := headers.get(SIDE_HEADER):
        fig["side"] = side
    if user := headers.get(USER_HEADER):
        fig["user"] = user
    if claims is not None:
        fig["claims"] = claims
    return fig


def _client(headers: Mapping[str, str]) -> str:
    """The client's address; without the router's header the last hop that a proxy recorded."""
    return headers.get(CLIENT_HEADER) or headers.get("x-forwarded-for", "").rpartition(",")[2].strip()


def _as_gateway_writes(value: object) -> str:
    """A claim as an HTTP API's JWT authorizer writes it: lists as `[a b]`, all else as JSON without quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + " ".join(_as_gateway_writes(item) for item in value) + "]"
    return json.dumps(value, separators=(",", ":"))


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _common_log_time(now: float) -> str:
    """`12/Mar/2020:19:03:58 +0000`; the month's name does not depend on the locale."""
    at = gmtime(now)
    date = f"{at.tm_mday:02}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}"
    return f"{date}:{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} +0000"
