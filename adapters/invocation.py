"""`handler`: what a function's entry point is wrapped in, so that its calls are bounded and its failures understood.

    event -> API Gateway v2 -> deadline, shadow mark, trace context in force -> the function -> its answer, or what its
    failure means for the router

It stacks with other decorators, as those of Powertools; the outermost sees the event first.
"""

import functools
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar, overload

from strangler_fig.names import SHADOW_HEADER

from . import effects
from .coldstart import is_awaited
from .deadline import RESERVE_SECONDS, Deadline, in_force
from .errors import EventUnreadable, ShadowSuppressed, TargetFailed
from .events.answer import with_cold_start
from .events.handler import FALLBACK_HEADERS, fallback_safe, refuse
from .events.kinds import Kind, kind_of
from .events.one_type import answered, received
from .events.others import whole
from .shadow import is_shadow, marked

Function = TypeVar("Function", bound=Callable[[Any, Any], Any])
SHADOW_HONOURED = "honoured"


@overload
def handler(function: Function) -> Function: ...
@overload
def handler(*, route: str | None = None, reserve: float = RESERVE_SECONDS) -> Callable[[Function], Function]: ...
def handler(
    function: Function | None = None, *, route: str | None = None, reserve: float = RESERVE_SECONDS
) -> Function | Callable[[Function], Function]:
    """A Lambda handler around `function`, which gets API Gateway v2 events whoever sent the request.

    `route` names it in logs; `reserve` (seconds) is kept of the invocation for answering. A `TargetFailed` that leaves
    the function is answered with its status, and with `x-fig-fallback: safe` where nothing was done: then legacy serves
    the request, whatever its method. Any other exception passes through: the function fails.
    """
    if function is None:
        return lambda decorated: handler_of(decorated, route=route, reserve=reserve)
    return handler_of(function, route=route, reserve=reserve)


def handler_of(function: Function, *, route: str | None, reserve: float) -> Function:
    """`handler` without the ways to write it. Raises `TypeError` for what Lambda could not call."""
    refuse(function)

    def handle(event: Any, context: Any) -> Any:
        is_cold = is_awaited()
        try:
            request, kind = received(event)
        except EventUnreadable as error:
            logging.getLogger(__name__).warning("not handled, left to legacy: %s", error)
            return answered(_unread(error, event), event, kind_of(event))
        with _invocation(request, context, reserve):
            answer = answered(_outcome(function, request, context, route), event, kind)
        return with_cold_start(answer) if is_cold and kind is Kind.ROUTER else answer

    return functools.update_wrapper(handle, function, updated=())  # type: ignore[return-value]


@contextmanager
def _invocation(event: Any, context: Any, reserve: float) -> Any:
    with ExitStack() as stack:
        stack.enter_context(in_force(Deadline.of_context(context, reserve=reserve)))
        stack.enter_context(marked(shadow=_is_shadow(event)))
        stack.enter_context(effects.new_page())
        stack.enter_context(_trace(event))
        yield


@contextmanager
def _trace(event: Any) -> Any:
    """The request's trace is the current one, so that calls carry it on; an SDK is not needed for that.

    A span of this process that goes on already, as of a decorator around this one, stays the calls' parent.
    """
    headers = event.get("headers") if isinstance(event, Mapping) else None
    if not isinstance(headers, Mapping) or "traceparent" not in headers:
        yield
        return
    try:
        from opentelemetry import context, propagate, trace  # noqa: PLC0415 - only where there is a trace
    except ImportError:  # without the extra there is no target that a trace could go on to
        yield
        return
    current = trace.get_current_span().get_span_context()
    if current.is_valid and not current.is_remote:
        yield
        return
    token = context.attach(propagate.extract(headers))
    try:
        yield
    finally:
        context.detach(token)


def _outcome(function: Callable[[Any, Any], Any], event: Any, context: Any, route: str | None) -> Any:
    shadow = _is_shadow(event)
    try:
        answer = function(event, context)
    except ShadowSuppressed:
        return {"statusCode": 204, "headers": {SHADOW_HEADER: SHADOW_HONOURED}}
    except TargetFailed as error:
        if not _is_request(event):
            raise
        logging.getLogger(__name__).warning("%s: %s: %s", route or "handler", type(error).__name__, error)
        answer = failed(error)
    return _marked(answer) if shadow else answer


def failed(error: TargetFailed) -> dict[str, Any]:
    """The answer that an error means: its status, and whether legacy may serve the request.

    For a shadow legacy never serves: it has the request already.
    """
    headers = {"content-type": "text/plain;charset=UTF-8"}
    if error.nothing_done and not effects.noted() and not is_shadow():
        headers |= FALLBACK_HEADERS
    # The error names hosts and profiles, which are nobody's business outside.
    return {"statusCode": error.status, "headers": headers, "body": f"{type(error).__name__}\n"}


def _unread(error: EventUnreadable, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer to a request that could not be read; a shadow that was not handled changed nothing."""
    headers = event.get("headers")
    if isinstance(headers, Mapping) and headers.get(SHADOW_HEADER) == "1":
        return {"statusCode": error.status, "headers": {SHADOW_HEADER: SHADOW_HONOURED}, "body": f"{error}\n"}
    return fallback_safe(str(error), status=error.status)


def _marked(answer: Any) -> Any:
    """The answer with the mark; what is no answer is left to whoever judges answers."""
    if not isinstance(answer, (str, list, Mapping)):
        return answer
    full = whole(answer)
    headers = full.get("headers") or {}
    return {**full, "headers": {**headers, SHADOW_HEADER: SHADOW_HONOURED}} if isinstance(headers, Mapping) else answer


def _is_request(event: Any) -> bool:
    return isinstance(event, Mapping) and "requestContext" in event


def _is_shadow(event: Any) -> bool:
    """The router's mark; `events` puts it there, and only where the router is the caller."""
    if not _is_request(event):
        return False
    fig = event["requestContext"].get("fig") if isinstance(event["requestContext"], Mapping) else None
    return isinstance(fig, Mapping) and fig.get("shadow") is True
