"""No text of a message comes through unmasked, whatever field it stands in."""

from collections.abc import Iterator

import pytest
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from observability.forward.masked import mask_message
from observability.normalise.bounds import MAX_NAME, Clock
from observability.normalise.labels import label
from observability.normalise.logs import logs_batch
from observability.normalise.metrics import metrics_batch
from observability.normalise.minutes import RouteNames
from observability.normalise.spans import spans_batch
from observability.tables import Batch
from strangler_fig.masking import TOKEN
from tests.observability.telemetry import NOW

MARK = "plnt"
KEY = f"xoxb-123456789012-{MARK}slack1234567890"
REQUESTS = (ExportTraceServiceRequest, ExportLogsServiceRequest, ExportMetricsServiceRequest)
DEPTH = 12


def planted(message: Message, text: str, path: str = "") -> Iterator[str]:
    """Put the text into every text of the message and of what is inside it, and tell where; of a choice the last."""
    for field in message.DESCRIPTOR.fields:
        place = f"{path}/{field.name}"
        if field.message_type is None:
            if field.type == field.TYPE_STRING and not field.is_repeated:
                setattr(message, field.name, text)
                yield place
            continue
        inner = getattr(message, field.name)
        if isinstance(inner, AnyValue):
            inner.string_value = text
            yield place
        elif place.count("/") < DEPTH:
            yield from planted(inner.add() if field.is_repeated else inner, text, place)


def batches(request: Message) -> Batch:
    """The rows of a request, of whichever signal."""
    if isinstance(request, ExportTraceServiceRequest):
        return spans_batch(request, Clock(NOW), RouteNames(), 1)
    if isinstance(request, ExportLogsServiceRequest):
        return logs_batch(request, Clock(NOW), RouteNames(), 1)
    return metrics_batch(request, Clock(NOW), 1)


@pytest.mark.parametrize("shape", REQUESTS)
def test_no_field_keeps_a_secret(shape: type[Message]) -> None:
    """A key planted in every text of a request (keys, names, schemas, states) is in no row, and in nothing sent on."""
    request = shape()
    places = list(planted(request, f"of {KEY}"))
    assert len(places) > 12
    made = batches(request)
    assert made.records == 1
    assert MARK not in str(made.rows)
    assert TOKEN in str(made.rows)
    mask_message(request)
    assert MARK not in str(request)


def test_an_ordinary_key_stays_and_a_name_that_is_cut_tells_its_secret() -> None:
    """What is no secret is the same text; of a long key the end, which is cut, still says what the value is."""
    ordinary = ("http.request.header.cookie", "db.query.text", "Größe", "a b", "token", "rojo=00f067aa0ba902b7,x@dt=1")
    assert [label(one) for one in ordinary] == list(ordinary)
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    for name in ("x" * MAX_NAME + ".password", "x" * 10 * MAX_NAME + ".password", KEY):
        span.attributes.append(KeyValue(key=name, value=AnyValue(string_value=MARK if name != KEY else "v")))
    text = str(batches(request).rows)
    assert MARK not in text
    assert f"'{TOKEN}': 'v'" in text


def test_what_is_inside_of_lists_maps_and_bytes() -> None:
    """Texts of JSON in lists, maps and bytes are masked before they are escaped, in attributes and in bodies."""
    nested = AnyValue(string_value=f'{{"password": "{MARK}", "n": 1}}')
    plain = AnyValue(bytes_value=f"password={MARK}".encode())
    secret = AnyValue(array_value=ArrayValue(values=[AnyValue(int_value=1234), AnyValue(string_value=MARK)]))
    inner = KeyValueList(
        values=[KeyValue(key="pin", value=secret), KeyValue(key="m", value=nested), KeyValue(key=KEY, value=plain)]
    )
    array = AnyValue(array_value=ArrayValue(values=[nested, plain, AnyValue(kvlist_value=inner)]))
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(body=array)
    record.attributes.extend([KeyValue(key="a", value=array), KeyValue(key="b", value=plain)])
    record.attributes.append(KeyValue(key="c", value=AnyValue(bytes_value=b"\x00\xff")))
    (row,) = batches(request).rows["otel_logs"]
    assert MARK not in str(row)
    assert "1234" not in str(row)
    assert "'c': '00ff'" in str(row)
    assert r"\"n\": 1" in str(row[7])
    mask_message(request)
    assert MARK not in str(request)
    assert "1234" not in str(request)
