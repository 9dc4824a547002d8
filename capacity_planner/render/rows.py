"""The plan as rows: one for each block of a VPC and one for each subnet, in the order of the plan."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..addresses.block import Block
from ..layout.values import Plan, Segment, Subnet, Vpc


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One subnet. `reserve`: what its segment keeps beside it, on the segment's last row only."""

    vpc: Vpc
    segment: Segment
    subnet: Subnet
    is_routable: bool
    reserve: Block | None


def subnet_rows(plan: Plan) -> Iterator[Row]:
    """The subnets of all VPCs."""
    for vpc in plan.vpcs:
        for segment, subnet in vpc.subnets():
            is_last = subnet.block == segment.extent.parts[-1]
            yield Row(
                vpc=vpc,
                segment=segment,
                subnet=subnet,
                is_routable=vpc.is_routable(subnet.block),
                reserve=segment.extent.reserve if is_last else None,
            )
