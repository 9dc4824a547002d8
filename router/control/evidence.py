"""What the nodes counted since a weight is in force: their readings, and differences of them.

Readings are cumulative, windows are not. A window remembers each node's reading at its beginning; when Envoy's counters
restart (another epoch), what the old ones had is carried along. The clock is the registry's: nodes' clocks may be off.
A window that was kept in the ledger goes on after a restart of control; one that was not begins anew with the first
readings, so that a verdict comes later, never sooner.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

from ..gate.breaker import FEWEST, failures
from ..gate.evidence import Reading, RouteEvidence, SideEvidence
from ..gate.sums import NOTHING, difference, total
from .evidence_kept import Part
from .falls import fell

RECENT_SECONDS = (10.0, 120.0)
"""How far the breaker looks back."""
_BRIEF_SECONDS = tuple(quarter / 4 for quarter in range(1, 13))
"""And how far where Lambda fails just now: what was well before must not hide it."""
_ALL_SECONDS = 12.0
_THINNED_SECONDS = 10.0
"""Readings older than the first of these are kept so far apart: memory is for many routes."""

WindowKey = tuple[str, str, int]
"""A release's id, its ramp's name, and the number of the evidence window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look sees of a route. `evidence` is None where a node that serves has sent nothing.

    `recent` is the last seconds, one for each of `RECENT_SECONDS`, and then shorter ones where Lambda fails just now;
    without latencies. `problem`: why what nodes counted cannot be added up, then there is none either; the breaker's
    counts are there. `counted_seconds` is how long `evidence` was counted, None where that is not known.
    """

    evidence: RouteEvidence | None
    recent: tuple[RouteEvidence, ...]
    age_seconds: float
    problem: str = ""
    counted_seconds: float | None = None


@dataclass(slots=True)
class _Sum:
    """One node in one window: from where it counts, up to where, and what former epochs had."""

    base: Reading
    last: Reading
    carried: dict[str, RouteEvidence] = field(default_factory=dict)
    carried_seconds: float | None = 0.0
    """How long `carried` was counted; None where nobody knows."""
    is_restored: bool = False
    """Whether nobody looked at the counters since it was kept: they may have fallen meanwhile."""

    def add(self, reading: Reading) -> None:
        if reading.epoch != self.last.epoch:
            names = self.last.routes.keys() | self.carried.keys()
            self.carried, self.carried_seconds = {route: self.of(route) for route in names}, self.seconds()
            self.base = replace(reading, routes={})
        self.last = reading

    def begin_again(self, reading: Reading) -> None:
        names = self.last.routes.keys() | self.carried.keys()
        self.carried, self.carried_seconds = {route: self.of(route) for route in names}, self.seconds()
        self.base = self.last = reading

    def seconds(self) -> float | None:
        """How long it was counted, by the node's own clock; what an outage lost is not in it."""
        if self.carried_seconds is None:
            return None
        return self.carried_seconds + max(0.0, self.last.at - self.base.at)

    def of(self, route: str) -> RouteEvidence:
        now = difference(self.last, self.base, route)
        return total([self.carried[route], now]) if route in self.carried else now


@dataclass(slots=True)
class _Window:
    """An evidence window: since when it is open, until when it warms up, and each node's part in it."""

    opened: float
    warm_until: float
    sums: dict[str, _Sum] = field(default_factory=dict)

    def add(self, reading: Reading, now: float, *, is_lower: bool = False) -> None:
        known = self.sums.get(reading.node)
        if known is None or now < self.warm_until:
            self.sums[reading.node] = _Sum(base=reading, last=reading)
        elif is_lower or (known.is_restored and fell(reading, known.last)):
            known.begin_again(reading)
        else:
            known.add(reading)
        self.sums[reading.node].is_restored = False

    def seconds(self) -> float | None:
        """How long the node that counts longest has counted."""
        known = [one.seconds() for one in self.sums.values()]
        told = [one for one in known if one is not None]
        return max(told, default=0.0) if len(told) == len(known) else None


class Evidence:
    """The readings of all nodes and the windows over them. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._readings: dict[str, deque[tuple[float, Reading]]] = {}
        self._windows: dict[WindowKey, _Window] = {}
        self._kept: dict[WindowKey, Mapping[str, Part]] = {}

    def heard(self, reading: Reading) -> None:
        """Take a node's reading into every open window.

        A counter that fell within an epoch was forgotten by Envoy: what windows had is kept, and a second is lost.
        """
        now, kept = self._clock(), self._readings.setdefault(reading.node, deque())
        is_lower = bool(kept) and fell(reading, kept[-1][1])
        for window in self._windows.values():
            window.add(reading, now, is_lower=is_lower)
        if is_lower:
            kept.clear()
        kept.append((now, reading))
        _thin(kept, now)

    def forget(self, node: str) -> None:
        """The node has left: what comes next from it begins anew."""
        self._readings.pop(node, None)
        for window in self._windows.values():
            window.sums.pop(node, None)

    def open(self, key: WindowKey, *, warm_up_seconds: float) -> None:
        """Begin it from the nodes' last readings; one that is open goes on, the ramp's older ones are closed."""
        if key in self._windows:
            return
        now = self._clock()
        for old in [one for one in self._windows if one[:2] == key[:2]]:
            del self._windows[old]
        window = _Window(opened=now, warm_until=now + warm_up_seconds)
        window.sums |= {node: _restored(node, part) for node, part in self._kept.pop(key, {}).items()}
        for kept in self._readings.values():
            window.add(kept[-1][1], now)
        self._windows[key] = window

    def restore(self, key: WindowKey, parts: Mapping[str, Part]) -> None:
        """Let the window go on from these parts, by node, when it is opened."""
        if key not in self._windows:
            self._kept[key] = parts

    def parts(self, key: WindowKey, routes: Iterable[str]) -> dict[str, Part] | None:
        """What the window has, node by node, to go on from; None while it is not open or warms up."""
        window = self._windows.get(key)
        if window is None or self._clock() < window.warm_until:
            return None
        names = tuple(routes)
        try:
            return {
                node: Part(
                    epoch=one.last.epoch,
                    counters={route: one.last.routes[route] for route in names if route in one.last.routes},
                    so_far={route: one.of(route) for route in names},
                    seconds=one.seconds(),
                    at=one.last.at,
                )
                for node, one in window.sums.items()
            }
        except ValueError:  # nodes of two versions count differently: what there is cannot be added up anyway
            return None

    def close(self, keep: Iterable[WindowKey]) -> None:
        """Close every window but these."""
        kept = set(keep)
        self._windows = {key: window for key, window in self._windows.items() if key in kept}

    def seen(self, key: WindowKey, route: str, serving: Sequence[str]) -> Seen:
        """What the window has of the route, and the last seconds of it; `serving` are the nodes that must have told."""
        window, now = self._windows[key], self._clock()
        ages = [now - self._readings[node][-1][0] for node in serving if node in self._readings]
        is_whole = bool(serving) and len(ages) == len(serving) and all(node in window.sums for node in serving)
        short, long = (self._earlier(window, now - span) for span in RECENT_SECONDS)
        lately = self._since(short, route)
        recent = (lately, lately if short == long else self._since(long, route), *self._brief(window, route, now))
        age = max(ages, default=0.0)
        try:
            evidence = total([one.of(route) for one in window.sums.values()]) if is_whole else None
        except ValueError as error:  # nodes of two versions have histograms of different bounds
            return Seen(evidence=None, recent=recent, age_seconds=age, problem=str(error))
        return Seen(evidence=evidence, recent=recent, age_seconds=age, counted_seconds=window.seconds())

    def users(self, route: str) -> Mapping[str, int]:
        """How many buckets of users each side of the route has seen since the counters began."""
        last = [kept[-1][1].routes[route] for kept in self._readings.values() if route in kept[-1][1].routes]
        return {"legacy": _seen(one.legacy for one in last), "lambda": _seen(one.lambda_ for one in last)}

    def _earlier(self, window: _Window, since: float) -> dict[str, float]:
        """When the reading was taken from which each node's last seconds count: never before the window was open."""
        start = max(since, window.opened)
        return {
            node: next((at for at, _ in reversed(kept) if at <= start), kept[0][0])
            for node, kept in self._readings.items()
            if node in window.sums
        }

    def _brief(self, window: _Window, route: str, now: float) -> Iterator[RouteEvidence]:
        """The spans of the last seconds in which enough failed on Lambda for a breaker to look, the shortest first."""
        if not self._is_failing(self._earlier(window, now - _BRIEF_SECONDS[-1]), route):
            return
        spans: list[dict[str, float]] = []
        for seconds in _BRIEF_SECONDS:
            earlier = self._earlier(window, now - seconds)
            if earlier not in spans and self._is_failing(earlier, route):
                spans.append(earlier)
                yield self._since(earlier, route)

    def _is_failing(self, earlier: Mapping[str, float], route: str) -> bool:
        failed = 0
        for first, last in self._readings_since(earlier):
            failed += failures(last.routes.get(route, NOTHING).lambda_).failed
            if first.epoch == last.epoch:
                failed -= failures(first.routes.get(route, NOTHING).lambda_).failed
        return failed >= FEWEST

    def _since(self, earlier: Mapping[str, float], route: str) -> RouteEvidence:
        """What was counted since, latencies left out: no breaker asks for them."""
        return total(
            difference(_counts_only(last, route), _counts_only(first, route), route)
            for first, last in self._readings_since(earlier)
        )

    def _readings_since(self, earlier: Mapping[str, float]) -> Iterator[tuple[Reading, Reading]]:
        for node, begin in earlier.items():
            kept = self._readings[node]
            yield next(reading for at, reading in kept if at == begin), kept[-1][1]


def _restored(node: str, part: Part) -> _Sum:
    counters = Reading(node=node, epoch=part.epoch, weights_version=0, at=part.at or 0.0, routes=part.counters)
    seconds = part.seconds if part.at is not None else None
    return _Sum(base=counters, last=counters, carried=dict(part.so_far), carried_seconds=seconds, is_restored=True)


def _counts_only(reading: Reading, route: str) -> Reading:
    evidence = reading.routes.get(route, NOTHING)
    legacy, lambda_ = (replace(side, latency={}, cold_latency={}) for side in (evidence.legacy, evidence.lambda_))
    return replace(reading, routes={route: RouteEvidence(legacy=legacy, lambda_=lambda_)})


def _seen(sides: Iterable[SideEvidence]) -> int:
    return len({bucket for side in sides for bucket in compress(side.buckets, side.columns.requests)})


def _thin(kept: deque[tuple[float, Reading]], now: float) -> None:
    """Drop what is older than the longest look back, and most of what is not new."""
    while len(kept) > 1 and kept[1][0] <= now - max(RECENT_SECONDS):
        kept.popleft()
    old = [index for index, (at, _) in enumerate(kept) if at < now - _ALL_SECONDS]
    if len(old) > 1 and kept[old[-1]][0] - kept[old[-2]][0] < _THINNED_SECONDS:
        del kept[old[-1]]
