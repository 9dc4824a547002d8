"""Ids that are none: of another length than W3C's, or all zero. They are emptied, so that nothing is joined by them."""

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_TRACE, _SPAN = 16, 8
_NO_TRACE, _NO_SPAN = bytes(_TRACE), bytes(_SPAN)


def empty_invalid_ids(message: Message) -> int:
    """How many ids of spans, links and log records were none and are empty now. An empty one is none and stays."""
    if isinstance(message, ExportTraceServiceRequest):
        spans = (span for group in message.resource_spans for scope in group.scope_spans for span in scope.spans)
        return sum(_of_span(span) for span in spans)
    if isinstance(message, ExportLogsServiceRequest):
        records = (one for group in message.resource_logs for scope in group.scope_logs for one in scope.log_records)
        return sum(_of_both(record) for record in records)
    return 0


def _of_span(span: Span) -> int:
    found = _of_both(span)
    parent = span.parent_span_id
    if parent and (len(parent) != _SPAN or parent == _NO_SPAN):
        span.parent_span_id = b""
        found += parent != _NO_SPAN  # some emitters say zeros for "no parent": no fault
    for link in span.links:
        found += _of_both(link)
    return found


def _of_both(one: "Span | Span.Link | LogRecord") -> int:
    trace, span, found = one.trace_id, one.span_id, 0
    if trace and (len(trace) != _TRACE or trace == _NO_TRACE):
        one.trace_id = b""
        found += 1
    if span and (len(span) != _SPAN or span == _NO_SPAN):
        one.span_id = b""
        found += 1
    return found
