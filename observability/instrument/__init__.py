"""One line that makes a Lambda function, or an application on-premises, tell what it does by OpenTelemetry.

    from observability import instrument

    @instrument.lambda_                 # or @instrument.lambda_(route="books-read"); above or below @adapters.handler
    def handler(event, context): ...

    app = instrument.legacy(app)           # WSGI or ASGI: Flask, Django, Starlette, FastAPI, or any callable
    app = instrument.legacy(app, service="bookshop", engine=engine)      # SQLAlchemy's statements, too

Both are told where to send by OpenTelemetry's own variables: `OTEL_EXPORTER_OTLP_ENDPOINT=http://HOST:4318` is enough.
Without it a function writes OTLP as lines of JSON to its log, and an application does nothing. Without the extra
`instrument`, or with `OTEL_SDK_DISABLED=true`, what was given comes back as it is, with one warning at most: so the
line may stand in code that also runs where nothing of it is installed. Names are those of `strangler_fig.names`.

Names here are imported when they are asked for, and OpenTelemetry when there is something to tell: neither costs a cold
start before that. Nothing here imports the adapters, the store or its pages.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .application import legacy
    from .function import lambda_

__all__ = ["lambda_", "legacy"]

_PLACES = {"lambda_": "function", "legacy": "application"}


def __getattr__(name: str) -> Any:
    """The exported name, from its module. Raises `AttributeError`."""
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415 - as in `adapters`: the price of every import otherwise

    found = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    globals()[name] = found
    return found
