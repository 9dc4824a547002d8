"""Spans of addresses: what blocks leave free in their parents, and the blocks that make up a span.

A span is (first, end) and counts the addresses of its IP version from 0.
"""

from collections.abc import Iterable, Iterator

from .block import Block
from .key import SIZES, key_of


def gaps(parents: tuple[Block, ...], keys: Iterable[int], *, least: int = 1) -> Iterator[tuple[int, int]]:
    """The spans of at least so many addresses that blocks leave free in each parent, in order of address.

    `parents` are of one IP version, sorted and disjoint; a span never reaches over two of them. `keys` are sorted; the
    blocks may overlap each other, reach out of a parent, and be of any IP version.
    """
    offset = (key_of(parents[0]) >> 8) - parents[0].first
    rest = iter(keys)
    key = next(rest, None)
    cursor = 0  # every address below it is used, or before the parent
    for parent in parents:
        first, end = parent.first + offset, parent.end + offset
        cursor = max(cursor, first)
        while key is not None:
            start = key >> 8
            if start >= end:
                break
            if start - cursor >= least:
                yield cursor - offset, start - offset
            after = start + SIZES[key & 0xFF]
            if after > cursor:
                cursor = after
                if cursor >= end:
                    break  # the block may reach into the next parent
            key = next(rest, None)
        if end - cursor >= least:
            yield cursor - offset, end - offset


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
