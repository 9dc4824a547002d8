"""One VPC while it is laid out: segments are kept, grow in place by their reserve, or are added; nothing moves.

A working store, not a value: it is tried on a copy and frozen into a `Vpc` when everything has its place.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..addresses.block import Block
from ..addresses.pool import Pool
from .extent import Extent, upper_neighbour
from .values import Kind, Purpose, Range, Room, Segment, Spot, Use, Vpc, Zone

RESERVED_ADDRESSES = 5
_LONGEST = 28
_SHORTEST = 16
_BITS = 32

_Family = tuple[Purpose, str, str]  # of a spot: purpose, zone, AZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a spot needs: its uses, and whether its addresses must be routable. `prefix`: a fixed size instead."""

    spot: Spot
    uses: tuple[Use, ...]
    is_routable: bool
    prefix: int | None = None

    @property
    def addresses(self) -> int:
        """How many addresses the uses take."""
        return sum(use.addresses for use in self.uses)

    @property
    def keeps_reserve(self) -> bool:
        """Whether a neighbour is kept: an attachment takes one address for ever, and has none."""
        return self.spot.purpose is not Purpose.ATTACHMENTS

    @property
    def block_prefix(self) -> int:
        """The prefix of a new block for it; below 16 no subnet is so large."""
        return self.prefix or prefix_for(self.addresses)

    @property
    def size(self) -> int:
        """The addresses of a new block for it, its reserve included."""
        return (2 if self.keeps_reserve else 1) << (_BITS - self.block_prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """What of a need has no place in a VPC, and why. `is_for_addresses`: more addresses would help."""

    need: Need
    is_for_addresses: bool
    reason: str


def prefix_for(addresses: int) -> int:
    """The longest prefix of a subnet with so many usable addresses: /28 at most; shorter than /16 is no subnet."""
    needed = addresses + RESERVED_ADDRESSES
    return min(_LONGEST, _BITS - (needed - 1).bit_length())


def range_prefix(needs: Iterable[Need]) -> int:
    """The longest prefix that holds all these needs with their reserves: /28 at most."""
    total = sum(need.size for need in needs)
    return min(_LONGEST, _BITS - max(total - 1, 0).bit_length())


def usable(extent: Extent) -> int:
    """How many addresses an extent's subnets leave after those that AWS keeps."""
    return sum(part.size - RESERVED_ADDRESSES for part in extent.parts)


def room_in(pool: Pool | None) -> Room:
    """What is free in a pool."""
    if pool is None or pool.largest is None:
        return Room(addresses=0, largest=None, fragmentation=0.0)
    return Room(
        addresses=pool.free_addresses,
        largest=pool.largest.prefix,
        fragmentation=round(pool.fragmentation, 4),
    )


class Building:
    """A VPC in the making. `strangers`: blocks inside it that belong to somebody else."""

    def __init__(self, name: str, kind: Kind, way: str = "") -> None:
        self.name = name
        self.kind = kind
        self.way = way
        self.ranges: list[Range] = []
        self.segments: dict[_Family, tuple[Segment, ...]] = {}
        self.pools: dict[bool, Pool] = {}
        self.zones: tuple[Zone, ...] = ()
        self.strangers: tuple[Block, ...] = ()
        self.lost: list[tuple[Spot, Block]] = []
        self.most_subnets = 200
        self.ipv6: Block | None = None
        self.endpoints: tuple[str, ...] = ()
        self.stock: Mapping[str, int] = {}

    @classmethod
    def of(cls, vpc: Vpc, strangers: Iterable[Block]) -> "Building":
        """The building that a planned VPC is, its segments unused until somebody needs them.

        A reserve in which a stranger stands is lost; `lost` has the segments and the strangers.
        """
        one = cls(vpc.name, vpc.kind, vpc.way)
        one.ranges = list(vpc.ranges)
        one.strangers = tuple(stranger for stranger in strangers if any(cidr.overlaps(stranger) for cidr in vpc.cidrs))
        one.ipv6 = vpc.ipv6
        for segment in vpc.segments:
            one._put(replace(segment, uses=(), extent=one._without_strangers(segment)))
        one._fill_pools()
        return one

    def copy(self) -> "Building":
        """Another building like it, to try something on."""
        one = Building(self.name, self.kind, self.way)
        one.ranges = list(self.ranges)
        one.segments = dict(self.segments)
        one.pools = {routable: pool.copy() for routable, pool in self.pools.items()}
        one.zones = self.zones
        one.strangers = self.strangers
        one.lost = list(self.lost)
        one.most_subnets = self.most_subnets
        one.ipv6 = self.ipv6
        return one

    @property
    def cidrs(self) -> tuple[Block, ...]:
        """The blocks associated so far, the primary first."""
        return tuple(part for one in self.ranges for part in one.extent.parts)

    @property
    def subnets(self) -> int:
        """How many subnets there are."""
        return sum(len(segment.extent.parts) for segment in self.all_segments())

    def all_segments(self) -> list[Segment]:
        """Every segment, in the order of listings."""
        return sorted((one for family in self.segments.values() for one in family), key=lambda one: one.spot.order)

    def at(self, spot: Spot) -> tuple[Segment, ...]:
        """The segments that a spot has, the first first."""
        return self.segments.get(_family(spot), ())

    def associate(self, ranges: Iterable[Range]) -> None:
        """Make `ranges` the VPC's: a longer list, or the same with one that grew."""
        self.ranges = list(ranges)
        self._fill_pools()

    def place(self, need: Need) -> Unplaced | None:
        """Give a need its addresses; None, or why it has no place (some of it may have one by then)."""
        while True:
            mine = self.at(need.spot)
            missing = self.missing(need)
            if missing is None:
                self._assign(mine, need.uses)
                return None
            if self.subnets >= self.most_subnets:
                reason = f"{self.name} would have more than {self.most_subnets} subnets"
                return Unplaced(need=missing, is_for_addresses=False, reason=reason)
            if any(self._double(segment) for segment in mine):
                continue
            number = mine[-1].spot.number + 1 if mine else 1
            if not self._add(replace(missing, spot=replace(need.spot, number=number))):
                reason = f"{self.name} has no free block for {missing.addresses:,} addresses of {need.spot}"
                return Unplaced(need=missing, is_for_addresses=True, reason=reason)

    def missing(self, need: Need) -> Need | None:
        """What of a need its segments do not hold yet; None where they hold all of it."""
        mine = self.at(need.spot)
        short = need.addresses - sum(usable(segment.extent) for segment in mine)
        if not mine:
            return need
        return replace(need, uses=(Use(what="the rest", addresses=short),)) if short > 0 else None

    def settle(self) -> None:
        """Give each used segment that has no reserve one, where its neighbour is free."""
        for segment in self.all_segments():
            if segment.extent.reserve is None and segment.uses and segment.spot.purpose is not Purpose.ATTACHMENTS:
                self._put(replace(segment, extent=self._reserved(segment.extent)))

    def freeze(self, *, dual_stack: bool) -> Vpc:
        """The VPC."""
        segments = self.all_segments()
        pool = Pool.of(self.cidrs, self._taken()) if self.ranges else None
        had_ipv6 = any(segment.ipv6_indices for segment in segments)
        return Vpc(
            name=self.name,
            kind=self.kind,
            way=self.way,
            ranges=tuple(self.ranges),
            segments=tuple(_numbered(segments)) if dual_stack or had_ipv6 else tuple(segments),
            room=room_in(pool),
            others=tuple(sorted(set(self.strangers))),
            endpoints=self.endpoints,
            stock=self.stock,
            zones=self.zones,
            is_dual_stack=dual_stack or had_ipv6,
            ipv6=self.ipv6,
        )

    def _fill_pools(self) -> None:
        taken = self._taken()
        self.pools = {
            routable: Pool.of(parts, taken)
            for routable in (True, False)
            if (parts := [part for one in self.ranges if one.is_routable is routable for part in one.extent.parts])
        }

    def _taken(self) -> list[Block]:
        return [*(segment.extent.whole for segment in self.all_segments()), *self.strangers]

    def _put(self, segment: Segment) -> None:
        """Note a segment: a new one, or in place of what it was."""
        others = [one for one in self.at(segment.spot) if one.spot.number != segment.spot.number]
        family = sorted([*others, segment], key=lambda one: one.spot.number)
        self.segments[_family(segment.spot)] = tuple(family)

    def _without_strangers(self, segment: Segment) -> Extent:
        extent = segment.extent
        for stranger in self.strangers:
            if extent.reserve and stranger.overlaps(extent.reserve):
                self.lost.append((segment.spot, stranger))
                return replace(extent, reserve=None)
        return extent

    def _pool_of(self, block: Block) -> Pool | None:
        return next((pool for pool in self.pools.values() if any(one.holds(block) for one in pool.parents)), None)

    def _reserved(self, extent: Extent) -> Extent:
        """The extent with its upper neighbour as its reserve, where that is free; else as it is."""
        neighbour = upper_neighbour(extent.block)
        pool = self._pool_of(extent.block)
        if neighbour is None or pool is None or not pool.take(neighbour):
            return extent
        return replace(extent, reserve=neighbour)

    def _double(self, segment: Segment) -> bool:
        extent = segment.extent if segment.extent.reserve else self._reserved(segment.extent)
        if extent.reserve is None:
            return False
        self._put(replace(segment, extent=self._reserved(extent.doubled())))
        return True

    def _add(self, need: Need) -> bool:
        pool = self.pools.get(need.is_routable)
        prefix = need.block_prefix
        if pool is None or prefix < _SHORTEST:
            return False
        pair = pool.allocate_pair(prefix) if need.keeps_reserve else None
        block, reserve = pair or (pool.allocate(prefix), None)
        if block is None:
            return False
        self._put(Segment(spot=need.spot, extent=Extent.new(block, reserve)))
        return True

    def _assign(self, mine: tuple[Segment, ...], uses: tuple[Use, ...]) -> None:
        """Note what each segment is for: the first ones are filled first."""
        rest = [(use.what, use.addresses) for use in uses]
        for segment in mine:
            space = usable(segment.extent)
            here: list[Use] = []
            while rest and space > 0:
                what, addresses = rest.pop(0)
                fit = min(addresses, space)
                here.append(Use(what=what, addresses=fit))
                space -= fit
                if addresses > fit:
                    rest.insert(0, (what, addresses - fit))
            self._put(replace(segment, uses=tuple(here)))


def _family(spot: Spot) -> _Family:
    return spot.purpose, spot.zone, spot.az


def _numbered(segments: list[Segment]) -> Iterator[Segment]:
    """The segments, each part with its /64; a number once given stays."""
    following = max((index for segment in segments for index in segment.ipv6_indices), default=-1) + 1
    for segment in segments:
        missing = len(segment.extent.parts) - len(segment.ipv6_indices)
        new = tuple(range(following, following + missing))
        following += missing
        yield replace(segment, ipv6_indices=(*segment.ipv6_indices, *new))
