"""`legacy`: one line that makes an application on-premises tell of its requests, statements and log lines.

    app = instrument.legacy(app)

Flask's, Starlette's and FastAPI's objects are changed inside and come back as they are; any other WSGI or ASGI callable
comes back in another one. Spans are made by OpenTelemetry's own instrumentations of WSGI, ASGI and SQLAlchemy, under
stable names; added is what only a framework or the router knows. The SDK is set up in the process that serves
(`providers`). Where no variable says where to send, nothing happens at all.
"""

import inspect
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any, TypeVar

from . import variables
from .variables import Signal, Way

App = TypeVar("App")
_MISSING = "OpenTelemetry is not installed, so nothing is told: pip install 'strangler-fig[instrument]'"
_STABLE = "OTEL_SEMCONV_STABILITY_OPT_IN"
_log = logging.getLogger("observability.instrument")


def legacy(app: App, *, service: str = "", engine: Any = None) -> App:
    """The application, which tells of each request by a SERVER span that continues the request's trace.

    `service` is its name where `OTEL_SERVICE_NAME` does not say it. `engine` is the SQLAlchemy engine, or several,
    whose statements are told; without it those of every engine that is made after this line.
    """
    if variables.is_disabled() or not _is_wanted():
        return app
    # Old names are what the instrumentations use where nobody asks. Read once, when the first of them is imported.
    os.environ.setdefault(_STABLE, "http,database")
    try:
        from .providers import ready  # noqa: PLC0415 - OpenTelemetry's import
    except ImportError:
        _log.warning(_MISSING)
        return app
    _watch(engine)
    if _is_asgi(app):
        from .asgi import wrapped  # noqa: PLC0415
    else:
        from .wsgi import wrapped  # noqa: PLC0415
    found: App = wrapped(app, lambda: ready(service))
    return found


def _is_wanted() -> bool:
    """Whether a variable asks for telemetry, or the user set a provider up himself."""
    api = sys.modules.get("opentelemetry.trace")
    if api is not None and hasattr(api.get_tracer_provider(), "add_span_processor"):
        return True
    default = Way.OTLP if any(map(variables.has_endpoint, Signal)) else Way.NONE
    return any(variables.way(signal, default) is not Way.NONE for signal in Signal)


def _is_asgi(app: object) -> bool:
    """Whether it is called with a scope: a coroutine function, or an object whose call is one."""
    if inspect.iscoroutinefunction(app) or hasattr(app, "build_middleware_stack"):
        return True
    return not inspect.isfunction(app) and inspect.iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004 - what it is, not whether


def _watch(engine: Any) -> None:
    """Tell of statements, where there is SQLAlchemy; of those of an async engine by the engine inside."""
    if engine is None and "sqlalchemy" not in sys.modules:
        return
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor  # noqa: PLC0415

    instrumentor = SQLAlchemyInstrumentor()
    if engine is None:
        if not instrumentor.is_instrumented_by_opentelemetry:
            # It says that it knows SQLAlchemy up to 2.0, and would decline; what it does with 2.1 is tested here.
            instrumentor.instrument(skip_dep_check=True)
        return
    several = engine if isinstance(engine, Sequence) else (engine,)
    # `instrument` itself refuses a second call, and a process may have two applications.
    instrument: Any = instrumentor._instrument  # noqa: SLF001
    instrument(engines=[getattr(one, "sync_engine", one) for one in several])
