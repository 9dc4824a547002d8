"""Requests, errors and durations per minute, route and side: what is left when the rows are gone.

Two sources, never added up: `log`, the router's record of each request, which is complete; and `span`, an application's
own SERVER spans, which may be a sample and are all there is where no router tells. A duration falls into one of sixteen
buckets for each doubling, so a percentile is right to 2.2 %.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..tables import Row

LOG, SPAN = "log", "span"
BUCKETS_PER_DOUBLING = 16
MAX_ROUTES = 2_000
"""Routes that are counted by name; the others are one, `OTHER_ROUTE`: names may come from attackers."""
OTHER_ROUTE = "(other)"
NO_ROUTE = "(no route)"
"""Requests of applications that name no route: counted together, so that none is missing."""
_MINUTE = 60 * 1_000_000_000
_SMALLEST_MS = 1 / 1024


def bucket_of(milliseconds: float) -> int:
    """The bucket of a duration: the logarithm to base two, in sixteenths, rounded."""
    return round(math.log2(max(milliseconds, _SMALLEST_MS)) * BUCKETS_PER_DOUBLING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that was served."""

    time: int
    route: str
    side: str
    source: str
    milliseconds: float
    has_failed: bool
    fell_back: bool = False
    weight: int = -1


@dataclass(slots=True)
class RouteNames:
    """The names of routes that are counted by themselves; the first ones that came."""

    known: set[str] = field(default_factory=set)

    def name(self, route: str) -> str:
        """The route's name, or `OTHER_ROUTE` when there are too many."""
        if route not in self.known:
            if len(self.known) >= MAX_ROUTES:
                return OTHER_ROUTE
            self.known.add(route)
        return route


def rows_of(requests: Iterable[Request], names: RouteNames) -> list[Row]:
    """The rows of `route_minute` that these requests add."""
    sums: dict[tuple[int, str, str, str, int], list[float]] = {}
    for one in requests:
        key = (
            one.time // _MINUTE * _MINUTE,
            names.name(one.route),
            one.side,
            one.source,
            bucket_of(one.milliseconds),
        )
        row = sums.get(key)
        if row is None:
            row = sums[key] = [0, 0, 0, 0.0, -1, 0]
        row[0] += 1
        row[1] += one.has_failed
        row[2] += one.fell_back
        row[3] += one.milliseconds
        if one.weight >= 0 and one.time >= row[5]:
            row[4], row[5] = one.weight, one.time
    return [(*key, int(r[0]), int(r[1]), int(r[2]), round(r[3], 3), int(r[4]), int(r[5])) for key, r in sums.items()]
