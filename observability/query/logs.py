"""Log records: a search, and those of one trace."""

from sqlalchemy import ColumnElement, func, or_, select

from strangler_fig.names import FALLBACK_ATTRIBUTE

from ..tables import otel_logs
from .constructs import attribute, contains, nanoseconds
from .reader import Record, Rows
from .traces import Order, Wanted
from .window import Window, limited

_L = otel_logs.c
_BRIEF = 600
_AT = nanoseconds(_L.Timestamp).label("Timestamp")
_COLUMNS = tuple(
    _L[name]
    for name in [
        "TraceId",
        "SpanId",
        "SeverityText",
        "SeverityNumber",
        "ServiceName",
        "Body",
        "LogAttributes",
        "Side",
        "Role",
        "Route",
        "HttpStatus",
        "RequestId",
    ]
)


def search(  # noqa: PLR0913 - what records have and spans do not
    store: Rows,
    wanted: Wanted,
    window: Window,
    limit: int = 100,
    *,
    min_severity: int = 0,
    trace_id: str = "",
    order: Order = "newest",
) -> list[Record]:
    """The latest records that are like this, or the first; `min_severity` by OpenTelemetry's numbers."""
    equal = {
        _L.Route: wanted.route,
        _L.Side: wanted.side,
        _L.Role: wanted.role,
        _L.ServiceName: wanted.service,
        _L.RequestId: wanted.request_id,
        _L.TraceId: trace_id,
    }
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value]
    conditions += [_L.HttpStatus >= wanted.min_status] if wanted.min_status else []
    conditions += [_L.HttpStatus <= wanted.max_status] if wanted.max_status else []
    conditions += [_L.SeverityNumber >= min_severity] if min_severity > 0 else []
    if wanted.only_errors:
        conditions.append(or_(_L.SeverityNumber >= 17, _L.HttpStatus >= 500))  # noqa: PLR2004 - ERROR, and HTTP's number
    if wanted.only_fallbacks:
        conditions.append(attribute(_L.LogAttributes, FALLBACK_ATTRIBUTE) != "")
    if wanted.text:
        path = attribute(_L.LogAttributes, "url.path")
        conditions.append(or_(contains(_L.Body, wanted.text), contains(path, wanted.text)))
    statement = select(_AT, *_COLUMNS).where(window.covers(_L.Timestamp), *conditions)
    first = _L.Timestamp if order == "oldest" else _L.Timestamp.desc()
    return store.rows(statement.order_by(first).limit(limited(limit)))


def of_trace(store: Rows, trace_id: str, window: Window, limit: int = 1_000) -> list[Record]:
    """The records that carry the trace's id, oldest first."""
    statement = select(_AT, *_COLUMNS).where(window.covers(_L.Timestamp), _L.TraceId == trace_id)
    return store.rows(statement.order_by(_L.Timestamp).limit(limited(limit)))


def of_span(store: Rows, trace_id: str, span_id: str, window: Window, limit: int = 200) -> list[Record]:
    """The records that carry the ids of the trace and of the span, oldest first."""
    statement = select(_AT, *_COLUMNS).where(window.covers(_L.Timestamp), _L.TraceId == trace_id, _L.SpanId == span_id)
    return store.rows(statement.order_by(_L.Timestamp).limit(limited(limit)))


def brief_of_trace(store: Rows, trace_id: str, window: Window, limit: int = 2_000) -> list[Record]:
    """The trace's records without attributes, and of long texts the beginning: what a page draws in place."""
    body = func.substring(_L.Body, 1, _BRIEF).label("Body")
    columns = (_L.SpanId, _L.SeverityText, _L.SeverityNumber, _L.ServiceName, _L.Side, _L.Role)
    statement = select(_AT, body, *columns).where(window.covers(_L.Timestamp), _L.TraceId == trace_id)
    return store.rows(statement.order_by(_L.Timestamp).limit(limited(limit)))
