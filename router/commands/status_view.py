"""What `fig status` shows: routes, what went wrong lately, nodes, and what is wrong now."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.text import Text

from .shares_table import limits_view
from .status_faults import faults_view
from .status_nodes import node_view
from .status_releases import ended_view, releases_view
from .status_routes import RoutesView
from .tables import when


def status_view(status: Mapping[str, Any], now: datetime | None = None) -> RenderableType:
    """Everything as one thing to print, for a terminal of 80 columns or more."""
    moment = now or datetime.now(UTC)
    parts: list[RenderableType] = [_heading(status)]
    parts += [Text(f"! control: {text}", style="yellow") for text in status["problems"]]
    parts += releases_view(status)
    if status["routes"]:
        parts.append(RoutesView(status["routes"]))
    parts += limits_view(status)
    parts += faults_view(status.get("counters") or {})
    parts += [node_view(node, moment) for node in status["nodes"]] or [Text("no node has reported")]
    parts += [Text(), *ended] if (ended := ended_view(status)) else []
    return Group(*_spaced(parts))


class Cut:
    """A view that keeps to the terminal's height: its beginning, and how many lines are missing."""

    def __init__(self, view: RenderableType) -> None:
        self._view = view

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType | Segment]:
        """The lines that there is room for."""
        lines = console.render_lines(self._view, options.update(height=None), pad=False)
        room = console.size.height - 1
        shown = lines if len(lines) <= room else lines[: room - 1]
        for line in shown:
            yield from line
            yield Segment.line()
        if len(shown) < len(lines):
            yield Text(f"... {len(lines) - len(shown)} more lines: make the terminal taller, or run fig status")


def _heading(status: Mapping[str, Any]) -> Text:
    if status["snapshot"] is None:
        return Text("no estate is published: fig publish ESTATE")
    return Text(f"snapshot {status['snapshot'][:12]}, published {when(status['published_at'])}")


def _spaced(parts: Iterable[RenderableType]) -> Iterable[RenderableType]:
    for number, part in enumerate(parts):
        if number and not isinstance(part, Text):
            yield Text()
        yield part
