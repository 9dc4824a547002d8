"""Spans and metrics of calls towards on-premises, by OpenTelemetry's semantic conventions, through its API alone.

    HttpService -> `asking`      one span for each try, `http.client.request.duration`
    Database    -> `watch`       one span for each statement, `db.client.operation.duration`
                -> `connecting`  one span for each new connection, `db.client.connection.create_time`

Without an SDK all of it is silent and takes a few microseconds; setting one up is somebody else's work. No value of a
query string, of a header or of a statement is told, only what the function's author wrote down himself.

Source: OpenTelemetry semantic conventions 1.38, "HTTP spans", "HTTP metrics", "Database client spans", "Database client
metrics".
"""

import functools
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

from opentelemetry import metrics, propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from strangler_fig.names import ADAPTERS_SCOPE, PROFILE_ATTRIBUTE, ROLE_ATTRIBUTE, ROLE_SHADOW

from .profiles.hosts import bracketed, parted
from .profiles.values import DatabaseProfile, ServiceProfile, TlsMode
from .shadow import is_shadow

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"})
_FIRST_ERROR = 400
_HTTP_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_DB_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
_SUMMARY = re.compile(
    r"\s*(?P<operation>[a-z]+)(?:[^'\"]*?\b(?:from|into|update|table)\s+(?P<first>[\w.`$]+)|\s+(?P<second>[\w.`$]+))?",
    re.IGNORECASE,
)
_TABLE_FIRST = frozenset({"UPDATE", "CALL", "REPLACE", "TRUNCATE"})
_CALL = "_adapters_call"

Attributes = dict[str, Any]


class Told:
    """One call as telemetry sees it: begins when it is made, ends with the block around it or with `end`."""

    __slots__ = ("_attributes", "_begin", "_histogram", "_kept", "span")

    def __init__(self, name: str, histogram: Any, kept: Attributes, more: Attributes) -> None:
        self._histogram = histogram
        self._kept = kept  # on the metric, too: few values, never a path or a statement
        attributes = {**kept, **more}
        if is_shadow():
            attributes[ROLE_ATTRIBUTE] = ROLE_SHADOW
        self.span: Span = _instruments().tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
        self._begin = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.end(error)

    def inject(self, headers: dict[str, str]) -> None:
        """Write the trace context of this call into the headers that it sends."""
        propagate.inject(headers, context=trace.set_span_in_context(self.span))

    def answered(self, status: int) -> None:
        """Note the status of an HTTP answer."""
        self._note({"http.response.status_code": status})
        if status >= _FIRST_ERROR:
            self._note({"error.type": str(status)})
            self.span.set_status(Status(StatusCode.ERROR))

    def end(self, error: BaseException | None = None, code: str = "") -> None:
        """End the call; `code` is what the database calls its error."""
        seconds = time.perf_counter() - self._begin
        if error is not None:
            self._note({"error.type": type(error).__name__} | ({"db.response.status_code": code} if code else {}))
            # The class alone: a driver's message may repeat values.
            self.span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        self._histogram.record(seconds, self._kept)
        self.span.end()

    def _note(self, attributes: Mapping[str, Any]) -> None:
        self._kept = {**self._kept, **attributes}
        self.span.set_attributes(attributes)


class _Silent(Told):
    """A call of which nobody is told; the trace that the request came with goes on all the same."""

    __slots__ = ()

    def __init__(self) -> None:
        self.span = trace.INVALID_SPAN

    def inject(self, headers: dict[str, str]) -> None:
        """Write the current trace context into the headers."""
        propagate.inject(headers)

    def answered(self, status: int) -> None:
        """Nobody is told."""

    def end(self, error: BaseException | None = None, code: str = "") -> None:
        """Nobody is told."""


_SILENT = _Silent()


_METRICS = sys.modules.get("opentelemetry.metrics._internal")


@functools.cache
def _providers() -> None:
    """Have the API load the providers that the environment names, which it does when it is first asked."""
    trace.get_tracer_provider()
    metrics.get_meter_provider()


def _is_silent() -> bool:
    """Whether nobody listens: neither this block nor the process has providers, as long as no SDK is set up.

    It looks where the API keeps them: asking the API takes longer than a call that nobody sees. Under other names
    nothing would be lost but that time. A provider that is set later is noticed at the next call.
    """
    _providers()
    return (
        _in_use.get() is None
        and getattr(trace, "_TRACER_PROVIDER", False) is None
        and getattr(_METRICS, "_METER_PROVIDER", False) is None
    )


def asking(place: tuple[Attributes, str], method: str, path: str, resend: int) -> Told:
    """One try of a request to what `service` made; `resend` is its number after the first. `path` has no query."""
    if _is_silent():
        return _SILENT
    known = method if method in _METHODS else "_OTHER"
    kept, origin = place
    more: Attributes = {"url.full": f"{origin}{path}"}
    if known != method:
        more["http.request.method_original"] = method
    if resend:
        more["http.request.resend_count"] = resend
    return Told(
        known if known == method else "HTTP", _instruments().http_duration, {**kept, "http.request.method": known}, more
    )


def connecting(profile: DatabaseProfile) -> Told:
    """A new connection to a database, its login included."""
    if _is_silent():
        return _SILENT
    return Told("CONNECT", _instruments().create_time, _database(profile), {"db.operation.name": "CONNECT"})


def watch(engine: Any, profile: DatabaseProfile) -> None:
    """Tell of every statement of the engine; to be called after all others that look at its statements."""
    from sqlalchemy import event  # noqa: PLC0415 - a function without a database does not pay for it

    known = {False: _database(profile), True: _database(profile) | {"db.system.name": "mariadb"}}

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def before(
        connection: Any,
        _cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        many: bool,  # noqa: FBT001
    ) -> tuple[str, Any]:
        if _is_silent():
            return (commented(statement, trace.get_current_span()) if profile.sql_comments else statement), parameters
        own = (context.statement if context is not None else None) or statement
        told = _statement(known[connection.dialect.is_mariadb], own, has_parameters=bool(parameters))
        if many:
            told.span.set_attribute("db.operation.batch.size", len(parameters))
        if context is not None:
            setattr(context, _CALL, told)
        return (commented(statement, told.span) if profile.sql_comments else statement), parameters

    @event.listens_for(engine, "after_cursor_execute")
    def after(*arguments: Any) -> None:
        _end(arguments[4], None)

    @event.listens_for(engine, "handle_error")
    def failed(found: Any) -> None:
        _end(found.execution_context, found.original_exception)


def commented(statement: str, span: Span) -> str:
    """The statement with the span's trace context as a comment at its end; as it is where there is no trace.

    Source: google.github.io/sqlcommenter, "Specification".
    """
    context = span.get_span_context()
    if not context.is_valid:
        return statement
    parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
    return f"{statement} /*traceparent='{parent}'*/"


@functools.lru_cache(maxsize=1024)
def summary(statement: str) -> tuple[str, str]:
    """What a statement does, and to which table where that can be told: `("SELECT", "books")`."""
    found = _SUMMARY.match(statement)
    if not found:
        return "", ""
    operation = found["operation"].upper()
    table = found["first"] or (found["second"] if operation in _TABLE_FIRST else "") or ""
    return operation, table.replace("`", "")


def _statement(known: Attributes, statement: str, *, has_parameters: bool) -> Told:
    operation, table = summary(statement)
    kept = {**known, "db.operation.name": operation}
    if table:
        kept["db.collection.name"] = table
    name = f"{operation} {table}" if table else operation
    more: Attributes = {"db.query.summary": name}
    if has_parameters:  # a text without any may hold values itself
        more["db.query.text"] = statement
    return Told(name or "SQL", _instruments().db_duration, kept, more)


def _end(context: Any, error: BaseException | None) -> None:
    told = context.__dict__.pop(_CALL, None) if context is not None else None
    if told is not None:
        number = error.args[0] if error is not None and error.args and isinstance(error.args[0], int) else ""
        told.end(error, str(number))


def service(profile: ServiceProfile) -> tuple[Attributes, str]:
    """What every call of a service has in common, and its origin."""
    scheme, usual = ("http", 80) if profile.tls.mode is TlsMode.OFF else ("https", 443)
    host, given = parted(profile.host) or (profile.host, None)
    port = given or profile.way.endpoints[0].port
    origin = f"{scheme}://{bracketed(host)}" + (f":{port}" if port != usual else "")
    return {"server.address": host, "server.port": port, PROFILE_ATTRIBUTE: profile.name}, origin


def _database(profile: DatabaseProfile) -> Attributes:
    """What every call of a database has in common."""
    endpoint = profile.way.endpoints[0]
    attributes: Attributes = {
        "db.system.name": "mysql",
        "server.address": profile.tls.name or endpoint.host,
        "server.port": endpoint.port,
        PROFILE_ATTRIBUTE: profile.name,
    }
    return attributes | ({"db.namespace": profile.database} if profile.database else {})


class Instruments:
    """What tells: a tracer and three histograms; by default those of the process's providers, SDK or not."""

    __slots__ = ("create_time", "db_duration", "http_duration", "tracer")

    def __init__(self, tracers: Any = None, meters: Any = None) -> None:
        self.tracer = trace.get_tracer(ADAPTERS_SCOPE, tracer_provider=tracers)
        meter = metrics.get_meter(ADAPTERS_SCOPE, meter_provider=meters)

        def histogram(name: str, text: str, bounds: tuple[float, ...]) -> Any:
            return meter.create_histogram(name, "s", text, explicit_bucket_boundaries_advisory=list(bounds))

        self.http_duration = histogram(
            "http.client.request.duration", "Duration of HTTP client requests.", _HTTP_BOUNDS
        )
        self.db_duration = histogram(
            "db.client.operation.duration", "Duration of database client operations.", _DB_BOUNDS
        )
        self.create_time = histogram(
            "db.client.connection.create_time", "The time it took to create a new connection.", _DB_BOUNDS
        )


_of_process = functools.cache(Instruments)
_in_use: ContextVar[Instruments | None] = ContextVar("adapters_instruments", default=None)


def _instruments() -> Instruments:
    return _in_use.get() or _of_process()


@contextmanager
def telling(instruments: Instruments) -> Iterator[None]:
    """Tell these of what the block does, instead of the process's."""
    token = _in_use.set(instruments)
    try:
        yield
    finally:
        _in_use.reset(token)
