"""Attributes out of protobuf messages: text by text, as the exporter's columns want them, bounded and masked.

This is where most of the time of an ingest would go, so an attribute that was met before is found by its bytes.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

import orjson
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from strangler_fig.masking import REDACTED, is_secret_name, mask_attribute, mask_attribute_anew, mask_bytes

from ..tables import Attributes
from .bounds import DROPPED_ATTRIBUTE, MAX_ATTRIBUTES, MAX_DEPTH, MAX_VALUE, bounded
from .labels import label
from .memo import Memo

_MAX_ELEMENTS = 1024
_MAX_BYTES = 4 * MAX_VALUE


def attributes(raws: Sequence[bytes]) -> Attributes:
    """The attributes in these messages (`KeyValue`), masked; of one that is there twice the last.

    Of more than `MAX_ATTRIBUTES` the first, and how many were dropped. Raises `DecodeError` for what is no `KeyValue`.
    """
    if len(raws) <= MAX_ATTRIBUTES:
        return dict(map(_known_pair, raws))
    found: Attributes = {}
    rest = iter(raws)
    while len(found) < MAX_ATTRIBUTES and (some := list(islice(rest, MAX_ATTRIBUTES - len(found)))):
        found.update(map(_known_pair, some))
    if dropped := sum(1 for _ in rest):
        found[DROPPED_ATTRIBUTE] = str(dropped)
    return found


def _pair(raw: bytes) -> tuple[str, str]:
    pair = KeyValue.FromString(raw)
    said = pair.value
    value = said.string_value or text(said, pair.key)
    if len(value) > MAX_VALUE or "\0" in value:
        value = bounded(value)
    return label(pair.key), mask_attribute_anew(pair.key, value)


_known_pair = Memo(_pair, most=32_768, longest=768).__getitem__


def text(value: AnyValue, name: str = "") -> str:
    """A value of this name as text: numbers as they are written, lists and maps as JSON whose texts are masked."""
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    if kind == "string_value":
        return value.string_value
    plain = _plain(value, name, MAX_DEPTH)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, int | float):
        return _number(plain)
    return plain if isinstance(plain, str) else orjson.dumps(plain).decode()


@lru_cache(maxsize=4096)
def _number(value: float) -> str:
    return str(value)


def _plain(value: AnyValue, name: str, depth: int) -> object:
    """The value as JSON has it, masked before a quote in it is escaped; what a map calls secret is left out."""
    kind = value.WhichOneof("value")
    if kind is None or depth == 0:
        return None
    if kind == "string_value":
        return mask_attribute(name, bounded(value.string_value))
    if kind == "array_value":
        return [_plain(one, name, depth - 1) for one in value.array_value.values[:_MAX_ELEMENTS]]
    if kind == "kvlist_value":
        return {
            label(one.key): REDACTED if is_secret_name(one.key) else _plain(one.value, one.key, depth - 1)
            for one in value.kvlist_value.values[:_MAX_ELEMENTS]
        }
    if kind == "bytes_value":
        said = mask_bytes(name, value.bytes_value[:_MAX_BYTES])
        return value.bytes_value[:MAX_VALUE].hex() if said is None else bounded(said)
    return getattr(value, kind)
