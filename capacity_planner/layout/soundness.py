"""What must hold in every plan, whoever wrote it: names once, segments inside their VPC, and no address given twice."""

import itertools
from collections.abc import Iterator

from ..addresses.block import Block
from .values import Kind, Plan, Vpc

_Found = tuple[tuple[str | int, ...], str]


def contradictions(plan: Plan) -> Iterator[_Found]:
    """Where in the plan file something is said that cannot be, and what."""
    hubs = [place for place, vpc in enumerate(plan.vpcs) if vpc.kind is Kind.HUB]
    if len(hubs) > 1:
        yield ("vpcs",), f"a plan has one hub, and this one has {len(hubs)}"
    names: set[str] = set()
    for place, vpc in enumerate(plan.vpcs):
        if vpc.name in names:
            yield ("vpcs", place, "name"), f"a second VPC with the name {vpc.name!r}"
        names.add(vpc.name)
        yield from _of_vpc(vpc, ("vpcs", place))
    routable = sorted(one.extent.whole for vpc in plan.vpcs for one in vpc.ranges if one.is_routable)
    for before, block in itertools.pairwise(routable):
        if before.overlaps(block):
            yield ("vpcs",), f"{block} overlaps {before}, and both are routable (reserves counted)"
    yield from _of_functions(plan)


def _of_vpc(vpc: Vpc, path: tuple[str | int, ...]) -> Iterator[_Found]:
    yield from _names(vpc, path)
    wholes: list[tuple[Block, int]] = []
    for place, segment in enumerate(vpc.segments):
        whole = segment.extent.whole
        wholes.append((whole, place))
        if not any(part.holds(whole) for part in vpc.cidrs):
            yield (*path, "segments", place), f"{whole} lies in no block of the VPC {vpc.name}"
    wholes.sort(key=lambda one: (one[0].version, one[0].first))
    for (before, _), (block, place) in itertools.pairwise(wholes):
        if before.overlaps(block):
            yield (*path, "segments", place), f"{block} overlaps {before} (reserves counted)"
    ranges = sorted(one.extent.whole for one in vpc.ranges)
    for before, block in itertools.pairwise(ranges):
        if before.overlaps(block):
            yield (*path, "ranges"), f"{block} overlaps {before} (reserves counted)"


def _names(vpc: Vpc, path: tuple[str | int, ...]) -> Iterator[_Found]:
    """What of a VPC's segments has the name or the IPv6 number of another, and which of others' blocks meets one."""
    seen: set[str] = set()
    indices: set[int] = set()
    for place, segment in enumerate(vpc.segments):
        here = (*path, "segments", place)
        if str(segment.spot) in seen:
            yield here, f"a second segment {segment.spot}"
        if indices & set(segment.ipv6_indices):
            yield here, "its ipv6_index is another subnet's"
        seen.add(str(segment.spot))
        indices |= set(segment.ipv6_indices)
    for place, other in enumerate(vpc.others):
        if any(segment.extent.whole.overlaps(other) for segment in vpc.segments):
            yield (*path, "others", place), f"{other} overlaps a segment"


def _of_functions(plan: Plan) -> Iterator[_Found]:
    sets = {(vpc.name, zone.name): zone.security_group_sets for vpc in plan.vpcs for zone in vpc.zones}
    for place in plan.functions:
        if (place.vpc, place.zone) not in sets:
            yield ("functions", place.name), f"there is no zone {place.zone!r} in a VPC {place.vpc!r}"
        elif place.set_number > sets[place.vpc, place.zone]:
            found = f"{place.zone} in {place.vpc} has {sets[place.vpc, place.zone]} sets of security groups"
            yield ("functions", place.name, "set"), f"{found}, and {place.name} has the set {place.set_number}"
