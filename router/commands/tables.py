"""What `fig status` and `fig history` show, as tables: made from control's answers, printed elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..weight import Weight
from .shares_table import limits_view

_SIDES = ("legacy", "lambda")


def status_view(status: Mapping[str, Any]) -> RenderableType:
    """Routes, nodes, and what is wrong, as one thing to print."""
    parts: list[RenderableType] = [_heading(status)]
    if status["routes"]:
        parts.append(_routes(status["routes"]))
    parts.extend(limits_view(status))
    parts.append(_nodes(status["nodes"]) if status["nodes"] else Text("no node has reported"))
    problems = [(node["name"], text) for node in status["nodes"] for text in _problems(node)]
    problems += [("control", text) for text in status["problems"]]
    parts.extend(Text(f"! {name}: {text}", style="yellow") for name, text in problems)
    return Group(*parts)


def history_view(entries: Sequence[Mapping[str, Any]]) -> RenderableType:
    """The entries as a table, in the order given."""
    table = _table("when", "what", "route", "move", "who", "node", "why")
    for entry in entries:
        before, after = entry["from"], entry["to"]
        move = f"{_weight(before)} -> {_weight(after)}" if after is not None else (entry["snapshot"] or "")[:12]
        cells = (
            _when(entry["at"]),
            entry["kind"],
            entry["route"],
            move,
            entry["actor"],
            entry["node"],
            entry["reason"],
        )
        table.add_row(*(Text(cell or "") for cell in cells))
    return table


def _heading(status: Mapping[str, Any]) -> Text:
    if status["snapshot"] is None:
        return Text("no estate is published: fig publish ESTATE")
    return Text(f"snapshot {status['snapshot'][:12]}, published {_when(status['published_at'])}")


def _routes(routes: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("route", "weight", "state", "since", "by", "side", "req/s", "errors", "fallbacks/s", "p50", "p99")
    for column in table.columns[6:]:
        column.justify = "right"
    for route in routes:
        cells = [route["route"], route["weight_text"], _state(route), _when(route["since"]), route["by"]]
        sides = [side for side in _SIDES if side in route["traffic"]]
        for index, side in enumerate(sides or [""]):
            shown = cells if index == 0 else [""] * len(cells)
            rates = _rates(route["traffic"].get(side))
            table.add_row(*(Text(cell or "") for cell in (*shown, side, *rates)))
    return table


def _rates(side: Mapping[str, Any] | None) -> tuple[str, ...]:
    if side is None:
        return ("", "", "", "", "")
    errors = side["error_share"]
    return (
        f"{side['requests_per_second']:.1f}",
        "-" if errors is None else f"{errors:.2%}",
        f"{side['fallbacks_per_second']:.1f}",
        _milliseconds(side["p50_ms"]),
        _milliseconds(side["p99_ms"]),
    )


def _nodes(nodes: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("node", "live", "in force", "entry", "envoy", "restarts", "snapshot", "weights")
    for node in nodes:
        envoy = node.get("envoy") or {}
        live = "yes" if node["live"] else f"no, last seen {node['last_seen_seconds']:.0f} s ago"
        table.add_row(
            Text(node["name"]),
            Text(live, style="" if node["live"] else "red"),
            Text("yes" if node["in_force"] else "no", style="" if node["in_force"] else "yellow"),
            Text(node.get("entry") or ""),
            Text(" ".join(str(envoy[key]) for key in ("state", "version") if envoy.get(key))),
            Text(str(envoy.get("restarts", ""))),
            Text((node.get("snapshot") or "none")[:12]),
            Text(str(node["weights_version"])),
        )
    return table


def _problems(node: Mapping[str, Any]) -> list[str]:
    rejected = node.get("rejected")
    said = [f"rejected snapshot {rejected['snapshot'][:12]}: {rejected['reason']}"] if rejected else []
    return [*said, *node.get("problems", ())]


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _state(route: Mapping[str, Any]) -> str:
    if not route["two_sides"]:
        return "fixed"
    return "moving" if route["moving"] else "settled"


def _weight(parts: int | None) -> str:
    return "-" if parts is None else str(Weight(parts))


def _when(text: str | None) -> str:
    """A moment in the reader's own time zone, to the second."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S") if text else ""


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"
