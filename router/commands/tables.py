"""What `fig history` shows, and the pieces that it shares with `fig status`: made from control's answers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from ..weight import Weight

_LENGTHS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))


def history_view(entries: Sequence[Mapping[str, Any]]) -> Table:
    """The entries as a table, in the order given."""
    view = table("when", "what", "release", "route", "move", "who", "node", "why")
    for entry in entries:
        before, after = entry["from"], entry["to"]
        move = f"{_weight(before)} -> {_weight(after)}" if after is not None else (entry["snapshot"] or "")[:12]
        cells = (
            when(entry["at"]),
            entry["kind"],
            _release(entry),
            entry["route"],
            move,
            entry["actor"],
            entry["node"],
            entry["reason"],
        )
        view.add_row(*(Text(cell or "") for cell in cells))
    return view


def table(*columns: str) -> Table:
    """An empty table without lines, whose cells fold rather than being cut."""
    view = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        view.add_column(column, overflow="fold")
    return view


def when(text: str | None) -> str:
    """A moment in the reader's own time zone, to the second."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S") if text else ""


def until(text: str, now: datetime) -> str:
    """A moment, and how far it is from `now`: `2026-11-25 23:00:00 (in 45 min)`."""
    seconds = (datetime.fromisoformat(text).astimezone(UTC) - now).total_seconds()
    for unit, name in _UNITS:
        if abs(seconds) >= 2 * unit or unit == 1:
            distance = f"{abs(seconds) // unit:.0f} {name}"
            return f"{when(text)} ({f'in {distance}' if seconds >= 0 else f'{distance} ago'})"
    return when(text)


def lasting(seconds: float) -> str:
    """How long something takes, in its two largest units: `1h 7m`, `2d`, `45s`."""
    left = round(seconds)
    parts = list[str]()
    for length, unit in _LENGTHS:
        number, left = divmod(left, length)
        if number:
            parts.append(f"{number}{unit}")
        if parts and (len(parts) == 2 or not number):  # noqa: PLR2004 - two units are as exact as anybody reads
            break
    return " ".join(parts) or "0s"


def _release(entry: Mapping[str, Any]) -> str:
    release, step = entry.get("release"), entry.get("step")
    return "" if not release else release if step is None else f"{release} step {step}"


def _weight(parts: int | None) -> str:
    return "-" if parts is None else str(Weight(parts))
