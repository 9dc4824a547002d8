"""Bytes into messages: protobuf, or OTLP's JSON, whose ids are hexadecimal where protobuf's JSON has base64."""

import base64
import binascii
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ..normalise.shallow import as_shallow, shallow
from .refusal import BadRequest, Reason

PROTOBUF, JSON = "application/x-protobuf", "application/json"
REQUESTS: dict[str, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
_IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
_MAX_DEPTH = 64


def content_type(header: str) -> str:
    """`PROTOBUF` or `JSON`. Raises `BadRequest` for anything else."""
    kind = header.partition(";")[0].strip().lower()
    if kind in (PROTOBUF, "application/protobuf"):
        return PROTOBUF
    if kind == JSON:
        return JSON
    message = f"Content-Type {header[:100]!r} is not known here: send {PROTOBUF} or {JSON}"
    raise BadRequest(415, Reason.WRONG_TYPE, message)


def decoded(signal: str, kind: str, body: bytes) -> Message:
    """The request of this signal that the body is. Raises `BadRequest` when it is none."""
    shape = REQUESTS[signal]
    try:
        return shape.FromString(body) if kind == PROTOBUF else _from_json(shape, body)
    except DecodeError as error:
        raise malformed(signal, error) from error
    except (json_format.ParseError, orjson.JSONDecodeError, ValueError, RecursionError) as error:
        message = f"the body is not OTLP's JSON of {shape.DESCRIPTOR.name}: {str(error)[:300]}"
        raise BadRequest(400, Reason.MALFORMED, message) from error


def decoded_shallow(signal: str, kind: str, body: bytes) -> Message:
    """The same, read shallowly: what is wrong with an attribute is a `DecodeError` only when that is read."""
    if kind == JSON:
        return as_shallow(decoded(signal, kind, body))
    try:
        return shallow(REQUESTS[signal], body)
    except DecodeError as error:
        raise malformed(signal, error) from error


def malformed(signal: str, error: DecodeError) -> BadRequest:
    """The refusal of a body that is no such protobuf message."""
    message = f"the body is not the protobuf message {REQUESTS[signal].DESCRIPTOR.full_name}: {error}"
    return BadRequest(400, Reason.MALFORMED, message)


def _from_json(shape: type[Message], body: bytes) -> Message:
    values = orjson.loads(body)
    if not isinstance(values, dict):
        message = "it is no object"
        raise ValueError(message)  # noqa: TRY004 - what is wrong is the text
    return json_format.ParseDict(
        _with_base64_ids(values, 0), shape(), ignore_unknown_fields=True, max_recursion_depth=_MAX_DEPTH
    )


def _with_base64_ids(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        message = f"it is nested deeper than {_MAX_DEPTH}"
        raise ValueError(message)
    if isinstance(value, dict):
        return {
            name: _base64(one) if name in _IDS and isinstance(one, str) else _with_base64_ids(one, depth + 1)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_with_base64_ids(one, depth + 1) for one in value]
    return value


def _base64(hexadecimal: str) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(hexadecimal)).decode()
    except (binascii.Error, ValueError) as error:
        message = f"the id {hexadecimal[:40]!r} is not hexadecimal"
        raise ValueError(message) from error
