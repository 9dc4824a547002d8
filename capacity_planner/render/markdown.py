"""The plan as Markdown, for a wiki or a review: one table for each VPC."""

import re
from collections.abc import Iterator

from ..layout.building import usable
from ..layout.values import Plan, Vpc
from . import summary

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown(plan: Plan) -> str:
    """The plan as Markdown."""
    lines = ["# Address plan", "", _escaped(summary.headline(plan)) + "."]
    for vpc in plan.vpcs:
        lines += ["", *_vpc(vpc)]
    lines += ["", "## What stays free", ""]
    lines += [f"- {_escaped(summary.free(space))}" for space in plan.spaces]
    lines += [f"- {_escaped(summary.savings(plan))}", f"- {_escaped(summary.assumptions(plan))}"]
    return "\n".join(lines) + "\n"


def _vpc(vpc: Vpc) -> Iterator[str]:
    yield f"## {_escaped(vpc.name)}"
    yield ""
    for one in vpc.ranges:
        routed = "routable" if one.is_routable else "not routable"
        parts = ", ".join(f"`{part}`" for part in one.extent.parts)
        kept = f"; `{one.extent.reserve}` is kept beside it" if one.extent.reserve else ""
        yield f"- {parts} ({routed}){kept}"
    yield f"- {_escaped(summary.room(vpc.room))}"
    yield ""
    yield "| purpose | zone | AZ | subnet | block | IPv6 | needs | usable | reserve |"
    yield "|---|---|---|---|---|---|---:|---:|---|"
    for segment, subnet in vpc.subnets():
        extent, spot = segment.extent, segment.spot
        is_first, is_last = subnet.block == extent.parts[0], subnet.block == extent.parts[-1]
        needs = ("unused" if segment.is_unused else f"{segment.needed:,}") if is_first else ""
        ipv6 = (
            f"`{subnet.ipv6}`" if subnet.ipv6 else "" if subnet.ipv6_index is None else f"/64 no. {subnet.ipv6_index}"
        )
        cells = (
            spot.purpose.value,
            _escaped(spot.zone),
            _escaped(spot.az),
            _escaped(subnet.name),
            f"`{subnet.block}`",
            ipv6,
            needs,
            f"{usable(extent):,}" if is_first else "",
            f"`{extent.reserve}`" if extent.reserve and is_last else "",
        )
        yield f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " "))
