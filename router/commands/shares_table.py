"""What `fig status` shows of limits: who has which part of the fleet's figures, and what limits refused."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from strangler_fig.units import format_seconds


def limits_view(status: Mapping[str, Any]) -> list[RenderableType]:
    """The tables that there is something to say in; none for an estate without limits."""
    parts: list[RenderableType] = []
    if status.get("figures"):
        parts.append(_figures(status["figures"]))
    if status.get("limits"):
        parts.append(_limits(status["limits"]))
    return parts


def _figures(figures: Sequence[Mapping[str, Any]]) -> Table:
    table = _table(("protects", "what", "figure", "node", "share", "in use", "overflows"), numbers=(2, 4, 5, 6))
    for figure in figures:
        about = (figure["of"], figure["resource"], str(figure["figure"]))
        for index, node in enumerate(figure["nodes"] or [_NOBODY]):
            shown = about if index == 0 else ("", "", "")
            numbers = (node["share"], node["in_use"], node["overflows"])
            cells = (*shown, node["name"], *("-" if number is None else str(number) for number in numbers))
            table.add_row(*(Text(cell) for cell in cells), style=_style(node))
    return table


_NOBODY = {"name": "no node", "share": None, "in_use": None, "overflows": None}


def _style(node: Mapping[str, Any]) -> str:
    share, in_use = node["share"], node["in_use"]
    return "yellow" if share is not None and in_use is not None and in_use >= share else ""


def _limits(limits: Sequence[Mapping[str, Any]]) -> Table:
    table = _table(("limited", "limit", "for", "refused"), numbers=(3,))
    for limit in limits:
        rate = f"{limit['requests']} in {format_seconds(limit['per_seconds'])}, {limit['burst']} at once"
        whom = "each client" if limit["by"] == "client" else "all"
        table.add_row(*(Text(cell) for cell in (limit["route"], rate, whom, str(sum(limit["refused"].values())))))
    return table


def _table(columns: Sequence[str], *, numbers: Sequence[int]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, overflow="fold", justify="right" if index in numbers else "left")
    return table
