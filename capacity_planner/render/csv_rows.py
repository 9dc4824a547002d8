"""The plan as a list of allocations, for a register of addresses: `fig cidr check` and `--existing` read it back.

VPCs, their subnets, and what is kept beside a routable block, so that nobody else is given it.
"""

import csv
import io
from collections.abc import Iterator

from ..layout.values import Plan, Vpc, reserve_name

_COLUMNS = ("cidr", "name", "vpc", "az", "purpose", "routable", "zone")


def csv_text(plan: Plan) -> str:
    """The plan as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for vpc in plan.vpcs:
        writer.writerows(_rows(vpc))
    return out.getvalue()


def _rows(vpc: Vpc) -> Iterator[tuple[str, ...]]:
    blocks = [(block, vpc.is_routable(block)) for block in vpc.cidrs] + ([(vpc.ipv6, True)] if vpc.ipv6 else [])
    for block, is_routable in blocks:
        yield str(block), vpc.name, vpc.name, "", "vpc", _truth(is_routable), ""
    for segment, subnet in vpc.subnets():
        spot = segment.spot
        yield (
            str(subnet.block),
            subnet.name,
            vpc.name,
            spot.az,
            spot.purpose.value,
            _truth(vpc.is_routable(subnet.block)),
            spot.zone,
        )
        if subnet.ipv6:
            yield str(subnet.ipv6), subnet.name, vpc.name, spot.az, spot.purpose.value, _truth(is_true=True), spot.zone
    for one in vpc.ranges:
        if one.extent.reserve:
            yield str(one.extent.reserve), reserve_name(vpc), "", "", "reserve", _truth(one.is_routable), ""


def _truth(is_true: bool) -> str:  # noqa: FBT001 - a cell
    return "true" if is_true else "false"
