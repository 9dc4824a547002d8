"""What went wrong lately, in `fig status`: the routes with most of it first, each with what to do."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rich.console import RenderableType
from rich.text import Text

from . import advice
from .tables import table

_MOST_ROUTES = 20

Counts = Mapping[str, Mapping[str, int]]


class _Fault(NamedTuple):
    route: str
    recent: int
    total: int
    words: advice.Words


def faults_view(counters: Mapping[str, Any]) -> list[RenderableType]:
    """The faults of the last minutes, all nodes together, and how many there were before; empty without any."""
    found = [*_of_routes(counters.get("routes", {})), *_odd_paths(counters.get("odd_paths", {}))]
    minutes = f"{counters.get('window_seconds', 0) / 60:.0f} min"
    recent: dict[str, list[_Fault]] = {}
    for fault in sorted(found, key=lambda one: -one.recent):
        if fault.recent:
            recent.setdefault(fault.route, []).append(fault)
    if not recent:
        total = sum(fault.total for fault in found)
        text = f"nothing went wrong in the last {minutes}; before that {total:,} requests and calls: --json has them"
        return [Text(text)] if total else []
    view = table(f"last {minutes}", "in all", "route", "what went wrong, and what to do")
    for column in view.columns[:2]:
        column.justify, column.no_wrap = "right", True
    for route in list(recent)[:_MOST_ROUTES]:
        for number, fault in enumerate(recent[route]):
            what, to_do = fault.words
            view.add_row(
                f"{fault.recent:,}",
                f"{fault.total:,}",
                Text("" if number else route),
                Text.assemble(what, (f"\n-> {to_do}", "dim") if to_do else ""),
            )
    more = len(recent) - _MOST_ROUTES
    return [view, *([Text(f"and {more} more routes: --json has them")] if more > 0 else [])]


def _of_routes(routes: Mapping[str, Mapping[str, Counts]]) -> Iterator[_Fault]:
    for route, parts in routes.items():
        for kind, counts in parts.get("requests", {}).items():
            yield _Fault(route, counts["recent"], counts["total"], advice.words_of(advice.REQUESTS, kind))
        for part, prefix in (("calls", ""), ("shadow_calls", "shadows: ")):
            for reason, counts in parts.get(part, {}).items():
                what, to_do = advice.words_of(advice.CALLS, reason)
                yield _Fault(route, counts["recent"], counts["total"], (prefix + what, to_do))


def _odd_paths(paths: Counts) -> Iterator[_Fault]:
    for route, counts in paths.items():
        yield _Fault(route, counts["recent"], counts["total"], advice.ODD_PATHS)
