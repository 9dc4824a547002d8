"""A plan as an inventory: its VPCs, subnets, what they need, and what the plan puts into them."""

from collections import Counter
from collections.abc import Iterator

from strangler_fig.diagnostics import Position

from ..addresses.block import Block
from ..allocations.json_text import JsonDocument
from ..allocations.values import Allocations, Row
from ..layout.values import Plan, Segment, Vpc
from .values import Inventory, VpcUse

RESERVED = 5
"""Addresses of a subnet that AWS keeps. Source: docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html."""

_ENDPOINTS = "interface endpoints"
_WEIGHTS = {_ENDPOINTS: "nau_endpoint", "NAT gateway": "nau_nat_gateway"}  # each address of these is one such thing
_ATTACHMENT = "Transit Gateway attachment"
_ADDRESSES = ("proxies, old and new", "router hosts, old and new", "resolver")

_Path = tuple[str | int, ...]


def inventory(plan: Plan, document: JsonDocument) -> Inventory:
    """What a plan lays out; `document` is the file that it was read from, for places."""
    rows: list[Row] = []
    paths: list[_Path] = []
    needed: dict[int, int] = {}
    for at, vpc in enumerate(plan.vpcs):
        for row, path, count in _rows(vpc, ("vpcs", at)):
            if count:
                needed[len(rows)] = count
            rows.append(row)
            paths.append(path)

    def place(row: int) -> Position:
        return document.at(*paths[row])

    return Inventory(
        allocations=Allocations.of(rows, place=place),
        vpcs=tuple(_use(plan, vpc) for vpc in plan.vpcs),
        needed=needed,
    )


def _rows(vpc: Vpc, path: _Path) -> Iterator[tuple[Row, _Path, int]]:
    """The blocks and subnets of a VPC, their paths in the file, and how many addresses each subnet needs."""
    for at, block in enumerate(vpc.cidrs):
        row = Row(block=block, name=vpc.name, vpc=vpc.name, purpose="vpc", routable=vpc.is_routable(block))
        yield row, (*path, "cidrs", at), 0
    if vpc.ipv6:
        row = Row(block=vpc.ipv6, name=vpc.name, vpc=vpc.name, purpose="vpc", routable=True)
        yield row, (*path, "ipv6"), 0
    for at, one in enumerate(vpc.ranges):
        if one.extent.reserve:
            row = Row(block=one.extent.reserve, name=f"{vpc.name}-reserve", purpose="reserve", routable=one.is_routable)
            yield row, (*path, "ranges", at, "reserve"), 0
    for at, segment in enumerate(vpc.segments):
        for number, subnet in enumerate(vpc.subnets_of(segment)):
            inside = (*path, "segments", at, "subnets", number)
            left = _left_for_first(segment) if number == 0 else 0
            yield _row(vpc, segment, subnet.name, subnet.block), (*inside, "cidr"), left
            if subnet.ipv6:
                yield _row(vpc, segment, subnet.name, subnet.ipv6), (*inside, "ipv6"), 0


def _row(vpc: Vpc, segment: Segment, name: str, block: Block) -> Row:
    routable = vpc.is_routable(block) if block.version == 4 else True  # noqa: PLR2004 - an IP version
    return Row(
        block=block, name=name, vpc=vpc.name, az=segment.spot.az, purpose=segment.spot.purpose.value, routable=routable
    )


def _left_for_first(segment: Segment) -> int:
    """What a segment's first subnet has to hold when its further subnets are full."""
    return max(segment.needed - sum(part.size - RESERVED for part in segment.extent.parts[1:]), 0)


def _use(plan: Plan, vpc: Vpc) -> VpcUse:
    """What the plan puts into a VPC; more may be there, so its weight is a lower bound."""
    counts: Counter[str] = Counter()
    endpoints: Counter[str] = Counter()
    for segment in vpc.segments:
        for use in segment.uses:
            if use.what in _WEIGHTS:
                counts[_WEIGHTS[use.what]] += use.addresses
            elif use.what == _ATTACHMENT:
                counts["nau_transit_gateway_attachment"] = 1
            elif use.what in _ADDRESSES:
                counts["nau_address"] += use.addresses
            if use.what == _ENDPOINTS:
                endpoints[segment.spot.az] += use.addresses
    counts["nau_lambda_function"] = sum(place.vpc == vpc.name for place in plan.functions)
    return VpcUse(
        vpc=vpc.name,
        region=plan.region,
        enis=sum(zone.enis for zone in vpc.zones),
        interface_endpoints=max(endpoints.values(), default=0),
        nau={key: count for key, count in sorted(counts.items()) if count},
    )
