"""Exceptions that ended a request, on its SERVER span: type, message and stack trace, once.

OpenTelemetry's middlewares see those that leave the application. Frameworks answer 500 instead, so Flask's and Django's
signals are heard, and what is being handled when an ASGI application begins such an answer.
"""

import contextlib
import sys
from collections.abc import MutableMapping
from typing import Any

from opentelemetry import trace

from .logged import belongs_to

_KEY = "fig.failure"
FAILED_STATUS = 500


def note(request: MutableMapping[str, Any], error: BaseException | None) -> None:
    """Keep the exception in the request's environment or scope until its answer begins."""
    request[_KEY] = error


def noted(request: MutableMapping[str, Any]) -> BaseException | None:
    """The exception that was kept, once."""
    error: BaseException | None = request.pop(_KEY, None)
    return error


def tell(span: Any, error: BaseException) -> None:
    """Put the exception on the span, its type as the status's message. Never raises: an exception's text may."""
    belongs_to(error, span.get_span_context())
    with contextlib.suppress(Exception):
        if span.is_recording():
            name = type(error).__qualname__
            span.set_attribute("error.type", name)
            span.set_status(trace.Status(trace.StatusCode.ERROR, name))
            span.record_exception(error)


def hear_flask(app: Any) -> None:
    """Keep what Flask's views raise and nobody handles."""
    from flask import got_request_exception  # noqa: PLC0415 - only where the application is Flask's

    got_request_exception.connect(_of_flask, app)


def _of_flask(_app: Any, exception: BaseException, **_more: Any) -> None:
    from flask import request  # noqa: PLC0415 - as above

    note(request.environ, exception)


def hear_django() -> None:
    """Keep what Django's views raise and nobody handles."""
    from django.core.signals import got_request_exception  # noqa: PLC0415 - only where the application is Django's

    got_request_exception.connect(_of_django, dispatch_uid=_KEY)


def _of_django(request: Any = None, **_more: Any) -> None:
    found = getattr(request, "scope", None) or getattr(request, "META", None)
    if isinstance(found, MutableMapping):
        note(found, sys.exc_info()[1])
