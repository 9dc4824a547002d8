"""Which looks of a ramp can roll it back at all: the others need no judge, and each ramp has a hundred of them.

Everything here is a *necessary* condition for a fail, for all looks of a ramp at once: no lower bound of the gate lies
above the estimate, none is closer to it than a sampling error without any difference between users would allow, and no
mixture is narrower than its level alone. `gates.py` judges a part of the ramps at every look, and compares. Needs
numpy.
"""

from functools import cache
from typing import Any

import numpy as np

from benchmarks.gate_traffic import BOUNDS, STATUSES, STEPS, Ramp, looks
from router.gate.evidence import BUCKETS
from router.gate.judge import spending
from router.gate.moments import BY_STATUS
from router.gate.sequences import distinct
from router.gate.values import QUANTILES, Gate, Harm, Limit, Metric, Relation

STARTS = np.cumsum([0, *(minutes for _, minutes in STEPS)])[:-1]
LOOKS = [(step, minute) for step, (_, minutes) in enumerate(STEPS) for minute in looks(minutes)]
"""Step and minute in it of each look of a ramp, in order."""
_BEGINS = np.array([STARTS[step] for step, _ in LOOKS])
_ENDS = np.array([STARTS[step] + minute for step, minute in LOOKS])
_DISASTER = 0.03
_SLACK = 1e-6
_EDGES = np.log(np.array((BOUNDS[0] / 2, *BOUNDS, BOUNDS[-1])))


def suspect(ramp: Ramp, gate: Gate) -> list[int]:
    """The looks, as places in `LOOKS`, at which the gate might roll back."""
    statuses, sizes, latency = (sums[_ENDS] - sums[_BEGINS] for sums in ramp.sums)
    requests = statuses.sum((2, 3))
    disaster = np.array([is_disaster(ramp, minute) for minute in _ENDS])
    users = (statuses[:, 1].sum(1) > 0).sum(1)
    enough = (requests >= gate.minimum_requests).all(1) & (users >= gate.minimum_users)
    spent = spending(gate, len(STEPS))
    found = np.zeros(len(LOOKS), bool)
    for limit in gate.limits:
        if limit.relation is Relation.ABSOLUTE:
            continue  # there are no fallbacks, throttles and timeouts here
        alpha = spent[limit.metric, limit.relation]
        if limit.metric in QUANTILES:
            found |= _slower(limit, latency.sum(2), (alpha, gate.alpha))
        elif limit.metric is Metric.RESPONSE_SIZE:
            means = sizes.sum(2) / np.maximum(requests, 1) + 1
            found |= abs(np.log(means[:, 1] / means[:, 0])) > np.log(limit.tolerated) - _SLACK
        else:
            places = [place for place, status in enumerate(STATUSES) if BY_STATUS.get(status) is limit.metric]
            found |= _more(limit, statuses[:, :, places].sum(2), requests, alpha)
    return [int(place) for place in np.flatnonzero(disaster | (enough & found))]


def is_disaster(ramp: Ramp, minute: int) -> bool:
    """Whether enough requests failed on Lambda in the last minute for the breaker to look at them."""
    last = ramp.statuses[minute - 1, 1]
    return bool(last[1].sum() >= _DISASTER * max(last.sum(), 1))


def _more(limit: Limit, counts: Any, requests: Any, alpha: float) -> Any:
    """Where a share is beyond what is tolerated, by more than Poisson's law alone explains."""
    totals, sent = counts.sum(2).astype(float), np.maximum(requests, 1)
    rates = totals / sent
    apart = rates[:, 1] - rates[:, 0]
    apart = abs(apart) if limit.harm is Harm.ANY else apart
    pooled = totals.sum(1) / sent.sum(1)
    proven = apart > np.sqrt(-2 * np.log(alpha / 2) * pooled * (1 / sent).sum(1)) - _SLACK
    if limit.harm is Harm.MORE:
        even = (totals / (sent * sent)).sum(1)
        proven |= apart - np.sqrt(-2 * np.log(alpha / 4) * even) > limit.tolerated - _SLACK
        expected = (rates[:, 0] + limit.tolerated) * sent[:, 1]
        proven |= _most_expected(alpha / 4)[(counts[:, 1] > 0).sum(1)] > expected - _SLACK
    return proven & (apart > limit.tolerated - _SLACK)


@cache
def _most_expected(alpha: float) -> Any:
    """By how many buckets failed: below how many expected ones that is evidence enough at `alpha`."""
    found = np.zeros(BUCKETS + 1)
    for seen in range(1, BUCKETS + 1):
        low, high = 0.0, float(seen)
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if distinct(seen, middle) >= -np.log(alpha) else (low, middle)
        found[seen] = high
    return found


def _slower(limit: Limit, counts: Any, alphas: tuple[float, float]) -> Any:
    """Where Lambda's quantile is beyond what is tolerated, by more than requests of their own would be."""
    chance = 1 - QUANTILES[limit.metric]
    sums = counts.cumsum(2)
    legacy = _quantile(sums[:, 0], 1 - chance)
    proven = np.ones(len(counts), bool)
    effective = 1 / (1 / np.maximum(sums[:, :, -1], 1)).sum(1)
    for times, alpha in zip((1.0, limit.tolerated), alphas, strict=True):
        share = _above(sums[:, 1], legacy + np.log(times))
        proven &= (share > chance - _SLACK) & (effective * _divergence(share, chance) > -np.log(alpha) - _SLACK)
    return proven


def _quantile(sums: Any, share: float) -> Any:
    """The logarithm of the latency, evenly inside a bucket by its logarithm."""
    wanted = share * sums[:, -1]
    place = (sums < wanted[:, None]).sum(1)
    before = np.where(place > 0, np.take_along_axis(sums, np.maximum(place - 1, 0)[:, None], 1)[:, 0], 0)
    here = np.take_along_axis(sums, place[:, None], 1)[:, 0] - before
    return _EDGES[place] + (_EDGES[place + 1] - _EDGES[place]) * (wanted - before) / np.maximum(here, 1)


def _above(sums: Any, latency: Any) -> Any:
    """The share above a latency's logarithm."""
    place = np.searchsorted(_EDGES[1:-1], latency).clip(0, sums.shape[1] - 1)
    through = np.take_along_axis(sums, place[:, None], 1)[:, 0]
    before = np.where(place > 0, np.take_along_axis(sums, np.maximum(place - 1, 0)[:, None], 1)[:, 0], 0)
    width = np.maximum(_EDGES[place + 1] - _EDGES[place], 1e-12)
    part = (1 - (latency - _EDGES[place]) / width).clip(0, 1)
    return (sums[:, -1] - through + (through - before) * part) / np.maximum(sums[:, -1], 1)


def _divergence(share: Any, chance: float) -> Any:
    share = share.clip(1e-12, 1 - 1e-12)
    return share * np.log(share / chance) + (1 - share) * np.log((1 - share) / (1 - chance))
