"""The topology as SVG: on-premises, the hub, the spokes; a row for each purpose, a column for each AZ.

Colour is never the only signal: every box has its name, every arrow its words.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from ..artefacts.capacity import Capacity
from ..artefacts.plan import EGRESS, Plan, Subnet, Vpc

_ROW, _HEAD, _PAD = 20, 62, 14
_CELL, _LINE = 128, 16
_PREMISES, _GAP, _BEND = 210, 210, 90
_LETTER = 7
"""How wide a letter of a label is at most; a picture has no way to ask."""
_STYLE = """
svg { color-scheme: light dark; font: 12px ui-sans-serif, system-ui, sans-serif; }
.page { fill: #ffffff; } .box { fill: #f6f8fa; stroke: #57606a; }
.hub { stroke-width: 2; } .spoke { stroke-dasharray: 6 3; }
text { fill: #1f2328; } .small { fill: #57606a; font-size: 11px; } .title { font-weight: 600; font-size: 14px; }
.mono { font-family: ui-monospace, monospace; font-size: 11px; } .way { stroke: #0969da; stroke-width: 2; fill: none; }
.head { fill: #0969da; } .out { stroke-dasharray: 2 3; }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117; } .box { fill: #161b22; stroke: #8b949e; } text { fill: #e6edf3; } .small { fill: #9198a1; }
  .way { stroke: #58a6ff; } .head { fill: #58a6ff; }
}
""".strip()


@dataclass(frozen=True, slots=True)
class _Card:
    """A VPC's box: where it stands and what is written in it."""

    vpc: Vpc
    x: int
    y: int
    width: int
    label: int
    rows: tuple[tuple[str, dict[str, list[Subnet]]], ...]

    @property
    def notes(self) -> list[str]:
        """The interface endpoints in lines as long as the card is wide."""
        if not self.vpc.endpoints:
            return []
        return textwrap.wrap("endpoints: " + ", ".join(self.vpc.endpoints), (self.width - 2 * _PAD) // 6)

    @property
    def head(self) -> int:
        return _HEAD + _LINE * max(0, len(self.notes) - 1)

    @property
    def height(self) -> int:
        return self.head + _ROW * (len(self.rows) + 1) + _PAD

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


def picture(plan: Plan, capacity: Capacity) -> str:
    """The picture's text; the same plan gives the same bytes."""
    hub, cards = _cards(plan)
    hub_x = _PAD + _PREMISES + _GAP
    has_egress = any(EGRESS in card.vpc.endpoints for card in cards)
    egress_y = (hub.y + hub.height if hub else _PAD) + 3 * _PAD
    egress = _Spot(hub_x, egress_y, hub.width if hub else cards[0].width if cards else 0)
    ends = [card.y + card.height for card in (*cards, *((hub,) if hub else ()))]
    bottom = max(*ends, egress_y + _EGRESS if has_egress else 0, 200) + 2 * _ROW
    right = max((card.x + card.width for card in (*cards, *((hub,) if hub else ()))), default=hub_x) + _PAD
    words = f"{capacity.binding.code} binds ({capacity.binding.hop}); plan {plan.digest[7:19]}"
    size = f'viewBox="0 0 {right} {bottom}" width="{right}" height="{bottom}" style="max-width: 100%; height: auto"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(_summary(plan))}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{right}" height="{bottom}"/>',
        *_premises(hub.middle if hub else 100),
        *(line for card in (hub, *cards) if card for line in _card(card, plan.azs)),
        *(_egress(egress) if has_egress else ()),
        *_ways(hub, cards),
        *(_ways_out(egress, cards) if has_egress else ()),
        _text(_PAD, bottom - 8, words, "small"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the egress proxies stand, which have no addresses in the plan."""

    x: int
    y: int
    width: int


_EGRESS = 56


def _cards(plan: Plan) -> tuple[_Card | None, list[_Card]]:
    """The hub's card and the spokes', below one another; all are as wide as the longest label needs."""
    labels = [len(title) for vpc in plan.vpcs for title, _ in _rows(vpc)]
    titles = [len(_title(vpc)) for vpc in plan.vpcs]
    label = max(130, _LETTER * max(labels, default=0) + _PAD)
    width = max(label + _CELL * len(plan.azs) + 2 * _PAD, 8 * max(titles, default=0) + 2 * _PAD)
    x, y = _PAD + _PREMISES + _GAP, _PAD
    hub = _Card(plan.hub, x, _PAD, width, label, _rows(plan.hub)) if plan.hub else None
    cards: list[_Card] = []
    for vpc in plan.spokes:
        cards.append(_Card(vpc, x + (width + _GAP if hub else 0), y, width, label, _rows(vpc)))
        y += cards[-1].height + _PAD * 2
    return hub, cards


def _summary(plan: Plan) -> str:
    spokes = len(plan.spokes)
    return f"{plan.region or 'the topology'}: {'a hub and ' if plan.hub else ''}{spokes} spoke{'s' * (spokes != 1)}"


def _rows(vpc: Vpc) -> tuple[tuple[str, dict[str, list[Subnet]]], ...]:
    """What stands in a row: a purpose, or a trust zone's functions, with its subnets in each AZ."""
    rows: dict[str, dict[str, list[Subnet]]] = {}
    for one in vpc.subnets:
        title = f"{one.purpose.value} {one.zone}".strip()
        sets = next((zone.security_group_sets for zone in vpc.zones if zone.name == one.zone), 1)
        title += f" ({sets} sets)" if sets > 1 else ""
        rows.setdefault(title, {}).setdefault(one.az, []).append(one)
    return tuple(rows.items())


def _premises(middle: int) -> Iterator[str]:
    y = max(middle - 75, _PAD)
    yield f'<rect class="box" x="{_PAD}" y="{y}" width="{_PREMISES - _PAD}" height="150" rx="6"/>'
    yield _text(_PAD * 2, y + 24, "On-premises", "title")
    for place, line in enumerate(("corporate VIP, router hosts", "legacy applications", "databases, services")):
        yield _text(_PAD * 2, y + 48 + _ROW * place, line)


def _title(vpc: Vpc) -> str:
    if vpc.is_hub:
        return f"{vpc.name}: routable"
    routed = "routable" if vpc.way == "direct" else "routed by nobody"
    return f"{vpc.name}: functions' VPC, {routed if vpc.way != 'nat' else 'routable to its NAT gateways alone'}"


def _card(card: _Card, azs: tuple[str, ...]) -> Iterator[str]:
    kind = "hub" if card.vpc.is_hub else "spoke"
    yield f'<rect class="box {kind}" x="{card.x}" y="{card.y}" width="{card.width}" height="{card.height}" rx="6"/>'
    left = card.x + _PAD
    yield _text(left, card.y + 22, _title(card.vpc), "title")
    yield _text(left, card.y + 40, ", ".join(str(block) for block in card.vpc.cidrs), "mono")
    for place, line in enumerate(card.notes):
        yield _text(left, card.y + 56 + _LINE * place, line, "small")
    top = card.y + card.head + _ROW
    for column, az in enumerate(azs):
        yield _text(left + card.label + _CELL * column, top, az, "small")
    for row, (title, subnets) in enumerate(card.rows, start=1):
        yield _text(left, top + _ROW * row, title)
        for column, az in enumerate(azs):
            own = subnets.get(az, [])
            more = f" +{len(own) - 1}" if len(own) > 1 else ""
            if own:
                yield _text(left + card.label + _CELL * column, top + _ROW * row, f"{own[0].cidr}{more}", "mono")


def _egress(spot: _Spot) -> Iterator[str]:
    yield f'<rect class="box spoke" x="{spot.x}" y="{spot.y}" width="{spot.width}" height="{_EGRESS}" rx="6"/>'
    yield _text(spot.x + _PAD, spot.y + 22, "egress proxies: the security team's VPC", "title")
    yield _text(spot.x + _PAD, spot.y + 42, "to listed domains, and nowhere else", "small")


def _ways(hub: _Card | None, spokes: list[_Card]) -> Iterator[str]:
    if hub:
        yield from _arrow(hub.x, hub.middle, _PREMISES, hub.middle, "Direct Connect")
    for card in spokes:
        words = {"endpoint": "PrivateLink", "": "PrivateLink", "nat": "private NAT", "direct": "routed"}
        if hub:
            aim = min(max(card.middle, hub.y + _HEAD), hub.y + hub.height - _PAD)
            yield from _arrow(card.x, card.middle, hub.x + hub.width, aim, words.get(card.vpc.way, card.vpc.way))


def _ways_out(egress: _Spot, spokes: list[_Card]) -> Iterator[str]:
    """From the spokes that have an endpoint to the egress proxies; nearer to them than the ways to the hub bend."""
    aim = egress.y + _EGRESS // 2
    for card in spokes:
        if EGRESS in card.vpc.endpoints:
            y = card.y + card.height - _PAD
            bend = card.x - 24
            x = egress.x + egress.width
            yield f'<path class="way out" d="M{card.x} {y} H{bend} V{aim} H{x + 8}"/>'
    x = egress.x + egress.width
    yield f'<path class="head" d="M{x} {aim} l10 -5 v10 z"/>'
    yield _text(x + 18, aim - 8, "PrivateLink", "small")


def _arrow(x: int, y: int, to_x: int, to_y: int, words: str) -> Iterator[str]:
    bend = to_x + _BEND
    yield f'<path class="way" d="M{x} {y} H{bend} V{to_y} H{to_x + 8}"/>'
    yield f'<path class="head" d="M{to_x} {to_y} l10 -5 v10 z"/>'
    place = (to_x + 18) if y == to_y else bend + 8  # a bent arrow is named where it is alone
    yield _text(place, y - 8 if y == to_y else y + 16, words, "small")


def _text(x: int, y: int, words: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{style}>{escape(words)}</text>'
