"""Rows as one Arrow array: a struct whose children are the table's columns.

Each column is filled by C code (nanoarrow's, or Python's `array`): no value is looked at by itself in Python. Source:
Arrow's columnar format 1.5, "Physical memory layout".
"""

from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from math import isfinite
from typing import Any

import nanoarrow as na
from nanoarrow.c_array import CArray, c_array, c_array_from_buffers
from nanoarrow.c_schema import CSchema, c_schema

from ..tables import Row

_LIST, _MAP, _TEXT, _TRUTH, _NUMBER = "[]", "MAP(VARCHAR, VARCHAR)", "VARCHAR", "BOOLEAN", "DOUBLE"
_FIXED = {
    "TIMESTAMP_NS": ("q", na.timestamp("ns")),
    "INTEGER": ("i", na.int32()),
    "USMALLINT": ("H", na.uint16()),
    "UINTEGER": ("I", na.uint32()),
    "UBIGINT": ("Q", na.uint64()),
    _NUMBER: ("d", na.float64()),
}
"""Kinds of one width: the code of Python's array, and Arrow's type."""
Kinds = tuple[tuple[str, str], ...]
"""Columns' names and kinds, as the store's tables spell them."""


def rows_as_array(kinds: Kinds, rows: Sequence[Row]) -> CArray:
    """The rows as an array. Raises `ValueError`, `TypeError`, `OverflowError` for rows that are not of these kinds."""
    columns = list(zip(*rows, strict=True))
    children = [_array(kind, column) for (_, kind), column in zip(kinds, columns, strict=True)]
    return c_array_from_buffers(_struct(kinds), len(rows), [None], 0, children=children, move=True)


def _array(kind: str, values: Sequence[Any]) -> CArray:
    if kind == _TEXT:
        return _texts(values)
    if kind == _MAP:
        return _maps(values)
    if kind.endswith(_LIST):
        inside = _array(kind.removesuffix(_LIST), list(chain.from_iterable(values)))
        return _nested(kind, values, inside)
    valid, known = _without_nothing(kind, values)
    nothing = len(values) - sum(map(bool, valid)) if valid else 0
    data = _bits(known) if kind == _TRUTH else array(_FIXED[kind][0], known)
    return c_array_from_buffers(_schema(kind), len(values), [_bits(valid) if valid else None, data], nothing)


def _without_nothing(kind: str, values: Sequence[Any]) -> tuple[Sequence[bool], Sequence[Any]]:
    """Which values there are (empty: all), and the values with zeros for what is not there or is no number."""
    if None in values:
        valid = [one is not None for one in values]
    elif kind == _NUMBER and not all(map(isfinite, values)):
        valid = list(map(isfinite, values))
    else:
        return (), values
    return valid, [one if is_there else 0 for one, is_there in zip(values, valid, strict=True)]


def _texts(values: Iterable[str]) -> CArray:
    return c_array(values, _schema(_TEXT))


def _maps(values: Sequence[dict[str, str]]) -> CArray:
    names = _texts(chain.from_iterable(values))
    texts = _texts(chain.from_iterable(map(dict.values, values)))
    entries = c_array_from_buffers(_entries(), names.length, [None], 0, children=[names, texts])
    return _nested(_MAP, values, entries)


def _nested(kind: str, values: Sequence[Any], inside: CArray) -> CArray:
    return c_array_from_buffers(_schema(kind), len(values), [None, _offsets(values)], 0, children=[inside])


def _offsets(values: Sequence[Any]) -> "array[int] | bytes":
    """Where each value begins, and the last ends: signed integers of 32 bits."""
    if not any(values):
        return bytes(4 * (len(values) + 1))
    return array("i", accumulate(map(len, values), initial=0))


def _bits(truths: Sequence[object]) -> bytes:
    """Truths as bits, the first the lowest."""
    text = "".join(["1" if one else "0" for one in reversed(truths)])
    return int(text or "0", 2).to_bytes((len(truths) + 7) // 8, "little")


@lru_cache(maxsize=64)
def _schema(kind: str) -> CSchema:
    return c_schema(_type(kind))


def _type(kind: str) -> na.Schema:
    if kind.endswith(_LIST):
        return na.list_(_type(kind.removesuffix(_LIST)))
    if kind == _MAP:
        return na.map_(na.string(), na.string())
    if kind == _TEXT:
        return na.string()
    return na.bool_() if kind == _TRUTH else _FIXED[kind][1]


@lru_cache(maxsize=1)
def _entries() -> CSchema:
    return _schema(_MAP).child(0)


@lru_cache(maxsize=64)
def _struct(kinds: Kinds) -> CSchema:
    return c_schema(na.struct({name: _type(kind) for name, kind in kinds}))
