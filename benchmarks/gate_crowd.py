"""Simulated users of a route: who differ, who come and go, a few who ask ten times as often, and the day's rhythm.

A crowd is what people do, whatever the router makes of it; `gate_traffic` draws from it what is counted. Users keep
their habits; which of them are on Lambda, and in which bucket, is drawn by lot, as a hash does it. How users differ is
cut out of a pool of draws that every process makes once: a piece of it is as independent as fresh draws are, and costs
nothing. Needs numpy.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from math import log
from typing import Any

import numpy as np

from router.gate.evidence import BUCKETS, FOLDS

STEPS = ((100, 60), (500, 75), (1_000, 75), (2_500, 75), (5_000, 75))
"""Weights in parts per 10,000, and how many minutes each is in force: six hours."""
MINUTES = sum(minutes for _, minutes in STEPS)
STARTS = np.cumsum([0, *(minutes for _, minutes in STEPS)])[:-1]
LOOKS = [
    (step, minute)
    for step, (_, minutes) in enumerate(STEPS)
    for minute in range(1, minutes + 1)
    if minute <= 10 or minute % 5 == 0
]
"""Step, and minute in it, of each look of a gate: after each of the first ten minutes, then every fifth."""
ENDS = np.array([STARTS[step] + minute for step, minute in LOOKS])
"""The minute of the ramp after which each look comes: a step's last look ends it, so looks follow each other."""
STATUSES = (200, 500, 404, 302, 401, 400)
SPEEDS = np.linspace(-0.6, 0.6, 21)
"""How much slower users are than the median, in logarithms; within a user latencies are lognormal."""
_SESSION = 30
_OTHERS = (0.02, 0.05, 0.005, 0.01)
"""The mean shares of the statuses after the second."""
_POOL = 1 << 20
_SLOTS = np.arange(10_000)
_LAMBDA_FROM = np.array([*STARTS, MINUTES])[np.searchsorted([weight for weight, _ in STEPS], _SLOTS, side="right")]
"""By slot: the minute from which on the user is on Lambda; the ramp's end when never."""


@dataclass(frozen=True, slots=True)
class _Pool:
    """How users differ, drawn beforehand.

    `failures` has a mean of one; `unlucky` is the share of requests that fail of the fiftieth who fail everywhere, else
    0; `others` is by status, then user, and `rest` what they leave.
    """

    rates: Any
    bytes: Any
    failures: Any
    unlucky: Any
    others: Any
    rest: Any


@cache
def _pool() -> _Pool:
    random = np.random.Generator(np.random.SFC64(20_26))
    others = np.stack([np.minimum(random.gamma(0.5, mean / 0.5, _POOL), 0.3) for mean in _OTHERS])
    return _Pool(
        rates=random.lognormal(0, 0.8, _POOL),
        bytes=random.lognormal(9, 0.7, _POOL),
        failures=random.gamma(2.0, 0.5, _POOL),
        unlucky=np.where(random.random(_POOL) < 0.02, random.beta(2, 18, _POOL), 0.0),
        others=others,
        rest=1 - others.sum(0),
    )


@dataclass(slots=True, weakref_slot=True)
class _Users:
    """Arrays over users: requests a minute, by status too, bytes, speed (a place in `SPEEDS`), bucket, slot, times."""

    rates: Any
    by_status: list[Any]
    bytes: Any
    speeds: Any
    buckets: Any
    slots: Any
    begins: Any
    ends: Any


class Crowd:
    """The users of one ramp, and what they do on average: `rhythm` by minute, `median` a logarithm of milliseconds.

    Which side a user is on changes with the weight; so everything here is by side, legacy first.
    """

    def __init__(self, random: Any) -> None:
        self.rhythm = 1 + 0.7 * np.sin(2 * np.pi * (random.uniform(0, 24) + np.arange(MINUTES) / 60) / 24)
        self.median = log(random.uniform(35, 115))
        self.users = users = _users(random)
        first = _LAMBDA_FROM[users.slots]
        leaves, arrives = np.minimum(users.ends, first), np.maximum(users.begins, first)
        legacy, lambda_ = np.flatnonzero(users.begins < leaves), np.flatnonzero(arrives < users.ends)
        self._who = np.concatenate([legacy, legacy, lambda_, lambda_])
        minutes = (users.begins[legacy], leaves[legacy], arrives[lambda_], users.ends[lambda_])
        self._minutes, sides = np.concatenate(minutes), np.repeat([0, 0, 1, 1], [len(one) for one in minutes])
        self._when = 2 * self._minutes + sides
        self._look = 2 * np.searchsorted(ENDS, np.arange(MINUTES + 1))[self._minutes] + sides
        self._grown = np.concatenate([[0.0], self.rhythm.cumsum()])
        self._signs = np.repeat([1.0, -1.0, 1.0, -1.0], [len(one) for one in minutes])

    @cached_property
    def levels(self) -> Any:
        """Mean requests by minute, side and speed."""
        number = len(SPEEDS)
        places = self._when * number + self.users.speeds[self._who]
        changes = np.bincount(places, self._signed(self.users.rates), 2 * (MINUTES + 1) * number)
        return changes.reshape(MINUTES + 1, 2, number).cumsum(0)[:MINUTES].clip(0) * self.rhythm[:, None, None]

    @cached_property
    def totals(self) -> Any:
        """Mean requests by minute and side: those that do not fail, and those that do."""
        failed = self._by_status[1]
        return np.stack([self._by_minute(one) for one in (sum(self._by_status) - failed, failed)], axis=2)

    @cached_property
    def statuses(self) -> Any:
        """Mean requests between looks, by side, status and bucket."""
        return np.stack([self._between_looks(one, self.users.buckets, BUCKETS) for one in self._by_status], axis=2)

    @cached_property
    def sizes(self) -> Any:
        """Mean bytes between looks, by side and bucket."""
        return self._between_looks(self._signed(self.users.rates * self.users.bytes), self.users.buckets, BUCKETS)

    @cached_property
    def levels_by_fold(self) -> Any:
        """Mean requests between looks, by side, fold and speed."""
        groups = self.users.buckets % FOLDS * len(SPEEDS) + self.users.speeds
        found = self._between_looks(self._signed(self.users.rates), groups, FOLDS * len(SPEEDS))
        return found.reshape(len(LOOKS), 2, FOLDS, len(SPEEDS))

    @cached_property
    def _by_status(self) -> list[Any]:
        return [self._signed(one) for one in self.users.by_status]

    def _signed(self, values: Any) -> Any:
        return values[self._who] * self._signs

    def _by_minute(self, signed: Any) -> Any:
        changes = np.bincount(self._when, signed, 2 * (MINUTES + 1)).reshape(MINUTES + 1, 2)
        return changes.cumsum(0)[:MINUTES].clip(0) * self.rhythm[:, None]

    def _between_looks(self, signed: Any, groups: Any, number: int) -> Any:
        """By look, side and group: what those do who are there, in the day's rhythm, since the look before.

        Who comes at a time has done, at any later one, their rate times what the rhythm grew by; who goes takes that
        away again. So two sums over those who came and went are enough at each look.
        """
        size, places = 2 * (len(LOOKS) + 1) * number, self._look * number + groups[self._who]
        rates, before = (
            np.bincount(places, one, size).reshape(-1, 2 * number)[:-1].cumsum(0)
            for one in (signed, signed * self._grown[self._minutes])
        )
        so_far = (self._grown[ENDS, None] * rates - before).reshape(-1, 2, number)
        return np.diff(so_far, axis=0, prepend=0).clip(0)


def _users(random: Any) -> _Users:
    """People come for half an hour on average; scripts and batch jobs stay, and ask ten times as often."""
    requests_per_minute = 60 * np.exp(random.uniform(log(10), log(100)))
    present = int(requests_per_minute / np.exp(random.uniform(log(0.5), log(2))))
    scripts = random.binomial(present, 0.01)
    number = scripts + present * (MINUTES + _SESSION) // _SESSION
    pool = _pool()
    cut = {name: slice(start, start + number) for name, start in _cuts(random, number)}
    begins = random.uniform(-_SESSION, MINUTES, number)
    ends = begins + random.exponential(_SESSION, number)
    begins[:scripts], ends[:scripts] = 0, MINUTES
    begins, ends = (np.clip(times, 0, MINUTES).round().astype(np.int64) for times in (begins, ends))
    rates = pool.rates[cut["rates"]].copy()
    rates[:scripts] *= 10
    rates *= requests_per_minute * MINUTES / (rates * (ends - begins)).sum()
    usual = np.exp(random.uniform(log(0.0002), log(0.002)))
    unlucky = pool.unlucky[cut["unlucky"]]  # a tenth of what they ask for fails, wherever they are
    failures = np.where(unlucky > 0, unlucky, usual * pool.failures[cut["failures"]])
    good = (pool.rest[cut["others"]] - failures).clip(0.05, 1)
    return _Users(
        rates=rates,
        by_status=[rates * share for share in (good, failures, *pool.others[:, cut["others"]])],
        bytes=pool.bytes[cut["bytes"]],
        speeds=random.integers(0, len(SPEEDS), number),
        buckets=random.integers(0, BUCKETS, number),
        slots=random.integers(0, len(_SLOTS), number),
        begins=begins,
        ends=ends,
    )


def _cuts(random: Any, number: int) -> list[tuple[str, int]]:
    """Where each piece of the pool begins, drawn by lot."""
    return [
        (name, int(random.integers(0, _POOL - number))) for name in ("rates", "bytes", "failures", "unlucky", "others")
    ]
