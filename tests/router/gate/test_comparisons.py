from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.gate import shares, sizes
from router.gate.bounds import Asked, Compared
from router.gate.evidence import Columns, Counts, Histogram, SideEvidence
from router.gate.moments import Moments, moments
from router.gate.quantiles import Latencies, compare
from router.gate.values import Harm, Limit, Metric, Relation
from router.gate.verdict import Outcome

from .crowds import BOUNDS, Side, latencies

ERRORS = Limit(metric=Metric.SERVER_ERRORS, limit=0.005, tolerated=0.0005)
P99 = Limit(metric=Metric.LATENCY_P99, limit=1.5, tolerated=1.2)
SIZE = Limit(metric=Metric.RESPONSE_SIZE, limit=2.0, tolerated=1.5, harm=Harm.ANY)


def asked(limit: Limit) -> Asked:
    return Asked(limit=limit.limit, alpha=0.001, edge=0.01, beta=0.05)


def summed(side: Side) -> Moments:
    return moments(side.evidence().columns)


def errors(lambda_: Side, legacy: Side) -> Compared:
    return shares.relative(ERRORS, summed(lambda_), summed(legacy), asked(ERRORS))


def test_each_status_belongs_to_one_metric() -> None:
    """401 and 403, 404 and 410, 429, other 4xx, 3xx without 304, and 5xx are counted apart."""
    statuses = (200, 302, 304, 401, 403, 404, 410, 429, 400, 422, 500, 503)
    found = moments(Columns.of({0: Counts(requests=12, by_status=dict.fromkeys(statuses, 1))})).shares
    totals = {metric: share.total for metric, share in found.items() if share.total}
    assert totals == {
        Metric.REDIRECTS: 1,
        Metric.UNAUTHORIZED: 2,
        Metric.NOT_FOUND: 2,
        Metric.TOO_MANY_REQUESTS: 1,
        Metric.OTHER_CLIENT_ERRORS: 2,
        Metric.SERVER_ERRORS: 2,
    }


def test_a_200_that_legacy_gave_after_lambda_failed_is_a_failure_of_lambda() -> None:
    """Fallbacks count as failed requests beside 5xx, and never more than all requests."""
    found = moments(Columns.of({0: Counts(requests=10, by_status={200: 8, 500: 2}, fallbacks=3)})).shares
    assert found[Metric.SERVER_ERRORS].total == 5
    assert (
        moments(Columns.of({0: Counts(requests=2, by_status={500: 2}, fallbacks=2)})).shares[Metric.SERVER_ERRORS].total
        == 2
    )


def test_equal_even_sides_are_shown_to_be_within_half_a_point() -> None:
    """32,000 requests a side, two in a thousand failing: the difference is 0, and its bounds lie around it."""
    found = errors(Side(), Side())
    assert found.estimate == 0
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < 0 < found.upper < 0.005
    assert found.outcome() is Outcome.PASS


def test_a_point_more_failures_for_everybody_is_shown() -> None:
    """Six failures a bucket instead of one are beyond what is tolerated."""
    assert errors(Side(failed=6), Side()).outcome() is Outcome.FAIL


def test_harm_is_proven_at_the_budget_and_its_size_at_alpha() -> None:
    """What the budget alone would not show to be beyond the tolerated is, once it shows that there is harm."""
    limit = Limit(metric=Metric.REDIRECTS, limit=0.03, tolerated=0.012, harm=Harm.ANY)
    sides = summed(Side(redirects=20)), summed(Side(redirects=10))
    strict = asked(limit)._replace(alpha=1e-6, edge=1e-6)
    both, alone = shares.relative(limit, *sides, strict._replace(edge=0.05)), shares.relative(limit, *sides, strict)
    assert alone.lower is not None
    assert both.lower is not None
    assert 0 < alone.lower < 0.012 < both.lower
    unproven = shares.relative(limit, summed(Side(redirects=11)), sides[1], strict._replace(edge=0.2))
    assert unproven.lower is not None
    assert unproven.lower < 0


def test_a_few_who_fail_everywhere_do_not_hide_what_everybody_meets() -> None:
    """In a tenth of the buckets, on both sides, a quarter fails; a point more for all others is shown all the same."""

    def side(failed: int) -> Moments:
        buckets = dict(Side(failed=failed).evidence().buckets)
        unlucky = Counts(requests=500, by_status={200: 375 - failed, 500: 125 + failed})
        return moments(Columns.of(buckets | dict.fromkeys(range(0, 60, 10), unlucky)))

    assert shares.relative(ERRORS, side(6), side(1), asked(ERRORS)).outcome() is Outcome.FAIL
    assert shares.relative(ERRORS, side(1), side(1), asked(ERRORS)).outcome() is Outcome.INCONCLUSIVE


def test_the_failures_of_one_user_are_one_users() -> None:
    """As many failures more as above, all in one bucket, show nothing."""
    buckets = dict(Side().evidence().buckets)
    buckets[0] = Counts(requests=500, by_status={200: 180, 500: 320})
    found = shares.relative(ERRORS, moments(Columns.of(buckets)), summed(Side()), asked(ERRORS))
    assert found.counted[0] == summed(Side(failed=6)).shares[Metric.SERVER_ERRORS].total - 1
    assert found.outcome() is Outcome.INCONCLUSIVE


def test_a_small_side_without_one_failure_is_not_perfect() -> None:
    """Legacy with 200 requests and none failed does not show that Lambda, at its usual rate, is worse."""
    legacy = Side(requests=5, failed=0, not_found=0, redirects=0, buckets=40)
    assert errors(Side(failed=2), legacy).outcome() is Outcome.INCONCLUSIVE


@given(st.integers(20, 2_000), st.integers(0, 5), st.integers(0, 10))
def test_more_failures_for_everybody_never_look_better(requests: int, failed: int, more: int) -> None:
    """Adding failures to each bucket of Lambda never turns fail into less, nor less into pass."""
    order = [Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL]
    side = {"requests": requests, "not_found": 0, "redirects": 0}
    before = errors(Side(failed=failed, **side), Side(**side)).outcome()
    after = errors(Side(failed=failed + more, **side), Side(**side)).outcome()
    assert order.index(after) >= order.index(before)


def test_fewer_refusals_are_a_change_too() -> None:
    """With `Harm.ANY` a share that falls is judged as one that rises, and its bounds are those of the size."""
    limit = Limit(metric=Metric.NOT_FOUND, limit=0.02, tolerated=0.005, harm=Harm.ANY)
    found = shares.relative(limit, summed(Side(not_found=0)), summed(Side(not_found=20)), asked(limit))
    assert found.estimate == pytest.approx(-0.04)
    assert found.lower is not None
    assert 0.02 < found.lower < 0.04
    assert found.outcome() is Outcome.FAIL


def test_an_absolute_limit_leaves_legacy_aside() -> None:
    """Throttles have no counterpart on legacy: a twentieth breaks a limit of a hundredth, none keeps it."""
    limit = Limit(metric=Metric.THROTTLES, limit=0.01, tolerated=0.001, relation=Relation.ABSOLUTE)
    assert shares.absolute(limit, summed(Side(throttles=25)), asked(limit)).outcome() is Outcome.FAIL
    assert shares.absolute(limit, summed(Side()), asked(limit)).outcome() is Outcome.PASS
    few = summed(Side(requests=2, failed=0, not_found=0, redirects=0))
    assert shares.absolute(limit, few, asked(limit)).outcome() is Outcome.INCONCLUSIVE


def test_what_evidence_is_still_needed_shrinks_with_evidence() -> None:
    """The growth that would decide is above 1 while it is open, and smaller the more there is."""
    few, more = (errors(Side(requests=size), Side(requests=size)).growth for size in (20, 60))
    assert few is not None
    assert more is not None
    assert few > more > 1


def test_quantiles_are_read_inside_the_histograms_buckets() -> None:
    """A hundred values evenly between 10 and 20 ms by their logarithm have their median at the root of 200."""
    side = Latencies({0: Histogram(bounds=(10.0, 20.0), counts=(0, 100, 0))})
    assert isclose(side.quantile(0.5), 200**0.5)
    assert isclose(side.above(200**0.5), 0.5)
    assert Latencies({0: Histogram(bounds=(10.0,), counts=(0, 9))}).quantile(0.5) == float("inf")


def sped(slower: int, requests: int = 32_000) -> Latencies:
    return Latencies(dict.fromkeys(range(8), latencies(requests // 8, slower)))


def test_equal_latencies_are_shown_to_be_within_half_as_much_again() -> None:
    """The ratio is 1, and its bounds lie around it."""
    found = compare(P99, sped(0), sped(0), asked(P99))
    assert found.estimate == pytest.approx(1.0)
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < 1 < found.upper
    assert found.outcome() is Outcome.PASS


def test_a_p99_of_twice_as_much_is_shown() -> None:
    """Four histogram buckets of a fifth each are a factor of 2.07."""
    found = compare(P99, sped(4), sped(0), asked(P99))
    assert found.estimate == pytest.approx(1.2**4, rel=0.01)
    assert found.outcome() is Outcome.FAIL


def test_forty_requests_show_nothing_of_a_p99() -> None:
    """Few requests leave a p99 without an upper bound."""
    found = compare(P99, sped(0, 40), sped(0), asked(P99))
    assert found.upper is None
    assert found.outcome() is Outcome.INCONCLUSIVE


def test_folds_that_differ_widen_the_bounds() -> None:
    """When a fold's users are slow as such, a p99 is known less well than its requests would have it."""
    uneven = Latencies({fold: latencies(4_000, 3 if fold == 0 else 0) for fold in range(8)})
    even, rough = compare(P99, sped(0), sped(0), asked(P99)), compare(P99, uneven, uneven, asked(P99))
    assert even.upper is not None
    assert rough.upper is None or rough.upper > even.upper


def test_a_p99_may_be_limited_in_milliseconds() -> None:
    """An absolute limit compares Lambda's own quantile."""
    limit = Limit(metric=Metric.LATENCY_P99, limit=500.0, tolerated=400.0, relation=Relation.ABSOLUTE)
    assert compare(limit, sped(0), None, asked(limit)).outcome() is Outcome.PASS
    assert compare(limit, sped(14), None, asked(limit)).outcome() is Outcome.FAIL


def test_latencies_above_the_last_bound_are_at_least_that() -> None:
    """Beyond the histogram a quantile has no upper bound; on legacy it makes the comparison impossible."""
    beyond = Latencies(dict.fromkeys(range(8), Histogram(bounds=BOUNDS, counts=(*[0] * len(BOUNDS), 999))))
    found = compare(P99, beyond, sped(0), asked(P99))
    assert found.upper is None
    assert found.outcome() is Outcome.FAIL
    assert compare(P99, sped(0), beyond, asked(P99)).estimate is None


def test_empty_answers_are_found() -> None:
    """Answers without a body where legacy has 900 bytes are another size, though their logarithm has no bottom."""
    found = sizes.relative(SIZE, summed(Side(bytes_each=0)), summed(Side()), asked(SIZE))
    assert found.outcome() is Outcome.FAIL
    assert sizes.relative(SIZE, summed(Side()), summed(Side()), asked(SIZE)).outcome() is Outcome.PASS


def test_one_bucket_shows_nothing_of_sizes() -> None:
    """How sizes vary between users cannot be told from one bucket of them."""
    one = moments(SideEvidence(buckets={0: Counts(requests=10, response_bytes=9_000)}).columns)
    assert sizes.relative(SIZE, one, one, asked(SIZE)).outcome() is Outcome.INCONCLUSIVE
    limit = Limit(metric=Metric.RESPONSE_SIZE, limit=2_000.0, tolerated=1_500.0, relation=Relation.ABSOLUTE)
    assert sizes.absolute(limit, one, asked(limit)).outcome() is Outcome.INCONCLUSIVE
    assert sizes.absolute(limit, summed(Side()), asked(limit)).outcome() is Outcome.PASS
