"""Allocations in bulk, as parallel columns: a hundred thousand rows without an object for each.

The rule: what a row is follows from its purpose and its VPC (`Kind`), and a row whose routability nobody states is
taken as routable unless it lies in 100.64.0.0/10, the range that the layout gives to spokes.
"""

import enum
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from strangler_fig.diagnostics import Position

from ..addresses.block import Block
from ..addresses.key import block_of, holds, key_of

SHARED = Block.of("100.64.0.0/10")
"""Shared address space, which no company routes. Source: RFC 6598."""

_SHARED_KEY = key_of(SHARED)


class Kind(enum.Enum):
    """What a row stands for."""

    VPC = "vpc"  # a block that is associated with a VPC; the first of a VPC is its primary block
    SUBNET = "subnet"  # a subnet of a VPC
    ROUTE = "route"  # a destination in a route table of a VPC
    POOL = "pool"  # space that others are taken from; it may hold anything
    ON_PREMISES = "on-premises"  # a prefix that on-premises advertises to AWS
    BLOCK = "block"  # any other allocation


_BY_PURPOSE = {
    "vpc": Kind.VPC,
    "route": Kind.ROUTE,
    "pool": Kind.POOL,
    "container": Kind.POOL,
    "supernet": Kind.POOL,
    "on-premises": Kind.ON_PREMISES,
    "on-prem": Kind.ON_PREMISES,
    "onprem": Kind.ON_PREMISES,
}


def shown(text: str) -> str:
    """A name as it may be printed: what would move a cursor or break a line is escaped."""
    return text if text.isprintable() else repr(text)[1:-1]


def kind_of(purpose: str, vpc: str) -> Kind:
    """What a row with that purpose and VPC stands for."""
    return _BY_PURPOSE.get(purpose.lower()) or (Kind.SUBNET if vpc else Kind.BLOCK)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that rows came from: `place` gives the position of its row with that number. None: no file at all."""

    place: Callable[[int], Position | None] | None
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One allocation, for those who look at a few."""

    block: Block
    name: str = ""
    vpc: str = ""
    az: str = ""
    purpose: str = ""
    routable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocations:
    """Rows as columns of equal length. `routable` None: not stated. `deployed`: it exists, AWS itself says so."""

    keys: Sequence[int] = ()
    names: Sequence[str] = ()
    vpcs: Sequence[str] = ()
    azs: Sequence[str] = ()
    purposes: Sequence[str] = ()
    routable: Sequence[bool | None] = ()
    deployed: Sequence[bool] = ()
    sources: tuple[Source, ...] = field(default=(), compare=False)

    def __len__(self) -> int:
        return len(self.keys)

    def block(self, row: int) -> Block:
        """The block of a row."""
        return block_of(self.keys[row])

    def kind(self, row: int) -> Kind:
        """What a row stands for."""
        return kind_of(self.purposes[row], self.vpcs[row])

    def is_routable(self, row: int) -> bool:
        """Whether a row counts as routable."""
        stated = self.routable[row]
        return not holds(_SHARED_KEY, self.keys[row]) if stated is None else stated

    def position(self, row: int) -> Position | None:
        """Where a row stands; None where it came from no file."""
        starts = [0]
        for source in self.sources:
            starts.append(starts[-1] + source.rows)
        which = bisect_right(starts, row) - 1
        place = self.sources[which].place
        return place(row - starts[which]) if place else None

    def label(self, row: int) -> str:
        """The row's block and name, as findings call it."""
        name = self.names[row]
        return f"{self.block(row)} ({name!r})" if name else str(self.block(row))

    def rows(self) -> Iterator[Row]:
        """Every row as a value."""
        for place, key in enumerate(self.keys):
            yield Row(
                block=block_of(key),
                name=self.names[place],
                vpc=self.vpcs[place],
                az=self.azs[place],
                purpose=self.purposes[place],
                routable=self.routable[place],
            )

    @classmethod
    def of(
        cls, rows: Iterable[Row], *, deployed: bool = False, place: Callable[[int], Position | None] | None = None
    ) -> "Allocations":
        """The columns of a few rows."""
        given = tuple(rows)
        return cls(
            keys=[key_of(row.block) for row in given],
            names=[row.name for row in given],
            vpcs=[row.vpc for row in given],
            azs=[row.az for row in given],
            purposes=[row.purpose for row in given],
            routable=[row.routable for row in given],
            deployed=[deployed] * len(given),
            sources=(Source(place, len(given)),),
        )


def joined(lists: Sequence[Allocations]) -> Allocations:
    """The rows of several lists, one list after the other."""
    if len(lists) == 1:
        return lists[0]
    return Allocations(
        keys=[key for one in lists for key in one.keys],
        names=[name for one in lists for name in one.names],
        vpcs=[vpc for one in lists for vpc in one.vpcs],
        azs=[az for one in lists for az in one.azs],
        purposes=[purpose for one in lists for purpose in one.purposes],
        routable=[routable for one in lists for routable in one.routable],
        deployed=[deployed for one in lists for deployed in one.deployed],
        sources=tuple(source for one in lists for source in one.sources),
    )
