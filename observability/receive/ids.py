"""Ids that are none in a message that is sent on: they are emptied there just as in the rows (`normalise.ids`)."""

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Exemplar, Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ..normalise.ids import is_span, is_trace


def empty_invalid_ids(message: Message) -> None:
    """Empty the ids of spans, links, log records and exemplars that are none."""
    if isinstance(message, ExportTraceServiceRequest):
        for span in (span for group in message.resource_spans for scope in group.scope_spans for span in scope.spans):
            _empty_in_span(span)
    elif isinstance(message, ExportLogsServiceRequest):
        for record in (
            one for group in message.resource_logs for scope in group.scope_logs for one in scope.log_records
        ):
            _empty_both(record)
    elif isinstance(message, ExportMetricsServiceRequest):
        for metric in (
            one for group in message.resource_metrics for scope in group.scope_metrics for one in scope.metrics
        ):
            _empty_in_metric(metric)


def _empty_in_span(span: Span) -> None:
    _empty_both(span)
    if not is_span(span.parent_span_id):
        span.parent_span_id = b""
    for link in span.links:
        _empty_both(link)


def _empty_in_metric(metric: Metric) -> None:
    kind = metric.WhichOneof("data")
    if kind is None or kind == "summary":  # which has no exemplars
        return
    for point in getattr(metric, kind).data_points:
        for exemplar in point.exemplars:
            _empty_both(exemplar)


def _empty_both(one: "Span | Span.Link | LogRecord | Exemplar") -> None:
    if not is_trace(one.trace_id):
        one.trace_id = b""
    if not is_span(one.span_id):
        one.span_id = b""
