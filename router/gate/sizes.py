"""Bytes per answer, compared by their logarithm: a page that lost half of its content is as wrong as one twice as long.

The means are ratios of sums over buckets of users, as in `shares`. Each answer counts for one byte more than it has, so
that empty answers, which are what a broken function often gives, have a logarithm too.
"""

from math import exp, inf, log, sqrt

from .bounds import Asked, Bounds, growth, least
from .moments import NO_SHARE, Moments
from .sequences import reach, student
from .shares import pooled, spread
from .values import Harm, Limit, Metric

_OVERFLOW = 700.0


def relative(limit: Limit, lambda_: Moments, legacy: Moments, asked: Asked) -> Bounds:
    """The mean size on Lambda as a ratio to legacy's."""
    mine, theirs = _mean(lambda_), _mean(legacy)
    spreads = _spread(lambda_, mine), _spread(legacy, theirs)
    together = pooled(lambda_, legacy, spreads)
    variance = max(spreads[0], together) / lambda_.requests + max(spreads[1], together) / legacy.requests
    difference = log(mine / theirs)
    size = abs(difference) if limit.harm is Harm.ANY else difference
    freedom, target, kept = lambda_.freedom + legacy.freedom, log(limit.limit), log(asked.limit)
    down, up = _reach(variance, target, asked.alpha / 2, freedom), _reach(variance, kept, asked.beta, freedom)
    if size > down:
        down = _reach(variance, target, asked.edge / 2, freedom)
    counted = (mine - 1, lambda_.requests, theirs - 1, legacy.requests)
    grown = least(growth(kept - size, up), growth(size - log(limit.tolerated), down))
    upper = exp(size + up) if size + up < _OVERFLOW else None
    return Bounds(exp(difference), exp(size - down), upper, *counted, grown)


def absolute(limit: Limit, lambda_: Moments, asked: Asked) -> Bounds:
    """The mean size on Lambda in bytes."""
    mean = _mean(lambda_)
    variance = _spread(lambda_, mean) * mean * mean / lambda_.requests
    down = _reach(variance, limit.limit, asked.alpha, lambda_.freedom)
    up = _reach(variance, asked.limit, asked.beta, lambda_.freedom)
    size = mean - 1
    grown = least(growth(asked.limit - size, up), growth(size - limit.tolerated, down))
    upper = size + up if up < inf else None
    return Bounds(size, size - down if down < inf else None, upper, size, lambda_.requests, 0.0, 0, grown)


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
