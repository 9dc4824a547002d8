"""The plan as frozen values: VPCs, the segments inside them, where functions are, and what is still free.

A segment is the addresses of one purpose in one AZ. Its subnets are what AWS creates; its reserve is what nobody else
gets. Everything that a re-plan has to keep is in here, and nothing that changes without the input changing.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from ..addresses.block import Block
from .extent import Extent


class Kind(enum.Enum):
    """Which of the two VPCs of the layout: the small routable hub, or a large spoke that nobody routes to."""

    HUB = "hub"
    SPOKE = "spoke"


class Purpose(enum.Enum):
    """What a segment is for, in the order in which the renderings list them."""

    FUNCTIONS = "functions"
    ENDPOINTS = "endpoints"
    PROXIES = "proxies"
    NAT = "nat"
    ATTACHMENTS = "attachments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """So many addresses for one thing: `ENIs`, `proxies`, `load balancer`."""

    what: str
    addresses: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Spot:
    """What a segment is, whatever its addresses: purpose, trust zone (functions only), AZ.

    `number` is 2 and more for a further segment that a purpose got because its first one could not grow in place.
    """

    purpose: str
    zone: str
    az: str
    number: int = 1

    def __str__(self) -> str:
        """Its name in the plan, as in `functions/retail/eu-west-1a`."""
        steps = [self.purpose, self.zone, self.az, "" if self.number == 1 else str(self.number)]
        return "/".join(step for step in steps if step)


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

    `uses` empty: nothing in the demand needs it any more. It stays, and is called unused.
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
    """A trust zone in one VPC: how many security-group sets it needs, and the least ENIs over all its subnets."""

    name: str
    security_group_sets: int
    enis: int
    functions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """One VPC: its extents in the order of association (the first part of the first is the primary block)."""

    name: str
    kind: Kind
    extents: tuple[Extent, ...]
    segments: tuple[Segment, ...]
    zones: tuple[Zone, ...] = ()
    ipv6: Block | None = None
    is_dual_stack: bool = False

    @property
    def is_routable(self) -> bool:
        """Whether its addresses are the company's to route: the hub's are."""
        return self.kind is Kind.HUB

    @property
    def cidrs(self) -> tuple[Block, ...]:
        """The blocks to associate, the primary first."""
        return tuple(part for extent in self.extents for part in extent.parts)

    def subnets_of(self, segment: Segment) -> tuple[Subnet, ...]:
        """A segment's subnets, oldest first."""
        spot = segment.spot
        stem = "-".join(
            step for step in (self.name, spot.purpose, spot.zone, spot.az, "" if spot.number == 1 else f"{spot.number}")
            if step
        )
        indices = segment.ipv6_indices or (None,) * len(segment.extent.parts)
        return tuple(
            Subnet(
                name=stem if place == 0 else f"{stem}-part{place + 1}",
                block=part,
                ipv6_index=index,
                ipv6=self._ipv6_of(index),
            )
            for place, (part, index) in enumerate(zip(segment.extent.parts, indices, strict=True))
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
