"""The wrapper that a function puts around its handler.

It changes nothing for events that the router did not send, so one function serves API Gateway, a schedule and the
router at the same time.
"""

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from strangler_fig.names import FALLBACK_HEADER, FALLBACK_SAFE

from ..coldstart import is_awaited
from ..errors import EventUnreadable
from .answer import from_gateway, with_cold_start
from .request import is_router_event, to_gateway
from .shapes import EnvoyAnswer, GatewayAnswer

Handler = Callable[[Any, Any], Any]

_NEVER_CALLED = 0x20 | 0x80 | 0x200
"""Flags of code: a generator, a coroutine, both. Source: Python, `inspect`, "Code Objects Bit Flags"."""

FALLBACK_HEADERS: Mapping[str, str] = {FALLBACK_HEADER: FALLBACK_SAFE}
"""Headers for a framework's response object: nothing was done, so legacy answers, whatever the method."""


def gateway_handler(handler: Handler) -> Handler:
    """A Lambda handler that shows `handler` API Gateway v2 events for the router's, and answers as Envoy reads it.

    An exception of `handler` passes through, and an answer that is none raises `AnswerInvalid`: the function fails, and
    the router serves safe methods from legacy. An event that cannot be read is answered with `x-fig-fallback: safe`
    instead, since `handler` did not run: then legacy serves every method.
    """
    refuse(handler)

    def handle(event: Any, context: Any) -> Any:
        is_cold = is_awaited()
        if not is_router_event(event):
            return handler(event, context)
        try:
            request = to_gateway(event)
        except EventUnreadable as error:
            logging.getLogger(__name__).warning("not handled, left to legacy: %s", error)
            return _not_handled(error)
        answer = from_gateway(handler(request, context), event["method"])
        return with_cold_start(answer) if is_cold else answer

    # updated=(): a handler that is an object (Mangum) must not lend its attributes to the wrapper.
    return functools.update_wrapper(handle, handler, updated=())


def fallback_safe(reason: str, *, status: int = 503) -> GatewayAnswer:
    """The answer of a handler that did nothing and wants legacy to serve the request.

    `reason` and `status` reach the client only where there is no legacy side.
    """
    headers = {**FALLBACK_HEADERS, "content-type": "text/plain;charset=UTF-8"}
    return {"statusCode": status, "headers": headers, "body": reason}


def refuse(handler: object) -> None:
    """Refuse where it is written what Lambda could not call: no function, or one that only begins when it is awaited.

    Raises: TypeError.
    """
    flags = getattr(getattr(handler, "__code__", None), "co_flags", 0)
    if not callable(handler):
        message = f"a handler is a function, not {handler!r}: write handler(route=...)"
        raise TypeError(message)
    if flags & _NEVER_CALLED:
        message = f"{getattr(handler, '__name__', handler)} is async or a generator: Lambda calls a plain function"
        raise TypeError(message)


def _not_handled(error: EventUnreadable) -> EnvoyAnswer:
    return from_gateway(fallback_safe(str(error), status=error.status))
