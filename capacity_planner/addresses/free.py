"""Free blocks in order of address: first fit, without a structure to build."""

from collections.abc import Iterable, Iterator

from .block import Block
from .spans import gaps, outermost


def first_fit(parents: Iterable[Block], keys: Iterable[int], prefix: int) -> Iterator[Block]:
    """Every free block of that length, in order of address: each aligned place of that size inside a gap.

    `keys` are those of the used blocks, in any order. Raises `ValueError` as `outermost` does.
    """
    whole = outermost(parents)
    version, bits = whole[0].version, whole[0].bits
    if not 0 <= prefix <= bits:
        message = f"/{prefix} is not the length of an IPv{version} prefix"
        raise ValueError(message)
    size = 1 << (bits - prefix)
    for first, end in gaps(whole, sorted(keys), least=size):
        at = (first + size - 1) & -size
        while at + size <= end:
            yield Block(version, at, prefix)
            at += size
