"""The parents from which VPCs get their blocks: routable ones are scarce, the spokes' are not and may be used again.

A spoke gets a block of its own as long as there is one, so that flow logs stay unambiguous and peering stays possible.
When there is none left it gets the same block as an earlier spoke: nobody routes to it, and PrivateLink does not mind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..addresses.block import Block
from ..addresses.pool import Pool
from ..demand.values import Spaces
from .association import TEN_ZERO, UNUSABLE, banned, refusal
from .building import Building, Need, range_prefix, room_in
from .extent import Extent, upper_neighbour
from .values import Range, Space

LARGEST = 16
"""The prefix of the largest block of a VPC. A spoke gets one: it costs nothing, since nobody routes it."""

CELLS = 64
"""In how many cells of equal size the picture shows what others hold of a parent."""

_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """What a VPC lacks, in words. `lacking`: so many addresses in one block; 0 where more of them would not help.

    `parents`: where they should come from. `function`: the one that fits in no VPC.
    """

    vpc: str
    is_routable: bool
    message: str
    lacking: int = 0
    parents: tuple[Block, ...] = ()
    function: str = ""
    is_ipv6: bool = False


class Grounds:
    """What the parents have left; a working store. `others`: blocks of somebody else; `planned`: the plan's own."""

    def __init__(self, spaces: Spaces, others: Iterable[Block], planned: Iterable[Range], *, most_cidrs: int) -> None:
        own = list(planned)
        self._spaces = spaces
        self._others = [block for block in others if block.version == 4]  # noqa: PLR2004 - an IP version
        self._most_cidrs = most_cidrs
        self._pools = {
            routable: Pool.of(
                parents,
                [*self._others, *UNUSABLE, *(one.extent.whole for one in own if one.is_routable is routable)],
            )
            for routable, parents in ((True, spaces.hub), (False, spaces.spoke))
            if parents
        }
        self._reusable = {one.extent.block for one in own if not one.is_routable}

    def open(self, building: Building, needs: Sequence[Need]) -> Shortfall | None:
        """Give a building a range for all these needs, or as much of them as there is room for; None, or what lacks.

        `needs` are all routable or all not, the largest first. A range that the building has doubles in place first:
        it stays one prefix to advertise.
        """
        if len(building.cidrs) >= self._most_cidrs:
            reason = f"it has {len(building.cidrs)} blocks, and {self._most_cidrs} is the limit"
            return self._shortfall(building, needs, reason)
        is_routable = needs[0].is_routable
        if is_routable and self._double(building, needs[0].block_prefix):
            return None
        extent = self._routed(building, needs) if is_routable else self._unrouted(building, needs)
        if extent is None:
            return self._shortfall(building, needs)
        building.associate([*building.ranges, Range(extent=extent, is_routable=is_routable)])
        return None

    def settle(self, building: Building) -> None:
        """Give each routable range of a building that has no reserve one, where its neighbour is free and allowed."""
        building.associate([self._reserved(building, one) for one in building.ranges])

    def spaces(self, ranges: Iterable[Range]) -> tuple[Space, ...]:
        """The parents, and what is free in each when the plan has these ranges."""
        taken = [*self._others, *UNUSABLE, *(one.extent.whole for one in ranges)]
        return tuple(
            _space(parent, self._others, taken, is_routable=is_routable)
            for is_routable, parents in ((True, self._spaces.hub), (False, self._spaces.spoke))
            for parent in parents
        )

    def _double(self, building: Building, least: int) -> bool:
        """Whether a range could double, by a part that holds a block of the length `least`."""
        for place, one in enumerate(building.ranges):
            held = self._reserved(building, one)
            if held.extent.reserve is not None and held.extent.reserve.prefix <= least:
                grown = replace(held, extent=held.extent.doubled())
                building.associate([*building.ranges[:place], grown, *building.ranges[place + 1 :]])
                return True
        return False

    def _reserved(self, building: Building, one: Range) -> Range:
        """The range with its neighbour as its reserve, where that is free and AWS would let the VPC take it."""
        neighbour = upper_neighbour(one.extent.block)
        if one.extent.reserve or not one.is_routable or neighbour is None or neighbour.prefix < LARGEST:
            return one
        if refusal(building.cidrs, neighbour) or not self._pools[True].take(neighbour):
            return one
        return replace(one, extent=replace(one.extent, reserve=neighbour))

    def _routed(self, building: Building, needs: Sequence[Need]) -> Extent | None:
        """A routable extent for all needs, else for fewer of them, at least for the first."""
        pool = self._pools.get(True)
        if pool is None:
            return None
        # a primary block from 10.0.0.0/16 could never get a neighbour, so it is taken only where there is no other
        bans = [banned(building.cidrs)] if building.cidrs else [(TEN_ZERO,), ()]
        if _without(pool, bans[-1]).free_addresses < sum(need.size for need in needs):
            return None  # a part of it would help nobody
        for prefix in range(max(range_prefix(needs), LARGEST), max(range_prefix(needs[:1]), LARGEST) + 1):
            for ban in bans:
                allowed = _without(pool, ban)
                pair = allowed.allocate_pair(prefix)
                block, reserve = pair or (allowed.allocate(prefix), None)
                if block is None:
                    continue
                if reserve is not None and refusal((block,), reserve):
                    reserve = None
                pool.take(block)
                if reserve is not None:
                    pool.take(reserve)
                return Extent.new(block, reserve)
        return None

    def _unrouted(self, building: Building, needs: Sequence[Need]) -> Extent | None:
        """An extent for a spoke: a /16 or the largest that is free, else a block that another spoke has too."""
        pool = self._pools.get(False)
        if pool is None:
            return None
        least = max(range_prefix(needs[:1]), LARGEST)  # what does not fit beside it goes to a further spoke
        allowed = _without(pool, banned(building.cidrs))
        largest = allowed.largest
        block = allowed.allocate(max(LARGEST, largest.prefix)) if largest and largest.prefix <= least else None
        if block is None:
            again = (one for one in sorted(self._reusable) if one.prefix <= least)
            block = next((one for one in again if not refusal(building.cidrs, one)), None)
        if block is None:
            return None
        pool.take(block)
        self._reusable.add(block)
        return Extent.new(block)

    def _shortfall(self, building: Building, needs: Sequence[Need], reason: str = "") -> Shortfall:
        is_routable = needs[0].is_routable
        wanted = range_prefix(needs)
        size = 1 << (_BITS - wanted)
        room = room_in(self._pools.get(is_routable))
        has = 0 if room.largest is None else 1 << (_BITS - room.largest)
        parents = ", ".join(map(str, self._spaces.hub if is_routable else self._spaces.spoke)) or "no parent at all"
        best = f"the largest free block is a /{room.largest} ({has:,})" if has else "nothing is free"
        why = reason or (f"{size - has:,} addresses too few" if has < size else "AWS would refuse the free ones")
        return Shortfall(
            vpc=building.name,
            is_routable=is_routable,
            message=f"{building.name} needs a /{wanted} ({size:,} addresses) from {parents}: {best}, {why}",
            lacking=max(0, size - has),
            parents=self._spaces.hub if is_routable else self._spaces.spoke,
        )


def _without(pool: Pool, areas: Iterable[Block]) -> Pool:
    """A copy of the pool in which nothing of `areas` is free."""
    rest = pool.copy()
    for area in areas:
        for block in rest.free_blocks():
            if area.holds(block) or block.holds(area):
                rest.take(max(area, block, key=lambda one: one.prefix))
    return rest


def _space(parent: Block, others: Iterable[Block], taken: Iterable[Block], *, is_routable: bool) -> Space:
    spans = _merged(
        (max(block.first, parent.first), min(block.end, parent.end)) for block in others if block.overlaps(parent)
    )
    return Space(
        block=parent,
        is_routable=is_routable,
        others=sum(end - first for first, end in spans),
        room=room_in(Pool.of((parent,), taken)),
        occupied=_occupied(parent, spans),
    )


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans without their overlaps, in order."""
    merged: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((first, end))
    return merged


def _occupied(parent: Block, spans: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """How many percent of each 64th of `parent` the spans take, rounded up; of each address where it is smaller."""
    cells = min(CELLS, parent.size)
    width = parent.size // cells
    held = [0] * cells
    for first, end in spans:
        at = first
        while at < end:
            cell = (at - parent.first) // width
            stop = min(end, parent.first + (cell + 1) * width)
            held[cell] += stop - at
            at = stop
    return tuple(-(-100 * share // width) for share in held)
