"""The three requests, read less deeply: attributes, resources and scopes stay the bytes that they came as.

On the wire a message inside another is bytes with a length, so a field that is declared as bytes reads what a message
wrote. Emitters repeat themselves: what was met before is found by its bytes (see `memo`), and is not taken apart again.
The shapes are derived from OpenTelemetry's own, so they change with them. Source: protobuf's encoding, "Length types".
"""

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_OURS = "fig"
_BYTES = frozenset(
    {
        ".opentelemetry.proto.common.v1.KeyValue",
        ".opentelemetry.proto.common.v1.InstrumentationScope",
        ".opentelemetry.proto.resource.v1.Resource",
    }
)
_SHAPES = (
    (ExportTraceServiceRequest, trace_pb2.DESCRIPTOR, "TracesData"),
    (ExportLogsServiceRequest, logs_pb2.DESCRIPTOR, "LogsData"),
    (ExportMetricsServiceRequest, metrics_pb2.DESCRIPTOR, "MetricsData"),
)
"""Each request, and the message with the same fields in the file of its signal."""


def shallow(request: type[Message], body: bytes) -> Any:
    """The body of such a request. Raises `DecodeError`; what stays bytes is not looked at yet."""
    return _CLASSES[request].FromString(body)


def as_shallow(message: Message) -> Any:
    """The message, read again if it was read whole."""
    return shallow(type(message), message.SerializeToString()) if type(message) in _CLASSES else message


def _derived(file: Any, name: str) -> Any:
    copy = FileDescriptorProto()
    file.CopyToProto(copy)
    inside = f".{copy.package}."
    copy.name, copy.package = f"{_OURS}/{copy.name}", f"{_OURS}.{copy.package}"
    for field in _fields(copy.message_type):
        if field.type_name in _BYTES:
            field.type = FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
        elif field.type_name.startswith(inside):
            field.type_name = f".{_OURS}{field.type_name}"
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(copy.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{copy.package}.{name}"))


def _fields(messages: Iterable[DescriptorProto]) -> Iterator[FieldDescriptorProto]:
    for message in messages:
        yield from message.field
        yield from _fields(message.nested_type)


_CLASSES = {request: _derived(file, name) for request, file, name in _SHAPES}
RESOURCE, SCOPE = _derived(resource_pb2.DESCRIPTOR, "Resource"), _derived(common_pb2.DESCRIPTOR, "InstrumentationScope")
"""A resource and a scope whose attributes are bytes."""
