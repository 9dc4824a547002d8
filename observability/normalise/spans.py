"""A trace request's spans as rows: of `otel_traces`, of the index by trace, and of the minutes."""

from collections.abc import Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from strangler_fig.masking import mask_attribute, mask_text

from ..tables import Attributes, Batch, Row, otel_traces, otel_traces_trace_id_ts, route_minute
from .bounds import CLOCK_ATTRIBUTE, DURATION_ATTRIBUTE, MAX_DURATION, MAX_ITEMS, MAX_NAME, Clock, bounded
from .conventions import normalised
from .minutes import SPAN, Request, RouteNames, rows_of
from .origin import Resource, request_of, resource_of, role_of, route_of, side_of, status_of
from .values import attributes

_KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
_STATUSES = ("Unset", "Ok", "Error")
SERVER = "Server"
ERROR = "Error"
_FAILED_STATUS = 500
_NO_EVENTS: tuple[list[int], list[str], list[Attributes]] = ([], [], [])
_NO_LINKS: tuple[list[str], list[str], list[str], list[Attributes]] = ([], [], [], [])
_COLD_STARTS = {"true": True, "false": False}
_PRIMARY = "primary"


def spans_batch(request: ExportTraceServiceRequest, clock: Clock, names: RouteNames, size: int) -> Batch:
    """The rows of a trace request that took `size` bytes."""
    rows: list[Row] = []
    requests: list[Request] = []
    traces: dict[str, tuple[int, int]] = {}
    for group in request.resource_spans:
        resource = resource_of(normalised(attributes(group.resource.attributes), is_envoy=False))
        for scope in group.scope_spans:
            scope_name = bounded(scope.scope.name, MAX_NAME)
            scope_version = bounded(scope.scope.version, MAX_NAME)
            for span in scope.spans:
                row = _row(span, resource, (scope_name, scope_version), clock)
                rows.append(row)
                _extend(traces, row)
                if row[6] == SERVER and not resource.is_router and row[23] == _PRIMARY:
                    requests.append(_request(row))
    return Batch(
        rows={
            otel_traces.name: rows,
            otel_traces_trace_id_ts.name: [(trace, start, end) for trace, (start, end) in traces.items()],
            route_minute.name: rows_of(requests, names),
        },
        size=size,
        records=len(rows),
    )


def _row(span: Span, resource: Resource, scope: tuple[str, str], clock: Clock) -> Row:
    name = bounded(span.name, MAX_NAME)
    found = attributes(span.attributes)
    found = normalised(found, is_envoy=resource.is_router or found.get("component") == "proxy")
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    time = start if clock.is_possible(start) else _impossible(found, start, clock.settle(end))
    kind, status = span.kind, span.status
    message, events, links = status.message, span.events, span.links
    return (
        time,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        bounded(span.trace_state, MAX_NAME) if span.trace_state else "",
        mask_attribute("", name),
        _KINDS[kind] if 0 <= kind < len(_KINDS) else _KINDS[0],
        resource.service,
        resource.attributes,
        *scope,
        found,
        _duration(found, end - start if end else 0),
        _status(status.code, found),
        mask_text(bounded(message)) if message else "",
        *(_events(events, clock) if events else _NO_EVENTS),
        *(_links(links) if links else _NO_LINKS),
        side_of(found, resource),
        role_of(found, resource, name),
        route_of(found),
        status_of(found),
        request_of(found),
        _COLD_STARTS.get(found.get("faas.coldstart", "")),
    )


def _impossible(found: Attributes, said: int, settled: int) -> int:
    found[CLOCK_ATTRIBUTE] = str(said)
    return settled


def _duration(found: Attributes, said: int) -> int:
    if 0 <= said <= MAX_DURATION:
        return said
    found[DURATION_ATTRIBUTE] = str(said)
    return MAX_DURATION if said > 0 else 0


def _status(code: int, found: Attributes) -> str:
    if found.get("envoy.error") == "true":
        return ERROR
    return _STATUSES[code] if 0 <= code < len(_STATUSES) else _STATUSES[0]


def _events(events: Sequence[Span.Event], clock: Clock) -> tuple[list[int], list[str], list[Attributes]]:
    kept = events[:MAX_ITEMS]
    return (
        [clock.settle(one.time_unix_nano) for one in kept],
        [mask_text(bounded(one.name, MAX_NAME)) for one in kept],
        [attributes(one.attributes) for one in kept],
    )


def _links(links: Sequence[Span.Link]) -> tuple[list[str], list[str], list[str], list[Attributes]]:
    kept = links[:MAX_ITEMS]
    return (
        [one.trace_id.hex() for one in kept],
        [one.span_id.hex() for one in kept],
        [bounded(one.trace_state, MAX_NAME) for one in kept],
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
        route=route or str(row[5]),
        side=str(row[22]),
        source=SPAN,
        milliseconds=int(row[12]) / 1e6,  # type: ignore[call-overload]
        has_failed=status >= _FAILED_STATUS if isinstance(status, int) else row[13] == ERROR,
    )
