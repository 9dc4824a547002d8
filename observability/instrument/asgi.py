"""ASGI applications: OpenTelemetry's own middleware, with the router's headers and Starlette's routes added."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.util.http import get_excluded_urls, sanitize_method

from . import failed, router_headers
from .logged import belongs_to
from .providers import finish

Ready = Callable[[], None]
Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def wrapped(app: Any, ready: Ready) -> Any:
    """The application that tells; Starlette's or FastAPI's own object, changed inside, where it is one."""
    if hasattr(app, "get_response_async") and hasattr(app, "load_middleware"):
        failed.hear_django()
    build = getattr(app, "build_middleware_stack", None)
    if build is None:
        return Asgi(app, ready)
    if app.middleware_stack is not None:  # it has served already
        app.middleware_stack = Asgi(app.middleware_stack, ready)
    else:
        app.build_middleware_stack = lambda: Asgi(build(), ready)
    return app


class Asgi:
    """An ASGI application around another one."""

    def __init__(self, app: Any, ready: Ready) -> None:
        self._app, self._ready = app, ready
        self._told = OpenTelemetryMiddleware(
            _Routes(app),
            excluded_urls=get_excluded_urls("ASGI"),
            default_span_details=lambda scope: (_method(scope), {}),
            server_request_hook=_note,
            exclude_spans=["receive", "send"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a scope."""
        self._ready()
        await self._told(scope, receive, _finishing(send) if scope["type"] == "lifespan" else send)

    def __getattr__(self, name: str) -> Any:
        """What else the application has."""
        return getattr(self._app, name)


def _finishing(send: Send) -> Send:
    """Send what waits before the server hears that the application has ended: uvicorn ends by a signal after that."""

    async def sending(message: Message) -> None:
        if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            await asyncio.to_thread(finish)
        await send(message)

    return sending


class _Routes:
    """Notes the route that was chosen, when the answer begins: then the framework has chosen."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        span = trace.get_current_span()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and (template := template_of(scope)):
                router_headers.note_route(span, _method(scope), template)
            await send(message)
            # After the middleware, which would empty the status; the span ends with the answer.
            if message["type"] == "http.response.start" and message["status"] >= failed.FAILED_STATUS:
                error = failed.noted(scope) or sys.exc_info()[1]
                if error is not None:
                    failed.tell(span, error)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            belongs_to(error, span.get_span_context())
            if span.is_recording() and (template := template_of(scope)):
                router_headers.note_route(span, _method(scope), template)
            raise


def template_of(scope: Scope) -> str:
    """The template of Starlette's route: what was mounted before it, and its own."""
    template = getattr(scope.get("route"), "path_format", None)
    if not isinstance(template, str):
        return ""
    before = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return f"{before.rstrip('/')}{template}" or "/"


def _note(span: Any, scope: Scope) -> None:
    headers = {name.lower(): value for name, value in scope.get("headers") or ()}

    def header(name: str) -> str:
        value: bytes = headers.get(name.encode("latin-1"), b"")
        return value.decode("latin-1")

    router_headers.note(span, _method(scope), header)


def _method(scope: Scope) -> str:
    if scope["type"] == "websocket":
        return "WEBSOCKET"
    known = sanitize_method(scope.get("method", ""))
    return "HTTP" if known == "_OTHER" else known
