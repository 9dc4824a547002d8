"""A handler written for API Gateway v2 runs behind the router, unchanged.

    Envoy's event -> `to_gateway` -> the handler -> `from_gateway` -> Envoy's answer

`gateway_handler` puts the two around a handler; the functions between are pure. What each field becomes, and why, is in
`docs/adapters-events.md`.
"""

from ..errors import AdaptersFailed, AnswerInvalid, BodyDamaged, EventUnreadable
from .answer import from_gateway
from .handler import FALLBACK_HEADERS, fallback_safe, gateway_handler
from .request import is_router_event, to_gateway
from .shapes import EnvoyAnswer, EnvoyRequest, GatewayAnswer, GatewayEvent

__all__ = [
    "FALLBACK_HEADERS",
    "AdaptersFailed",
    "AnswerInvalid",
    "BodyDamaged",
    "EnvoyAnswer",
    "EnvoyRequest",
    "EventUnreadable",
    "GatewayAnswer",
    "GatewayEvent",
    "fallback_safe",
    "from_gateway",
    "gateway_handler",
    "is_router_event",
    "to_gateway",
]
