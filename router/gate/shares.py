"""Shares of requests, compared between users, not between requests.

A side's share is the ratio of two sums over buckets of users; its variance comes from how much the buckets differ
(the linearised, cluster-robust variance of a ratio), so a user who causes a hundred failures is one user. Three rules
keep it honest when there is little to see:

- the sides' users were drawn by lot, so when they are equal they spread alike: neither side counts as more even than
  both together, nor than Poisson's law would have it. Without this a small side without a single unlucky user would
  seem to be perfect, and certain;
- the variance is an estimate, so the boundary is Student's (`sequences.student`);
- while failures are few, what counts is how many *buckets* failed at all (`sequences.distinct`).

And one that makes it quick: a bucket may count for little more than what the limit allows it (legacy's rate and the
limit together). What a broken function does to everybody then stands out from what a few unlucky users, or one client
that asks again and again, meet everywhere. Cutting Lambda's counts off can only make Lambda look better. Legacy's are
cut off alike while it has the more requests: the more users a bucket averages over, the smaller the part that is cut
off, so equal sides still favour Lambda; and the difference is never taken for more than it is with nothing cut off.
"""

from math import dist, inf, log, sqrt
from typing import NamedTuple

from .bounds import Asked, Compared, Counted, growth, least
from .moments import NO_SHARE, Moments, Share
from .sequences import against, distinct, reach, student
from .values import Harm, Limit

_HALVINGS = 30
_SPARE = 2.0
"""What a bucket may count beyond its allowance: one failure of one user must not vanish where buckets are small."""
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


def relative(limit: Limit, lambda_: Moments, legacy: Moments, asked: Asked) -> Compared:
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
    seen = _Seen(lambda_, mine, baseline, variances, lambda_.freedom + legacy.freedom, legacy, theirs)
    counted = (mine.total, lambda_.requests, theirs.total, legacy.requests)
    return _Share(limit, asked, rate - baseline, seen, counted)


def absolute(limit: Limit, lambda_: Moments, asked: Asked) -> Compared:
    """The metric's share of Lambda's requests, legacy left aside."""
    mine = lambda_.shares.get(limit.metric, NO_SHARE)
    rate = mine.total / lambda_.requests
    variance = max(spread(lambda_, mine), rate) / lambda_.requests
    seen = _Seen(lambda_, mine, 0.0, (variance, 0.0), lambda_.freedom)
    return _Share(limit, asked, rate, seen, (mine.total, lambda_.requests, 0.0, 0))


class _Share(Compared):
    __slots__ = ("_limit", "_seen")

    def __init__(self, limit: Limit, asked: Asked, difference: float, seen: "_Seen", counted: Counted) -> None:
        size = abs(difference) if limit.harm is Harm.ANY else difference
        super().__init__(limit, asked, difference, size, counted)
        self._limit, self._seen = limit, seen

    def find_lower(self) -> float:
        return self._seen.lower(self._limit, self.asked, self.at)

    def find_upper(self) -> float:
        return self._seen.upper(self.asked, self.at)

    @property
    def growth(self) -> float | None:
        size, kept = self.at, self.asked.limit
        within = growth(kept - size, (inf if self.upper is None else self.upper) - size) if size < kept else None
        if size <= self.tolerated:
            return within
        return least(within, growth(size - self.tolerated, size - (-inf if self.lower is None else self.lower)))


class _Seen(NamedTuple):
    """Both sides' figures of one metric, and the boundaries that follow from them."""

    lambda_: Moments
    share: Share
    baseline: float
    variances: tuple[float, float]
    freedom: float
    legacy: Moments | None = None
    other: Share = NO_SHARE

    def upper(self, asked: Asked, size: float) -> float:
        """The upper bound at `asked.beta`; of the size when any change is harm."""
        mine, theirs = self.variances
        at_limit = max(mine, (self.baseline + asked.limit) / self.lambda_.requests) + theirs
        return size + self._reach(at_limit, asked.limit, asked.beta)

    def lower(self, limit: Limit, asked: Asked, size: float) -> float:
        """The lower bound, which is at `asked.edge` once there is harm at `asked.alpha`."""
        # Half of alpha for the boundary on the difference, half for the other side of it or for what few cannot sway.
        variance = sum(self.variances)
        lower = size - self._reach(variance, limit.limit, asked.alpha / 2)
        if lower > 0 and asked.edge > asked.alpha:
            lower = size - self._reach(variance, limit.limit, asked.edge / 2)
        if limit.harm is Harm.MORE and self.share.total and lower <= limit.tolerated < size:
            lower = max(lower, self._distinct(limit, asked.alpha / 4), self._cut(limit, asked.alpha / 4, size))
        return lower

    def _cut(self, limit: Limit, alpha: float, difference: float) -> float:
        """The lower bound of the difference when no bucket counts for much more than the limit allows it."""
        lambda_, legacy, requests = self.lambda_, self.legacy, self.lambda_.requests
        theirs = self.other.total / (legacy.requests * legacy.requests) if legacy else 0.0
        even = self.share.total / (requests * requests) + theirs
        if difference - sqrt(-2 * log(alpha) * even) <= limit.tolerated:
            return -inf  # not even if failures were spread like drops of rain, and nothing were cut off
        most, baseline, freedom = self.baseline + limit.limit, self.baseline, lambda_.freedom
        mine = _cut_off(lambda_, self.share, most)
        spreads, variance = spread(lambda_, mine), self.variances[1]
        least = mine.total / requests
        if legacy and legacy.requests >= requests:
            other = _cut_off(legacy, self.other, most)
            others = spread(legacy, other)
            baseline, freedom = other.total / legacy.requests, freedom + legacy.freedom
            together = (mine.total + other.total) / (requests + legacy.requests)
            least = max(pooled(lambda_, legacy, (spreads, others)), together)
            variance = max(others, least) / legacy.requests
        variance += max(spreads, least) / requests
        difference = min(difference, mine.total / requests - baseline)
        return difference - self._reach(variance, limit.limit, alpha, freedom)

    def _reach(self, variance: float, target: float, alpha: float, freedom: float | None = None) -> float:
        if variance <= 0:
            return 0.0
        squared = student(reach(1 / variance, target, alpha), self.freedom if freedom is None else freedom)
        return sqrt(squared * variance)

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


def _cut_off(side: Moments, share: Share, most: float) -> Share:
    """The share when no bucket counts for more than `most` of its requests, and a little."""
    column = [min(count, most * sent + _SPARE) for count, sent in zip(share.column, side.sent, strict=False)]
    return Share(sum(column), column)
