"""Telemetry as tests make it: messages of a few spans and records, and the payloads of real emitters."""

from collections.abc import Mapping
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

PAYLOADS = Path(__file__).parent / "payloads"
CAPTURED = 1_795_659_300_000_000_000
"""A time shortly after what payloads tell: of Envoy 1.40.0, SDK 1.45.1, the Lambda, Flask and SQLAlchemy instrumentors
0.66b1, and the JavaScript SDK 0.223.0. `capture` moves what it captures there."""
NOW = CAPTURED
SECOND = 1_000_000_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
INTERNAL, SERVER, CLIENT = 1, 2, 3


def pairs(values: Mapping[str, str]) -> list[KeyValue]:
    """Attributes as messages."""
    return [KeyValue(key=name, value=AnyValue(string_value=value)) for name, value in values.items()]


def span(  # noqa: PLR0913 - a span has many parts, and tests want few of them
    name: str = "GET /orders",
    *,
    trace: str = TRACE,
    id_: str = "00f067aa0ba902b7",
    parent: str = "",
    kind: int = SERVER,
    start: int = NOW,
    milliseconds: float = 10.0,
    attributes: Mapping[str, str] | None = None,
) -> Span:
    """One span."""
    return Span(
        trace_id=bytes.fromhex(trace),
        span_id=bytes.fromhex(id_),
        parent_span_id=bytes.fromhex(parent),
        name=name,
        kind=kind,  # type: ignore[arg-type]  # an enum's number
        start_time_unix_nano=start,
        end_time_unix_nano=start + int(milliseconds * 1e6),
        attributes=pairs(attributes or {}),
    )


def traces(*spans: Span, service: str = "orders", **resource: str) -> ExportTraceServiceRequest:
    """A request with these spans of one service."""
    known = {"service.name": service} | {name.replace("__", "."): value for name, value in resource.items()}
    return ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(resource=Resource(attributes=pairs(known)), scope_spans=[ScopeSpans(spans=list(spans))])
        ]
    )


def logs(*records: LogRecord, service: str = "orders") -> ExportLogsServiceRequest:
    """A request with these records of one service."""
    return ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource=Resource(attributes=pairs({"service.name": service})),
                scope_logs=[ScopeLogs(log_records=list(records))],
            )
        ]
    )


def record(body: str = "hello", *, time: int = NOW, trace: str = "", **attributes: str) -> LogRecord:
    """One record; `__` in an attribute's name is a dot."""
    return LogRecord(
        time_unix_nano=time,
        trace_id=bytes.fromhex(trace),
        body=AnyValue(string_value=body),
        severity_number=SeverityNumber.SEVERITY_NUMBER_INFO,
        attributes=pairs({name.replace("__", "."): value for name, value in attributes.items()}),
    )


def served(  # noqa: PLR0913 - what a router's record tells
    route: str,
    side: str,
    *,
    milliseconds: float = 10.0,
    status: int = 200,
    time: int = NOW,
    weight: int = 5_000,
    fallback: bool = False,
) -> LogRecord:
    """A router's record of one request."""
    told = {
        "fig.route": route,
        "fig.side": side,
        "fig.duration_ms": f"{milliseconds:g}",
        "fig.weight": str(weight),
        "http.response.status_code": str(status),
    }
    return record(
        f"GET /{route} {status}",
        time=time,
        trace=TRACE,
        **{
            name.replace(".", "__"): value
            for name, value in (told | ({"fig.fallback": "legacy"} if fallback else {})).items()
        },
    )
