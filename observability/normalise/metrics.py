"""A metrics request's data points as rows of the exporter's five tables."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from ..tables import (
    Batch,
    Row,
    otel_metrics_exponential_histogram,
    otel_metrics_gauge,
    otel_metrics_histogram,
    otel_metrics_sum,
    otel_metrics_summary,
)
from .bounds import MAX_BUCKETS, MAX_ITEMS, Clock
from .emitter import resource_from, scope_from
from .ids import Ids
from .labels import label
from .shallow import as_shallow
from .values import attributes

_MICROSECONDS = 1_000


@dataclass(frozen=True, slots=True)
class _Request:
    """What holds for every point of a request: when it came, and its ids."""

    clock: Clock
    ids: Ids


def metrics_batch(request: Message, clock: Clock, size: int) -> Batch:
    """The rows of a metrics request, shallow or whole, that took `size` bytes."""
    rows: dict[str, list[Row]] = {}
    records = 0
    here = _Request(clock, Ids())
    for group in as_shallow(request).resource_metrics:
        resource = resource_from(group.resource)
        for told in group.scope_metrics:
            scope = scope_from(told.scope)
            around = (
                resource.attributes,
                label(group.schema_url),
                scope.name,
                scope.version,
                scope.attributes,
                scope.dropped,
                label(told.schema_url),
                resource.service,
            )
            for metric in told.metrics:
                made = _points(metric, around, here)
                if made is not None:
                    rows.setdefault(made[0], []).extend(made[1])
                    records += len(made[1])
    return Batch(rows=rows, size=size, records=records, invalid_ids=here.ids.invalid)


def _points(metric: Any, around: tuple[object, ...], here: _Request) -> tuple[str, list[Row]] | None:
    kind = metric.WhichOneof("data")
    if kind is None:
        return None
    table, tail = _KINDS[kind]
    data = getattr(metric, kind)
    name = (label(metric.name), label(metric.description), label(metric.unit))
    return table, [
        (
            *around,
            *name,
            attributes(point.attributes),
            _start(point.start_time_unix_nano, here.clock),
            here.clock.settle(point.time_unix_nano),
            *tail(point, data, here),
        )
        for point in data.data_points
    ]


def _start(said: int, clock: Clock) -> int:
    """When a sum began: Envoy 1.40.0 says it in microseconds at first; unknown is 0."""
    if clock.is_possible(said * _MICROSECONDS):
        return said * _MICROSECONDS
    return said if 0 <= said <= clock.now else 0


def _number(point: Any) -> float:
    return float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double


def _gauge(point: Any, _data: Any, here: _Request) -> Row:
    return (_number(point), point.flags, *_exemplars(point.exemplars, here))


def _sum(point: Any, data: Any, here: _Request) -> Row:
    return (*_gauge(point, data, here), data.aggregation_temporality, data.is_monotonic)


def _histogram(point: Any, data: Any, here: _Request) -> Row:
    return (
        point.count,
        point.sum,
        list(point.bucket_counts[:MAX_BUCKETS]),
        list(point.explicit_bounds[:MAX_BUCKETS]),
        *_exemplars(point.exemplars, here),
        point.flags,
        point.min,
        point.max,
        data.aggregation_temporality,
    )


def _exponential(point: Any, data: Any, here: _Request) -> Row:
    return (
        point.count,
        point.sum,
        point.scale,
        point.zero_count,
        point.positive.offset,
        list(point.positive.bucket_counts[:MAX_BUCKETS]),
        point.negative.offset,
        list(point.negative.bucket_counts[:MAX_BUCKETS]),
        *_exemplars(point.exemplars, here),
        point.flags,
        point.min,
        point.max,
        data.aggregation_temporality,
    )


def _summary(point: Any, _data: Any, _here: _Request) -> Row:
    kept = point.quantile_values[:MAX_ITEMS]
    return (point.count, point.sum, [one.quantile for one in kept], [one.value for one in kept], point.flags)


def _exemplars(exemplars: Iterable[Any], here: _Request) -> tuple[object, ...]:
    kept = list(exemplars)[:MAX_ITEMS]
    return (
        [attributes(one.filtered_attributes) for one in kept],
        [here.clock.settle(one.time_unix_nano) for one in kept],
        [float(one.as_int) if one.WhichOneof("value") == "as_int" else one.as_double for one in kept],
        [here.ids.span(one.span_id) for one in kept],
        [here.ids.trace(one.trace_id) for one in kept],
    )


_KINDS: Mapping[str, tuple[str, Callable[[Any, Any, _Request], Row]]] = {
    "gauge": (otel_metrics_gauge.name, _gauge),
    "sum": (otel_metrics_sum.name, _sum),
    "histogram": (otel_metrics_histogram.name, _histogram),
    "exponential_histogram": (otel_metrics_exponential_histogram.name, _exponential),
    "summary": (otel_metrics_summary.name, _summary),
}
