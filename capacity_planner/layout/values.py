"""The plan as frozen values: VPCs, the segments inside them, where functions are, and what is still free.

A segment is the addresses of one purpose in one AZ. Its subnets are what AWS creates; its reserve is what nobody else
gets. Everything that a re-plan has to keep is in here, and nothing that changes without the input changing.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..addresses.block import Block
from ..interfaces import Model
from .extent import Extent


class Kind(enum.Enum):
    """Which of the two VPCs of the layout: the small routable hub, or a large spoke that holds functions."""

    HUB = "hub"
    SPOKE = "spoke"


class Purpose(enum.Enum):
    """What a segment is for, in the order in which the renderings list them."""

    FUNCTIONS = "functions"
    ENDPOINTS = "endpoints"
    PROXIES = "proxies"
    ROUTERS = "routers"
    NAT = "nat"
    ATTACHMENTS = "attachments"


PURPOSES = tuple(Purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """So many addresses for one thing: `Lambda's ENIs`, `proxies`, `load balancer`."""

    what: str
    addresses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What a segment is, whatever its addresses: purpose, trust zone (functions only), AZ.

    `number` is 2 and more for a further segment that a spot got because its first one could not grow in place.
    """

    purpose: Purpose
    az: str
    zone: str = ""
    number: int = 1

    @property
    def order(self) -> tuple[int, str, str, int]:
        """Its place in every listing."""
        return PURPOSES.index(self.purpose), self.zone, self.az, self.number

    @property
    def steps(self) -> tuple[str, ...]:
        """Its words, most general first: `functions`, `retail`, `eu-west-1a`."""
        words = (self.purpose.value, self.zone, self.az, "" if self.number == 1 else f"more-{self.number}")
        return tuple(word for word in words if word)

    def __str__(self) -> str:
        return "/".join(self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """One subnet as AWS creates it; its name never changes. `ipv6_index` counts the /64s of the VPC's /56."""

    name: str
    block: Block
    ipv6_index: int | None = None
    ipv6: Block | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The addresses of one purpose in one AZ: what they are for, and the extent they come from.

    `uses` empty: nothing in the demand needs it any more. It stays, and is called unused. `ipv6_indices`: one for each
    part of the extent, or none.
    """

    spot: Spot
    extent: Extent
    uses: tuple[Use, ...] = ()
    ipv6_indices: tuple[int, ...] = ()

    @property
    def needed(self) -> int:
        """How many addresses its uses take."""
        return sum(use.addresses for use in self.uses)

    @property
    def is_unused(self) -> bool:
        """Whether no demand is left for it."""
        return not self.uses


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A trust zone in one VPC: its security-group sets, and the least ENIs over all its subnets at the horizon."""

    name: str
    security_group_sets: int
    enis: int
    functions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A block that is associated with a VPC, as it grew; `is_routable`: the company routes it."""

    extent: Extent
    is_routable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is free in a block or in several: addresses, the shortest prefix still to be had, and fragmentation.

    `largest` None: nothing is free. `fragmentation`: by what share the largest free block falls short of the largest
    that so many free addresses could be.
    """

    addresses: int
    largest: int | None
    fragmentation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """One VPC: its ranges in the order of association (the first part of the first is the primary block).

    `way` is how its functions reach on-premises; empty for the hub. `others`: blocks inside it that somebody else made.
    `room`: what neither segments nor reserves nor others take. `endpoints`: its interface endpoints, in every AZ.
    `stock`: how many of other things stand in it, as `proxies_per_az` (today) and `proxies_per_az_at_horizon`.
    """

    name: str
    kind: Kind
    ranges: tuple[Range, ...]
    segments: tuple[Segment, ...]
    room: Room
    way: str = ""
    others: tuple[Block, ...] = ()
    endpoints: tuple[str, ...] = ()
    stock: Mapping[str, int] = field(default_factory=dict)
    zones: tuple[Zone, ...] = ()
    is_dual_stack: bool = False
    ipv6: Block | None = None

    @property
    def cidrs(self) -> tuple[Block, ...]:
        """The blocks to associate, the primary first."""
        return tuple(part for one in self.ranges for part in one.extent.parts)

    @property
    def is_unused(self) -> bool:
        """Whether no demand is left for anything in it."""
        return all(segment.is_unused for segment in self.segments)

    def is_routable(self, block: Block) -> bool:
        """Whether a block of the VPC is the company's to route."""
        return any(one.is_routable for one in self.ranges if one.extent.block.holds(block))

    def name_of(self, spot: Spot) -> str:
        """The name of a segment's first subnet."""
        return "-".join((self.name, *spot.steps))

    def subnets_of(self, segment: Segment) -> tuple[Subnet, ...]:
        """A segment's subnets, oldest first."""
        stem = self.name_of(segment.spot)
        parts = segment.extent.parts
        indices: tuple[int | None, ...] = segment.ipv6_indices or (None,) * len(parts)
        return tuple(
            Subnet(
                name=stem if place == 0 else f"{stem}-part-{place + 1}",
                block=part,
                ipv6_index=index,
                ipv6=self._ipv6_of(index),
            )
            for place, (part, index) in enumerate(zip(parts, indices, strict=True))
        )

    def subnets(self) -> Iterator[tuple[Segment, Subnet]]:
        """Every subnet with its segment."""
        for segment in self.segments:
            for subnet in self.subnets_of(segment):
                yield segment, subnet

    def _ipv6_of(self, index: int | None) -> Block | None:
        if index is None or self.ipv6 is None:
            return None
        return Block(6, self.ipv6.first + (index << 64), 64)


def reserve_name(vpc: Vpc) -> str:
    """The name under which a register of addresses keeps what is reserved beside a VPC."""
    return f"{vpc.name}-reserve"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionPlace:
    """In which VPC, trust zone and AZs a function is: its subnets are those of that zone there.

    `set_number`: which of the zone's sets of security groups it has, 1 and more.
    """

    name: str
    vpc: str
    zone: str
    azs: tuple[str, ...]
    set_number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A parent block, what others hold of it, and what is free after the plan.

    `others`: addresses in it that the existing allocations take. `occupied`: for each 64th of the block in order, how
    many percent of it others hold (rounded up), for the picture.
    """

    block: Block
    is_routable: bool
    others: int
    room: Room
    occupied: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """Routable addresses: what the plan takes, and what one VPC for all would have taken, under both models.

    `used` counts the routable blocks of all VPCs, `reserved` what is kept beside them. `one_vpc` is the hub's need and
    the spokes' in routable space; `one_vpc_legacy` the same with ENIs by the formula of 2019.
    """

    used: int
    reserved: int
    one_vpc: int
    one_vpc_legacy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A limit or an assumption that the plan rests on, as it stood."""

    key: str
    value: float
    unit: str
    kind: str
    as_of: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole layout.

    `inputs`: the digests of what it was made from, by name; `growth`: the factor at the horizon of so many years.
    """

    as_of: str
    model: Model
    azs: tuple[str, ...]
    vpcs: tuple[Vpc, ...]
    functions: tuple[FunctionPlace, ...]
    spaces: tuple[Space, ...]
    savings: Savings
    region: str = ""
    growth: float = 1.0
    years: float = 0.0
    figures: tuple[Figure, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def hub(self) -> Vpc | None:
        """The hub VPC; None where nothing needs one."""
        return next((vpc for vpc in self.vpcs if vpc.kind is Kind.HUB), None)

    @property
    def by_name(self) -> dict[str, Vpc]:
        """The VPCs by name."""
        return {vpc.name: vpc for vpc in self.vpcs}
