"""How far an estimate may stray by chance, looked at as often as one likes.

A fixed test looks once; a gate looks every second for weeks. Its boundary must hold at all looks together. Here it is
the normal mixture of Robbins: for a process whose *information* (one over the variance of the estimate) is I, the
chance that the estimate is ever more than k standard deviations off is at most alpha, with

    k^2 = (1 + r / I) * log((1 + I / r) / alpha^2)        (two-sided; r = 1 / target^2)

`target` is the difference that the boundary is best at. Two targets share alpha, so that a disaster is seen soon and
a small difference at all. Sources: Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic
confidence sequences", Ann. Statist. 49 (2021), section 3 (conjugate mixtures); Waudby-Smith, Arbour, Sinha, Kennedy,
Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Ann. Statist. 52 (2024), for variances
that are estimated: the boundary is then asymptotic, which `student` is careful about.
"""

from math import exp, inf, log, sqrt
from typing import Final

_FAR: Final = 36.0
"""The square of six: the second mixture is tuned to six times the target."""
_ENDLESS: Final = 40.0
_NEARLY_ALL: Final = 1 - 1e-9
_NEWTONS: Final = 20
_EXACT: Final = 1e-7
_RATES: Final = tuple((rate, log(rate)) for rate in (1.5, 2.0, 3.0, 6.0, 15.0, 40.0, 120.0, 400.0))


def reach(information: float, target: float, alpha: float) -> float:
    """k^2 for one side at `alpha`: the squared standard deviations that an estimate of this information may be off.

    `target` is in the unit of the estimate, `information` in one over its square.
    """
    level = -2 * log(alpha)
    near = information * target * target
    far = near * _FAR
    return min((1 + 1 / near) * (log(1 + near) + level), (1 + 1 / far) * (log(1 + far) + level))


def student(squared: float, freedom: float) -> float:
    """k^2 made wider because the variance was estimated, with `freedom` degrees of freedom.

    A variance that is chi-squared around the truth turns the chance exp(-k^2 / 2) into (1 + k^2 / f)^(-f / 2), the tail
    of Student's t; this solves for the k^2 that has the chance which was asked for. Infinite where nothing is known.
    """
    if freedom <= 0 or squared / freedom > _ENDLESS:
        return inf
    return freedom * (exp(squared / freedom) - 1)


def distinct(seen: int, expected: float) -> float:
    """The logarithm of the evidence (an e-value) that more buckets fail than `expected`, the most that is tolerated.

    A bucket counts once, at its first failure, however many its users cause later. The hazard of a first failure is at
    most the mean rate, for those who have not failed yet are the better ones. So for each rate ratio above 1 the
    likelihood ratio of Poisson counts is a supermartingale, whatever users do afterwards; this is the mean over some
    ratios. It exceeds 1 / alpha, ever, with a chance of alpha at most (Ville). It needs no variance: it is what decides
    while failures are few.
    """
    if not seen:
        return -inf
    terms = [seen * logarithm - expected * (rate - 1) for rate, logarithm in _RATES]
    best = max(terms)
    return best + log(sum(exp(term - best) for term in terms) / len(terms))


def against(deviations: float, information: float, target: float, freedom: float) -> float:
    """The logarithm of the evidence against a value that is `deviations` standard deviations from the estimate.

    The mixture behind `reach`, as an e-value, with Student's tail. Evidence of two independent sources multiplies.
    """
    if freedom <= 0:
        return -inf
    ratio = information * target * target
    return (freedom * log(1 + deviations * deviations / freedom) / (1 + 1 / ratio) - log(1 + ratio)) / 2


def divergence(share: float, chance: float) -> float:
    """Kullback and Leibler's divergence of two coins: `share` seen where `chance` was expected, both inside (0, 1)."""
    seen = share * log(share / chance) if share > 0 else 0.0
    return seen + ((1 - share) * log((1 - share) / (1 - chance)) if share < 1 else 0.0)


def farthest(chance: float, budget: float, *, above: bool) -> float:
    """The share, above or below `chance`, whose divergence from it is `budget`: 1 or 0 when none is as far.

    Chernoff's bound turned around, which keeps a small chance's skew where a normal bound would not. Newton's steps
    begin at Bernstein's bound, which lies outside: the divergence is convex, so they stay outside.
    """
    if not above:
        return 1 - farthest(1 - chance, budget, above=True)
    if budget <= 0:
        return chance
    if -log(chance) <= budget:
        return 1.0
    skew = max(0.0, 1 - 2 * chance) * budget / 3
    found = min(chance + skew + sqrt(skew * skew + 2 * budget * chance * (1 - chance)), _NEARLY_ALL)
    for _ in range(_NEWTONS):
        slope = log(found * (1 - chance) / ((1 - found) * chance))
        step = (divergence(found, chance) - budget) / slope
        found = min(found - step, (found + 1) / 2)
        if abs(step) < _EXACT:
            break
    return found
