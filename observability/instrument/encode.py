"""Spans and records as OTLP's JSON: what a collector takes over HTTP, and what one line of a log file is.

One form for both ways out, from the standard library alone: protobuf's runtime is a fifth of a cold start.

Source: OpenTelemetry Protocol 1.x, "JSON Protobuf Encoding" (ids in hex, 64-bit integers as text, enums as numbers);
"OTLP File Exporter" (one request on each line).
"""

import binascii
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]
_DELTA = 1
_MAX_DEPTH = 8


class Record(NamedTuple):
    """One line of a log, with the span that it was written in."""

    nanoseconds: int
    severity: int
    severity_text: str
    body: str
    scope: str
    attributes: Mapping[str, Any]
    trace_id: int = 0
    span_id: int = 0
    flags: int = 0


def traces(resource: Mapping[str, Any], spans: Sequence[Any]) -> Json:
    """A trace request with these spans of the SDK."""
    scopes: dict[Any, list[Json]] = {}
    for span in spans:
        scopes.setdefault(span.instrumentation_scope, []).append(_span(span))
    groups = [{"scope": _scope(scope), "spans": found, **_schema(scope)} for scope, found in scopes.items()]
    return {"resourceSpans": [{"resource": {"attributes": attributes(resource)}, "scopeSpans": groups}]}


def logs(resource: Mapping[str, Any], records: Sequence[Record]) -> Json:
    """A logs request with these records."""
    scopes: dict[str, list[Json]] = {}
    for record in records:
        scopes.setdefault(record.scope, []).append(_record(record))
    groups = [{"scope": {"name": name}, "logRecords": found} for name, found in scopes.items()]
    return {"resourceLogs": [{"resource": {"attributes": attributes(resource)}, "scopeLogs": groups}]}


def losses(resource: Mapping[str, Any], lost: Mapping[tuple[str, str], int], since: int, now: int) -> Json:
    """A metrics request that says how many spans or records were lost, by the counter's name and the reason.

    `since` and `now` in nanoseconds since 1970. Source: semantic conventions, "SDK metrics".
    """
    metrics = [
        {
            "name": name,
            "unit": "{span}" if ".span." in name else "{log_record}",
            "sum": {
                "aggregationTemporality": _DELTA,
                "isMonotonic": True,
                "dataPoints": [
                    {
                        "asInt": str(count),
                        "startTimeUnixNano": str(since),
                        "timeUnixNano": str(now),
                        "attributes": attributes({"error.type": reason, "otel.component.type": "fig_lambda"}),
                    }
                ],
            },
        }
        for (name, reason), count in lost.items()
    ]
    scope = {"scope": {"name": "observability.instrument"}, "metrics": metrics}
    return {"resourceMetrics": [{"resource": {"attributes": attributes(resource)}, "scopeMetrics": [scope]}]}


def as_bytes(request: Json) -> bytes:
    """The request on one line."""
    return json.dumps(request, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()


def as_protobuf(request: Json) -> bytes:
    """The same request in protobuf's binary form, for who asks for it by `OTEL_EXPORTER_OTLP_PROTOCOL`."""
    from google.protobuf.json_format import ParseDict  # noqa: PLC0415 - the price of protobuf is paid by those who ask

    found = _messages()[next(iter(request))]()
    ParseDict(_with_base64(request), found)
    return bytes(found.SerializeToString())


def _messages() -> dict[str, Any]:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest  # noqa: PLC0415
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (  # noqa: PLC0415
        ExportMetricsServiceRequest,
    )
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415

    return {
        "resourceSpans": ExportTraceServiceRequest,
        "resourceLogs": ExportLogsServiceRequest,
        "resourceMetrics": ExportMetricsServiceRequest,
    }


def _with_base64(value: Any) -> Any:
    """Ids as protobuf's own JSON has them; no attribute is named so, since those are values of `key`."""
    if isinstance(value, list):
        return [_with_base64(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _base64(bytes.fromhex(one)) if name in ("traceId", "spanId", "parentSpanId") else _with_base64(one)
        for name, one in value.items()
    }


def _base64(value: bytes) -> str:
    return binascii.b2a_base64(value, newline=False).decode()


def attributes(found: Mapping[str, Any] | None) -> list[Json]:
    """Attributes as OTLP has them."""
    return [{"key": name, "value": _value(value)} for name, value in (found or {}).items()]


def _value(value: Any, depth: int = 0) -> Json:  # noqa: PLR0911 - one for each type
    match value:
        case str():
            return {"stringValue": value.encode("utf-8", "replace").decode() if not value.isascii() else value}
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)} if -(2**63) <= value < 2**63 else {"stringValue": str(value)}
        case float():
            return {"doubleValue": value} if math.isfinite(value) else {"stringValue": str(value)}
        case bytes():
            return {"bytesValue": _base64(value)}
        case _ if depth >= _MAX_DEPTH:
            return {"stringValue": str(value)}
        case Mapping():
            pairs = [{"key": str(name), "value": _value(one, depth + 1)} for name, one in value.items()]
            return {"kvlistValue": {"values": pairs}}
        case list() | tuple():
            return {"arrayValue": {"values": [_value(one, depth + 1) for one in value]}}
        case None:
            return {}
        case _:
            return {"stringValue": str(value)}


def _span(span: Any) -> Json:
    context, parent = span.context, span.parent
    found: Json = {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "flags": int(context.trace_flags) | _flags(parent),
        "name": span.name,
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": attributes(span.attributes),
    }
    if parent is not None:
        found["parentSpanId"] = f"{parent.span_id:016x}"
    if context.trace_state:
        found["traceState"] = context.trace_state.to_header()
    if span.dropped_attributes:
        found["droppedAttributesCount"] = span.dropped_attributes
    if span.status.status_code.value:
        status = span.status
        found["status"] = {
            "code": status.status_code.value,
            **({"message": status.description} if status.description else {}),
        }
    return found | _events(span.events) | _links(span.links)


def _flags(context: Any) -> int:
    """Whether it is known that the context is of another process, and whether it is. Source: OTLP, `SpanFlags`."""
    return 0x300 if context is not None and context.is_remote else 0x100


def _events(events: Iterable[Any]) -> Json:
    found = [
        {"timeUnixNano": str(one.timestamp), "name": one.name, "attributes": attributes(one.attributes)}
        for one in events
    ]
    return {"events": found} if found else {}


def _links(links: Iterable[Any]) -> Json:
    found = [
        {
            "traceId": f"{one.context.trace_id:032x}",
            "spanId": f"{one.context.span_id:016x}",
            "flags": int(one.context.trace_flags) | _flags(one.context),
            "attributes": attributes(one.attributes),
        }
        for one in links
    ]
    return {"links": found} if found else {}


def _record(record: Record) -> Json:
    found: Json = {
        "timeUnixNano": str(record.nanoseconds),
        "observedTimeUnixNano": str(record.nanoseconds),
        "severityNumber": record.severity,
        "severityText": record.severity_text,
        "body": _value(record.body),
        "attributes": attributes(record.attributes),
    }
    if record.trace_id:
        found |= {"traceId": f"{record.trace_id:032x}", "spanId": f"{record.span_id:016x}", "flags": record.flags}
    return found


def _scope(scope: Any) -> Json:
    return {"name": scope.name, **({"version": scope.version} if scope.version else {})} if scope else {}


def _schema(scope: Any) -> Json:
    return {"schemaUrl": scope.schema_url} if scope and scope.schema_url else {}
