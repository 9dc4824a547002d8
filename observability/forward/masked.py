"""A message without its secrets: what leaves this machine is masked just as what stays."""

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from strangler_fig.masking import REDACTED, is_secret_name, mask_attribute, mask_bytes, mask_text


def mask_message(message: Message) -> None:
    """Mask every text of a message in place."""
    for field, value in message.ListFields():
        if field.message_type is None:
            if field.type == field.TYPE_STRING and not field.is_repeated:
                setattr(message, field.name, mask_text(value))
        elif field.is_repeated:
            for one in value:
                _mask(one)
        else:
            _mask(value)


def _mask(value: Message) -> None:
    if isinstance(value, KeyValue):
        _mask_pair(value)
    elif isinstance(value, AnyValue):
        _mask_value("", value)
    else:
        mask_message(value)


def _mask_pair(pair: KeyValue) -> None:
    """Mask the value by the key as it came, and what is secret in the key."""
    _mask_value(pair.key, pair.value)
    pair.key = mask_text(pair.key)


def _mask_value(name: str, value: AnyValue) -> None:
    kind = value.WhichOneof("value")
    if kind is not None and is_secret_name(name):
        value.string_value = REDACTED
    elif kind == "string_value":
        value.string_value = mask_attribute(name, value.string_value)
    elif kind == "int_value":
        said = str(value.int_value)
        if (masked := mask_attribute(name, said)) != said:
            value.string_value = masked
    elif kind == "bytes_value":
        known = mask_bytes(name, value.bytes_value)
        value.bytes_value = value.bytes_value if known is None else known.encode()
    elif kind == "array_value":
        for one in value.array_value.values:
            _mask_value(name, one)
    elif kind == "kvlist_value":
        for pair in value.kvlist_value.values:
            _mask_pair(pair)
