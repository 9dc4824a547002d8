from dataclasses import replace
from random import Random

from router.gate.evidence import Counts, RouteEvidence, SideEvidence
from router.gate.judge import judge
from router.gate.values import Gate
from router.gate.verdict import Code, Outcome
from router.gate.window import Window

from .crowds import poisson, window


def last_seconds(failing: int, requests: int = 100, *, legacy_failing: int = 0, a_bucket: int = 1) -> Window:
    """An hour in which two in a thousand failed, then seconds of 100 requests a side, with these failing buckets."""

    def side(buckets: int) -> SideEvidence:
        counts = {
            bucket: Counts(requests=2, by_status={200: 1, 500: 1} if bucket < buckets else {200: 2})
            for bucket in range(requests // 2)
        }
        return SideEvidence(buckets=counts)

    lambda_ = side(failing)
    if a_bucket > 1:
        lambda_ = SideEvidence(buckets={**side(0).buckets, 0: Counts(requests=a_bucket, by_status={500: a_bucket})})
    recent = RouteEvidence(legacy=side(legacy_failing), lambda_=lambda_)
    return replace(window(), recent=(recent,))


def test_a_disaster_fails_at_once_even_while_warming_up() -> None:
    """Nine buckets of users fail in 100 requests, where two in a thousand are usual: left in the first second."""
    verdict = judge(Gate(), replace(last_seconds(9), elapsed_seconds=1.0))
    assert verdict.outcome is Outcome.FAIL
    assert [reason.code for reason in verdict.reasons] == [Code.BREAKER]
    assert "9 of 100 requests in the last seconds failed" in verdict.reasons[0].words


def test_a_disaster_waits_for_no_other_node() -> None:
    """A node that is silent or late does not keep Lambda alive when the others see it fail."""
    for silent in (replace(last_seconds(40), evidence=None), replace(last_seconds(9), age_seconds=99.0)):
        assert judge(Gate(), silent).outcome is Outcome.FAIL
    quiet = replace(last_seconds(1), evidence=None)
    assert judge(Gate(), quiet).outcome is Outcome.ERROR


def test_a_few_failures_are_no_disaster() -> None:
    """Three failing buckets may be chance in weeks of looks every second."""
    assert judge(Gate(), last_seconds(3)).outcome is not Outcome.FAIL


def test_one_users_retries_are_no_disaster() -> None:
    """A hundred failures of one bucket are one user's storm."""
    assert judge(Gate(), last_seconds(0, a_bucket=100)).outcome is not Outcome.FAIL


def test_what_both_sides_suffer_is_not_lambdas_fault() -> None:
    """When legacy fails as well in these seconds, going back to it helps nobody."""
    assert judge(Gate(), last_seconds(9, legacy_failing=12)).outcome is not Outcome.FAIL


def test_many_quiet_looks_do_not_trip_it() -> None:
    """2,000 looks at ten seconds of 1,000 requests, two in a thousand failing on both sides: none is a disaster."""
    random, whole = Random(3), window().evidence  # noqa: S311 - a simulation
    assert whole is not None
    healthy = Counts(requests=16, by_status={200: 16})
    failing = Counts(requests=16, by_status={200: 15, 500: 1})
    legacy = whole.legacy
    for _ in range(2_000):
        unlucky = poisson(random, 2.0)
        buckets = {bucket: failing if bucket < unlucky else healthy for bucket in range(64)}
        recent = RouteEvidence(lambda_=SideEvidence(buckets=buckets))
        look = Window(
            evidence=RouteEvidence(legacy=legacy), weight=window().weight, elapsed_seconds=1.0, recent=(recent,)
        )
        assert judge(Gate(), look).outcome is not Outcome.FAIL
