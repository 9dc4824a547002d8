"""Simulated ramps: users who differ, heavy users, retry storms and the day's rhythm, counted as the router counts.

Users keep their habits; which of them are on Lambda, and in which bucket, is drawn by lot, as a hash does it. Counts of
a minute are Poisson around the sum of what the bucket's users do, which is exactly what counting each user alone would
give. Needs numpy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import erf, log, sqrt
from typing import Any, NamedTuple, cast

import numpy as np

from router.gate.evidence import BUCKETS, FOLDS, Counts, Histogram, RouteEvidence, SideEvidence

STEPS = ((100, 60), (500, 75), (1_000, 75), (2_500, 75), (5_000, 75))
"""Weights in parts per 10,000, and how many minutes each is in force: six hours."""
MINUTES = sum(minutes for _, minutes in STEPS)
STATUSES = (200, 500, 404, 302, 401, 400)
BOUNDS = tuple(round(2.0 * 1.2**power, 3) for power in range(46))
"""Histogram bounds in milliseconds, 2 ms to 7 s, each a fifth above the one before."""
_BOUNDS = np.log(np.array(BOUNDS))
_SPREAD = 0.5
_SESSION = 30
_SPEEDS = np.linspace(-0.6, 0.6, 21)
"""How much slower users are than the median, in logarithms; within a user latencies are lognormal."""
_STORMS_PER_MINUTE = 1 / 90
_STORM = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """What is worse on Lambda, from the first minute: a share of requests that fail, a factor of the slowest 5 %."""

    failures: float = 0.0
    tail: float = 1.0


@dataclass(frozen=True, slots=True)
class Ramp:
    """One ramp's counts. Axis 0 is the minute, axis 1 the side: legacy, Lambda.

    `statuses` by status and bucket, `sizes` (bytes) by bucket, `latency` by fold and histogram bucket; `sums` has the
    three again, each with what was counted before every minute.
    """

    statuses: Any
    sizes: Any
    latency: Any
    sums: tuple[Any, Any, Any]

    def evidence(self, start: int, end: int) -> RouteEvidence:
        """What was counted from minute `start` up to minute `end`."""
        statuses, sizes, latency = (sums[end] - sums[start] for sums in self.sums)
        legacy, lambda_ = (_side(statuses[side], sizes[side], latency[side]) for side in (0, 1))
        return RouteEvidence(legacy=legacy, lambda_=lambda_)


def looks(minutes: int) -> Iterator[int]:
    """The minutes of a step after which a gate looks: each of the first ten, then every fifth."""
    yield from (minute for minute in range(1, minutes + 1) if minute <= 10 or minute % 5 == 0)


def ramp(random: Any, regression: Regression) -> Ramp:
    """One ramp of a route of its own: its traffic, its users, and their luck."""
    crowd = _users(random)
    hours = random.uniform(0, 24) + np.arange(MINUTES) / 60
    rhythm = 1 + 0.7 * np.sin(2 * np.pi * hours / 24)
    statuses = np.zeros((MINUTES, 2, len(STATUSES), BUCKETS), np.int64)
    sizes = np.zeros((MINUTES, 2, BUCKETS), np.int64)
    latency = np.zeros((MINUTES, 2, FOLDS, len(BOUNDS) + 1), np.int64)
    shapes = [_latencies(crowd.median, worse) for worse in (Regression(), regression)]
    start = 0
    for weight, minutes in STEPS:
        span = slice(start, start + minutes)
        for side in (0, 1):
            here = (crowd.slots < weight) == bool(side)
            worse = regression if side else Regression()
            means, bytes_, speeds = _means(crowd, here, worse, (start, start + minutes))
            statuses[span, side] = random.poisson(rhythm[span, None, None] * means)
            sizes[span, side] = rhythm[span, None] * bytes_ * random.uniform(0.9, 1.1, (minutes, BUCKETS))
            latency[span, side] = random.poisson(rhythm[span, None, None] * (speeds @ shapes[side]))
        start += minutes
    _storm(random, crowd, statuses)
    sums = (
        np.concatenate([np.zeros((1, *one.shape[1:]), one.dtype), one.cumsum(0)]) for one in (statuses, sizes, latency)
    )
    return Ramp(statuses, sizes, latency, tuple(sums))


@dataclass(frozen=True, slots=True)
class _Users:
    """Arrays over users: requests a minute, shares by status, speed, bytes, bucket, slot, first and last minute.

    `speeds` is an index into `_SPEEDS`, around the route's `median` (a logarithm of milliseconds).
    """

    rates: Any
    shares: Any
    speeds: Any
    bytes: Any
    buckets: Any
    slots: Any
    begins: Any
    ends: Any
    median: float


def _users(random: Any) -> _Users:
    """People come for half an hour on average; scripts and batch jobs stay, and ask ten times as often."""
    requests_per_minute = 60 * np.exp(random.uniform(log(10), log(100)))
    present = int(requests_per_minute / np.exp(random.uniform(log(0.5), log(2))))
    scripts = random.binomial(present, 0.01)
    number = scripts + present * (MINUTES + _SESSION) // _SESSION
    rates = random.lognormal(0, 0.8, number)
    rates[:scripts] *= 10
    begins = random.uniform(-_SESSION, MINUTES, number)
    ends = begins + random.exponential(_SESSION, number)
    begins[:scripts], ends[:scripts] = 0, MINUTES
    begins, ends = (np.clip(times, 0, MINUTES).round().astype(int) for times in (begins, ends))
    rates *= requests_per_minute * MINUTES / (rates * (ends - begins)).sum()
    usual = np.exp(random.uniform(log(0.0002), log(0.002)))
    shares = np.zeros((number, len(STATUSES)))
    for status, mean in ((2, 0.02), (3, 0.05), (4, 0.005), (5, 0.01)):
        shares[:, status] = np.minimum(random.gamma(0.5, mean / 0.5, number), 0.3)
    shares[:, 1] = random.gamma(2.0, usual / 2, number)
    unlucky = random.random(number) < 0.02  # a tenth of what they ask for fails, wherever they are
    shares[unlucky, 1] = random.beta(2, 18, int(unlucky.sum()))
    shares[:, 0] = (1 - shares[:, 1:].sum(1)).clip(0.05, 1)
    return _Users(
        rates=rates,
        shares=shares,
        speeds=random.integers(0, len(_SPEEDS), number),
        bytes=random.lognormal(9, 0.7, number),
        buckets=random.integers(0, BUCKETS, number),
        slots=random.integers(0, 10_000, number),
        begins=begins,
        ends=ends,
        median=log(random.uniform(35, 115)),
    )


def _means(crowd: _Users, here: Any, worse: Regression, span: tuple[int, int]) -> tuple[Any, Any, Any]:
    """Mean counts by minute of the span, of the users who are here.

    By status and bucket; bytes by bucket; by fold and speed.
    """
    here = here & (crowd.begins < span[1]) & (crowd.ends > span[0])
    begins, ends = np.maximum(crowd.begins[here] - span[0], 0), np.minimum(crowd.ends[here], span[1]) - span[0]
    times = _Times(begins, ends, span[1] - span[0])
    rates, buckets, shares = crowd.rates[here], crowd.buckets[here], crowd.shares[here]
    means = [times.summed(rates * shares[:, status], buckets, BUCKETS) for status in range(len(STATUSES))]
    means[1] = means[1] + worse.failures * means[0]
    means[0] = means[0] * (1 - worse.failures)
    bytes_ = times.summed(rates * crowd.bytes[here], buckets, BUCKETS)
    speeds = crowd.speeds[here]
    levels = times.summed(rates, buckets % FOLDS * len(_SPEEDS) + speeds, FOLDS * len(_SPEEDS))
    return np.stack(means, axis=1), bytes_, levels.reshape(-1, FOLDS, len(_SPEEDS))


def _latencies(median: float, worse: Regression) -> Any:
    """By speed and latency: the share of requests."""
    slow = median + 1.645 * sqrt(float(_SPEEDS.std()) ** 2 + _SPREAD**2)
    edges = np.where(slow >= _BOUNDS, _BOUNDS, np.maximum(slow, _BOUNDS - log(worse.tail)))
    below = _normal((edges[None, :] - median - _SPEEDS[:, None]) / _SPREAD)
    return np.diff(np.hstack([np.zeros((len(_SPEEDS), 1)), below, np.ones((len(_SPEEDS), 1))]), axis=1)


@dataclass(frozen=True, slots=True)
class _Times:
    """When each user is there: from minute `begins` up to `ends`, of `minutes`."""

    begins: Any
    ends: Any
    minutes: int

    def summed(self, values: Any, groups: Any, number: int) -> Any:
        """By minute and group: the sum of the values of those who are there."""
        size = (self.minutes + 1) * number
        come = np.bincount(self.begins * number + groups, values, size)
        go = np.bincount(self.ends * number + groups, values, size)
        changes = (come - go).reshape(self.minutes + 1, number)
        return changes.cumsum(0)[: self.minutes].clip(0)


def _storm(random: Any, crowd: _Users, statuses: Any) -> None:
    """Retry storms: now and then a client's failure makes it ask again and again, for a few minutes."""
    for begin in np.flatnonzero(random.random(MINUTES) < _STORMS_PER_MINUTE):
        there = np.flatnonzero((crowd.begins <= begin) & (crowd.ends > begin))
        user = random.choice(there, p=crowd.rates[there] / crowd.rates[there].sum())
        ends = np.cumsum([minutes for _, minutes in STEPS])
        for minute in range(begin, min(begin + 3, MINUTES)):
            weight = STEPS[int(np.searchsorted(ends, minute, side="right"))][0]
            side = int(crowd.slots[user] < weight)
            statuses[minute, side, 1, crowd.buckets[user]] += random.geometric(3 / _STORM)


_normal = np.vectorize(lambda z: 0.5 * (1 + erf(z / sqrt(2))), otypes=[float])


def _side(statuses: Any, sizes: Any, latency: Any) -> SideEvidence:
    """A side's evidence in quick stand-ins for the router's values: what a node sent was checked when it was read."""
    buckets = {}
    for bucket, (row, size) in enumerate(zip(statuses.T.tolist(), sizes.tolist(), strict=True)):
        requests = sum(row)
        if requests:
            buckets[bucket] = _Counts(requests, dict(zip(STATUSES, row, strict=True)), size)
    folds = {fold: _Histogram(BOUNDS, tuple(counts)) for fold, counts in enumerate(latency.tolist()) if any(counts)}
    return SideEvidence(buckets=cast("dict[int, Counts]", buckets), latency=cast("dict[int, Histogram]", folds))


class _Counts(NamedTuple):
    """What the judge reads of `Counts`; a route without fallbacks, throttles and timeouts."""

    requests: int
    by_status: dict[int, int]
    response_bytes: int
    fallbacks: int = 0
    throttles: int = 0
    timeouts: int = 0


class _Histogram(NamedTuple):
    """What the judge reads of `Histogram`."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
