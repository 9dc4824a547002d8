"""A pool of free blocks that gives blocks out and takes them back: the buddy system, with best fit.

    Pool.of(parents: Iterable[Block], used: Iterable[Block] = ()) -> Pool
    .allocate(prefix, *, beside: Block | None = None) -> Block | None    the block is taken; None: no room
    .allocate_pair(prefix) -> tuple[Block, Block] | None                 a block and its buddy, both taken
    .take(block) -> bool          False, and nothing changes, where any of it is not free
    .release(block) -> None       `ValueError` where any of it is free already, or outside of the parents
    .first(prefix) -> Block | None   the lowest free block of that length, not taken
    .is_free(block) -> bool       every address of it
    .largest -> Block | None      .free_blocks() -> tuple[Block, ...]
    .free_addresses -> int        .total_addresses -> int        .fragmentation -> float
    .copy() -> Pool

A pool has one IP version, that of its parents; used blocks of the other version, or outside of the parents, do not
concern it. Used blocks may overlap each other and may be larger than a parent. What is free stands as maximal blocks
that never reach across two parents, sorted, one list for each length: the best fit is the first of the shortest list
that fits. Everything is deterministic: ties go to the lowest address.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable

from .block import Block
from .key import key_of
from .spans import gaps, outermost


class Pool:
    """What is free inside parents; a working store, not a value: `allocate`, `take` and `release` change it."""

    __slots__ = ("_bits", "_free", "_parents", "_version")

    def __init__(self, parents: tuple[Block, ...], free: dict[int, list[int]]) -> None:
        self._parents = parents
        self._version = parents[0].version
        self._bits = parents[0].bits
        self._free = free  # prefix -> first addresses of free blocks, sorted; no list is empty

    @classmethod
    def of(cls, parents: Iterable[Block], used: Iterable[Block] = ()) -> "Pool":
        """The pool of what `parents` hold and `used` leaves free.

        Raises `ValueError` without a parent, and where parents are of both IP versions.
        """
        return cls.around(parents, map(key_of, used))

    @classmethod
    def around(cls, parents: Iterable[Block], keys: Iterable[int]) -> "Pool":
        """The same for many used blocks, of which there are only the keys, in any order."""
        whole = outermost(parents)
        bits = whole[0].bits
        free: list[list[int]] = [[] for _length in range(bits + 2)]
        for first, end in gaps(whole, sorted(keys)):
            at = first
            while at < end:  # as `pieces` does: this loop is what a large pool costs
                size = (at & -at) or (1 << bits)
                if size > end - at:
                    size = 1 << ((end - at).bit_length() - 1)
                free[bits + 1 - size.bit_length()].append(at)
                at += size
        return cls(whole, {prefix: firsts for prefix, firsts in enumerate(free) if firsts})

    def copy(self) -> "Pool":
        """Another pool with the same parents and the same free blocks, to try something on."""
        return Pool(self._parents, {prefix: list(firsts) for prefix, firsts in self._free.items()})

    @property
    def parents(self) -> tuple[Block, ...]:
        """The parents, sorted; those inside another are left out."""
        return self._parents

    def allocate(self, prefix: int, *, beside: Block | None = None) -> Block | None:
        """A free block of that length, taken from the smallest free block that holds it; None where there is no room.

        With `beside`, as near to that block as there is room: in the smallest block around it that has room.
        """
        if not 0 <= prefix <= self._bits:
            message = f"/{prefix} is not the length of an IPv{self._version} prefix"
            raise ValueError(message)
        found = self._best(prefix) if beside is None else self._nearest(prefix, beside)
        if found is None:
            return None
        first, length = found
        self._remove(first, length)
        self._split(first, length, first, prefix)
        return Block(self._version, first, prefix)

    def allocate_pair(self, prefix: int) -> tuple[Block, Block] | None:
        """A block of that length and its buddy, both taken, so that the block can double in place; None: no room."""
        whole = self.allocate(prefix - 1) if prefix > 0 else None
        return whole.halves if whole else None

    def take(self, block: Block) -> bool:
        """Whether all of `block` was free; if so, it is taken now."""
        holder = self._holder(block)
        if holder is None:
            return False
        first, length = holder
        self._remove(first, length)
        self._split(first, length, block.first, block.prefix)
        return True

    def release(self, block: Block) -> None:
        """Make `block` free again. Raises `ValueError` where part of it is free already, or outside of the parents."""
        parent = next((one for one in self._parents if one.holds(block)), None)
        if parent is None:
            message = f"{block} is not in {', '.join(map(str, self._parents))}"
            raise ValueError(message)
        if self._holder(block) or self._any_inside(block):
            message = f"{block} is free already, or part of it"
            raise ValueError(message)
        first, prefix = block.first, block.prefix
        while prefix > parent.prefix and self._has(first ^ (1 << (self._bits - prefix)), prefix):
            size = 1 << (self._bits - prefix)
            self._remove(first ^ size, prefix)
            first, prefix = first & ~size, prefix - 1
        insort(self._free.setdefault(prefix, []), first)

    def first(self, prefix: int) -> Block | None:
        """The first free block of that length by address, which is not taken; None where there is no room."""
        starts = (firsts[0] for length, firsts in self._free.items() if length <= prefix <= self._bits)
        lowest = min(starts, default=None)
        return None if lowest is None else Block(self._version, lowest, prefix)

    def is_free(self, block: Block) -> bool:
        """Whether every address of `block` is free."""
        return self._holder(block) is not None

    @property
    def largest(self) -> Block | None:
        """The largest free block, the lowest of several; None where nothing is free."""
        if not self._free:
            return None
        prefix = min(self._free)
        return Block(self._version, self._free[prefix][0], prefix)

    def free_blocks(self) -> tuple[Block, ...]:
        """Every free block, as large as it can be, in order of address."""
        found = sorted((first, prefix) for prefix, firsts in self._free.items() for first in firsts)
        return tuple(Block(self._version, first, prefix) for first, prefix in found)

    @property
    def free_addresses(self) -> int:
        """How many addresses are free."""
        return sum(len(firsts) << (self._bits - prefix) for prefix, firsts in self._free.items())

    @property
    def total_addresses(self) -> int:
        """How many addresses the parents hold."""
        return sum(parent.size for parent in self._parents)

    @property
    def fragmentation(self) -> float:
        """By what share the largest free block falls short of the largest that so many free addresses could be.

        0.0: as good as it can be (or nothing is free); 0.75: a quarter of the size that it would have if all that is
        used stood together. The largest that could be: the greatest power of two that is not more than the free
        addresses, nor than the largest parent.
        """
        largest = self.largest
        if largest is None:
            return 0.0
        possible = min(1 << (self.free_addresses.bit_length() - 1), max(parent.size for parent in self._parents))
        return 1.0 - largest.size / possible

    def _best(self, prefix: int) -> tuple[int, int] | None:
        """The first address and length of the smallest free block that holds a block of that length."""
        for length in range(prefix, -1, -1):
            firsts = self._free.get(length)
            if firsts:
                return firsts[0], length
        return None

    def _nearest(self, prefix: int, beside: Block) -> tuple[int, int] | None:
        """The best fit in the smallest block around `beside` that has one."""
        if beside.version != self._version:
            return self._best(prefix)
        around = beside
        while True:
            for length in range(prefix, around.prefix - 1, -1):
                firsts = self._free.get(length, [])
                at = bisect_left(firsts, around.first)
                if at < len(firsts) and firsts[at] < around.end:
                    return firsts[at], length
            if around.prefix == 0:
                return None
            around = around.parent

    def _split(self, first: int, length: int, kept: int, prefix: int) -> None:
        """Give back what is left of a removed block when the block of that length at `kept` is taken out of it."""
        while length < prefix:
            length += 1
            half = 1 << (self._bits - length)
            low = kept < first + half
            insort(self._free.setdefault(length, []), first + half if low else first)
            first = first if low else first + half

    def _holder(self, block: Block) -> tuple[int, int] | None:
        """The free block that holds all of `block`, or None."""
        if block.version != self._version:
            return None
        for length in range(block.prefix, -1, -1):
            first = block.first >> (self._bits - length) << (self._bits - length)
            if self._has(first, length):
                return first, length
        return None

    def _any_inside(self, block: Block) -> bool:
        for length, firsts in self._free.items():
            at = bisect_left(firsts, block.first)
            if length > block.prefix and at < len(firsts) and firsts[at] < block.end:
                return True
        return False

    def _has(self, first: int, prefix: int) -> bool:
        firsts = self._free.get(prefix)
        if not firsts:
            return False
        at = bisect_left(firsts, first)
        return at < len(firsts) and firsts[at] == first

    def _remove(self, first: int, prefix: int) -> None:
        firsts = self._free[prefix]
        del firsts[bisect_left(firsts, first)]
        if not firsts:
            del self._free[prefix]
