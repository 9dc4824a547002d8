"""Bytes per answer, compared by their logarithm: a page that lost half of its content is as wrong as one twice as long.

The means are ratios of sums over buckets of users, as in `shares`. Each answer counts for one byte more than it has, so
that empty answers, which are what a broken function often gives, have a logarithm too.
"""

from math import exp, inf, log, sqrt

from .bounds import Asked, Compared, Counted, growth, least
from .moments import NO_SHARE, Moments
from .sequences import reach, student
from .shares import pooled, spread
from .values import Harm, Limit, Metric

_OVERFLOW = 700.0


def relative(limit: Limit, lambda_: Moments, legacy: Moments, asked: Asked) -> Compared:
    """The mean size on Lambda as a ratio to legacy's."""
    mine, theirs = _mean(lambda_), _mean(legacy)
    spreads = _spread(lambda_, mine), _spread(legacy, theirs)
    together = pooled(lambda_, legacy, spreads)
    variance = max(spreads[0], together) / lambda_.requests + max(spreads[1], together) / legacy.requests
    counted = (mine - 1, lambda_.requests, theirs - 1, legacy.requests)
    return _Ratio(limit, asked, log(mine / theirs), (variance, lambda_.freedom + legacy.freedom), counted)


def absolute(limit: Limit, lambda_: Moments, asked: Asked) -> Compared:
    """The mean size on Lambda in bytes."""
    mean = _mean(lambda_)
    variance = _spread(lambda_, mean) * mean * mean / lambda_.requests
    counted = (mean - 1, lambda_.requests, 0.0, 0)
    return _Bytes(limit, asked, mean - 1, (variance, lambda_.freedom), counted)


class _Ratio(Compared):
    __slots__ = ("_chance", "_limit", "_size")

    def __init__(
        self, limit: Limit, asked: Asked, difference: float, chance: tuple[float, float], counted: Counted
    ) -> None:
        self._size = abs(difference) if limit.harm is Harm.ANY else difference
        super().__init__(limit, asked, exp(difference), exp(self._size), counted)
        self._limit, self._chance = limit, chance

    def find_lower(self) -> float:
        return exp(self._size - self._down())

    def find_upper(self) -> float:
        upper = self._size + self._up()
        return exp(upper) if upper < _OVERFLOW else inf

    @property
    def growth(self) -> float | None:
        within, beyond = log(self.asked.limit) - self._size, self._size - log(self.tolerated)
        return least(
            growth(within, self._up()) if within > 0 else None, growth(beyond, self._down()) if beyond > 0 else None
        )

    def _up(self) -> float:
        return _reach(self._chance[0], log(self.asked.limit), self.asked.beta, self._chance[1])

    def _down(self) -> float:
        (variance, freedom), target = self._chance, log(self._limit.limit)
        down = _reach(variance, target, self.asked.alpha / 2, freedom)
        return _reach(variance, target, self.asked.edge / 2, freedom) if self._size > down else down


class _Bytes(Compared):
    __slots__ = ("_chance", "_limit")

    def __init__(self, limit: Limit, asked: Asked, size: float, chance: tuple[float, float], counted: Counted) -> None:
        super().__init__(limit, asked, size, size, counted)
        self._limit, self._chance = limit, chance

    def find_lower(self) -> float:
        return self.at - self._down()

    def find_upper(self) -> float:
        return self.at + self._up()

    @property
    def growth(self) -> float | None:
        within, beyond = self.asked.limit - self.at, self.at - self.tolerated
        return least(
            growth(within, self._up()) if within > 0 else None, growth(beyond, self._down()) if beyond > 0 else None
        )

    def _up(self) -> float:
        return _reach(self._chance[0], self.asked.limit, self.asked.beta, self._chance[1])

    def _down(self) -> float:
        return _reach(self._chance[0], self._limit.limit, self.asked.alpha, self._chance[1])


def _mean(side: Moments) -> float:
    return side.shares.get(Metric.RESPONSE_SIZE, NO_SHARE).total / side.requests + 1


def _spread(side: Moments, mean: float) -> float:
    """The variance of the mean's logarithm, times the requests."""
    if side.seen < 2:  # noqa: PLR2004 - one bucket says nothing of how buckets differ
        return inf
    return spread(side, side.shares.get(Metric.RESPONSE_SIZE, NO_SHARE)) / (mean * mean)


def _reach(variance: float, target: float, alpha: float, freedom: float) -> float:
    if variance == inf:
        return inf
    return sqrt(student(reach(1 / variance, target, alpha), freedom) * variance) if variance > 0 else 0.0
