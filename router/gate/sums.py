"""Sums and differences of evidence: what was counted between two readings, and by several nodes together.

Counters only grow, until Envoy starts them again at zero and the epoch changes. What was counted after the last reading
of an old epoch is lost; so whoever watches adds each difference to what they have, and loses a second, not a step.
"""

from collections.abc import Iterable, Mapping
from operator import add, sub
from typing import Final, TypeVar

from .evidence import Columns, Histogram, Parity, Reading, RouteEvidence, SideEvidence

NOTHING: Final = RouteEvidence()
_Key = TypeVar("_Key", int, str)


def difference(later: Reading, earlier: Reading, route: str) -> RouteEvidence:
    """What a node counted on `route` after `earlier`, up to `later`.

    Of another epoch, that is all of `later`: its counters began at zero in between. Raises `ValueError` when the
    readings are of two nodes, or when a counter fell within an epoch.
    """
    if later.node != earlier.node:
        message = f"readings of two nodes, {earlier.node} and {later.node}, have no difference"
        raise ValueError(message)
    now = later.routes.get(route, NOTHING)
    if later.epoch != earlier.epoch:
        return now
    before = earlier.routes.get(route, NOTHING)
    return RouteEvidence(legacy=_less(now.legacy, before.legacy), lambda_=_less(now.lambda_, before.lambda_))


def total(parts: Iterable[RouteEvidence]) -> RouteEvidence:
    """The sum of evidence: of several nodes over the same time, or of one over several times.

    Raises `ValueError` when their histograms have different bounds.
    """
    sides = [(part.legacy, part.lambda_) for part in parts]
    return RouteEvidence(legacy=_sum([legacy for legacy, _ in sides]), lambda_=_sum([lambda_ for _, lambda_ in sides]))


def _less(later: SideEvidence, earlier: SideEvidence) -> SideEvidence:
    parity = later.parity
    if parity and earlier.parity:
        compared = parity.compared - earlier.parity.compared
        parity = Parity(compared=compared, different=parity.different - earlier.parity.different)
    return SideEvidence(
        buckets=later.columns.minus(earlier.columns),
        latency=_folds(later.latency, earlier.latency, -1),
        cold_latency=_folds(later.cold_latency, earlier.cold_latency, -1),
        executed_versions=_merged(later.executed_versions, earlier.executed_versions, -1),
        parity=parity,
    )


def _sum(sides: list[SideEvidence]) -> SideEvidence:
    if len(sides) == 1:
        return sides[0]
    parities = [side.parity for side in sides if side.parity]
    buckets = Columns.of({})
    latency: Mapping[int, Histogram] = {}
    cold: Mapping[int, Histogram] = {}
    versions: Mapping[str, int] = {}
    for side in sides:
        buckets = buckets.plus(side.columns)
        latency = _folds(latency, side.latency, 1)
        cold = _folds(cold, side.cold_latency, 1)
        versions = _merged(versions, side.executed_versions, 1)
    compared, different = sum(one.compared for one in parities), sum(one.different for one in parities)
    parity = Parity(compared=compared, different=different) if parities else None
    return SideEvidence(buckets=buckets, latency=latency, cold_latency=cold, executed_versions=versions, parity=parity)


def _merged(one: Mapping[_Key, int], other: Mapping[_Key, int], sign: int) -> dict[_Key, int]:
    merged = dict(one)
    for key, count in other.items():
        merged[key] = merged.get(key, 0) + sign * count
    return merged if all(merged.values()) else {key: count for key, count in merged.items() if count}


def _folds(one: Mapping[int, Histogram], other: Mapping[int, Histogram], sign: int) -> dict[int, Histogram]:
    folds = dict(one)
    for key, histogram in other.items():
        before = folds.get(key) or Histogram(bounds=histogram.bounds, counts=(0,) * len(histogram.counts))
        folds[key] = _histogram(before, histogram, sign)
    return folds


def _histogram(one: Histogram, other: Histogram, sign: int) -> Histogram:
    if one.bounds != other.bounds:
        message = f"histograms of different bounds have no sum: {one.bounds} and {other.bounds}"
        raise ValueError(message)
    counts = tuple(map(add if sign > 0 else sub, one.counts, other.counts))
    return Histogram(bounds=one.bounds, counts=counts)
