"""The whole picture: what the plan is, a card for each VPC, and a legend. One SVG file that stands alone.

Read in black and white (purposes differ by the breaks of their spine and by their names), in dark mode, and aloud.
"""

import hashlib
from collections.abc import Iterator

from ...layout.values import Plan, Purpose
from . import ink
from .card import DASHES, card
from .geometry import Rectangle

_WIDTH = 1100.0
_MARGIN = 28.0
_BETWEEN = 18.0


def picture(plan: Plan) -> str:
    """The plan as an SVG picture."""
    shown = repr((_title(plan), plan.vpcs, plan.spaces))
    prefix = "p" + hashlib.sha256(shown.encode()).hexdigest()[:8]  # two pictures on one page share no id
    marks = list(_header(plan))
    y = 96.0
    for vpc in plan.vpcs:
        drawn = card(plan, vpc, Rectangle(_MARGIN, y, _WIDTH - 2 * _MARGIN, 0), prefix)
        marks += drawn.marks
        y += drawn.height + _BETWEEN
    marks += _legend(plan, y, prefix)
    height = y + 54
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {ink.number(_WIDTH)} {ink.number(height)}" '
        f'role="img" aria-labelledby="{prefix}-title {prefix}-desc" font-family="{ink.SANS}">'
    )
    return "\n".join(
        (
            opening,
            f'<title id="{prefix}-title">{ink.safe(_title(plan))}</title>',
            f'<desc id="{prefix}-desc">{ink.safe(_description(plan))}</desc>',
            ink.style(),
            _patterns(prefix),
            ink.box(Rectangle(0, 0, _WIDTH, height), "page"),
            *marks,
            "</svg>\n",
        )
    )


def _title(plan: Plan) -> str:
    region = f" in {plan.region}" if plan.region else ""
    return f"Address plan{region}, {plan.as_of}"


def _description(plan: Plan) -> str:
    """The picture in words."""
    saved = plan.savings
    takes = f"The plan takes {saved.used:,} routable addresses and keeps {saved.reserved:,} beside them"
    sentences = [f"{takes}; one VPC for all would take {saved.one_vpc:,}."]
    for vpc in plan.vpcs:
        blocks = ", ".join(str(block) for block in vpc.cidrs)
        purposes = sorted({segment.spot.purpose.value for segment in vpc.segments})
        sentences.append(
            f"{vpc.name} has {blocks}, with {sum(1 for _ in vpc.subnets())} subnets for {', '.join(purposes)}; "
            f"{vpc.room.addresses:,} addresses are free."
        )
    return " ".join(sentences)


def _header(plan: Plan) -> Iterator[str]:
    saved, end = plan.savings, _WIDTH - _MARGIN
    yield ink.text((_MARGIN, 46), _title(plan), size=26, extra='font-weight="700"')
    functions = f"{len(plan.functions):,} function{'' if len(plan.functions) == 1 else 's'}"
    growth = f"{plan.growth:.1f} times today's demand" + (f" ({plan.years:g} years)" if plan.years else "")
    words = f"{functions} · {len(plan.azs)} AZs · sized for {growth} · ENIs: {plan.model.value}"
    yield ink.text((_MARGIN, 72), words, size=13, ink="soft")
    bold, right = 'font-weight="700" text-anchor="end"', 'text-anchor="end"'
    yield ink.text((end, 46), f"{saved.used:,} routable addresses", size=22, extra=bold)
    words = f"{saved.one_vpc:,} in one VPC · {saved.one_vpc_legacy:,} by the rule of 2019"
    yield ink.text((end, 72), words, size=13, ink="soft", extra=right)


def _legend(plan: Plan, y: float, prefix: str) -> Iterator[str]:
    present = {segment.spot.purpose for vpc in plan.vpcs for segment in vpc.segments}
    x = _MARGIN
    for purpose in Purpose:
        if purpose in present:
            dash = f' stroke-dasharray="{DASHES[purpose]}"' if DASHES[purpose] else ""
            yield ink.box(Rectangle(x, y, 26, 16), purpose.value, "edge")
            deep = ink.colour(f"{purpose.value}-deep")
            yield (
                f'<line x1="{ink.number(x + 4)}" y1="{ink.number(y + 1)}" x2="{ink.number(x + 4)}" '
                f'y2="{ink.number(y + 15)}" {deep} stroke-width="6"{dash}/>'
            )
            yield ink.text((x + 33, y + 13), purpose.value)
            x += 33 + ink.width(purpose.value, 13) + 20
    yield ink.box(Rectangle(x, y, 26, 16), "page", "line", extra='stroke-dasharray="4 3"')
    yield ink.text((x + 33, y + 13), "reserve")
    x += 33 + ink.width("reserve", 13) + 20
    yield ink.box(Rectangle(x, y, 26, 16), "edge", extra=f'fill="url(#{prefix}-hatch)"')
    yield ink.text((x + 33, y + 13), "free")
    x += 33 + ink.width("free", 13) + 20
    if any(vpc.others for vpc in plan.vpcs) or any(space.others for space in plan.spaces):
        yield ink.box(Rectangle(x, y, 26, 16), "others")
        yield ink.text((x + 33, y + 13), "others'")
    words = "Area shows addresses: half as large is one bit more of prefix. “2 of 11”: needed of usable addresses."
    yield ink.text((_MARGIN, y + 38), words, size=12, ink="soft")


def _patterns(prefix: str) -> str:
    return (
        f'<defs><pattern id="{prefix}-hatch" width="8" height="8" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="8" {ink.colour("hatch")} stroke-width="2"/>'
        "</pattern></defs>"
    )
