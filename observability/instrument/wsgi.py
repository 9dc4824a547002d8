"""WSGI applications: OpenTelemetry's own middleware, with the router's headers and Flask's or Django's routes added."""

from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.util.http import get_excluded_urls, sanitize_method

from . import failed, router_headers
from .logged import belongs_to

Ready = Callable[[], None]


def wrapped(app: Any, ready: Ready) -> Any:
    """The application that tells; Flask's own object, changed inside, where it is one."""
    if hasattr(app, "wsgi_app") and hasattr(app, "before_request"):
        app.wsgi_app = Wsgi(app.wsgi_app, ready)
        app.before_request(_note_flask)
        failed.hear_flask(app)
        return app
    if hasattr(app, "get_response") and hasattr(app, "load_middleware"):
        app.get_response = _noting_django(app.get_response)
        failed.hear_django()
    return Wsgi(app, ready)


class Wsgi:
    """A WSGI application around another one."""

    def __init__(self, app: Any, ready: Ready) -> None:
        self._app, self._ready = app, ready
        self._told: Any = OpenTelemetryMiddleware(_failing(app), request_hook=_note)
        self._excluded = get_excluded_urls("WSGI")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The answer of the application."""
        self._ready()
        if self._excluded.url_disabled(environ.get("PATH_INFO", "")):
            return self._app(environ, start_response)  # type: ignore[no-any-return]  # as the application gives it
        return self._told(environ, start_response)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        """What else the application has."""
        return getattr(self._app, name)


def _failing(app: Any) -> Any:
    """The application, whose exceptions are told: what left it has a trace, what became an answer is on the span."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        span = trace.get_current_span()

        def starting(status: str, *more: Any) -> Any:
            writing = start_response(status, *more)
            if (error := failed.noted(environ)) is not None:  # after the middleware, which would empty the status
                failed.tell(span, error)
            return writing

        try:
            return app(environ, starting)  # type: ignore[no-any-return]  # as the application gives it
        except Exception as error:
            belongs_to(error, span.get_span_context())
            raise

    return call


def _note(span: Any, environ: dict[str, Any]) -> None:
    method = _method(environ.get("REQUEST_METHOD", ""))
    router_headers.note(span, method, lambda name: environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))


def _note_flask() -> None:
    """Note the rule that Flask chose; runs before the view."""
    from flask import request  # noqa: PLC0415 - only where the application is Flask's

    if request.url_rule is not None:
        router_headers.note_route(trace.get_current_span(), _method(request.method), request.url_rule.rule)


def _noting_django(answering: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What answers Django's requests, and notes the pattern that it chose: known once the view was found."""

    def answer(request: Any) -> Any:
        response = answering(request)
        match = getattr(request, "resolver_match", None)
        if match is not None and match.route:
            pattern = match.route if match.route.startswith(("/", "^")) else f"/{match.route}"
            router_headers.note_route(trace.get_current_span(), _method(request.method or ""), pattern)
        return response

    return answer


def _method(said: str) -> str:
    known = sanitize_method(said)
    return "HTTP" if known == "_OTHER" else known
