"""A handler written for API Gateway v2 runs behind the router, unchanged.

    Envoy's event -> `to_gateway` -> the handler -> `from_gateway` -> Envoy's answer

`gateway_handler` puts the two around a handler; the functions between are pure. `EnvoyResolver` is imported when it is
asked for, since it needs Powertools. What each field becomes, and why, is in `docs/adapters-events.md`.
"""

from typing import TYPE_CHECKING, Any

from ..errors import AdaptersFailed, AnswerInvalid, BodyDamaged, EventUnreadable
from .answer import from_gateway
from .handler import FALLBACK_HEADERS, fallback_safe, gateway_handler
from .request import body_of, is_router_event, to_gateway
from .shapes import EnvoyAnswer, EnvoyRequest, GatewayAnswer, GatewayEvent

if TYPE_CHECKING:
    from .resolver import EnvoyResolver

__all__ = [
    "FALLBACK_HEADERS",
    "AdaptersFailed",
    "AnswerInvalid",
    "BodyDamaged",
    "EnvoyAnswer",
    "EnvoyRequest",
    "EnvoyResolver",
    "EventUnreadable",
    "GatewayAnswer",
    "GatewayEvent",
    "body_of",
    "fallback_safe",
    "from_gateway",
    "gateway_handler",
    "is_router_event",
    "to_gateway",
]


def __getattr__(name: str) -> Any:
    """`EnvoyResolver`, from its module. Raises `AttributeError`."""
    if name != "EnvoyResolver":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from .resolver import EnvoyResolver  # noqa: PLC0415 - the price of Powertools is paid by those who use it

    globals()[name] = EnvoyResolver
    return EnvoyResolver
