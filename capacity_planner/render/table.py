"""The plan on a terminal: a table for each VPC, then what is free, what is saved, and what is assumed."""

from collections.abc import Iterator

from ..layout.building import usable
from ..layout.extent import Extent
from ..layout.values import Plan, Segment, Vpc
from . import summary
from .columns import columns

_HEAD = ("purpose", "zone", "AZ", "block", "reserve", "needs", "of", "subnets")


def table(plan: Plan) -> str:
    """The plan as text."""
    lines = [summary.headline(plan)]
    for vpc in plan.vpcs:
        lines += ["", *_vpc(vpc)]
    lines += ["", *(summary.free(space) for space in plan.spaces), summary.savings(plan), summary.assumptions(plan)]
    return "\n".join(lines) + "\n"


def _vpc(vpc: Vpc) -> Iterator[str]:
    ranges = ", ".join(extent(one.extent) + ("" if one.is_routable else ", not routable") for one in vpc.ranges)
    stack = "; dual-stack" + (f" {vpc.ipv6}" if vpc.ipv6 else "") if vpc.is_dual_stack else ""
    yield f"{vpc.name}  {ranges}{stack}; {summary.room(vpc.room)}"
    yield from columns(
        [_HEAD, *(_segment(vpc, segment) for segment in vpc.segments)], right=frozenset({5, 6}), indent="  "
    )
    for zone in vpc.zones:
        sets = f"{zone.security_group_sets} set{'' if zone.security_group_sets == 1 else 's'} of security groups"
        functions = f"{zone.functions:,} function{'' if zone.functions == 1 else 's'}"
        yield f"  zone {zone.name}: {functions}, {sets}, at least {zone.enis:,} ENIs"


def extent(one: Extent) -> str:
    """A block with what is kept beside it."""
    return f"{one.block} (reserve {one.reserve})" if one.reserve else str(one.block)


def _segment(vpc: Vpc, segment: Segment) -> tuple[str, ...]:
    one = segment.extent
    return (
        segment.spot.purpose.value,
        segment.spot.zone or "-",
        segment.spot.az,
        str(one.block),
        str(one.reserve) if one.reserve else "-",
        "unused" if segment.is_unused else f"{segment.needed:,}",
        f"{usable(one):,}",
        ", ".join(str(subnet.block) for subnet in vpc.subnets_of(segment)) if len(one.parts) > 1 else "1",
    )
