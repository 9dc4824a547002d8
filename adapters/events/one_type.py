"""Whoever sent a request, the handler sees API Gateway's format 2.0, and the sender reads the answer that it knows.

The router's headers are believed only where the router is the caller: in the events of its own filter, which needs the
permission to invoke, and where IAM says so (`ADAPTERS_ROUTER_PRINCIPALS`). Everybody else could write them himself.
"""

import os
from collections.abc import Mapping
from typing import Any

from strangler_fig.names import HEADER_PREFIX

from ..errors import EventUnreadable
from .answer import from_gateway
from .context import fig_of
from .kinds import Kind, kind_of, principal_of
from .others import from_v2, judged, to_v2
from .request import text_of, to_gateway

PRINCIPALS = "ADAPTERS_ROUTER_PRINCIPALS"
"""ARNs (as IAM reports callers) that count as the router, separated by commas; one that ends with * is a beginning.

A bare * is none: it would believe every account of AWS."""


def received(event: Any) -> tuple[Any, Kind]:
    """The request in the one type, and who sent it; an event that is no request is left as it is.

    Raises: EventUnreadable, BodyDamaged.
    """
    kind = kind_of(event)
    match kind:
        case Kind.OTHER:
            return event, kind
        case Kind.ROUTER:
            return to_gateway(event), kind
        case Kind.GATEWAY_V1 | Kind.LOAD_BALANCER:
            return _without_ours(to_v2(event, kind)), kind
        case _:
            text_of(event)
            return (_with_ours(event) if _is_router(principal_of(event)) else _without_ours(event)), kind


def answered(answer: Any, event: Any, kind: Kind) -> Any:
    """The handler's answer as the sender of `event` reads it. Raises: AnswerInvalid."""
    match kind:
        case Kind.ROUTER:
            return from_gateway(answer, event["method"])
        case Kind.GATEWAY_V1 | Kind.LOAD_BALANCER:
            return from_v2(answer, event, kind)
        case Kind.OTHER:
            return answer
        case _:
            return judged(answer)


def _without_ours(event: Mapping[str, Any]) -> dict[str, Any]:
    headers = _headers(event)
    kept = {name: value for name, value in headers.items() if not name.lower().startswith(HEADER_PREFIX)}
    context = {name: value for name, value in event["requestContext"].items() if name != "fig"}
    return {**event, "headers": kept, "requestContext": context}


def _with_ours(event: Mapping[str, Any]) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in _headers(event).items()}
    return {**event, "headers": headers, "requestContext": {**event["requestContext"], "fig": fig_of(headers)}}


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an event of format 2.0. Raises: EventUnreadable, where they are no object of texts."""
    found = event.get("headers")
    if found is None:
        return {}
    if not isinstance(found, Mapping) or not all(isinstance(one, str) for one in found.values() if one is not None):
        message = f"the event's headers are {type(found).__name__}, not an object of texts"
        raise EventUnreadable(message)
    return {name: value for name, value in found.items() if value is not None}


def _is_router(principal: str) -> bool:
    known = [one.strip() for one in os.environ.get(PRINCIPALS, "").split(",") if one.strip()]
    return bool(principal) and any(
        principal.startswith(one[:-1]) if one.endswith("*") else principal == one for one in known if one != "*"
    )
