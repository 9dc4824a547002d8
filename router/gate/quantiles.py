"""Latency quantiles, from histograms by fold of users.

A quantile is compared as a share: Lambda's p99 is above some latency when more than 1 % of Lambda's requests are. So
the bounds are those of a share, turned around through Lambda's own distribution; nothing is assumed of its shape.
Source: Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm
identification", Bernoulli 28 (2022). Requests of a user resemble each other: the folds say by how much the effective
number of requests is smaller (the design effect), with as many degrees of freedom as there are folds, which `student`
makes dear.

Inside a bucket of the histogram values are taken to lie evenly by their logarithm. Both sides are read the same way.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import inf, log
from operator import mul

from .bounds import Bounds, Level, least
from .evidence import Histogram
from .sequences import divergence, farthest, reach, student
from .values import QUANTILES, Limit

_TYPICAL_CHANGE = 0.1
"""The change of a share that p50 and p95 are tuned to find; a p99 has no more than its 1 % for it."""

_SAME = 1e-12
"""A divergence that rounding alone may make."""


class Latencies:
    """One side's latencies: all of them together, and each fold's."""

    __slots__ = ("bounds", "counts", "folds", "requests", "sizes", "sums")

    def __init__(self, folds: Mapping[int, Histogram]) -> None:
        histograms = list(folds.values())
        self.bounds = histograms[0].bounds if histograms else ()
        self.folds = [histogram.counts for histogram in histograms]
        self.counts = list(map(sum, zip(*self.folds, strict=True)))
        self.sums = list(accumulate(self.counts))
        self.sizes = list(map(sum, self.folds))
        self.requests = self.sums[-1] if self.sums else 0

    def quantile(self, share: float) -> float:
        """The latency in milliseconds below which `share` of the requests lie; infinite above the last bound."""
        wanted = share * self.requests
        place = bisect_left(self.sums, wanted)
        if place >= len(self.bounds):
            return inf
        low = self.bounds[place - 1] if place else 0.0
        before = self.sums[place - 1] if place else 0
        inside = (wanted - before) / self.counts[place] if self.counts[place] else 1.0
        high = self.bounds[place]
        return float(low * (high / low) ** inside if low > 0 else high * inside)

    def above(self, latency: float) -> float:
        """The share of requests that took longer than `latency` milliseconds."""
        place, rest = self._place(latency)
        return _above(self.counts, place, rest) / self.requests

    def _place(self, latency: float) -> tuple[int, float]:
        """The bucket that a latency lies in, and the share of the bucket that lies above it."""
        place = bisect_left(self.bounds, latency)
        if place >= len(self.bounds):
            return place, float(latency < inf)
        low, high = self.bounds[place - 1] if place else 0.0, self.bounds[place]
        return place, 1 - (log(latency / low) / log(high / low) if low > 0 else latency / high)

    def effect(self, share: float, at: float) -> tuple[float, float]:
        """The design effect of the share above `at`, the quantile of `share`, and its degrees of freedom."""
        sizes = self.sizes
        seen = len(sizes) - sizes.count(0)
        if seen < 2:  # noqa: PLR2004 - one fold says nothing of how folds differ
            return 1.0, 0.0
        place, part = self._place(at)
        chance = _above(self.counts, place, part) / self.requests
        squares = 0.0
        for counts, size in zip(self.folds, sizes, strict=True):
            squares += (_above(counts, place, part) - chance * size) ** 2
        variance = squares / self.requests * seen / (seen - 1)
        return variance / (share * (1 - share)), self.requests * self.requests / sum(map(mul, sizes, sizes)) - 1


def _above(counts: Sequence[int], place: int, part: float) -> float:
    return sum(counts[place + 1 :]) + counts[place] * part


class _Chance:
    """How far from its share a quantile may lie by chance, on this much evidence."""

    __slots__ = ("effective", "freedom", "share", "target")

    def __init__(self, share: float, at: tuple[float, float], lambda_: Latencies, legacy: Latencies | None) -> None:
        mine, freedom = lambda_.effect(share, at[0])
        effects = freedom * mine
        rest = 1 / lambda_.requests
        if legacy is not None:
            theirs, other = legacy.effect(share, at[1])
            effects, freedom = effects + other * theirs, freedom + other
            rest += 1 / legacy.requests
        together = effects / freedom if freedom > 0 else 1.0
        self.effective = 1 / (rest * max(1.0, together))
        self.freedom, self.share = freedom, share
        self.target = min(_TYPICAL_CHANGE, 1 - share)

    def budget(self, alpha: float) -> float:
        """The divergence that chance may reach at `alpha`, over all looks."""
        information = self.effective / (self.share * (1 - self.share))
        return student(reach(information, self.target, alpha), self.freedom) / 2 / self.effective


def compare(limit: Limit, lambda_: Latencies, legacy: Latencies | None, level: Level) -> Bounds:
    """Lambda's quantile: as a ratio to legacy's, or, without `legacy`, in milliseconds."""
    share = QUANTILES[limit.metric]
    mine = lambda_.quantile(share)
    theirs = legacy.quantile(share) if legacy is not None else 1.0
    if theirs in {0.0, inf} or not lambda_.bounds:
        return Bounds(None, None, None, 0.0, lambda_.requests)
    last = lambda_.bounds[-1]
    mine = min(mine, last)  # what lies above the last bound is at least that
    counted = (mine, lambda_.requests, theirs if legacy else 0.0, legacy.requests if legacy else 0)
    chance = _Chance(share, (mine, theirs), lambda_, legacy)
    down, up = chance.budget(level.alpha), chance.budget(level.beta)
    far, near = farthest(1 - share, down, above=True), farthest(1 - share, up, above=False)
    lower = min(lambda_.quantile(1 - far), last) / theirs
    upper = lambda_.quantile(1 - near) / theirs if near > 0 else inf
    within = _growth(up, lambda_.above(limit.limit * theirs), 1 - share, above=False)
    beyond = _growth(down, lambda_.above(limit.tolerated * theirs), 1 - share, above=True)
    return Bounds(mine / theirs, lower, upper if upper < inf else None, *counted, least(within, beyond))


def _growth(budget: float, share: float, chance: float, *, above: bool) -> float | None:
    """How many times as much evidence would show that the share above a latency is not chance, on that side of it."""
    if (share > chance) is not above:
        return None
    apart = divergence(share, chance)
    return budget / apart if apart > _SAME else None
