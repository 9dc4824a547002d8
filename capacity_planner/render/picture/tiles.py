"""What stands in a block, piece by piece, as the picture shows it: segments, their reserves, others, and free space."""

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...addresses.block import Block
from ...addresses.pool import Pool
from ...layout.extent import Extent
from ...layout.values import Segment, Vpc


class TileKind(enum.Enum):
    """Who has a tile."""

    SEGMENT = "segment"
    RESERVE = "reserve"
    OTHERS = "others"
    FREE = "free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One block of the picture; `segment` is whose it is, or whose reserve."""

    block: Block
    kind: TileKind
    segment: Segment | None = None


def window(vpc: Vpc, extent: Extent) -> Block:
    """The smallest part of an extent with everything in it that is not free: what the picture enlarges.

    The extent itself where it is used up, or where a part would show nothing more.
    """
    taken = [tile.block for tile in _taken(vpc, extent.block)]
    if not taken:
        return extent.block
    shown = taken[0]
    while not all(shown.holds(block) for block in taken):
        shown = shown.parent
    return shown if shown.prefix >= extent.block.prefix + _LEAST_ZOOM else extent.block


_LEAST_ZOOM = 2


def tiles(vpc: Vpc, shown: Block) -> tuple[Tile, ...]:
    """The tiles of a part of a VPC, in order of address."""
    taken = [tile for tile in _taken(vpc, shown) if shown.holds(tile.block)]
    free = Pool.of((shown,), [tile.block for tile in taken]).free_blocks()
    found = [*taken, *(Tile(block=block, kind=TileKind.FREE) for block in free)]
    return tuple(sorted(found, key=lambda tile: tile.block))


def _taken(vpc: Vpc, block: Block) -> Iterator[Tile]:
    for segment in vpc.segments:
        if block.holds(segment.extent.block):
            yield Tile(block=segment.extent.block, kind=TileKind.SEGMENT, segment=segment)
            if segment.extent.reserve:
                yield Tile(block=segment.extent.reserve, kind=TileKind.RESERVE, segment=segment)
    for other in _apart(vpc.others):
        if block.holds(other):
            yield Tile(block=other, kind=TileKind.OTHERS)


def _apart(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks without those inside another."""
    last: Block | None = None
    for block in sorted(blocks):
        if last is None or not last.holds(block):
            yield block
            last = block
