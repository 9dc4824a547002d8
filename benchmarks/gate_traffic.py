"""What the router counts of a simulated ramp: by bucket of users for a gate that asks for them, by minute for others.

Counts are Poisson around what the users do, which is exactly what counting each user alone would give, and a Poisson
count may be split afterwards. So what is counted between two looks is drawn once, by status and bucket of users, and
its total is split over the minutes for tools that look at each; latencies are drawn by minute, and split over folds of
users where a gate looks. What each tool sees of a ramp is one and the same traffic. Needs numpy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import erf, log, sqrt
from typing import Any, NamedTuple, cast

import numpy as np

from benchmarks.gate_crowd import ENDS, LOOKS, MINUTES, SPEEDS, STARTS, STATUSES, STEPS, Crowd
from router.gate.evidence import FOLDS, Columns, Histogram, RouteEvidence, SideEvidence

BOUNDS = tuple(round(2.0 * 1.2**power, 3) for power in range(46))
"""Histogram bounds in milliseconds, 2 ms to 7 s, each a fifth above the one before."""
_BOUNDS = np.log(np.array(BOUNDS))
_SPREAD = 0.5
_STORMS_PER_MINUTE = 1 / 90
_STORM = 60.0
_NOISE = 0.1
"""By how much the bytes of a bucket of users stray from what they usually are."""
_FINE = np.linspace(-8, 8, 16_001)
_STEPS_OF = np.array([step for step, _ in LOOKS])
_FIRST = np.searchsorted(_STEPS_OF, _STEPS_OF)
"""By look: the first look of its step."""
_LENGTHS = np.diff(ENDS, prepend=0)
_LONG = int(_LENGTHS.max())
_SHORT, _LONGER = np.flatnonzero(_LENGTHS == 1), np.flatnonzero(_LENGTHS == _LONG)
_MINUTES = ENDS[_LONGER, None] - _LONG + np.arange(_LONG)
"""The minutes before each look that comes after several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """What is worse on Lambda, from the first minute: a share of requests that fail, a factor of the slowest 5 %."""

    failures: float = 0.0
    tail: float = 1.0


class Storm(NamedTuple):
    """How often a client asked again in one minute, in vain."""

    minute: int
    side: int
    bucket: int
    requests: int


@dataclass(frozen=True, slots=True)
class Ramp:
    """One ramp's counts; sides are legacy, then Lambda.

    Between looks: `statuses` by side, status and bucket, `sizes` (bytes) by side and bucket. By minute: `answers` by
    side, good and failed; `latency` by side and histogram bucket. `shapes` is by side: of each speed, the share of
    requests by latency. `in_step` is the first two since the step began.
    """

    crowd: Crowd
    statuses: Any
    sizes: Any
    answers: Any
    latency: Any
    shapes: Any
    in_step: tuple[Any, Any]


def ramp(random: Any, crowd: Crowd, regression: Regression) -> Ramp:
    """One ramp of the crowd's route: its traffic, and their luck."""
    shapes = np.stack([_latencies(crowd.median, tail) for tail in (1.0, regression.tail)])
    statuses = random.poisson(_worse(crowd.statuses, 2, regression)).astype(np.int32)
    answers = _by_minute(random, statuses, _worse(crowd.totals, 2, regression))
    levels = crowd.levels
    latency = random.poisson(np.stack([levels[:, side] @ shapes[side] for side in (0, 1)], axis=1))
    for storm in _storms(random, crowd):
        statuses[np.searchsorted(ENDS, storm.minute, side="right"), storm.side, 1, storm.bucket] += storm.requests
        answers[storm.minute, storm.side, 1] += storm.requests
    means = crowd.sizes
    sizes = (means * random.uniform(1 - _NOISE, 1 + _NOISE, means.shape)).astype(np.int64)
    return Ramp(crowd, statuses, sizes, answers, latency, shapes, (_in_step(statuses), _in_step(sizes)))


def _in_step(values: Any) -> Any:
    """By look: what was counted since the step began, of what was counted between looks."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:]), values.dtype), values.cumsum(0)])
    return sums[1:] - sums[_FIRST]


def latencies_in_step(ramp: Ramp) -> Any:
    """By look, side and histogram bucket: the requests since the step began."""
    sums = np.concatenate([np.zeros((1, *ramp.latency.shape[1:]), np.int64), ramp.latency.cumsum(0)])
    return sums[ENDS] - sums[STARTS[_STEPS_OF]]


class Counting:
    """What the router has counted of one step after the other when somebody looks; looks go forward only."""

    def __init__(self, random: Any, ramp: Ramp) -> None:
        self._random, self._ramp = random, ramp
        (self._statuses, self._sizes), self._latency = ramp.in_step, latencies_in_step(ramp)
        self._step = self._place = -1
        self._folds = self._bins = np.zeros(0)

    def look(self, place: int) -> RouteEvidence:
        """What was counted in the step up to this look."""
        step, first = LOOKS[place][0], int(_FIRST[place])
        if step != self._step:
            self._step, self._place = step, first - 1
            self._folds, self._bins = np.zeros((2, len(BOUNDS) + 1, FOLDS), np.int64), np.zeros_like(self._latency[0])
        levels = self._ramp.crowd.levels_by_fold[self._place + 1 : place + 1].sum(0)
        means = np.stack([levels[side] @ self._ramp.shapes[side] for side in (0, 1)]).transpose(0, 2, 1)
        self._folds = self._folds + _split(self._random, self._latency[place] - self._bins, means)
        self._place, self._bins = place, self._latency[place]
        return _evidence(self._statuses[place], self._sizes[place], self._folds.transpose(0, 2, 1))

    def last_minute(self, place: int) -> RouteEvidence:
        """What was counted in the minute before the look, latencies left out."""
        statuses, answers = self._ramp.statuses[place], self._ramp.answers[ENDS[place] - 1]
        if _LENGTHS[place] > 1:
            statuses = np.stack([self._thinned(statuses[side], answers[side]) for side in (0, 1)])
        return _evidence(statuses, np.zeros_like(self._sizes[place]), np.zeros((2, 0, 0), np.int64))

    def _thinned(self, statuses: Any, answers: Any) -> Any:
        """So many good and failed answers of those that were counted between two looks, drawn by lot."""
        found = np.zeros_like(statuses)
        for places, wanted in (([0, 2, 3, 4, 5], answers[0]), ([1], answers[1])):
            counts = statuses[places]
            drawn = self._random.multivariate_hypergeometric(counts.ravel(), wanted, method="marginals")
            found[places] = drawn.reshape(counts.shape)
        return found


def _worse(means: Any, axis: int, regression: Regression) -> Any:
    """Mean counts when so many more of Lambda's good answers fail; the side is the second axis."""
    if not regression.failures:
        return means
    means = means.copy()
    lambda_ = np.moveaxis(means, (1, axis), (0, 1))[1]
    moved = regression.failures * lambda_[0]
    lambda_[0] -= moved
    lambda_[1] += moved
    return means


def _by_minute(random: Any, statuses: Any, means: Any) -> Any:
    """The counts between looks, good and failed, over their minutes."""
    totals = statuses.sum(3)
    answers = np.stack([totals.sum(2) - totals[:, :, 1], totals[:, :, 1]], axis=2)
    found = np.zeros(means.shape, np.int64)
    found[ENDS[_SHORT] - 1] = answers[_SHORT]
    found[_MINUTES] = np.moveaxis(_split(random, answers[_LONGER], np.moveaxis(means[_MINUTES], 1, -1)), -1, 1)
    return found


def _split(random: Any, counts: Any, means: Any) -> Any:
    """The counts, over the groups of the means' last axis."""
    means = means.clip(0)
    sums = means.sum(-1, keepdims=True)
    chances = np.where(sums > 0, means / np.maximum(sums, 1e-300), 1 / means.shape[-1])
    return random.multinomial(counts, chances)


def _latencies(median: float, tail: float) -> Any:
    """By speed and latency: the share of requests."""
    slow = median + 1.645 * sqrt(float(SPEEDS.std()) ** 2 + _SPREAD**2)
    edges = np.where(slow >= _BOUNDS, _BOUNDS, np.maximum(slow, _BOUNDS - log(tail)))
    below = np.interp((edges[None, :] - median - SPEEDS[:, None]) / _SPREAD, _FINE, _normal())
    return np.diff(np.hstack([np.zeros((len(SPEEDS), 1)), below, np.ones((len(SPEEDS), 1))]), axis=1)


@cache
def _normal() -> Any:
    """The normal distribution at each of `_FINE`."""
    return np.array([0.5 * (1 + erf(z / sqrt(2))) for z in _FINE.tolist()])


def _storms(random: Any, crowd: Crowd) -> Iterator[Storm]:
    """Retry storms: now and then a client's failure makes it ask again and again, for a few minutes."""
    users, steps = crowd.users, np.searchsorted(STARTS, np.arange(MINUTES), side="right") - 1
    for begin in np.flatnonzero(random.random(MINUTES) < _STORMS_PER_MINUTE).tolist():
        there = np.flatnonzero((users.begins <= begin) & (users.ends > begin))
        rates = users.rates[there].cumsum()
        user = there[int(np.searchsorted(rates, random.uniform(0, rates[-1])))]
        for minute in range(begin, min(begin + 3, MINUTES)):
            side = int(users.slots[user] < STEPS[steps[minute]][0])
            yield Storm(minute, side, int(users.buckets[user]), int(random.geometric(3 / _STORM)))


def _evidence(statuses: Any, sizes: Any, latency: Any) -> RouteEvidence:
    legacy, lambda_ = (_side(statuses[side], sizes[side], latency[side]) for side in (0, 1))
    return RouteEvidence(legacy=legacy, lambda_=lambda_)


def _side(statuses: Any, sizes: Any, latency: Any) -> SideEvidence:
    """A side's evidence, with quick stand-ins for histograms: what a node sent was checked when it was read."""
    sent = statuses.sum(0)
    there = np.flatnonzero(sent)
    none = [0] * len(there)
    plain = (sent[there].tolist(), none, none, none, sizes[there].tolist())
    columns = Columns(tuple(there.tolist()), plain, dict(zip(STATUSES, statuses[:, there].tolist(), strict=True)))
    folds = {fold: _Histogram(BOUNDS, tuple(counts)) for fold, counts in enumerate(latency.tolist()) if any(counts)}
    return SideEvidence(buckets=columns, latency=cast("dict[int, Histogram]", folds))


class _Histogram(NamedTuple):
    """What the judge reads of `Histogram`."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
