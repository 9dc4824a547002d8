"""A receiver of OTLP over HTTP that really decodes what it gets: chunked bodies, as Envoy sends them, into protobuf."""

import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from .harness import eventually
from .standins import Reply, Seen, StandIn

CLIENT, SERVER = 3, 2  # Source: opentelemetry-proto, trace.proto, Span.SpanKind
ERROR = 2  # Source: opentelemetry-proto, trace.proto, Status.StatusCode
DELTA = 1  # Source: opentelemetry-proto, metrics.proto, AggregationTemporality
Attributes = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """One span."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    failed: bool
    attributes: Attributes
    resource: Attributes


@dataclass(frozen=True)
class Record:
    """One log record."""

    trace: str
    span: str
    body: str
    attributes: Attributes
    resource: Attributes


@dataclass(frozen=True)
class Point:
    """One data point of a sum or a histogram: its value, or how many values it counts."""

    metric: str
    value: int
    temporality: int
    attributes: Attributes
    resource: Attributes


class Receiver(StandIn):
    """A receiver; `answer` may be replaced, as by one that hangs."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(_accepted, tls=tls)

    @contextmanager
    def receiving(self) -> Iterator["Receiver"]:
        """Receive until the block ends."""
        with self.running():
            yield self

    def spans(self) -> list[Span]:
        """The spans that came so far, in the order of their ends."""
        return [
            _span(span, attributes(group.resource.attributes))
            for body in self._bodies("traces")
            for group in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]

    def records(self) -> list[Record]:
        """The log records that came so far."""
        return [
            Record(
                trace=one.trace_id.hex(),
                span=one.span_id.hex(),
                body=one.body.string_value,
                attributes=attributes(one.attributes),
                resource=attributes(group.resource.attributes),
            )
            for body in self._bodies("logs")
            for group in ExportLogsServiceRequest.FromString(body).resource_logs
            for scope in group.scope_logs
            for one in scope.log_records
        ]

    def points(self, metric: str) -> list[Point]:
        """The data points of a sum or a histogram that came so far."""
        return [
            point
            for body in self._bodies("metrics")
            for group in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in group.scope_metrics
            for one in scope.metrics
            if one.name == metric
            for point in _points(one, attributes(group.resource.attributes))
        ]

    def total(self, metric: str, wanted: Attributes) -> int:
        """The sum of the deltas of a metric, of its points with these attributes."""
        return sum(point.value for point in self.points(metric) if point.attributes.items() >= wanted.items())

    def trace(self, request_id: str, spans: int) -> dict[str, Span]:
        """The spans by name of the request with this id, once there are so many, each named once."""
        found: list[Span] = []

        def all_there() -> bool:
            every = self.spans()
            traces = {one.trace for one in every if one.attributes.get("guid:x-request-id") == request_id}
            found[:] = [one for one in every if one.trace in traces]
            return len(found) >= spans

        eventually(all_there)
        names = Counter(one.name for one in found)
        assert len(names) == len(found) == spans, names
        return {one.name: one for one in found}

    def record(self, request_id: str) -> Record:
        """The one log record of the request with this id, once it is there."""
        return self._one(lambda: [one for one in self.records() if one.attributes["fig.request_id"] == request_id])

    @staticmethod
    def _one(find: Callable[[], list[Record]]) -> Record:
        eventually(find)
        (found,) = find()
        return found

    def _bodies(self, signal: str) -> list[bytes]:
        return [one.body for one in list(self.seen) if one.path == f"/otlp/v1/{signal}"]


def attributes(values: Iterable[KeyValue]) -> Attributes:
    """Attributes as a dictionary; one that is there twice is an error."""
    found: Attributes = {}
    for one in values:
        assert one.key not in found
        found[one.key] = getattr(one.value, one.value.WhichOneof("value") or "string_value")
    return found


def _accepted(seen: Seen) -> Reply:
    wanted = {"transfer-encoding": "chunked", "content-type": "application/x-protobuf"}
    assert {name: seen.header(name) for name in wanted} == wanted
    return Reply(headers=[("content-type", "application/x-protobuf")])


def _span(span: Any, resource: Attributes) -> Span:
    return Span(
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=span.name,
        kind=span.kind,
        failed=span.status.code == ERROR,
        attributes=attributes(span.attributes),
        resource=resource,
    )


def _points(metric: Metric, resource: Attributes) -> Iterator[Point]:
    data = metric.sum if metric.HasField("sum") else metric.histogram
    for one in data.data_points:
        value = one.as_int if metric.HasField("sum") else one.count
        yield Point(metric.name, value, data.aggregation_temporality, attributes(one.attributes), resource)
