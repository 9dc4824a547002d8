"""The topology as SVG: on-premises, the hub, the spokes; a row for each purpose, a column for each AZ.

Colour is never the only signal: every box has its name, every arrow its words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from ..artefacts.capacity import Capacity
from ..artefacts.plan import Plan, Subnet, Vpc

_ROW, _HEAD, _PAD = 20, 62, 14
_LABEL, _CELL = 190, 128
_PREMISES, _GAP = 210, 150
_STYLE = """
svg { color-scheme: light dark; font: 12px ui-sans-serif, system-ui, sans-serif; }
.page { fill: #ffffff; } .box { fill: #f6f8fa; stroke: #57606a; }
.hub { stroke-width: 2; } .spoke { stroke-dasharray: 6 3; }
text { fill: #1f2328; } .small { fill: #57606a; font-size: 11px; } .title { font-weight: 600; font-size: 14px; }
.mono { font-family: ui-monospace, monospace; font-size: 11px; } .way { stroke: #0969da; stroke-width: 2; fill: none; }
.head { fill: #0969da; }
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
    rows: tuple[tuple[str, dict[str, list[Subnet]]], ...]

    @property
    def height(self) -> int:
        return _HEAD + _ROW * (len(self.rows) + 1) + _PAD

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


def picture(plan: Plan, capacity: Capacity) -> str:
    """The picture's text; the same plan gives the same bytes."""
    width = _LABEL + _CELL * len(plan.azs) + 2 * _PAD
    hub_x = _PAD + _PREMISES + _GAP
    cards: list[_Card] = []
    y = _PAD
    for vpc in plan.spokes:
        cards.append(_Card(vpc, hub_x + (width + _GAP if plan.hub else 0), y, width, _rows(vpc)))
        y = cards[-1].y + cards[-1].height + _PAD * 2
    hub = _Card(plan.hub, hub_x, _PAD, width, _rows(plan.hub)) if plan.hub else None
    bottom = max(y, hub.y + hub.height + _PAD if hub else 0, 200) + _ROW
    right = max((card.x + card.width for card in (*cards, *((hub,) if hub else ()))), default=hub_x) + _PAD
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right} {bottom}" width="{right}" role="img">',
        f"<title>{escape(_summary(plan))}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{right}" height="{bottom}"/>',
        *_premises(hub.middle if hub else 100),
        *(line for card in (hub, *cards) if card for line in _card(card, plan.azs)),
        *_ways(hub, cards),
        _text(
            _PAD,
            bottom - 8,
            f"{capacity.binding.code} binds ({capacity.binding.hop}); plan {plan.digest[7:19]}",
            "small",
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _summary(plan: Plan) -> str:
    spokes = len(plan.spokes)
    return f"{plan.region or 'the topology'}: {'a hub and ' if plan.hub else ''}{spokes} spoke{'s' * (spokes != 1)}"


def _rows(vpc: Vpc) -> tuple[tuple[str, dict[str, list[Subnet]]], ...]:
    """What stands in a row: a purpose, or a trust zone's functions, with its subnets in each AZ."""
    rows: dict[str, dict[str, list[Subnet]]] = {}
    for one in vpc.subnets:
        title = f"{one.purpose.value} {one.zone}".strip()
        rows.setdefault(title, {}).setdefault(one.az, []).append(one)
    return tuple(rows.items())


def _premises(middle: int) -> Iterator[str]:
    y = max(middle - 75, _PAD)
    yield f'<rect class="box" x="{_PAD}" y="{y}" width="{_PREMISES - _PAD}" height="150" rx="6"/>'
    yield _text(_PAD * 2, y + 24, "On-premises", "title")
    for place, line in enumerate(("corporate VIP, router hosts", "legacy applications", "databases, services")):
        yield _text(_PAD * 2, y + 48 + _ROW * place, line)


def _card(card: _Card, azs: tuple[str, ...]) -> Iterator[str]:
    kind = "hub" if card.vpc.is_hub else "spoke"
    yield f'<rect class="box {kind}" x="{card.x}" y="{card.y}" width="{card.width}" height="{card.height}" rx="6"/>'
    left = card.x + _PAD
    routed = "routable" if card.vpc.routable else "routed by nobody"
    yield _text(left, card.y + 22, f"{card.vpc.name} ({kind}, {routed})", "title")
    yield _text(left, card.y + 40, ", ".join(str(block) for block in card.vpc.cidrs), "mono")
    if card.vpc.endpoints:
        yield _text(left, card.y + 56, "endpoints: " + ", ".join(card.vpc.endpoints), "small")
    top = card.y + _HEAD + _ROW
    for column, az in enumerate(azs):
        yield _text(left + _LABEL + _CELL * column, top, az, "small")
    for row, (title, subnets) in enumerate(card.rows, start=1):
        yield _text(left, top + _ROW * row, title)
        for column, az in enumerate(azs):
            own = subnets.get(az, [])
            more = f" +{len(own) - 1}" if len(own) > 1 else ""
            if own:
                yield _text(left + _LABEL + _CELL * column, top + _ROW * row, f"{own[0].cidr}{more}", "mono")


def _ways(hub: _Card | None, spokes: list[_Card]) -> Iterator[str]:
    if hub:
        yield from _arrow(hub.x, hub.middle, _PREMISES, hub.middle, "Direct Connect")
    for card in spokes:
        words = {"endpoint": "PrivateLink", "": "PrivateLink", "nat": "private NAT", "direct": "routed"}
        if hub:
            aim = min(max(card.middle, hub.y + _HEAD), hub.y + hub.height - _PAD)
            yield from _arrow(card.x, card.middle, hub.x + hub.width, aim, words.get(card.vpc.way, card.vpc.way))


def _arrow(x: int, y: int, to_x: int, to_y: int, words: str) -> Iterator[str]:
    bend = (x + to_x) // 2
    yield f'<path class="way" d="M{x} {y} H{bend} V{to_y} H{to_x + 8}"/>'
    yield f'<path class="head" d="M{to_x} {to_y} l10 -5 v10 z"/>'
    place = (to_x + 18) if y == to_y else bend + 8  # a bent arrow is named where it is alone
    yield _text(place, y - 8, words, "small")


def _text(x: int, y: int, words: str, kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{style}>{escape(words)}</text>'
