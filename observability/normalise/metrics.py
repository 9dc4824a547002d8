"""A metrics request's data points as rows of the exporter's five tables."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from strangler_fig.masking import mask_text

from ..tables import (
    Batch,
    Row,
    otel_metrics_exponential_histogram,
    otel_metrics_gauge,
    otel_metrics_histogram,
    otel_metrics_sum,
    otel_metrics_summary,
)
from .bounds import MAX_BUCKETS, MAX_ITEMS, MAX_NAME, Clock, bounded
from .conventions import normalised
from .origin import resource_of
from .values import attributes

_MICROSECONDS = 1_000


def metrics_batch(request: ExportMetricsServiceRequest, clock: Clock, size: int) -> Batch:
    """The rows of a metrics request that took `size` bytes."""
    rows: dict[str, list[Row]] = {}
    records = 0
    for group in request.resource_metrics:
        resource = resource_of(normalised(attributes(group.resource.attributes), is_envoy=False))
        for scope in group.scope_metrics:
            around = (
                resource.attributes,
                bounded(group.schema_url, MAX_NAME),
                bounded(scope.scope.name, MAX_NAME),
                bounded(scope.scope.version, MAX_NAME),
                attributes(scope.scope.attributes),
                scope.scope.dropped_attributes_count,
                bounded(scope.schema_url, MAX_NAME),
                resource.service,
            )
            for metric in scope.metrics:
                made = _points(metric, around, clock)
                if made is not None:
                    rows.setdefault(made[0], []).extend(made[1])
                    records += len(made[1])
    return Batch(rows=rows, size=size, records=records)


def _points(metric: Metric, around: tuple[object, ...], clock: Clock) -> tuple[str, list[Row]] | None:
    kind = metric.WhichOneof("data")
    if kind is None:
        return None
    table, tail = _KINDS[kind]
    data = getattr(metric, kind)
    name = (
        bounded(metric.name, MAX_NAME),
        mask_text(bounded(metric.description, MAX_NAME)),
        bounded(metric.unit, MAX_NAME),
    )
    return table, [
        (
            *around,
            *name,
            attributes(point.attributes),
            _start(point.start_time_unix_nano, clock),
            clock.settle(point.time_unix_nano),
            *tail(point, data, clock),
        )
        for point in data.data_points
    ]


def _start(said: int, clock: Clock) -> int:
    """When a sum began: Envoy 1.40.0 says it in microseconds at first; unknown is 0."""
    if clock.is_possible(said * _MICROSECONDS):
        return said * _MICROSECONDS
    return said if 0 <= said <= clock.now else 0


def _number(point: NumberDataPoint) -> float:
    return float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double


def _gauge(point: NumberDataPoint, _data: Any, clock: Clock) -> Row:
    return (_number(point), point.flags, *_exemplars(point.exemplars, clock))


def _sum(point: NumberDataPoint, data: Any, clock: Clock) -> Row:
    return (*_gauge(point, data, clock), data.aggregation_temporality, data.is_monotonic)


def _histogram(point: HistogramDataPoint, data: Any, clock: Clock) -> Row:
    return (
        point.count,
        point.sum,
        list(point.bucket_counts[:MAX_BUCKETS]),
        list(point.explicit_bounds[:MAX_BUCKETS]),
        *_exemplars(point.exemplars, clock),
        point.flags,
        point.min,
        point.max,
        data.aggregation_temporality,
    )


def _exponential(point: ExponentialHistogramDataPoint, data: Any, clock: Clock) -> Row:
    return (
        point.count,
        point.sum,
        point.scale,
        point.zero_count,
        point.positive.offset,
        list(point.positive.bucket_counts[:MAX_BUCKETS]),
        point.negative.offset,
        list(point.negative.bucket_counts[:MAX_BUCKETS]),
        *_exemplars(point.exemplars, clock),
        point.flags,
        point.min,
        point.max,
        data.aggregation_temporality,
    )


def _summary(point: SummaryDataPoint, _data: Any, _clock: Clock) -> Row:
    kept = point.quantile_values[:MAX_ITEMS]
    return (point.count, point.sum, [one.quantile for one in kept], [one.value for one in kept], point.flags)


def _exemplars(exemplars: Iterable[Any], clock: Clock) -> tuple[object, ...]:
    kept = list(exemplars)[:MAX_ITEMS]
    return (
        [attributes(one.filtered_attributes) for one in kept],
        [clock.settle(one.time_unix_nano) for one in kept],
        [float(one.as_int) if one.WhichOneof("value") == "as_int" else one.as_double for one in kept],
        [one.span_id.hex() for one in kept],
        [one.trace_id.hex() for one in kept],
    )


_KINDS: Mapping[str, tuple[str, Callable[[Any, Any, Clock], Row]]] = {
    "gauge": (otel_metrics_gauge.name, _gauge),
    "sum": (otel_metrics_sum.name, _sum),
    "histogram": (otel_metrics_histogram.name, _histogram),
    "exponential_histogram": (otel_metrics_exponential_histogram.name, _exponential),
    "summary": (otel_metrics_summary.name, _summary),
}
