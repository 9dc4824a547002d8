"""A trace request's spans as rows: of `otel_traces`, of the index by trace, and of the minutes."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from google.protobuf.message import Message

from strangler_fig.masking import mask_text

from ..tables import Attributes, Batch, Row, otel_traces, otel_traces_trace_id_ts, route_minute, trace_key
from .bounds import CLOCK_ATTRIBUTE, DURATION_ATTRIBUTE, MAX_DURATION, MAX_ITEMS, Clock, bounded
from .conventions import STATUS_ATTRIBUTE, is_mere_refusal, normalised
from .emitter import resource_from, scope_from
from .ids import Ids
from .labels import label
from .minutes import NO_ROUTE, SPAN, Request, RouteNames, rows_of
from .origin import Resource, request_of, role_of, route_of, side_of, status_of, template_in
from .shallow import as_shallow
from .values import attributes

_KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
_STATUSES = ("Unset", "Ok", "Error")
SERVER, _SERVER_KIND = "Server", 2
ERROR = "Error"
_FAILED_STATUS = 500
_NO_EVENTS: tuple[list[int], list[str], list[Attributes]] = ([], [], [])
_NO_LINKS: tuple[list[str], list[str], list[str], list[Attributes]] = ([], [], [], [])
_COLD_STARTS = {"true": True, "false": False}
_PRIMARY = "primary"


def spans_batch(request: Message, clock: Clock, names: RouteNames, size: int) -> Batch:
    """The rows of a trace request, shallow or whole, that took `size` bytes."""
    ids = Ids()
    rows: list[Row] = []
    requests: list[Request] = []
    traces: dict[str, tuple[int, int]] = {}
    for group in as_shallow(request).resource_spans:
        resource = resource_from(group.resource)
        for told in group.scope_spans:
            scope = scope_from(told.scope)
            around = (resource, (scope.name, scope.version), clock, ids)
            for span in told.spans:
                row = _row(span, around)
                rows.append(row)
                _extend(traces, row)
                if row[6] == SERVER and not resource.is_router and row[23] == _PRIMARY:
                    requests.append(_request(row))
    return Batch(
        rows={
            otel_traces.name: rows,
            otel_traces_trace_id_ts.name: [(trace, *when, trace_key(trace)) for trace, when in traces.items()],
            route_minute.name: rows_of(requests, names),
        },
        size=size,
        records=len(rows),
        invalid_ids=ids.invalid,
    )


def _row(span: Any, around: tuple[Resource, tuple[str, str], Clock, Ids]) -> Row:
    resource, scope, clock, ids = around
    name, template = _named(span.name)
    found = attributes(span.attributes)
    found = normalised(found, is_envoy=resource.is_router or found.get("component") == "proxy")
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    time = start if clock.is_possible(start) else _impossible(found, start, clock.settle(end))
    kind, status = span.kind, span.status
    message, state, events, links = status.message, span.trace_state, span.events, span.links
    is_server = kind == _SERVER_KIND and not resource.is_router
    return (
        time,
        ids.trace(span.trace_id),
        ids.span(span.span_id),
        ids.parent(span.parent_span_id),
        label(state) if state else "",
        name,
        _KINDS[kind] if 0 <= kind < len(_KINDS) else _KINDS[0],
        resource.service,
        resource.attributes,
        *scope,
        found,
        _duration(found, end - start if end else 0),
        _status(status.code, found),
        mask_text(bounded(message)) if message else "",
        *(_events(events, clock) if events else _NO_EVENTS),
        *(_links(links, ids) if links else _NO_LINKS),
        side_of(found, resource),
        role_of(found, resource, name),
        route_of(found) or (template if is_server else ""),
        status_of(found),
        request_of(found),
        _COLD_STARTS.get(found["faas.coldstart"]) if "faas.coldstart" in found else None,
    )


@lru_cache(maxsize=4_096)
def _named(said: str) -> tuple[str, str]:
    """A span's name, bounded and masked, and the template in it."""
    name = label(said)
    return name, template_in(name)


def _impossible(found: Attributes, said: int, settled: int) -> int:
    found[CLOCK_ATTRIBUTE] = str(said)
    return settled


def _duration(found: Attributes, said: int) -> int:
    if 0 <= said <= MAX_DURATION:
        return said
    found[DURATION_ATTRIBUTE] = str(said)
    return MAX_DURATION if said > 0 else 0


def _status(code: int, found: Attributes) -> str:
    said = _STATUSES[code] if 0 <= code < len(_STATUSES) else _STATUSES[0]
    if said != ERROR and found.get("envoy.error") != "true":
        return said
    if not is_mere_refusal(found):
        return ERROR
    found[STATUS_ATTRIBUTE] = ERROR
    return _STATUSES[0]


def _events(events: Sequence[Any], clock: Clock) -> tuple[list[int], list[str], list[Attributes]]:
    kept = events[:MAX_ITEMS]
    return (
        [clock.settle(one.time_unix_nano) for one in kept],
        [label(one.name) for one in kept],
        [attributes(one.attributes) for one in kept],
    )


def _links(links: Sequence[Any], ids: Ids) -> tuple[list[str], list[str], list[str], list[Attributes]]:
    kept = links[:MAX_ITEMS]
    return (
        [ids.trace(one.trace_id) for one in kept],
        [ids.span(one.span_id) for one in kept],
        [label(one.trace_state) for one in kept],
        [attributes(one.attributes) for one in kept],
    )


def _extend(traces: dict[str, tuple[int, int]], row: Row) -> None:
    trace, start, end = str(row[1]), int(row[0]), int(row[0]) + int(row[12])  # type: ignore[call-overload]  # a row's columns
    known = traces.get(trace)
    traces[trace] = (min(start, known[0]), max(end, known[1])) if known else (start, end)


def _request(row: Row) -> Request:
    status, route = row[25], str(row[24])
    return Request(
        time=int(row[0]),  # type: ignore[call-overload]  # a row's columns
        route=route or NO_ROUTE,
        side=str(row[22]),
        source=SPAN,
        milliseconds=int(row[12]) / 1e6,  # type: ignore[call-overload]
        has_failed=status >= _FAILED_STATUS if isinstance(status, int) else row[13] == ERROR,
    )
