"""The table of routes in `fig status`: weights, and what each side did in the last second."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from .tables import table, when

_SIDES = ("legacy", "lambda")
_WIDE = 120
_RIGHT = ("req/s", "errors", "fallbacks/s", "p50", "p99")
_COLUMNS = ("route", "weight", "state", "since", "by", "side", *_RIGHT)
_ONLY_WIDE = ("since", "by", "p50")
"""What a narrow terminal does without: `fig history` has it, and the p99 says more."""


class RoutesView:
    """The routes, in as many columns as there is room for."""

    def __init__(self, routes: Sequence[Mapping[str, Any]]) -> None:
        self._routes = routes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The table for this width."""
        columns = [name for name in _COLUMNS if options.max_width >= _WIDE or name not in _ONLY_WIDE]
        view = table(*columns)
        for column in view.columns:
            column.justify = "right" if column.header in _RIGHT else "left"
            column.no_wrap = column.header not in {"route", "by"}
        for route in self._routes:
            for cells in _rows(route):
                view.add_row(*(Text(cells.get(name, "")) for name in columns))
        yield view


def _rows(route: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    about = {
        "route": route["route"],
        "weight": route["weight_text"],
        "state": _state(route),
        "since": when(route["since"]),
        "by": route["by"] or "",
    }
    sides = [side for side in _SIDES if side in route["traffic"]]
    if not sides:
        yield about
    for number, side in enumerate(sides):
        yield {**({} if number else about), "side": side, **_rates(route["traffic"][side])}


def _rates(side: Mapping[str, Any]) -> dict[str, str]:
    errors = side["error_share"]
    return {
        "req/s": f"{side['requests_per_second']:.1f}",
        "errors": "-" if errors is None else f"{errors:.2%}",
        "fallbacks/s": f"{side['fallbacks_per_second']:.1f}",
        "p50": _milliseconds(side["p50_ms"]),
        "p99": _milliseconds(side["p99_ms"]),
    }


def _state(route: Mapping[str, Any]) -> str:
    if not route["two_sides"]:
        return "fixed"
    if route["moving"]:
        return "moving" if route["weight"] else "on legacy"
    return "settled"


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"
