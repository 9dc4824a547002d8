"""Requests, errors and durations by route and side: where these numbers come from, whichever page shows them.

They come from the minutes, so a window here is one of whole minutes, as `Window.whole_minutes` makes it. Where the
router tells of a route, its records alone count: they are complete, while spans may be a sample and would count a
request twice.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, select

from ..normalise.minutes import BUCKETS_PER_DOUBLING, LOG
from ..tables import route_minute
from .constructs import latest, nanoseconds
from .reader import Record, Rows
from .weights import told_weights, with_weights
from .window import MAX_SPAN, MINUTE, SECOND, Window, limited

ROUTER = "router"
"""What pages call the side of requests that the router answered by itself."""
_M = route_minute.c
_MAX_CELLS = 200_000
_POINTS = 30
_PERCENTILES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}


@dataclass(slots=True)
class Numbers:
    """What was counted of one side of a route, and how its durations are spread."""

    requests: int = 0
    errors: int = 0
    fallbacks: int = 0
    milliseconds: float = 0.0
    buckets: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, row: Record) -> None:
        """Add a row of sums."""
        self.requests += int(row["Requests"])
        self.errors += int(row["Errors"])
        self.fallbacks += int(row["Fallbacks"])
        self.milliseconds += float(row["Milliseconds"])
        if "Bucket" in row:
            self.buckets[int(row["Bucket"])] += int(row["Requests"])

    def percentiles(self) -> dict[str, float | None]:
        """The durations, milliseconds, that these shares of the requests did not exceed; None without requests."""
        found: dict[str, float | None] = dict.fromkeys(_PERCENTILES)
        waiting = list(_PERCENTILES.items())
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            while waiting and seen >= waiting[0][1] * self.requests:
                found[waiting.pop(0)[0]] = round(2 ** (bucket / BUCKETS_PER_DOUBLING), 3)
        return found

    def to_json(self, seconds: float) -> Record:
        """The numbers as JSON values."""
        return {
            "requests": self.requests,
            "per_second": round(self.requests / seconds, 3),
            "errors": self.errors,
            "error_share": round(self.errors / self.requests, 6) if self.requests else None,
            "fallbacks": self.fallbacks,
            "mean_ms": round(self.milliseconds / self.requests, 3) if self.requests else None,
            **self.percentiles(),
        }


def since_first(store: Rows, window: Window) -> Window:
    """The window without the time before anything was ever told: what is a minute old has no rate of an hour."""
    ever = Window(max(window.end - MAX_SPAN, 0), window.end)
    earliest = nanoseconds(func.min(_M.Minute)).label("First")
    (row,) = store.rows(select(earliest).where(ever.covers(_M.Minute)).limit(1))
    return window if row["First"] is None else Window(max(window.start, int(row["First"])), window.end)


def overview(store: Rows, window: Window, limit: int = 200, route: str = "") -> list[Record]:
    """The busiest routes, or this one: numbers of each side, where they come from, and the weight.

    The weight is what control tells, else what the last request said.
    """
    kind: tuple[ColumnElement[Any], ...] = (_M.Route, _M.Side, _M.Source, _M.Bucket)
    wanted = (window.covers(_M.Minute), *([_M.Route == route] if route else []))
    # One pass: a day of forty routes is two million rows. The weight goes with the time at which it was heard of.
    cells = store.rows(select(*kind, *_sums(), *_heard()).where(*wanted).group_by(*kind).limit(_MAX_CELLS))
    return with_weights(_folded(cells, window.seconds)[: limited(limit)], told_weights(store, window))


def series(store: Rows, route: str, window: Window, step_minutes: int = 1) -> list[Record]:
    """A route's numbers over time, each step and side by itself; steps without requests are not there.

    `seconds` is how much of the step the window covers: its ends are seldom whole.
    """
    minute = nanoseconds(_M.Minute).label("Minute")
    kind = (_M.Minute, _M.Side, _M.Source, _M.Bucket)
    cells = store.rows(
        select(minute, *kind[1:], *_sums(), *_heard())
        .where(window.covers(_M.Minute), _M.Route == route)
        .group_by(*kind)
        .limit(_MAX_CELLS)
    )
    step = max(step_minutes, 1) * MINUTE
    steps: dict[tuple[int, str], Numbers] = defaultdict(Numbers)
    weights: dict[int, tuple[int, int]] = {}
    for row in _best_source(cells):
        at = row["Minute"] // step * step
        steps[at, row["Side"] or ROUTER].add(row)
        weights[at] = max(weights.get(at, (0, -1)), (int(row["WeightAt"]), int(row["Weight"])))
    return [
        {"at": at, "side": side, "weight": _weight(weights[at][1]), "seconds": covered, **numbers.to_json(covered)}
        for (at, side), numbers in sorted(steps.items())
        for covered in [_covered(window, at, step)]
    ]


def activity(store: Rows, window: Window, points: int = _POINTS) -> dict[str, Record]:
    """Requests per second of each route and side over time, in equal steps from the first, for a line that is small."""
    step = max(-(-(window.end - window.start) // (points * MINUTE)), 1) * MINUTE
    at = (nanoseconds(_M.Minute) - nanoseconds(_M.Minute) % step).label("At")
    summed = func.sum(_M.Requests).label("Requests")
    cells = store.rows(
        select(_M.Route, _M.Side, _M.Source, at, summed)
        .where(window.covers(_M.Minute))
        .group_by(_M.Route, _M.Side, _M.Source, "At")
        .limit(_MAX_CELLS)
    )
    first = window.start // step * step
    number = (window.end - 1 - first) // step + 1
    covered = [_covered(window, first + index * step, step) for index in range(number)]
    found: dict[str, Record] = {}
    for route, rows in _by_route(cells).items():
        sides: dict[str, list[float]] = {}
        for row in _best_source(rows):
            index = (int(row["At"]) - first) // step
            line = sides.setdefault(row["Side"] or ROUTER, [0.0] * number)
            line[index] = round(int(row["Requests"]) / covered[index], 3)
        found[route] = {"start": first, "step_seconds": step // SECOND, "sides": sides}
    return _without_scraps(found, covered, step)


def together(found: Iterable[Record], window: Window) -> Record:
    """What these routes add up to: requests, errors, fallbacks, and the share of requests that each side served.

    Where a router tells of any route, what it does not tell of is no client's request: a function's call back to
    on-premises is a route of its own, and would be counted twice.
    """
    known = list(found)
    everything = Numbers()
    sides: dict[str, int] = defaultdict(int)
    for one in [one for one in known if one["source"] == LOG] or known:
        everything.requests += one["total"]["requests"]
        everything.errors += one["total"]["errors"]
        everything.fallbacks += one["total"]["fallbacks"]
        for side, numbers in one["sides"].items():
            sides[side] += numbers["requests"]
    told = everything.to_json(window.seconds)
    return {
        "routes": len(known),
        **{name: told[name] for name in ("requests", "per_second", "errors", "error_share", "fallbacks")},
        "shares": {side: round(number / everything.requests, 6) for side, number in sides.items() if number},
    }


def _without_scraps(lines: dict[str, Record], covered: list[float], step: int) -> dict[str, Record]:
    """The lines without a first and a last step of which too little is known to be drawn."""
    half = step / SECOND / 2
    begin = int(len(covered) > 2 and covered[0] < half)  # noqa: PLR2004 - a line has two ends
    end = len(covered) - int(len(covered) > 2 and covered[-1] < half)  # noqa: PLR2004
    for one in lines.values():
        one["start"] += begin * step
        one["sides"] = {side: line[begin:end] for side, line in one["sides"].items()}
    return lines


def _covered(window: Window, at: int, step: int) -> float:
    return (min(at + step, window.end) - max(at, window.start)) / SECOND


def _heard() -> tuple[ColumnElement[Any], ...]:
    return (
        latest(_M.Weight, _M.WeightAt).label("Weight"),
        nanoseconds(func.max(_M.WeightAt)).label("WeightAt"),
    )


def _weight(said: int) -> int | None:
    return said if said >= 0 else None


def _by_route(cells: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for row in cells:
        found[row["Route"]].append(row)
    return found


def _sums() -> "tuple[ColumnElement[Any], ...]":
    summed = ((_M.Requests, "Requests"), (_M.Errors, "Errors"), (_M.Fallbacks, "Fallbacks"))
    return (
        *(func.sum(column).label(name) for column, name in summed),
        func.sum(_M.Milliseconds).label("Milliseconds"),
    )


def _best_source(cells: Iterable[Record]) -> list[Record]:
    """The cells of a route without spans, where there are records."""
    known = list(cells)
    complete = [row for row in known if row["Source"] == LOG]
    return complete or known


def _folded(cells: list[Record], seconds: float) -> list[Record]:
    found = []
    for route, rows in _by_route(cells).items():
        best = _best_source(rows)
        weight = max(best, key=lambda row: int(row["WeightAt"]))
        sides: dict[str, Numbers] = defaultdict(Numbers)
        everything = Numbers()
        for row in best:
            sides[row["Side"] or ROUTER].add(row)
            everything.add(row)
        found.append(
            {
                "route": route,
                "source": best[0]["Source"],
                "weight": _weight(weight["Weight"]),
                "total": everything.to_json(seconds),
                "sides": {side: numbers.to_json(seconds) for side, numbers in sorted(sides.items())},
            }
        )
    return sorted(found, key=lambda one: (-one["total"]["requests"], one["route"]))
