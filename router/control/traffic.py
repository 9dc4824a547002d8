"""What the nodes' counters say about the last second, or the last two minutes, of each side of each route.

Readings are cumulative; only differences of two readings of one epoch mean anything. Buckets are cumulative too: a
count is the number of requests that took at most its bound.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_WINDOW_SECONDS = 0.9
"""The least distance of two readings; a report that follows a shift may come milliseconds after the last one."""
_FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A node's counters at a moment (seconds on the registry's clock)."""

    at: float
    traffic: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """One side of one route, per second; `buckets` holds the rate of requests that took at most each bound (ms)."""

    requests: float
    errors: float
    fallbacks: float
    buckets: Mapping[float, float]

    def to_json(self) -> dict[str, float | None]:
        """The rates as JSON values; shares and quantiles are None where there was no request."""
        return {
            "requests_per_second": round(self.requests, 2),
            "error_share": round(self.errors / self.requests, 6) if self.requests else None,
            "fallbacks_per_second": round(self.fallbacks, 2),
            "p50_ms": quantile(self.buckets, 0.50),
            "p99_ms": quantile(self.buckets, 0.99),
        }


def rates(nodes: Iterable[Sequence[Reading]]) -> dict[str, dict[str, Rates]]:
    """The rates by route and assigned side, summed over the nodes' readings (each node's oldest first)."""
    found: dict[str, dict[str, Rates]] = {}
    for readings in nodes:
        window = _window(readings)
        if window is None:
            continue
        for route, side, rate in _differences(*window):
            sides = found.setdefault(route, {})
            sides[side] = _sum(sides[side], rate) if side in sides else rate
    return found


def lasting(nodes: Iterable[Sequence[Reading]]) -> tuple[dict[str, dict[str, Rates]], dict[str, float]]:
    """The rates by route and side over the longest time that readings tell of, and by route how many seconds that is.

    A route counts from the first reading that has it since its counters began: what was not counted is not a zero.
    """
    found: dict[str, dict[str, Rates]] = {}
    seconds: dict[str, float] = {}
    for readings in nodes:
        for route in readings[-1].traffic["routes"] if readings else ():
            first, last = _began(readings, route), readings[-1]
            if last.at - first.at < _WINDOW_SECONDS:
                continue
            seconds[route] = min(seconds.get(route, last.at - first.at), last.at - first.at)
            sides = found.setdefault(route, {})
            for side, rate in _of_route(first, last, route):
                sides[side] = _sum(sides[side], rate) if side in sides else rate
    return found, seconds


def _began(readings: Sequence[Reading], route: str) -> Reading:
    """The oldest reading from which the route's counters only grew until the last one."""
    first = readings[-1]
    for one in reversed(readings):
        if one.traffic["epoch"] != first.traffic["epoch"] or not one.traffic["routes"].get(route):
            break
        if _requests(one, route) > _requests(first, route):
            break
        first = one
        if not _requests(one, route):  # it was at rest before, and not counted
            break
    return first


def _requests(reading: Reading, route: str) -> int:
    return sum(side.get("requests", 0) for side in reading.traffic["routes"][route].values())


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """The value that `share` of the requests did not exceed, interpolated inside its bucket; None without requests."""
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0.0
    if total <= 0:
        return None
    wanted, low, below = total * share, 0.0, 0.0
    for bound in bounds:
        upto = buckets[bound]
        if upto >= wanted and upto > below:
            return round(low + (bound - low) * (wanted - below) / (upto - below), 3)
        low, below = bound, max(below, upto)
    return round(bounds[-1], 3)


def _window(readings: Sequence[Reading]) -> tuple[Reading, Reading] | None:
    if not readings:
        return None
    last = readings[-1]
    for first in reversed(readings):
        if last.at - first.at >= _WINDOW_SECONDS:
            return (first, last) if first.traffic["epoch"] == last.traffic["epoch"] else None
    return None


def _differences(first: Reading, last: Reading) -> Iterator[tuple[str, str, Rates]]:
    for route in last.traffic["routes"]:
        for side, rate in _of_route(first, last, route):
            yield route, side, rate


def _of_route(first: Reading, last: Reading, route: str) -> Iterator[tuple[str, Rates]]:
    before = first.traffic["routes"].get(route, {})
    for side, now in last.traffic["routes"][route].items():
        yield side, _rates(before.get(side, {}), now, last.at - first.at)


def _rates(old: Mapping[str, Any], now: Mapping[str, Any], seconds: float) -> Rates:
    buckets = _buckets(now)
    past = _buckets(old)
    return Rates(
        requests=max(0, now.get("requests", 0) - old.get("requests", 0)) / seconds,
        errors=max(0, _errors(now) - _errors(old)) / seconds,
        fallbacks=max(0, now.get("fallbacks", 0) - old.get("fallbacks", 0)) / seconds,
        buckets={bound: max(0.0, count - past.get(bound, 0.0)) / seconds for bound, count in buckets.items()},
    )


def _buckets(side: Mapping[str, Any]) -> dict[float, float]:
    latency = side.get("latency_ms") or {}
    return dict(zip(latency.get("bounds", ()), latency.get("counts", ()), strict=False))


def _errors(side: Mapping[str, Any]) -> int:
    statuses = side.get("by_status", {})
    return sum(n for status, n in statuses.items() if status.isdigit() and int(status) >= _FIRST_SERVER_ERROR)


def _sum(one: Rates, other: Rates) -> Rates:
    bounds = one.buckets.keys() | other.buckets.keys()
    return Rates(
        requests=one.requests + other.requests,
        errors=one.errors + other.errors,
        fallbacks=one.fallbacks + other.fallbacks,
        buckets={bound: one.buckets.get(bound, 0.0) + other.buckets.get(bound, 0.0) for bound in bounds},
    )
