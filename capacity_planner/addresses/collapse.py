"""The fewest blocks that hold the same addresses: what is worth advertising instead of a long list."""

from collections.abc import Iterable

from .key import SIZES


def collapse(keys: Iterable[int]) -> list[int]:
    """The keys of the fewest blocks with the same addresses, sorted; buddies are joined, nested blocks dropped."""
    kept: list[int] = []
    reach = -1
    for key in sorted(keys):
        start = key >> 8
        if start < reach:
            continue
        size = SIZES[key & 0xFF]
        reach = start + size
        # its lower buddy is the block before it, or nothing: join them, and see whether the whole has a buddy, too
        while start & size and kept and kept[-1] == (start - size) << 8 | (key & 0xFF):
            key = kept.pop() - 1  # noqa: PLW2901 - the same start, one bit shorter
            start -= size
            size <<= 1
        kept.append(key)
    return kept
