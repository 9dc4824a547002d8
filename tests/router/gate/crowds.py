"""Evidence made up for tests: even users, and users who differ."""

from dataclasses import dataclass, replace
from math import exp
from random import Random

from router.gate.evidence import BUCKETS, FOLDS, Counts, Histogram, RouteEvidence, SideEvidence
from router.gate.window import Window
from router.weight import Weight

BOUNDS = tuple(10.0 * 1.2**power for power in range(25))


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What every bucket of users does on a side; counts are for each bucket."""

    requests: int = 500
    failed: int = 1
    fallbacks: int = 0
    not_found: int = 5
    redirects: int = 10
    throttles: int = 0
    bytes_each: int = 900
    slower: int = 0
    """Latencies are this many histogram buckets higher, each a fifth."""
    buckets: int = BUCKETS

    def evidence(self) -> SideEvidence:
        """The side's evidence."""
        counts = Counts(
            requests=self.requests,
            by_status={
                200: self.requests - self.failed - self.not_found - self.redirects,
                500: self.failed,
                404: self.not_found,
                302: self.redirects,
            },
            fallbacks=self.fallbacks,
            throttles=self.throttles,
            response_bytes=self.requests * self.bytes_each,
        )
        return SideEvidence(
            buckets=dict.fromkeys(range(self.buckets), counts),
            latency=dict.fromkeys(range(FOLDS), latencies(self.requests * self.buckets // FOLDS, self.slower)),
        )


def latencies(requests: int, slower: int = 0) -> Histogram:
    """Latencies around 40 ms (the eighth bucket), thinning out to both sides; exactly `requests` of them."""
    weights = [exp(-((place - 8 - slower) ** 2) / 18) for place in range(len(BOUNDS) + 1)]
    counts = [int(requests * weight / sum(weights)) for weight in weights]
    counts[8 + slower] += requests - sum(counts)
    return Histogram(bounds=BOUNDS, counts=tuple(counts))


def window(lambda_: Side | None = None, legacy: Side | None = None, *, weight: int = 5_000) -> Window:
    """A window of ten minutes; the sides are equal unless they are given."""
    evidence = RouteEvidence(legacy=(legacy or Side()).evidence(), lambda_=(lambda_ or Side()).evidence())
    return Window(evidence=evidence, weight=Weight(weight), elapsed_seconds=600.0)


def with_version(window: Window, **versions: int) -> Window:
    """The window, its answers given by these versions (`v41=3` is version 41, three times)."""
    assert window.evidence is not None
    named = {name.removeprefix("v").replace("LATEST", "$LATEST"): count for name, count in versions.items()}
    lambda_ = replace(window.evidence.lambda_, executed_versions=named)
    return replace(window, evidence=replace(window.evidence, lambda_=lambda_))


@dataclass(frozen=True, slots=True)
class User:
    """A user who keeps their habits: requests a minute, how often they fail, bucket, place in the split."""

    rate: float
    failing: float
    bucket: int
    slot: int


def users(random: Random, number: int) -> list[User]:
    """Users who differ: some ask ten times as often, a fiftieth fail in a tenth of what they ask for."""
    return [
        User(
            random.lognormvariate(0, 0.8) * (10 if random.random() < 0.01 else 1),
            0.1 if random.random() < 0.02 else 0.002,
            random.randrange(BUCKETS),
            random.randrange(10_000),
        )
        for _ in range(number)
    ]


def poisson(random: Random, mean: float) -> int:
    """A Poisson count; by Knuth's product below 30, by the normal above."""
    if mean > 30:
        return max(0, round(random.gauss(mean, mean**0.5)))
    limit, count, product = exp(-mean), 0, random.random()
    while product > limit:
        count, product = count + 1, product * random.random()
    return count
