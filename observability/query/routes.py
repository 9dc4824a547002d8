"""Requests, errors and durations by route and side: where these numbers come from, whichever page shows them.

They come from the minutes, so a window begins with a whole minute. Where the router tells of a route, its records alone
count: they are complete, while spans may be a sample and would count a request twice.
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
from .window import MINUTE, Window, limited

_M = route_minute.c
_MAX_CELLS = 200_000
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

    def percentile(self, share: float) -> float | None:
        """The duration, milliseconds, that this share of the requests did not exceed; None without requests."""
        wanted = share * self.requests
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return round(2 ** (bucket / BUCKETS_PER_DOUBLING), 3)
        return None

    def to_json(self, seconds: float) -> Record:
        """The numbers as JSON values."""
        return {
            "requests": self.requests,
            "per_second": round(self.requests / seconds, 3),
            "errors": self.errors,
            "error_share": round(self.errors / self.requests, 6) if self.requests else None,
            "fallbacks": self.fallbacks,
            "mean_ms": round(self.milliseconds / self.requests, 3) if self.requests else None,
            **{name: self.percentile(share) for name, share in _PERCENTILES.items()},
        }


def overview(store: Rows, window: Window, limit: int = 200) -> list[Record]:
    """The busiest routes: numbers of each side, where they come from, and the weight that was last heard of."""
    whole = window.whole_minutes()
    kind: tuple[ColumnElement[Any], ...] = (_M.Route, _M.Side, _M.Source, _M.Bucket)
    # One pass: a day of forty routes is two million rows. The weight goes with the time at which it was heard of.
    heard: tuple[ColumnElement[Any], ...] = (
        latest(_M.Weight, _M.WeightAt).label("Weight"),
        nanoseconds(func.max(_M.WeightAt)).label("WeightAt"),
    )
    cells = store.rows(select(*kind, *_sums(), *heard).where(whole.covers(_M.Minute)).group_by(*kind).limit(_MAX_CELLS))
    return _folded(cells, whole.seconds)[: limited(limit)]


def series(store: Rows, route: str, window: Window, step_minutes: int = 1) -> list[Record]:
    """A route's numbers over time, each step and side by itself; steps without requests are not there."""
    whole = window.whole_minutes()
    minute = nanoseconds(_M.Minute).label("Minute")
    kind = (_M.Minute, _M.Side, _M.Source, _M.Bucket)
    cells = store.rows(
        select(minute, *kind[1:], *_sums())
        .where(whole.covers(_M.Minute), _M.Route == route)
        .group_by(*kind)
        .limit(_MAX_CELLS)
    )
    step = max(step_minutes, 1) * MINUTE
    steps: dict[tuple[int, str], Numbers] = defaultdict(Numbers)
    for row in _best_source(cells):
        steps[row["Minute"] // step * step, row["Side"]].add(row)
    return [{"at": at, "side": side, **numbers.to_json(step / 1e9)} for (at, side), numbers in sorted(steps.items())]


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
    by_route: dict[str, list[Record]] = defaultdict(list)
    for row in cells:
        by_route[row["Route"]].append(row)
    found = []
    for route, rows in by_route.items():
        best = _best_source(rows)
        weight = max(best, key=lambda row: int(row["WeightAt"]))
        sides: dict[str, Numbers] = defaultdict(Numbers)
        everything = Numbers()
        for row in best:
            sides[row["Side"] or "router"].add(row)
            everything.add(row)
        found.append(
            {
                "route": route,
                "source": best[0]["Source"],
                "weight": weight["Weight"] if weight["Weight"] >= 0 else None,
                "total": everything.to_json(seconds),
                "sides": {side: numbers.to_json(seconds) for side, numbers in sorted(sides.items())},
            }
        )
    return sorted(found, key=lambda one: (-one["total"]["requests"], one["route"]))
