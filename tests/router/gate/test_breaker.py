from dataclasses import replace
from math import comb, exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.gate.breaker import surprise
from router.gate.evidence import Counts, RouteEvidence, SideEvidence
from router.gate.judge import judge
from router.gate.values import Gate, Limit, Metric
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


AT_FIVE_PERCENT = Gate(limits=(Limit(metric=Metric.SERVER_ERRORS, limit=0.05, tolerated=0.05),))


def users(failing: int, good: int = 0, *, a_user: int = 1) -> SideEvidence:
    """A side on which every user, each in a bucket alone, asked so often; the first of them failed each time."""
    failed = Counts(requests=a_user, by_status={500: a_user})
    buckets = {
        bucket: failed if bucket < failing else Counts(requests=1, by_status={200: 1})
        for bucket in range(failing + good)
    }
    return SideEvidence(buckets=buckets)


def looked(lambda_: SideEvidence, legacy: SideEvidence) -> Outcome:
    """The outcome of a look in the first seconds of a step, after an hour in which legacy hardly failed."""
    recent = RouteEvidence(legacy=legacy, lambda_=lambda_)
    return judge(AT_FIVE_PERCENT, replace(window(), elapsed_seconds=1.0, recent=(recent,))).outcome


@pytest.mark.parametrize(
    ("lambda_", "legacy", "is_left"),
    [
        (users(8), users(0, 30), True),
        (users(6), users(0, 60), False),  # one in fifty million, and a gate looks for weeks
        (users(10, good=3), users(0, 30), True),
        (users(9, good=9), users(0, 30), False),
        (users(8), users(0, 3), False),  # who fails on both sides at once is not seen on so few
        (users(24), users(0, 3), True),
        (users(24), users(0), True),
        (users(12), users(4, 8), False),
        (users(1, a_user=200), users(0, 30), False),
        (users(3, a_user=200), users(0, 30), False),
    ],
)
def test_few_users_are_enough_when_all_of_them_fail(
    lambda_: SideEvidence,
    legacy: SideEvidence,
    is_left: bool,  # noqa: FBT001 - of the table
) -> None:
    """At a limit of 5 % eight of eight users are a disaster; half of them, or what legacy's suffer too, is not."""
    assert (looked(lambda_, legacy) is Outcome.FAIL) is is_left


def test_what_both_sides_lose_together_trips_nothing() -> None:
    """Of 1,000 looks at seconds in which everybody fails as often, whichever side they are on, none leaves Lambda."""
    random = Random(5)  # noqa: S311 - a simulation
    for _ in range(1_000):
        share, people = random.uniform(0.05, 0.95), random.randrange(6, 40)
        sides = []
        for _side in range(2):
            failing = sum(random.random() < share for _ in range(people))
            sides.append(users(failing, people - failing))
        assert looked(sides[0], sides[1]) is not Outcome.FAIL


def test_a_client_that_asks_again_and_a_few_unlucky_users_trip_nothing() -> None:
    """Of 1,000 looks at users of whom some always fail and one asks for ever, on either side, none leaves Lambda."""
    random = Random(6)  # noqa: S311 - a simulation
    for _ in range(1_000):
        counts = {}
        for bucket in range(random.randrange(5, 40)):
            failing = 0.9 if random.random() < 0.02 else 0.004
            requests = random.choice((1, 1, 2, 3, 40))
            failed = sum(random.random() < failing for _ in range(requests))
            requests, failed = (requests * 20, failed * 20) if failed else (requests, failed)  # and asks again
            counts[bucket] = Counts(requests=requests, by_status={200: requests - failed, 500: failed})
        assert looked(SideEvidence(buckets=counts), users(0, 30)) is not Outcome.FAIL


@given(st.integers(1, 40), st.floats(0.001, 0.9), st.data())
def test_the_surprise_is_a_bound_of_the_chance(buckets: int, rate: float, data: st.DataObject) -> None:
    """So many failing buckets of one request each are at most as likely as the surprise says."""
    failing = data.draw(st.integers(0, buckets))
    chance = sum(comb(buckets, n) * rate**n * (1 - rate) ** (buckets - n) for n in range(failing, buckets + 1))
    assert chance <= exp(-surprise([1] * buckets, failing, rate)) * (1 + 1e-9)
    assert surprise([1] * buckets + [1000], failing + 1, rate) <= surprise([1] * buckets, failing, rate) + 1e-9


def told(lambda_: SideEvidence, legacy: SideEvidence) -> tuple[str, ...]:
    """What is told beside the verdict of a look in the first seconds of a step."""
    recent = RouteEvidence(legacy=legacy, lambda_=lambda_)
    return judge(AT_FIVE_PERCENT, replace(window(), elapsed_seconds=1.0, recent=(recent,))).diagnostics


def test_what_is_no_disaster_yet_is_told_with_what_would_be() -> None:
    """A function that fails everybody is told of from the third user on, while the breaker waits for the eighth."""
    assert told(users(2), users(0, 30)) == ()
    words = "5 of the last 5 requests on Lambda failed, for users of 5 buckets; the breaker acts at 8 users' buckets"
    assert told(users(5), users(0, 30)) == (words,)
    assert "at 12 users' buckets" in told(users(5), users(0, 3))[0]  # fewer of legacy's, and more is asked for
    assert told(users(6, 3, a_user=2), users(0, 30))[0].startswith("12 of the last 15 requests")
    assert told(users(1, a_user=200), users(0, 30)) == ()
    assert told(users(4, good=59), users(0, 30)) == ()
    assert told(users(5), users(5, 5)) == ()


def test_what_is_told_comes_true() -> None:
    """The breaker acts at the number of users that was told, and not at one fewer."""
    for legacy in (users(0, 30), users(0, 3)):
        acts = int(told(users(4), legacy)[0].split("acts at ")[1].split(" ")[0])
        assert looked(users(acts), legacy) is Outcome.FAIL
        assert looked(users(acts - 1), legacy) is not Outcome.FAIL
