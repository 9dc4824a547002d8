"""SVG elements as text: escaped, with colours as attributes for every reader and a dark palette for those that ask.

Colours are presentation attributes, so that slide programs without style sheets show the light picture; the style sheet
holds the dark palette alone. No scripts, no external fonts, nothing that is fetched.
"""

import re
from html import escape

from .geometry import Rectangle

SANS = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"

_SANS_EM = 0.58
_MONO_EM = 0.605
"""Widths of a letter in its size: above the average, since each reader has fonts of its own."""

# class -> (attribute, light, dark)
INK: dict[str, tuple[str, str, str]] = {
    "page": ("fill", "#ffffff", "#10151c"),
    "card": ("fill", "#f6f8fa", "#171e27"),
    "rim": ("stroke", "#d0d7de", "#313c4a"),
    "text": ("fill", "#14191f", "#eef2f6"),
    "soft": ("fill", "#4c5866", "#a9b6c5"),
    "strip": ("fill", "#e9edf1", "#232d39"),
    "zoom": ("fill", "#e3e8ee", "#202a35"),
    "mark": ("fill", "#14191f", "#eef2f6"),
    "line": ("stroke", "#14191f", "#eef2f6"),
    "free": ("fill", "#ffffff", "#10151c"),
    "hatch": ("stroke", "#b4bfca", "#3b4857"),
    "halo": ("stroke", "#ffffff", "#10151c"),
    "edge": ("stroke", "#9aa6b2", "#56657a"),
    "others": ("fill", "#8c97a3", "#6b7886"),
    "functions": ("fill", "#d3e5ff", "#16345f"),
    "endpoints": ("fill", "#cdefe3", "#0d4338"),
    "proxies": ("fill", "#ffe0b8", "#5a3405"),
    "routers": ("fill", "#e7dcfb", "#3d2570"),
    "nat": ("fill", "#fbd7e6", "#641d40"),
    "attachments": ("fill", "#e0e4e9", "#3a4553"),
    "functions-deep": ("stroke", "#1d5bb8", "#7db1ff"),
    "endpoints-deep": ("stroke", "#0a7a60", "#4fd1ac"),
    "proxies-deep": ("stroke", "#a85a00", "#ffb45c"),
    "routers-deep": ("stroke", "#6a3bc0", "#c0a2ff"),
    "nat-deep": ("stroke", "#a8215f", "#ff94c2"),
    "attachments-deep": ("stroke", "#4b5766", "#b6c2cf"),
}
"""The palette: the light tints and the dark ones carry the same text with a contrast above 7."""

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def safe(text: str) -> str:
    """Text for an element or an attribute: escaped, and without what XML cannot hold."""
    return escape(_ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text), quote=True)


def style() -> str:
    """The style sheet: the dark palette, for readers that prefer it."""
    rules = "".join(f".{name}{{{attribute}:{dark}}}" for name, (attribute, _light, dark) in INK.items())
    return f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"


def colour(*names: str) -> str:
    """The attributes that give an element these colours, light ones for every reader."""
    light = " ".join(f'{INK[name][0]}="{INK[name][1]}"' for name in names)
    return f'class="{" ".join(names)}" {light}'


def number(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def box(place: Rectangle, *names: str, extra: str = "", title: str = "") -> str:
    """A rectangle."""
    inside = f"<title>{safe(title)}</title>" if title else ""
    size = f'width="{number(place.width)}" height="{number(place.height)}"'
    at = f'x="{number(place.x)}" y="{number(place.y)}"'
    return f"<rect {at} {size} {colour(*names)}{' ' + extra if extra else ''}>{inside}</rect>"


def text(at: tuple[float, float], words: str, *, size: float = 13, ink: str = "text", extra: str = "") -> str:
    """A line of text whose baseline begins at a point."""
    x, y = at
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" {colour(ink)}'
        f"{' ' + extra if extra else ''}>{safe(words)}</text>"
    )


def mono(at: tuple[float, float], words: str, *, size: float = 12, ink: str = "text") -> str:
    """A line of addresses."""
    return text(at, words, size=size, ink=ink, extra=f'font-family="{MONO}"')


def width(words: str, size: float, *, is_mono: bool = False) -> float:
    """About how wide a line of text is."""
    return len(words) * size * (_MONO_EM if is_mono else _SANS_EM)


def fitted(words: str, size: float, room: float, *, is_mono: bool = False) -> str:
    """The text, cut with an ellipsis to the room there is; empty where not even three letters fit."""
    if width(words, size, is_mono=is_mono) <= room:
        return words
    letters = int(room / (size * (_MONO_EM if is_mono else _SANS_EM))) - 1
    return f"{words[:letters]}…" if letters > 2 else ""  # noqa: PLR2004 - fewer letters say nothing
