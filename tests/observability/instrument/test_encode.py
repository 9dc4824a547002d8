"""Our JSON says what OpenTelemetry's own encoder says, and the store's receiver reads it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from observability.instrument import encode
from observability.instrument.kept import SPANS_PROCESSED
from observability.instrument.stdout import MAX_LINE, lines
from observability.receive.decode import JSON, decoded

TEXTS = st.text(max_size=20)
VALUES = (
    TEXTS
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(TEXTS, max_size=3)
    | st.lists(st.integers(-5, 5), max_size=3)
)
RESOURCE = {"service.name": "books"}


def spans(attributes: dict[str, Any] | None = None, number: int = 1) -> list[ReadableSpan]:
    """Spans with everything that a span may have."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource(RESOURCE), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("shop", "1.0", schema_url="https://opentelemetry.io/schemas/1.40.0")
    for _ in range(number):
        with tracer.start_as_current_span("outer", kind=trace.SpanKind.SERVER, attributes=attributes) as outer:
            outer.add_event("asked", {"at": 1})
            with tracer.start_as_current_span(
                "inner", kind=trace.SpanKind.CLIENT, links=[trace.Link(outer.get_span_context(), {"of": "a"})]
            ) as inner:
                inner.set_status(trace.Status(trace.StatusCode.ERROR, "no"))
    return list(memory.get_finished_spans())


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(TEXTS.filter(bool), VALUES, max_size=5))
def test_spans_are_those_of_the_official_encoder(attributes: dict[str, Any]) -> None:
    """As protobuf, a request of ours is the one that OpenTelemetry's exporter would have sent.

    But for W3C's flags, which it leaves out, and for a status that says nothing, which it writes.
    """
    found = spans(attributes)
    official = encode_spans(found)
    ours = type(official).FromString(encode.as_protobuf(encode.traces(RESOURCE, found)))
    for one in ours.resource_spans[0].scope_spans[0].spans:
        assert one.flags & 1
        for part in (one, *one.links):
            part.flags &= ~0xFF
        one.status.SetInParent()
    assert ours == official


def test_the_receiver_reads_the_json() -> None:
    """As JSON it is the same message to the store's receiver."""
    found = spans({"text": "é\ud800", "whole": 7, "no": float("nan")})
    message = decoded("traces", JSON, encode.as_bytes(encode.traces(RESOURCE, found)))
    assert [one.name for one in message.resource_spans[0].scope_spans[0].spans] == ["inner", "outer"]


def test_records_keep_what_they_are() -> None:
    """A record's severity, body, trace and attributes arrive, whatever type they have."""
    record = encode.Record(
        nanoseconds=1, severity=13, severity_text="WARN", body="careful", scope="shop", trace_id=5, span_id=6,
        flags=1, attributes={"deep": {"a": [1, None, b"x", object]}, "huge": 2**70},
    )  # fmt: skip
    body = encode.as_protobuf(encode.logs(RESOURCE, [record]))
    (found,) = ExportLogsServiceRequest.FromString(body).resource_logs[0].scope_logs[0].log_records
    assert (found.severity_number, found.body.string_value, found.trace_id[-1]) == (13, "careful", 5)
    assert found.attributes[1].value.string_value == str(2**70)
    assert decoded("logs", JSON, encode.as_bytes(encode.logs(RESOURCE, [record])))


def test_losses_are_the_counters_of_the_health_page() -> None:
    """What was lost is a delta of the SDK's own counter, with the reason."""
    body = encode.as_bytes(encode.losses(RESOURCE, {(SPANS_PROCESSED, "queue_full"): 3}, 1, 2))
    (metric,) = decoded("metrics", JSON, body).resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.sum.data_points[0].as_int) == (SPANS_PROCESSED, 3)


@pytest.mark.parametrize("number", [1, 40])
def test_lines_are_short_enough(number: int) -> None:
    """What would be longer than an event of CloudWatch's log becomes several lines, each a whole request."""
    found = spans({"long": "x" * 20_000}, number)
    written = lines(lambda some: encode.traces(RESOURCE, some), found)
    assert max(map(len, written)) <= MAX_LINE
    assert (len(written) > 1) == (number > 1)
    names = [one for line in written for one in json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    assert len(names) == 2 * number
