"""What is known of a network, as frozen values: what the checks judge.

The rule: a figure that nobody stated is None, never 0; a check that needs it is not made, and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from strangler_fig.diagnostics import Position

from ..addresses.block import Block
from ..allocations.values import Allocations, joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A destination in a route table; `place` where it stands, None where it came from no file."""

    block: Block
    place: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable:
    """A route table: its static and propagated routes (the VPC's own, local ones not counted), and destinations."""

    name: str
    vpc: str
    static: int
    propagated: int
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcUse:
    """What is in a VPC.

    `enis`: those that count towards the quota of Lambda's (file systems' mount targets, too). `nau`: how many of each
    thing that has a weight, by the key of the weight in the catalogue; `nau_is_whole` False: other things may be there.
    `peers`: VPCs that are peered in the Region.
    """

    vpc: str
    account: str = ""
    region: str = ""
    enis: int | None = None
    interface_endpoints: int | None = None
    resource_endpoints: int | None = None
    route_tables: int | None = None
    nau: Mapping[str, int] = field(default_factory=dict)
    nau_is_whole: bool = False
    peers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionUse:
    """What is in a Region of an account: ENIs of each AZ, VPCs, gateway endpoints."""

    account: str
    region: str
    vpcs: int | None = None
    gateway_endpoints: int | None = None
    enis_by_az: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUse:
    """A function as it is configured; memory in MB, timeout in seconds. `peak`: the most concurrent executions seen."""

    name: str
    account: str = ""
    region: str = ""
    vpc: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    memory_mb: int | None = None
    timeout_seconds: int | None = None
    reserved: int | None = None
    peak: int | None = None
    place: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What an account may have in a Region, by the key of the catalogue's limit; `code` is that of Service Quotas."""

    key: str
    value: float
    code: str
    account: str
    region: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything that is known.

    `needed` and `free`: addresses by row of `allocations`, where a plan or AWS states them. `quotas`: an account's own.
    """

    allocations: Allocations = field(default_factory=Allocations)
    vpcs: tuple[VpcUse, ...] = ()
    regions: tuple[RegionUse, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    functions: tuple[FunctionUse, ...] = ()
    needed: Mapping[int, int] = field(default_factory=dict)
    free: Mapping[int, int] = field(default_factory=dict)
    quotas: tuple[Quota, ...] = ()


def merged(inventories: Sequence[Inventory]) -> Inventory:
    """Several inventories as one; what two of them say of one VPC is put together, the later before the earlier."""
    needed: dict[int, int] = {}
    free: dict[int, int] = {}
    uses: dict[str, VpcUse] = {}
    start = 0
    for one in inventories:
        needed |= {start + row: count for row, count in one.needed.items()}
        free |= {start + row: count for row, count in one.free.items()}
        start += len(one.allocations)
        for use in one.vpcs:
            uses[use.vpc] = _put_together(uses[use.vpc], use) if use.vpc in uses else use
    return Inventory(
        allocations=joined([one.allocations for one in inventories]),
        vpcs=tuple(uses.values()),
        regions=tuple(region for one in inventories for region in one.regions),
        route_tables=tuple(table for one in inventories for table in one.route_tables),
        functions=tuple(function for one in inventories for function in one.functions),
        needed=needed,
        free=free,
        quotas=tuple(quota for one in inventories for quota in one.quotas),
    )


def _put_together(before: VpcUse, after: VpcUse) -> VpcUse:
    known = {item.name: getattr(after, item.name) for item in fields(after)}
    return replace(before, **{name: value for name, value in known.items() if value not in (None, "", (), {})})
