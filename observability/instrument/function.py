"""`lambda_`: one line that makes a Lambda handler tell of its invocations.

It stacks with `adapters.handler` in either order, and with Powertools' decorators. Above `adapters.handler` it sees
what the sender sent and the answer as the sender reads it, and so what is refused there; below it sees one type.

    @instrument.lambda_
    @adapters.handler(route="books-read")
    def handler(event, context): ...

Two rules. Telling never fails an invocation, and never holds it for longer than `flush` (seconds), nor beyond what it
has left less `reserve`: what could not be sent by then is sent with a later invocation, and counted where it is lost.
And nothing is told where nobody said where to: outside of Lambda, without `OTEL_EXPORTER_OTLP_ENDPOINT`, the handler
runs as if the line were not there.
"""

import atexit
import functools
import importlib
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar, overload

from . import variables
from .options import RESERVE_SECONDS, Options, checked, flush_seconds
from .variables import Signal, Way

Function = TypeVar("Function", bound=Callable[..., Any])
_MISSING = "OpenTelemetry is not installed, so nothing is told: pip install 'strangler-fig[instrument]'"
_log = logging.getLogger("observability.instrument")


@overload
def lambda_(function: Function) -> Function: ...
@overload
def lambda_(
    *, route: str = "", service: str = "", metrics: str = "", flush: float | None = None, reserve: float = ...
) -> Callable[[Function], Function]: ...
def lambda_(  # noqa: PLR0913 - keywords of a decorator, each with a default
    function: Function | None = None,
    *,
    route: str = "",
    service: str = "",
    metrics: str = "",
    flush: float | None = None,
    reserve: float = RESERVE_SECONDS,
) -> Function | Callable[[Function], Function]:
    """The handler, which tells of each invocation by a SERVER span that continues the request's trace.

    `route` is the route's name where the router does not say it; `service` the service's where no variable does;
    `metrics` a CloudWatch namespace, for a record of Powertools' EMF for each invocation. `flush` (default half a
    second, or `OTEL_INSTRUMENTATION_AWS_LAMBDA_FLUSH_TIMEOUT`) and `reserve` are as above.
    """
    seconds = flush_seconds(flush)
    options = checked(Options(route, service, metrics, flush_seconds=seconds, reserve_seconds=reserve))
    if function is None:
        return lambda decorated: _decorated(decorated, options)
    return _decorated(function, options)


def _decorated(function: Function, options: Options) -> Function:
    process = _quietly(_process_of, options.service)
    if process is None:
        return function
    from .invocation import Invocation  # noqa: PLC0415 - OpenTelemetry's import

    if options.metrics:
        _quietly(importlib.import_module, f"{__package__}.emf")  # now, and not in the first request

    def handle(event: Any, context: Any) -> Any:
        invocation = _quietly(Invocation, process, options, event, context)
        if invocation is None:
            return function(event, context)
        try:
            answer = function(event, context)
        except BaseException as error:
            _quietly(_end, invocation, options, error=error)
            raise
        _quietly(_end, invocation, options, answer=answer)
        return answer

    # updated=(): a handler that is an object must not lend its attributes to the wrapper.
    return functools.update_wrapper(handle, function, updated=())  # type: ignore[return-value]


def _end(invocation: Any, options: Options, *, answer: Any = None, error: BaseException | None = None) -> None:
    try:
        if error is None:
            invocation.answered(answer)
        else:
            invocation.failed(error)
    finally:
        invocation.end()
    if options.metrics:
        from .emf import tell  # noqa: PLC0415 - Powertools' metrics, for those who asked for them

        tell(options.metrics, invocation)
    invocation.flush()


@functools.cache
def _process_of(service: str) -> Any:
    """The process, once; None where there is nothing to tell, or nothing to tell it with."""
    if variables.is_disabled() or not _is_wanted():
        return None
    try:
        from .process import Process  # noqa: PLC0415 - OpenTelemetry's import
    except ImportError:
        _log.warning(_MISSING)
        return None
    process = Process(service)
    process.listen()
    atexit.register(_quietly, process.end)
    return process


def _is_wanted() -> bool:
    """Whether somebody asked for telemetry: Lambda's own log is there for it, a variable, or a provider of the user."""
    api = sys.modules.get("opentelemetry.trace")
    if api is not None and hasattr(api.get_tracer_provider(), "add_span_processor"):
        return True
    if not (os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or variables.has_endpoint()):
        return variables.way(Signal.TRACES, Way.NONE) is not Way.NONE
    # With `none` for both there is nothing to set up: `adapters` hands a request's trace on by itself.
    logs = Way.OTLP if variables.has_endpoint(Signal.LOGS) else Way.NONE
    return variables.way(Signal.TRACES, Way.LINES) is not Way.NONE or variables.way(Signal.LOGS, logs) is not Way.NONE


def _quietly(doing: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """What it returns; None, and a line in the log, where it failed: telling never fails an invocation."""
    try:
        return doing(*arguments, **more)
    except Exception:  # noqa: BLE001 - whatever telling fails for, the request is served
        _log.warning("not told", exc_info=True)
        return None
