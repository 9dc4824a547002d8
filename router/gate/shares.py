"""Shares of requests, compared between users, not between requests.

A side's share is the ratio of two sums over buckets of users; its variance comes from how much the buckets differ
(the linearised, cluster-robust variance of a ratio), so a user who causes a hundred failures is one user. Three rules
keep it honest when there is little to see:

- the sides' users were drawn by lot, so when they are equal they spread alike: neither side counts as more even than
  both together, nor than Poisson's law would have it. Without this a small side without a single unlucky user would
  seem to be perfect, and certain;
- the variance is an estimate, so the boundary is Student's (`sequences.student`);
- while failures are few, what counts is how many *buckets* failed at all (`sequences.distinct`).

And one that makes it quick: a bucket may count for no more than a few times what legacy's rate expects of it. Cutting
Lambda's counts off can only make Lambda look better, so a lower bound stays one; but what a broken function does to
everybody then stands out from what a few unlucky users meet everywhere.
"""

from math import dist, inf, log, sqrt
from typing import NamedTuple

from .bounds import Bounds, Level, growth, least
from .moments import NO_SHARE, Moments, Share
from .sequences import against, distinct, reach, student
from .values import Harm, Limit

_HALVINGS = 30
_TIMES = 3.0
"""How often what is expected of it a bucket may count."""
_DEVIATIONS = tuple(half / 2 for half in range(21))
_LEAST = 1e-9


def spread(side: Moments, share: Share) -> float:
    """The variance of a side's ratio times its requests: Poisson's is the ratio itself, heavy users make it larger."""
    if not share.total or side.seen < 2:  # noqa: PLR2004 - one bucket says nothing: all its failures may be one user's
        return share.total
    ratio = share.total / side.requests
    apart = dist(share.column, [ratio * each for each in side.sent])
    return apart * apart / side.requests * side.seen / (side.seen - 1)


def pooled(one: Moments, other: Moments, spreads: tuple[float, float]) -> float:
    """The spread of both sides together, each by how many users it rests on."""
    mine, yours = max(one.freedom, 0.0), max(other.freedom, 0.0)
    return (mine * spreads[0] + yours * spreads[1]) / (mine + yours) if mine + yours else max(spreads)


def relative(limit: Limit, lambda_: Moments, legacy: Moments, level: Level) -> Bounds:
    """How many of all requests more (or, with `Harm.ANY`, how differently many) the metric counts on Lambda."""
    mine = lambda_.shares.get(limit.metric, NO_SHARE)
    theirs = legacy.shares.get(limit.metric, NO_SHARE)
    rate, baseline = mine.total / lambda_.requests, theirs.total / legacy.requests
    spreads = spread(lambda_, mine), spread(legacy, theirs)
    least_spread = max(
        pooled(lambda_, legacy, spreads),
        (mine.total + theirs.total) / (lambda_.requests + legacy.requests),
    )
    variances = max(spreads[0], least_spread) / lambda_.requests, max(spreads[1], least_spread) / legacy.requests
    seen = _Seen(lambda_, mine, baseline, variances, lambda_.freedom + legacy.freedom)
    lower, upper = seen.bounds(limit, level, difference=rate - baseline)
    return _found(limit, rate - baseline, (lower, upper), (mine.total, lambda_.requests, theirs.total, legacy.requests))


def absolute(limit: Limit, lambda_: Moments, level: Level) -> Bounds:
    """The metric's share of Lambda's requests, legacy left aside."""
    mine = lambda_.shares.get(limit.metric, NO_SHARE)
    rate = mine.total / lambda_.requests
    variance = max(spread(lambda_, mine), rate) / lambda_.requests
    seen = _Seen(lambda_, mine, 0.0, (variance, 0.0), lambda_.freedom)
    return _found(limit, rate, seen.bounds(limit, level, difference=rate), (mine.total, lambda_.requests, 0.0, 0))


class _Seen(NamedTuple):
    """Both sides' figures of one metric, and the boundaries that follow from them."""

    lambda_: Moments
    share: Share
    baseline: float
    variances: tuple[float, float]
    freedom: float

    def bounds(self, limit: Limit, level: Level, *, difference: float) -> tuple[float, float]:
        """The lower bound at `level.alpha` and the upper one at `level.beta`, of the size when any change is harm."""
        mine, theirs = self.variances
        size = abs(difference) if limit.harm is Harm.ANY else difference
        at_limit = max(mine, (self.baseline + limit.limit) / self.lambda_.requests) + theirs
        upper = size + self._reach(at_limit, limit.limit, level.beta)
        # Half of alpha for the boundary on the difference, half for the other side of it or for the distinct buckets.
        squared = self._squared(mine + theirs, limit.limit, level.alpha / 2)
        lower = size - sqrt(squared * (mine + theirs)) if mine + theirs else size
        if limit.harm is Harm.MORE and self.share.total and lower <= limit.tolerated < size:
            lower = max(lower, self._distinct(limit, level.alpha / 4), self._cut(limit, level.alpha / 4))
        return lower, upper

    def _cut(self, limit: Limit, alpha: float) -> float:
        """The lower bound of the difference when no bucket counts for more than a few times what is expected of it."""
        sent, requests = self.lambda_.sent, self.lambda_.requests
        even = self.share.total / (requests * requests) + self.variances[1]
        if self.share.total / requests - self.baseline - sqrt(-2 * log(alpha) * even) <= limit.tolerated:
            return -inf  # not even if failures were spread like drops of rain, and nothing were cut off
        most = _TIMES * self.baseline + _TIMES * limit.limit
        column = [min(count, most * each + _TIMES) for count, each in zip(self.share.column, sent, strict=True)]
        total = sum(column)
        cut = Share(total, column)
        variance = max(spread(self.lambda_, cut), total / requests) / requests + self.variances[1]
        squared = student(reach(1 / variance, limit.limit, alpha), self.lambda_.freedom)
        return float(total / requests - self.baseline - sqrt(squared * variance))

    def _squared(self, variance: float, target: float, alpha: float) -> float:
        return student(reach(1 / variance, target, alpha), self.freedom) if variance > 0 else 0.0

    def _reach(self, variance: float, target: float, alpha: float) -> float:
        return sqrt(self._squared(variance, target, alpha) * variance) if variance > 0 else 0.0

    def _distinct(self, limit: Limit, alpha: float) -> float:
        """The largest difference that the number of failing buckets rules out; minus infinity when it is none."""
        needed = -log(alpha)
        requests = self.lambda_.requests
        if distinct(self.share.seen, max((self.baseline + limit.tolerated) * requests, _LEAST)) < needed:
            return -inf  # not even if legacy's rate were known
        if self._evidence(limit, limit.tolerated) < needed:
            return -inf
        low, high = limit.tolerated, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if self._evidence(limit, middle) < needed:
                high = middle
            else:
                low = middle
        return low if low > limit.tolerated else limit.tolerated * (1 + 1e-9) + 1e-12

    def _evidence(self, limit: Limit, difference: float) -> float:
        """The least evidence against this difference, whatever legacy's rate may be: on Lambda, times on legacy."""
        requests, seen, variance = self.lambda_.requests, self.share.seen, self.variances[1]
        if variance <= 0:
            return distinct(seen, max((self.baseline + difference) * requests, _LEAST))
        deviation = sqrt(variance)
        return min(
            distinct(seen, max((self.baseline + step * deviation + difference) * requests, _LEAST))
            + against(step, 1 / variance, limit.limit, self.freedom)
            for step in _DEVIATIONS
        )


def _found(
    limit: Limit, difference: float, bounds: tuple[float, float], counted: tuple[float, int, float, int]
) -> Bounds:
    lower, upper = bounds
    size = abs(difference) if limit.harm is Harm.ANY else difference
    grown = least(growth(limit.limit - size, upper - size), growth(size - limit.tolerated, size - lower))
    return Bounds(difference, lower if lower > -inf else None, upper if upper < inf else None, *counted, grown)
