"""A logs request's records as rows: of `otel_logs`, and, where a router tells of a request, of the minutes."""

from typing import Any

from google.protobuf.message import Message

from strangler_fig.masking import mask_text
from strangler_fig.names import DURATION_ATTRIBUTE, FALLBACK_ATTRIBUTE, ROUTE_ATTRIBUTE, WEIGHT_ATTRIBUTE

from ..tables import Attributes, Batch, Row, otel_logs, route_minute
from .bounds import CLOCK_ATTRIBUTE, Clock, bounded
from .conventions import normalised
from .emitter import resource_from, scope_from
from .ids import Ids
from .labels import label
from .minutes import LOG, Request, RouteNames, rows_of
from .origin import Resource, request_of, role_of, route_of, side_of, status_of
from .shallow import as_shallow
from .values import attributes, text

EVENT_ATTRIBUTE = "event.name"
"""Where an event's name is kept: the exporter's tables have no column for it."""
_FAILED_STATUS = 500
_MAX_WEIGHT = 10_000
_XRAY = ("xray_trace_id", "xray.trace_id")
_XRAY_LENGTH = 35
_TRACE_FLAGS = 0xFF


def logs_batch(request: Message, clock: Clock, names: RouteNames, size: int) -> Batch:
    """The rows of a logs request, shallow or whole, that took `size` bytes."""
    ids = Ids()
    rows: list[Row] = []
    requests: list[Request] = []
    for group in as_shallow(request).resource_logs:
        resource = resource_from(group.resource)
        schema = label(group.schema_url)
        for told in group.scope_logs:
            scope = scope_from(told.scope)
            around = (
                schema,
                resource.attributes,
                label(told.schema_url),
                scope.name,
                scope.version,
                scope.attributes,
            )
            for record in told.log_records:
                found = normalised(attributes(record.attributes), is_envoy=False)
                if record.event_name:
                    found[EVENT_ATTRIBUTE] = label(record.event_name)
                time = _time(record, found, clock)
                rows.append(_row((record, found, time), resource, around, ids))
                if resource.is_router and (served := _served(found, time)):
                    requests.append(served)
    return Batch(
        rows={otel_logs.name: rows, route_minute.name: rows_of(requests, names)},
        size=size,
        records=len(rows),
        invalid_ids=ids.invalid,
    )


def _time(record: Any, found: Attributes, clock: Clock) -> int:
    said: int = record.time_unix_nano or record.observed_time_unix_nano
    if clock.is_possible(said):
        return said
    if said:
        found[CLOCK_ATTRIBUTE] = str(said)
    return clock.settle(record.observed_time_unix_nano)


def _row(said: tuple[Any, Attributes, int], resource: Resource, around: tuple[object, ...], ids: Ids) -> Row:
    record, found, time = said
    return (
        time,
        ids.trace(record.trace_id) or _trace_of(found),
        ids.span(record.span_id),
        record.flags & _TRACE_FLAGS,
        label(record.severity_text),
        min(max(record.severity_number, 0), 24),
        resource.service,
        mask_text(bounded(text(record.body))),
        *around,
        found,
        side_of(found, resource),
        role_of(found, resource),
        route_of(found),
        status_of(found),
        request_of(found),
    )


def _trace_of(found: Attributes) -> str:
    """The trace that a record of X-Ray's format (`1-<8 hex>-<24 hex>`) belongs to, else nothing."""
    said = next((found[name] for name in _XRAY if name in found), "")
    trace = said[2:].replace("-", "")
    is_whole = len(said) == _XRAY_LENGTH and said.startswith("1-") and all(one in "0123456789abcdef" for one in trace)
    return trace if is_whole else ""


def _served(found: Attributes, time: int) -> Request | None:
    """The request that a router's record tells of, None for other records."""
    route, took = found.get(ROUTE_ATTRIBUTE), found.get(DURATION_ATTRIBUTE, "")
    if not route or not _is_number(took):
        return None
    weight = found.get(WEIGHT_ATTRIBUTE, "")
    status = status_of(found)
    return Request(
        time=time,
        route=route,
        side=side_of(found, _ROUTER),
        source=LOG,
        milliseconds=float(took),
        has_failed=status is None or status >= _FAILED_STATUS,
        fell_back=bool(found.get(FALLBACK_ATTRIBUTE)),
        weight=int(weight) if _is_number(weight) and weight.isdecimal() and int(weight) <= _MAX_WEIGHT else -1,
    )


_ROUTER = Resource(attributes={}, service="", is_router=True, side="")


def _is_number(text_: str) -> bool:
    return text_.isascii() and len(text_) <= 12 and text_.replace(".", "", 1).isdecimal()  # noqa: PLR2004 - 31 years
