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
from collections.abc import Mapping
from itertools import accumulate
from math import inf, log

from .bounds import Asked, Compared, Unknown, least
from .evidence import Histogram
from .sequences import divergence, farthest, reach, student
from .values import QUANTILES, Limit
from .verdict import Outcome

_TYPICAL_CHANGE = 0.1
"""The change of a share that p50 and p95 are tuned to find; a p99 has no more than its 1 % for it."""

_SAME = 1e-12
"""A divergence that rounding alone may make."""


class Latencies:
    """One side's latencies: all of them together, and each fold's."""

    __slots__ = ("_folds", "_seen", "_sums", "bounds", "freedom", "requests")

    def __init__(self, folds: Mapping[int, Histogram]) -> None:
        histograms = [histogram for histogram in folds.values() if any(histogram.counts)]
        self.bounds = histograms[0].bounds if histograms else ()
        self._folds = [list(accumulate(histogram.counts, initial=0)) for histogram in histograms]
        self._sums = list(map(sum, zip(*self._folds, strict=True)))
        self._seen = len(histograms)
        self.requests = self._sums[-1] if self._sums else 0
        squares = sum(fold[-1] * fold[-1] for fold in self._folds)
        self.freedom = self.requests * self.requests / squares - 1 if self._seen > 1 else 0.0

    def quantile(self, share: float) -> float:
        """The latency in milliseconds below which `share` of the requests lie; infinite above the last bound."""
        wanted = share * self.requests
        place = max(0, bisect_left(self._sums, wanted) - 1)
        if place >= len(self.bounds):
            return inf
        low = self.bounds[place - 1] if place else 0.0
        before, here = self._sums[place], self._sums[place + 1] - self._sums[place]
        inside = (wanted - before) / here if here else 1.0
        high = self.bounds[place]
        return float(low * (high / low) ** inside if low > 0 else high * inside)

    def above(self, latency: float) -> float:
        """The share of requests that took longer than `latency` milliseconds."""
        place, rest = self._place(latency)
        through = self._sums[place + 1]
        return (self.requests - through + (through - self._sums[place]) * rest) / self.requests

    def _place(self, latency: float) -> tuple[int, float]:
        """The bucket that a latency lies in, and the share of the bucket that lies above it."""
        place = bisect_left(self.bounds, latency)
        if place >= len(self.bounds):
            return place, float(latency < inf)
        low, high = self.bounds[place - 1] if place else 0.0, self.bounds[place]
        return place, 1 - (log(latency / low) / log(high / low) if low > 0 else latency / high)

    def effect(self, share: float, at: float) -> float:
        """The design effect of the share above `at`, the quantile of `share`; with `freedom` degrees of freedom."""
        if self._seen < 2:  # noqa: PLR2004 - one fold says nothing of how folds differ
            return 1.0
        place, rest = self._place(at)
        after, squares = place + 1, 0.0
        before, through = self._sums[place], self._sums[after]
        chance = (self.requests - through + (through - before) * rest) / self.requests
        for sums in self._folds:
            size, through = sums[-1], sums[after]
            apart = size - through + (through - sums[place]) * rest - chance * size
            squares += apart * apart
        return squares / self.requests * self._seen / (self._seen - 1) / (share * (1 - share))


class _Chance:
    """How far from its share a quantile may lie by chance, on this much evidence."""

    __slots__ = ("effective", "freedom", "share", "target")

    def __init__(self, share: float, at: tuple[float, float], lambda_: Latencies, legacy: Latencies | None) -> None:
        freedom = lambda_.freedom
        effects = freedom * lambda_.effect(share, at[0])
        rest = 1 / lambda_.requests
        if legacy is not None:
            freedom += legacy.freedom
            effects += legacy.freedom * legacy.effect(share, at[1])
            rest += 1 / legacy.requests
        together = effects / freedom if freedom > 0 else 1.0
        self.effective = 1 / (rest * max(1.0, together))
        self.freedom, self.share = freedom, share
        self.target = min(_TYPICAL_CHANGE, 1 - share)

    def budget(self, alpha: float) -> float:
        """The divergence that chance may reach at `alpha`, over all looks."""
        information = self.effective / (self.share * (1 - self.share))
        return student(reach(information, self.target, alpha), self.freedom) / 2 / self.effective


def compare(limit: Limit, lambda_: Latencies, legacy: Latencies | None, asked: Asked) -> Compared:
    """Lambda's quantile: as a ratio to legacy's, or, without `legacy`, in milliseconds."""
    share = QUANTILES[limit.metric]
    mine = lambda_.quantile(share)
    theirs = legacy.quantile(share) if legacy is not None else 1.0
    if theirs in {0.0, inf} or not lambda_.bounds:
        return Unknown(limit, asked, (0.0, lambda_.requests, 0.0, 0))
    mine = min(mine, lambda_.bounds[-1])  # what lies above the last bound is at least that
    return _Quantile(limit, asked, (mine, theirs), (lambda_, legacy))


class _Quantile(Compared):
    __slots__ = ("_both", "_chance", "_mine", "_share", "_theirs")

    def __init__(
        self, limit: Limit, asked: Asked, at: tuple[float, float], both: tuple[Latencies, Latencies | None]
    ) -> None:
        (mine, theirs), (lambda_, legacy) = at, both
        counted = (mine, lambda_.requests, theirs if legacy else 0.0, legacy.requests if legacy else 0)
        super().__init__(limit, asked, mine / theirs, mine / theirs, counted)
        self._mine, self._theirs, self._both, self._share = mine, theirs, both, QUANTILES[limit.metric]
        self._chance = _Chance(self._share, at, lambda_, legacy)

    def outcome(self) -> Outcome:
        """The same as by the bounds, without looking for them: a share above a limit is more than chance makes."""
        chance, lambda_, kept = 1 - self._share, self._both[0], self.asked.limit
        if self.at > self.tolerated and (at := self.tolerated * self._theirs) < lambda_.bounds[-1]:
            share = lambda_.above(at)
            if share > chance and divergence(share, chance) > self._down():
                return Outcome.FAIL
        if self.at < kept:
            share = lambda_.above(kept * self._theirs)
            if share < chance and divergence(share, chance) > self._up():
                return Outcome.PASS
        return Outcome.INCONCLUSIVE

    def find_lower(self) -> float:
        lambda_, far = self._both[0], farthest(1 - self._share, self._down(), above=True)
        return min(lambda_.quantile(1 - far), lambda_.bounds[-1]) / self._theirs

    def find_upper(self) -> float:
        near = farthest(1 - self._share, self._up(), above=False)
        return self._both[0].quantile(1 - near) / self._theirs if near > 0 else inf

    @property
    def growth(self) -> float | None:
        ratio, kept, chance, lambda_ = self.at, self.asked.limit, 1 - self._share, self._both[0]
        within = beyond = None
        if ratio < kept and (self.upper is None or kept <= self.upper):
            within = _growth(self._up(), lambda_.above(kept * self._theirs), chance)
        if ratio > self.tolerated:
            beyond = _growth(self._down(), lambda_.above(self.tolerated * self._theirs), chance)
        return least(within, beyond)

    def _up(self) -> float:
        return self._chance.budget(self.asked.beta)

    def _down(self) -> float:
        lambda_, legacy = self._both
        down = self._chance.budget(self.asked.alpha)
        is_worse = legacy is not None and self._mine > self._theirs
        if is_worse and divergence(lambda_.above(self._theirs), 1 - self._share) > down:
            return self._chance.budget(self.asked.edge)
        return down


def _growth(budget: float, share: float, chance: float) -> float | None:
    """How many times as much evidence would show that the share above a latency is not chance."""
    apart = divergence(share, chance)
    return budget / apart if _SAME < apart < inf else None
