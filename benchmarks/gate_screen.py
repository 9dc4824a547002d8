"""Which looks of a ramp can roll it back at all: the others need no judge, and each ramp has a hundred of them.

Everything here is a *necessary* condition for a fail, for all looks of a ramp at once: no lower bound of the gate lies
above the estimate, none is closer to it than the variance between buckets of users allows, with nothing added for its
being an estimate, and no mixture is narrower than its level alone. `gates.py` judges a part of the ramps at every look,
and compares. Needs numpy.
"""

from functools import cache
from typing import Any

import numpy as np

from benchmarks.gate_crowd import ENDS, STATUSES, STEPS
from benchmarks.gate_traffic import BOUNDS, Ramp, latencies_in_step
from router.gate.evidence import BUCKETS
from router.gate.judge import spending
from router.gate.moments import BY_STATUS
from router.gate.sequences import distinct
from router.gate.values import QUANTILES, Gate, Harm, Limit, Metric, Relation

_DISASTER = 0.03
_SLACK = 1e-6
_SPARE = 2.0
_EDGES = np.log(np.array((BOUNDS[0] / 2, *BOUNDS, BOUNDS[-1])))


def suspect(ramp: Ramp, gate: Gate) -> list[int]:
    """The looks, as places in `gate_crowd.LOOKS`, at which the gate might roll back."""
    statuses, sizes = ramp.in_step
    sent = statuses.sum(2)
    requests, seen = sent.sum(2), (sent > 0).sum(2)
    enough = ((requests >= gate.minimum_requests) & (seen >= gate.minimum_users)).all(1)
    spent = spending(gate, len(STEPS))
    found = np.zeros(len(requests), bool)
    for limit in gate.limits:
        if limit.relation is Relation.ABSOLUTE:
            continue  # there are no fallbacks, throttles and timeouts here
        alphas = (spent[limit.metric, limit.relation], gate.alpha)
        if limit.metric in QUANTILES:
            found |= _slower(limit, latencies_in_step(ramp), alphas)
        elif limit.metric is Metric.RESPONSE_SIZE:
            found |= _larger(limit, sizes, sent, alphas)
        else:
            places = [place for place, status in enumerate(STATUSES) if BY_STATUS.get(status) is limit.metric]
            if places:
                found |= _more(limit, statuses[:, :, places].sum(2), sent, alphas)
    return [int(place) for place in np.flatnonzero(disasters(ramp) | (enough & found))]


def disasters(ramp: Ramp) -> Any:
    """By look: whether enough requests failed on Lambda in the last minute for the breaker to look at them."""
    last = ramp.answers[ENDS - 1, 1]
    return last[:, 1] >= _DISASTER * np.maximum(last.sum(1), 1)


def _spreads(counts: Any, sent: Any) -> Any:
    """By look and side: the variance of the ratio times the requests; neither side is evener than both together."""
    requests, seen = np.maximum(sent.sum(2), 1), (sent > 0).sum(2)
    ratios = counts.sum(2) / requests
    apart = ((counts - ratios[:, :, None] * sent) ** 2).sum(2)
    spreads = apart / requests * seen / np.maximum(seen - 1, 1)
    freedom = (requests.astype(float) ** 2 / np.maximum((sent.astype(float) ** 2).sum(2), 1) - 1).clip(1e-9)
    pooled = (spreads * freedom).sum(1) / freedom.sum(1)
    return np.maximum(spreads, pooled[:, None])


def _proven(size: Any, variance: Any, tolerated: float, alphas: tuple[float, float]) -> Any:
    """Where harm is beyond chance, and beyond what is tolerated, by the levels alone."""
    budget, edge = (np.sqrt(-2 * np.log(alpha / 2) * variance) for alpha in alphas)
    return (size > budget - _SLACK) & (size - edge > tolerated - _SLACK)


def _more(limit: Limit, counts: Any, sent: Any, alphas: tuple[float, float]) -> Any:
    """Where a share is beyond what is tolerated, by more than the differences between buckets explain."""
    requests = np.maximum(sent.sum(2), 1)
    totals = counts.sum(2)
    apart = totals[:, 1] / requests[:, 1] - totals[:, 0] / requests[:, 0]
    places = np.flatnonzero((abs(apart) if limit.harm is Harm.ANY else apart) > limit.tolerated - _SLACK)
    found = np.zeros(len(counts), bool)
    if len(places):
        found[places] = _is_more(limit, counts[places].astype(float), sent[places], alphas)
    return found


def _is_more(limit: Limit, counts: Any, sent: Any, alphas: tuple[float, float]) -> Any:
    totals, requests = counts.sum(2), np.maximum(sent.sum(2), 1)
    rates = totals / requests
    apart = rates[:, 1] - rates[:, 0]
    size = abs(apart) if limit.harm is Harm.ANY else apart
    least = (totals.sum(1) / requests.sum(1))[:, None]
    variance = (np.maximum(_spreads(counts, sent), least) / requests).sum(1)
    proven = _proven(size, variance, limit.tolerated, alphas)
    if limit.harm is Harm.MORE:
        alpha, most = alphas[0] / 4, (rates[:, 0] + limit.limit)[:, None]
        mine = np.minimum(counts[:, 1], most * sent[:, 1] + _SPARE).sum(1)
        theirs = np.minimum(counts[:, 0], most * sent[:, 0] + _SPARE).sum(1)
        baseline = np.where(requests[:, 0] >= requests[:, 1], theirs / requests[:, 0], rates[:, 0])
        cut = np.minimum(size, mine / requests[:, 1] - baseline)
        proven |= cut - np.sqrt(-2 * np.log(alpha) * mine / requests[:, 1] ** 2) > limit.tolerated - _SLACK
        expected = (rates[:, 0] + limit.tolerated) * requests[:, 1]
        proven |= _most_expected(alpha)[(counts[:, 1] > 0).sum(1)] > expected - _SLACK
    return proven


def _larger(limit: Limit, sizes: Any, sent: Any, alphas: tuple[float, float]) -> Any:
    """Where answers are longer or shorter by more than the differences between buckets explain."""
    requests = np.maximum(sent.sum(2), 1)
    means = sizes.sum(2) / requests + 1
    size, tolerated = abs(np.log(means[:, 1] / means[:, 0])), float(np.log(limit.tolerated))
    places = np.flatnonzero(size > tolerated - _SLACK)
    found = np.zeros(len(size), bool)
    if len(places):
        spreads = _spreads(sizes[places].astype(float), sent[places]) / means[places] ** 2
        found[places] = _proven(size[places], spreads.max(1) / requests[places].max(1), tolerated, alphas)
    return found


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
