"""What the router would count of simulated users: requests, statuses and latencies, by bucket and side."""

import math
import random
from dataclasses import dataclass, field

from ..gate.evidence import BUCKETS, FOLDS, Counts, Histogram, RouteEvidence, SideEvidence
from ..weight import Weight
from .crowd import Crowd, Load
from .traffic import SideAssumption, Traffic

BOUNDS_MS = (
    *(1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 125.0, 150.0, 200.0),
    *(250.0, 300.0, 400.0, 500.0, 600.0, 800.0, 1000.0, 1250.0, 1500.0, 2000.0, 3000.0, 5000.0, 10_000.0, 60_000.0),
)
_SIGMA = 0.77
"""Spread of a latency's logarithm: the 99th percentile is six times the median."""
_RESPONSE_BYTES = 2_000
_MANY = 30.0
"""From this mean on a Poisson number is drawn as a normal one."""
_OK, _FAILED = 200, 500
VERSION = "1"


@dataclass(slots=True)
class _SideCounts:
    """A side's running counts."""

    requests: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    failed: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    latency: list[list[int]] = field(default_factory=lambda: [[0] * (len(BOUNDS_MS) + 1) for _fold in range(FOLDS)])

    def add(self, other: "_SideCounts") -> None:
        """Add what was counted elsewhere."""
        self.add_requests(other)
        for fold, more in zip(self.latency, other.latency, strict=True):
            fold[:] = [mine + one for mine, one in zip(fold, more, strict=True)]

    def add_requests(self, other: "_SideCounts") -> None:
        """The same without latencies."""
        self.requests = [mine + more for mine, more in zip(self.requests, other.requests, strict=True)]
        self.failed = [mine + more for mine, more in zip(self.failed, other.failed, strict=True)]

    def evidence(self, version: str) -> SideEvidence:
        """The counts as the gate takes them; `version` empty: no function answered."""
        buckets = {
            bucket: Counts(
                requests=requests,
                by_status={_OK: requests - failed, _FAILED: failed},
                response_bytes=requests * _RESPONSE_BYTES,
            )
            for bucket, (requests, failed) in enumerate(zip(self.requests, self.failed, strict=True))
            if requests
        }
        latency = {
            fold: Histogram(bounds=BOUNDS_MS, counts=tuple(counts))
            for fold, counts in enumerate(self.latency)
            if any(counts)
        }
        total = sum(self.requests)
        versions = {version: total} if version and total else {}
        return SideEvidence(buckets=buckets, latency=latency, executed_versions=versions)


@dataclass(slots=True)
class RouteCounts:
    """Both sides' running counts."""

    legacy: _SideCounts = field(default_factory=_SideCounts)
    lambda_: _SideCounts = field(default_factory=_SideCounts)

    def add(self, other: "RouteCounts") -> None:
        """Add what was counted elsewhere."""
        self.legacy.add(other.legacy)
        self.lambda_.add(other.lambda_)

    def add_requests(self, other: "RouteCounts") -> None:
        """The same without latencies, which is cheaper."""
        self.legacy.add_requests(other.legacy)
        self.lambda_.add_requests(other.lambda_)

    def evidence(self) -> RouteEvidence:
        """The counts as the gate takes them."""
        return RouteEvidence(legacy=self.legacy.evidence(""), lambda_=self.lambda_.evidence(VERSION))


class Counting:
    """What one route's users do, second after second."""

    __slots__ = ("_crowd", "_loads", "_rng", "_shapes", "_traffic", "_weight")

    def __init__(self, crowd: Crowd, traffic: Traffic, name: str) -> None:
        self._crowd, self._traffic = crowd, traffic
        self._rng = random.Random(f"{traffic.seed}:{name}")  # noqa: S311 - a simulation, no secret
        self._shapes = (_shape(traffic.legacy), _shape(traffic.lambda_))
        self._weight = Weight(0)
        self._loads = crowd.loads(self._weight)

    def count(self, weight: Weight, seconds: float) -> RouteCounts:
        """What is counted in so many seconds at that weight."""
        if weight != self._weight:
            self._weight, self._loads = weight, self._crowd.loads(weight)
        requests = self._traffic.requests_per_second * seconds
        legacy, lambda_ = self._loads
        return RouteCounts(
            legacy=self._side(legacy, requests, self._traffic.legacy.errors, self._shapes[0]),
            lambda_=self._side(lambda_, requests, self._traffic.lambda_.errors, self._shapes[1]),
        )

    def _side(self, loads: list[Load], requests: float, errors: float, shape: list[float]) -> _SideCounts:
        counts = _SideCounts()
        for bucket, load in enumerate(loads):
            if not load.requests:
                continue
            sent = _poisson(self._rng, requests * load.requests)
            counts.requests[bucket] = sent
            counts.failed[bucket] = _binomial(self._rng, sent, min(1.0, errors * load.errors / load.requests))
        for fold, latency in enumerate(counts.latency):
            sent = sum(counts.requests[fold::FOLDS])
            if sent:
                latency[:] = _scattered(self._rng, sent, shape)
        return counts


def _scattered(rng: random.Random, total: int, shape: list[float]) -> list[int]:
    """So many values over the buckets of a histogram, each drawn by its share; they add up."""
    drawn = [_poisson(rng, total * share) for share in shape]
    excess, fullest = sum(drawn) - total, max(range(len(shape)), key=lambda place: shape[place])
    drawn[fullest] = max(0, drawn[fullest] - excess)
    return drawn


def _shape(side: SideAssumption) -> list[float]:
    """The share of latencies in each bucket of the histogram, for a lognormal with the side's median."""
    below = [0.5 * (1 + math.erf(math.log(bound / side.latency_ms) / (_SIGMA * math.sqrt(2)))) for bound in BOUNDS_MS]
    return [later - earlier for earlier, later in zip([0.0, *below], [*below, 1.0], strict=True)]


def _binomial(rng: random.Random, total: int, share: float) -> int:
    """How many of so many happen, each with that chance; many are drawn as a normal or a Poisson number."""
    if total <= _MANY:
        return sum(rng.random() < share for _each in range(total)) if share else 0
    if share > 1 / 2:
        return total - _binomial(rng, total, 1 - share)
    mean = total * share
    if mean < _MANY:
        return min(total, _poisson(rng, mean))
    return max(0, min(total, round(rng.gauss(mean, math.sqrt(mean * (1 - share))))))


def _poisson(rng: random.Random, mean: float) -> int:
    if mean <= 0:
        return 0
    if mean >= _MANY:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    floor, product, number = math.exp(-mean), rng.random(), 0
    while product > floor:
        product *= rng.random()
        number += 1
    return number
