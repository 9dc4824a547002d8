"""Spans of addresses (first, end): what blocks leave free in their parents, and the blocks that make up a span.

Spans are of one IP version, and count its addresses from 0.
"""

from collections.abc import Iterable, Iterator

from .block import Block
from .key import IPV6_START, SIZES


def spans_of(keys: Iterable[int], version: int) -> list[tuple[int, int]]:
    """The spans of the blocks of that IP version, sorted; they may overlap."""
    border = IPV6_START << 8
    if version == 4:  # noqa: PLR2004 - an IP version
        return [(key >> 8, (key >> 8) + SIZES[key & 0xFF]) for key in sorted(keys) if key < border]
    return [
        ((key >> 8) - IPV6_START, (key >> 8) - IPV6_START + SIZES[key & 0xFF]) for key in sorted(keys) if key >= border
    ]


def gaps(parents: Iterable[Block], spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What `spans` leave free in each parent, as (first, end), in order of address; never across two parents.

    Both come sorted and of one IP version, parents disjoint; spans may overlap each other and reach out of a parent.
    """
    rest = iter(spans)
    span = next(rest, None)
    cursor = 0  # every address below it is used, or before the parent
    for parent in parents:
        cursor = max(cursor, parent.first)
        end = parent.end
        while span is not None and span[0] < end:
            first, after = span
            if first > cursor:
                yield cursor, first
            if after > cursor:
                cursor = after
                if cursor >= end:
                    break
            span = next(rest, None)
        if cursor < end:
            yield cursor, end


def pieces(first: int, end: int, bits: int) -> Iterator[tuple[int, int]]:
    """The fewest blocks that make up the addresses from `first` to before `end`: (first address, prefix length)."""
    while first < end:
        size = (first & -first) or (1 << bits)
        if size > end - first:
            size = 1 << ((end - first).bit_length() - 1)
        yield first, bits + 1 - size.bit_length()
        first += size


def outermost(parents: Iterable[Block]) -> tuple[Block, ...]:
    """The parents in order of address, without those that lie inside another.

    Raises `ValueError` where there is none, or they are of both IP versions.
    """
    kept: list[Block] = []
    for parent in sorted(parents):
        if kept and parent.version != kept[0].version:
            message = f"parents of both IP versions: {kept[0]} and {parent}"
            raise ValueError(message)
        if not kept or parent.first >= kept[-1].end:
            kept.append(parent)
    if not kept:
        message = "a pool needs a parent"
        raise ValueError(message)
    return tuple(kept)
