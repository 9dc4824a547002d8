"""Where a block is in the picture: a rectangle that is halved once for each bit of prefix, so area shows addresses.

A block and its buddy are the two halves of one rectangle: that is why a reserve always stands beside its block.
"""

from dataclasses import dataclass

from ...addresses.block import Block

_WIDE = 2.6
"""A rectangle wider than so many times its height is halved from left to right, else from top to bottom."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A place on the page, in the units of its view box."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    def halves(self) -> tuple["Rectangle", "Rectangle"]:
        """Its two halves in order of address."""
        if self.width > _WIDE * self.height:
            half = self.width / 2
            return Rectangle(self.x, self.y, half, self.height), Rectangle(self.x + half, self.y, half, self.height)
        half = self.height / 2
        return Rectangle(self.x, self.y, self.width, half), Rectangle(self.x, self.y + half, self.width, half)

    def inside(self, margin: float) -> "Rectangle":
        """It, smaller by a margin on each side."""
        return Rectangle(
            self.x + margin, self.y + margin, max(0.5, self.width - 2 * margin), max(0.5, self.height - 2 * margin)
        )


def place(whole: Block, page: Rectangle, block: Block) -> Rectangle:
    """Where `block` is when `whole` fills `page`."""
    found, size, first = page, whole.size, whole.first
    while size > block.size:
        low, high = found.halves()
        size //= 2
        is_low = block.first < first + size
        found, first = (low, first) if is_low else (high, first + size)
    return found


def span(whole: Block, page: Rectangle, block: Block, *, least: float) -> Rectangle:
    """Where `block` is on a strip that shows `whole` from left to right, at least so wide that it can be seen."""
    width = max(page.width * block.size / whole.size, least)
    x = page.x + page.width * (block.first - whole.first) / whole.size
    return Rectangle(min(x, page.right - width), page.y, width, page.height)


def height_of(whole: Block, smallest: int) -> float:
    """How high a map must be for blocks of `smallest` addresses to be labelled, as far as a page allows."""
    cells = max(1, whole.size // smallest)
    for most, height in ((4, 64.0), (8, 72.0), (16, 132.0), (32, 232.0), (64, 448.0)):
        if cells <= most:
            return height
    return 592.0
