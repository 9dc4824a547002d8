"""One VPC of the picture: where its blocks stand in their parents, and a map of what is in them."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...addresses.block import Block
from ...layout.building import usable
from ...layout.extent import Extent
from ...layout.values import Plan, Purpose, Segment, Space, Vpc
from . import ink
from .geometry import Rectangle, height_of, place, span
from .tiles import Tile, TileKind, tiles, window

_STRIP = 14.0
_GAP = 12.0
_ZOOM = 16.0
_CAPTION = 18.0
_HEAD = 46.0
_FACTS = 560.0  # what is said to the right of a VPC's blocks

DASHES = {
    Purpose.FUNCTIONS: "",
    Purpose.ENDPOINTS: "3 3",
    Purpose.PROXIES: "10 3",
    Purpose.ROUTERS: "9 3 3 3",
    Purpose.NAT: "1.5 2.5",
    Purpose.ATTACHMENTS: "6 6",
}
"""How the spine of a tile is broken: purposes differ without colour, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is drawn of one VPC: `marks` in SVG, and how high they are."""

    marks: tuple[str, ...]
    height: float


def card(plan: Plan, vpc: Vpc, at: Rectangle, prefix: str) -> Card:
    """The card of a VPC; `at` says where it begins and how wide it is, `prefix` makes the page's ids its own."""
    drawing = _Drawing(plan, vpc, at, prefix)
    marks = tuple(drawing.marks())
    height = drawing.y - at.y
    frame = Rectangle(at.x, at.y, at.width, height)
    return Card(marks=(ink.box(frame, "card", "rim", extra='rx="10"'), *marks), height=height)


class _Drawing:
    """Draws from top to bottom; `y` is where the next thing begins."""

    def __init__(self, plan: Plan, vpc: Vpc, at: Rectangle, prefix: str) -> None:
        self.plan = plan
        self.vpc = vpc
        self.prefix = prefix
        self.x = at.x + 20
        self.width = at.width - 40
        self.y = at.y

    def marks(self) -> Iterator[str]:
        yield from self._head()
        for one in self.vpc.ranges:
            space = next((space for space in self.plan.spaces if space.block.holds(one.extent.block)), None)
            shown = window(self.vpc, one.extent)
            if space is not None:
                yield from self._parent(space, one.extent)
            if shown != one.extent.block:
                yield from self._range(one.extent, shown)
            yield from self._map(shown, one.extent)
            self.y += _GAP
        self.y += 8

    def _head(self) -> Iterator[str]:
        vpc = self.vpc
        name = ink.fitted(vpc.name, 20, self.width / 3)
        yield ink.text((self.x, self.y + 31), name, size=20, extra='font-weight="700"')
        at = self.x + ink.width(name, 20) + 22
        room = self.width - (at - self.x) - _FACTS
        cidrs = ink.fitted(", ".join(str(one.extent.block) for one in vpc.ranges), 15, room, is_mono=True)
        yield ink.mono((at, self.y + 30), cidrs, size=15)
        at += ink.width(cidrs, 15, is_mono=True) + 14
        for words in self._facts():
            wide = ink.width(words, 12) + 18
            yield ink.box(Rectangle(at, self.y + 15, wide, 21), "strip", extra='rx="10.5"')
            yield ink.text((at + 9, self.y + 30), words, size=12, ink="soft")
            at += wide + 8
        free = vpc.room
        largest = f", largest /{free.largest}" if free.largest is not None else ""
        words = f"{free.addresses:,} of {sum(block.size for block in vpc.cidrs):,} addresses free{largest}"
        yield ink.text((self.x + self.width, self.y + 30), words, ink="soft", extra='text-anchor="end"')
        self.y += _HEAD

    def _facts(self) -> Iterator[str]:
        vpc = self.vpc
        routable = [one.is_routable for one in vpc.ranges]
        yield "routable" if all(routable) else "partly routable" if any(routable) else "not routable"
        if vpc.is_dual_stack:
            yield "dual-stack"
        if vpc.is_unused:
            yield "unused"

    def _parent(self, space: Space, extent: Extent) -> Iterator[str]:
        """The strip of the parent: what others hold, where the VPC is, and what is kept beside it."""
        strip = Rectangle(self.x, self.y + _CAPTION, self.width, _STRIP)
        held = f"others hold {space.others:,} addresses, " if space.others else ""
        room = space.room
        largest = f", largest /{room.largest}" if room.largest is not None else ""
        yield from self._caption(str(space.block), f"{held}{room.addresses:,} stay free{largest}")
        yield ink.box(strip, "strip", title=f"{space.block}: {held}{room.addresses:,} free")
        yield from _occupied(space, strip)
        if extent.reserve:
            spot = span(space.block, strip, extent.reserve, least=4)
            yield ink.box(spot, "page", "line", extra='stroke-dasharray="2 2"', title=f"reserve {extent.reserve}")
        spot = span(space.block, strip, extent.block, least=4)
        yield ink.box(spot, "mark", title=f"{self.vpc.name} {extent.block}")
        self.y = strip.bottom
        yield self._zoom(spot)

    def _range(self, extent: Extent, shown: Block) -> Iterator[str]:
        """The strip of a block of which only a part is enlarged, since the rest is free."""
        strip = Rectangle(self.x, self.y + _CAPTION, self.width, _STRIP)
        scale = f"the /{shown.prefix} in use is enlarged {extent.block.size // shown.size:,} times"
        yield from self._caption(str(extent.block), scale)
        yield ink.box(strip, "free")
        yield ink.box(strip, extra=f'fill="url(#{self.prefix}-hatch)"', title=f"{extent.block}: the rest is free")
        yield ink.box(strip, "edge", extra='fill="none"')
        spot = span(extent.block, strip, shown, least=4)
        yield ink.box(spot, "mark", title=str(shown))
        self.y = strip.bottom
        yield self._zoom(spot)

    def _caption(self, left: str, right: str) -> Iterator[str]:
        yield ink.mono((self.x, self.y + 13), left, ink="soft")
        yield ink.text((self.x + self.width, self.y + 13), right, size=12, ink="soft", extra='text-anchor="end"')

    def _zoom(self, spot: Rectangle) -> str:
        """The funnel from a spot on a strip to what is below it."""
        top, self.y = self.y, self.y + _ZOOM
        corners = ((spot.x, top), (spot.right, top), (self.x + self.width, self.y), (self.x, self.y))
        points = " ".join(f"{ink.number(x)},{ink.number(y)}" for x, y in corners)
        return f'<polygon points="{points}" {ink.colour("zoom")}/>'

    def _map(self, shown: Block, extent: Extent) -> Iterator[str]:
        found = tiles(self.vpc, shown)
        height = height_of(shown, min(tile.block.size for tile in found))
        page = Rectangle(self.x, self.y, self.width, height)
        yield ink.box(page, "free")
        for tile in found:
            yield from self._tile(tile, place(shown, page, tile.block))
        for part in extent.parts[1:]:
            if shown.holds(part):
                yield ink.box(place(shown, page, part), "line", extra='fill="none" stroke-width="1.5"')
        yield ink.box(page, "edge", extra='fill="none"')
        self.y = page.bottom

    def _tile(self, tile: Tile, at: Rectangle) -> Iterator[str]:
        match tile.kind:
            case TileKind.SEGMENT if tile.segment is not None:
                yield from self._segment(tile.segment, at)
            case TileKind.RESERVE if tile.segment is not None:
                yield from self._reserve(tile.segment, tile.block, at)
            case TileKind.OTHERS:
                yield ink.box(at, "others", "edge", title=f"{tile.block}: somebody else's")
                yield from _words(at, "others'", f"/{tile.block.prefix}", halo=True)
            case _:
                hatch = f'fill="url(#{self.prefix}-hatch)"'
                yield ink.box(at, "edge", extra=hatch, title=f"free: {tile.block}, {tile.block.size:,} addresses")
                yield from _words(at, "free", f"/{tile.block.prefix}", halo=True)

    def _segment(self, segment: Segment, at: Rectangle) -> Iterator[str]:
        spot, extent = segment.spot, segment.extent
        name = spot.purpose.value
        has = usable(extent)
        use = "unused" if segment.is_unused else f"{segment.needed:,} of {has:,}"
        uses = ", ".join(f"{use.addresses} {use.what}" for use in segment.uses) or "no longer used"
        title = f"{self.vpc.name}/{spot}: {extent.block}, {uses}; {has:,} usable"
        yield ink.box(at.inside(0.5), name, "edge", title=title)
        yield from _spine(spot.purpose, at)
        for part in extent.parts[1:]:
            seam = place(extent.block, at, part)
            yield ink.box(seam.inside(0.5), f"{name}-deep", extra='fill="none" stroke-dasharray="4 2"')
        blocks = (str(extent.block), f"/{extent.block.prefix}")
        yield from _lines(at, spot.zone or name, blocks, (use,), corner=self._az(spot.az))

    def _reserve(self, segment: Segment, block: Block, at: Rectangle) -> Iterator[str]:
        name = segment.spot.purpose.value
        title = f"reserve of {self.vpc.name}/{segment.spot}: {block}"
        yield ink.box(at.inside(0.5), "page", f"{name}-deep", extra='stroke-dasharray="4 3"', title=title)
        yield from _words(at, "reserve", f"/{block.prefix}", halo=False)

    def _az(self, az: str) -> str:
        region = self.plan.region
        return az.removeprefix(region) if region and az != region else az


def _occupied(space: Space, strip: Rectangle) -> Iterator[str]:
    """What others hold of a parent, cell by cell: the more, the higher the bar."""
    wide = strip.width / max(1, len(space.occupied))
    for place_, share in enumerate(space.occupied):
        if share:
            high = strip.height * share / 100
            cell = Rectangle(strip.x + place_ * wide, strip.bottom - high, wide, high)
            yield ink.box(cell, "others", title=f"others hold {share} % here")


def _spine(purpose: Purpose, at: Rectangle) -> Iterator[str]:
    wide = min(6.0, at.width / 4)
    x = at.x + 1 + wide / 2
    dash = f' stroke-dasharray="{DASHES[purpose]}"' if DASHES[purpose] else ""
    yield (
        f'<line x1="{ink.number(x)}" y1="{ink.number(at.y + 1)}" x2="{ink.number(x)}" y2="{ink.number(at.bottom - 1)}" '
        f'{ink.colour(f"{purpose.value}-deep")} stroke-width="{ink.number(wide)}"{dash}/>'
    )


def _lines(at: Rectangle, head: str, blocks: tuple[str, ...], more: tuple[str, ...], *, corner: str) -> Iterator[str]:
    """A heading with a word in its right corner, the first block that fits, and more, as far as there is room."""
    room = at.width - 15
    block = next((one for one in blocks if ink.width(one, 12, is_mono=True) <= room), "")
    rows = int((at.height - 3) // 16)
    if not block or rows < 1:
        return
    x, y = at.x + 11, at.y + 16
    if rows > 1:
        heading = ink.fitted(head, 13, room - ink.width(corner, 13) - 6)
        if heading:
            yield ink.text((x, y), heading, extra='font-weight="600"')
        if heading or ink.width(corner, 13) <= room:
            extra = 'font-weight="600" text-anchor="end"'
            yield ink.text((at.right - 6, y), corner, ink="soft", extra=extra)
        y += 16
    yield ink.mono((x, y), block)
    for words in more[: max(0, rows - 2)]:
        y += 16
        yield ink.text((x, y), ink.fitted(words, 12, room), size=12, ink="soft")


def _words(at: Rectangle, word: str, prefix: str, *, halo: bool) -> Iterator[str]:
    """What free space and reserves are called: in one line where there is room, else the prefix alone."""
    room = at.width - 14
    words = f"{word} {prefix}" if ink.width(f"{word} {prefix}", 12) <= room else prefix
    if at.height < 16 or ink.width(words, 12) > room:  # noqa: PLR2004 - a line of text
        return
    extra = f'{ink.colour("soft", "halo")} stroke-width="4" paint-order="stroke" stroke-linejoin="round"'
    if halo:
        yield (
            f'<text x="{ink.number(at.x + 10)}" y="{ink.number(at.y + 16)}" font-size="12" {extra}>'
            f"{ink.safe(words)}</text>"
        )
    else:
        yield ink.text((at.x + 10, at.y + 16), words, size=12, ink="soft")
