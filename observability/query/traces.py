"""Spans: one trace by its id, whole or in outline, one span, a search, and the slowest of a route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select

from strangler_fig.names import FALLBACK_ATTRIBUTE, INIT_SPAN, ROUTER_SERVICE

from ..normalise.bounds import CLOCK_ATTRIBUTE, DURATION_ATTRIBUTE, MAX_DURATION
from ..tables import otel_traces, otel_traces_trace_id_ts, trace_key
from .constructs import any_value_contains, attribute, contains, each_nanoseconds, nanoseconds
from .reader import Columns, Record, Rows
from .window import MINUTE, Window, limited

_T, _I = otel_traces.c, otel_traces_trace_id_ts.c
MAX_SPANS = 50_000
ENTRY = "Entry"
"""As a kind: spans that nothing caused, and the router's of each request, whatever its client calls their parent."""
Order = Literal["newest", "oldest", "slowest"]
_SHORT = tuple(
    _T[name]
    for name in [
        "TraceId",
        "SpanId",
        "ParentSpanId",
        "SpanName",
        "SpanKind",
        "ServiceName",
        "Duration",
        "StatusCode",
        "Side",
        "Role",
        "Route",
        "HttpStatus",
        "RequestId",
        "ColdStart",
    ]
)
_DRAWN = tuple(column for column in _SHORT if column.name not in {"TraceId", "RequestId"})
_LONG = tuple(
    _T[name]
    for name in [
        "TraceState",
        "StatusMessage",
        "ScopeName",
        "ScopeVersion",
        "ResourceAttributes",
        "SpanAttributes",
        "Events.Name",
        "Events.Attributes",
        "Links.TraceId",
        "Links.SpanId",
    ]
)
_AT = nanoseconds(_T.Timestamp).label("Timestamp")
_EVENT_TIMES = each_nanoseconds(_T["Events.Timestamp"]).label("Events.Timestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What spans or records are looked for; what is empty does not matter."""

    route: str = ""
    side: str = ""
    role: str = ""
    service: str = ""
    request_id: str = ""
    min_status: int = 0
    max_status: int = 0
    min_milliseconds: float = 0.0
    max_milliseconds: float = 0.0
    only_errors: bool = False
    only_fallbacks: bool = False
    text: str = ""
    kind: str = ""


def extent(store: Rows, trace_id: str, window: Window) -> Window | None:
    """From the trace's first span to the end of its last, or None where the window has nothing of it."""
    when = store.rows(
        select(
            nanoseconds(func.min(_I.Start)).label("start"),
            nanoseconds(func.max(_I.End)).label("end"),
        )
        .where(_I.Key == trace_key(trace_id), _I.TraceId == trace_id, window.widened(MINUTE).covers(_I.Start))
        .limit(1)
    )
    if not when or when[0]["start"] is None:
        return None
    begin = int(when[0]["start"])
    return Window(begin, min(int(when[0]["end"]), begin + MAX_DURATION) + 1)


def trace(store: Rows, trace_id: str, window: Window, limit: int = MAX_SPANS) -> list[Record]:
    """The trace's spans in the order of their beginnings, once each; a window as wide as all of time is quick, too."""
    exact = extent(store, trace_id, window)
    if exact is None:
        return []
    rows = store.rows(
        select(_AT, _EVENT_TIMES, *_SHORT, *_LONG)
        .where(_T.TraceId == trace_id, exact.covers(_T.Timestamp))
        .order_by(_T.Timestamp, _T.SpanId)
        .limit(min(max(limit, 1), MAX_SPANS))
    )
    return _once_each(rows)


def sketch(
    store: Columns, trace_id: str, exact: Window, limit: int = MAX_SPANS
) -> tuple[Mapping[str, Sequence[Any]], int]:
    """The trace's spans as columns, and how many rows there are.

    Of attributes only the database's name, and `Moved`, `Clamped`: what a sender said that could not be true. `Doubled`
    are spans whose id another one has as well: of these only the latest is here.
    """
    here = (_T.TraceId == trace_id, exact.covers(_T.Timestamp))
    database = attribute(_T.SpanAttributes, "db.system.name").label("Database")
    moved = attribute(_T.SpanAttributes, CLOCK_ATTRIBUTE).label("Moved")
    clamped = attribute(_T.SpanAttributes, DURATION_ATTRIBUTE).label("Clamped")
    found = store.columns(
        select(_AT, _EVENT_TIMES, _T["Events.Name"], database, moved, clamped, *_DRAWN)
        .where(*here)
        .order_by(_T.Timestamp, _T.SpanId)
        .limit(min(max(limit, 1), MAX_SPANS))
    )
    counted = store.rows(select(func.count().label("rows")).where(*here).limit(1))
    found = {**found, "Doubled": _doubled(found)}
    latest = {(id_ or number): number for number, id_ in enumerate(found["SpanId"])}
    if len(latest) < len(found["SpanId"]):
        found = {name: tuple(column[number] for number in latest.values()) for name, column in found.items()}
    return found, int(counted[0]["rows"])


def one_span(store: Rows, trace_id: str, span_id: str, window: Window) -> Record | None:
    """Everything that is known of one span."""
    rows = store.rows(
        select(_AT, _EVENT_TIMES, *_SHORT, *_LONG)
        .where(_T.TraceId == trace_id, _T.SpanId == span_id, window.covers(_T.Timestamp))
        .order_by(_T.Timestamp.desc())
        .limit(1)
    )
    return rows[0] if rows else None


def mentions(store: Rows, trace_id: str, text: str, window: Window, limit: int = MAX_SPANS) -> list[str]:
    """The ids of the trace's spans that have the text in a name or in an attribute's value."""
    said = (contains(_T.SpanName, text), contains(_T.StatusMessage, text), any_value_contains(_T.SpanAttributes, text))
    rows = store.rows(
        select(_T.SpanId)
        .where(_T.TraceId == trace_id, window.covers(_T.Timestamp), or_(*said))
        .order_by(_T.Timestamp)
        .limit(min(max(limit, 1), MAX_SPANS))
    )
    return [row["SpanId"] for row in rows]


def search(store: Rows, wanted: Wanted, window: Window, limit: int = 100, order: Order = "newest") -> list[Record]:
    """The latest spans that are like this, or the first, or the slowest."""
    statement = select(_AT, *_SHORT).where(window.covers(_T.Timestamp), *_conditions(wanted))
    first = {"newest": _T.Timestamp.desc(), "oldest": _T.Timestamp, "slowest": _T.Duration.desc()}[order]
    return store.rows(statement.order_by(first).limit(limited(limit)))


def slowest(store: Rows, route: str, window: Window, limit: int = 20, side: str = "") -> list[Record]:
    """The slowest requests of a route: the SERVER spans that are no shadows."""
    statement = select(_AT, *_SHORT).where(
        window.covers(_T.Timestamp), _T.Route == route, _T.SpanKind == "Server", _T.Role == "primary"
    )
    if side:
        statement = statement.where(_T.Side == side)
    return store.rows(statement.order_by(_T.Duration.desc()).limit(limited(limit)))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    equal = {
        _T.Route: wanted.route,
        _T.Side: wanted.side,
        _T.Role: wanted.role,
        _T.ServiceName: wanted.service,
        _T.RequestId: wanted.request_id,
        _T.SpanKind: "" if wanted.kind == ENTRY else wanted.kind,
    }
    found = [column == value for column, value in equal.items() if value]
    if wanted.kind == ENTRY:
        found.append(or_(_T.ParentSpanId == "", and_(_T.ServiceName == ROUTER_SERVICE, _T.SpanKind == "Server")))
        found.append(not_(and_(_T.SpanName == INIT_SPAN, func.coalesce(_T.ColdStart, false()))))
    found += [_T.HttpStatus >= wanted.min_status] if wanted.min_status else []
    found += [_T.HttpStatus <= wanted.max_status] if wanted.max_status else []
    found += [_T.Duration >= int(wanted.min_milliseconds * 1e6)] if wanted.min_milliseconds > 0 else []
    found += [_T.Duration <= int(wanted.max_milliseconds * 1e6)] if wanted.max_milliseconds > 0 else []
    if wanted.only_errors:
        found.append(or_(_T.StatusCode == "Error", _T.HttpStatus >= 500))  # noqa: PLR2004 - HTTP's own number
    if wanted.only_fallbacks:
        found.append(attribute(_T.SpanAttributes, FALLBACK_ATTRIBUTE) != "")
    if wanted.text:
        path = attribute(_T.SpanAttributes, "url.path")
        found.append(or_(contains(_T.SpanName, wanted.text), contains(path, wanted.text)))
    return found


def _doubled(found: Mapping[str, Sequence[Any]]) -> tuple[bool, ...]:
    """Which spans have an id that a span of another time, name or service has, too: sent again, it is no other."""
    told: dict[str, tuple[Any, ...]] = {}
    doubled: set[str] = set()
    for id_, *said in zip(*(found[name] for name in ("SpanId", "Timestamp", "SpanName", "ServiceName")), strict=True):
        if id_ and told.setdefault(id_, tuple(said)) != tuple(said):
            doubled.add(id_)
    return tuple(id_ in doubled for id_ in found["SpanId"])


def _once_each(rows: list[Record]) -> list[Record]:
    return list({(row["SpanId"] or number): row for number, row in enumerate(rows)}.values())
