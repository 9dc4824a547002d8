from dataclasses import replace
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.gate.evidence import BUCKETS, FOLDS, Histogram, Parity, RouteEvidence, SideEvidence
from router.gate.judge import judge, spending
from router.gate.values import DEFAULT_LIMITS, Gate, Limit, Metric, Relation
from router.gate.verdict import Baseline, Code, Outcome, Verdict
from router.gate.window import Window
from router.weight import Weight

from . import strategies
from .crowds import Side, latencies, window, with_version

GATE = Gate()
MUCH = Side(requests=4_000, failed=8, not_found=40, redirects=80)


def codes(verdict: Verdict) -> list[Code]:
    return [reason.code for reason in verdict.reasons]


def test_equal_sides_with_much_evidence_pass() -> None:
    """Every limit is shown to be kept, by users of this window."""
    verdict = judge(GATE, window(MUCH, MUCH))
    assert verdict.outcome is Outcome.PASS
    assert codes(verdict) == [Code.KEPT]
    assert verdict.baseline is Baseline.SAME_WINDOW
    assert verdict.needed is None


def test_a_broken_limit_fails_and_is_named() -> None:
    """A point more failures rolls back, and the reason has the figures."""
    verdict = judge(GATE, window(replace(MUCH, failed=48), MUCH))
    assert verdict.outcome is Outcome.FAIL
    assert codes(verdict) == [Code.LIMIT]
    assert (
        "failed requests (5xx and fallbacks): Lambda 3072 of 256000, legacy 512 of 256000" in verdict.reasons[0].words
    )


def test_fallbacks_break_the_limit_though_every_user_got_a_200() -> None:
    """Legacy answered for a Lambda that fails in a hundredth of the requests: rolled back."""
    verdict = judge(GATE, window(replace(MUCH, fallbacks=40), MUCH))
    assert verdict.outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("change", "metric"),
    [
        ({"not_found": 200}, Metric.NOT_FOUND),
        ({"redirects": 0}, Metric.REDIRECTS),
        ({"throttles": 80}, Metric.THROTTLES),
        ({"bytes_each": 100}, Metric.RESPONSE_SIZE),
        ({"slower": 3}, Metric.LATENCY_P50),
    ],
)
def test_each_default_metric_can_fail(change: dict[str, int], metric: Metric) -> None:
    """Other statuses, redirects that are gone, throttles, sizes and latencies are judged by default."""
    verdict = judge(GATE, window(replace(MUCH, **change), MUCH))
    assert verdict.outcome is Outcome.FAIL
    assert metric in {one.metric for one in verdict.findings if one.outcome is Outcome.FAIL}


def test_missing_and_stale_evidence_is_an_error() -> None:
    """A node that says nothing, or said it long ago, holds: nothing is promoted on hearsay."""
    good = window(MUCH, MUCH)
    assert codes(judge(GATE, replace(good, evidence=None))) == [Code.NO_EVIDENCE]
    stale = judge(GATE, replace(good, age_seconds=16.0))
    assert (stale.outcome, codes(stale)) == (Outcome.ERROR, [Code.STALE])


def test_a_warm_up_is_waited_for() -> None:
    """Until the warm-up is over a step is inconclusive, and says for how long."""
    verdict = judge(GATE, replace(window(replace(MUCH, failed=48), MUCH), elapsed_seconds=10.0))
    assert (verdict.outcome, codes(verdict)) == (Outcome.INCONCLUSIVE, [Code.WARM_UP])
    assert verdict.needed is not None
    assert verdict.needed.seconds == 20.0


def test_another_version_restarts_the_evidence_and_holds() -> None:
    """Answers of two versions, or of another than at the step's start, belong to nobody; with `pin` it is an error."""
    good = window(MUCH, MUCH)
    assert judge(GATE, with_version(good, v41=9)).outcome is Outcome.PASS
    for changed in (with_version(good, v41=5, v42=4), replace(with_version(good, v42=9), version="41")):
        verdict = judge(GATE, changed)
        assert (verdict.outcome, codes(verdict)) == (Outcome.INCONCLUSIVE, [Code.VERSION_CHANGED])
        assert verdict.restart
        assert judge(Gate(pin=True), changed).outcome is Outcome.ERROR
    assert codes(judge(Gate(pin=True), with_version(good, vLATEST=9))) == [Code.PIN]
    assert judge(Gate(pin=True), with_version(good, v41=9)).outcome is Outcome.PASS


def test_one_request_a_minute_holds_and_says_how_long_a_verdict_needs() -> None:
    """Four hours of one request a minute and side decide nothing; more than a day is needed."""
    few = Side(requests=4, failed=0, not_found=0, redirects=0)
    verdict = judge(GATE, replace(window(few, few), elapsed_seconds=256 * 60.0))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.needed is not None
    assert verdict.needed.seconds is not None
    assert 86_400 < verdict.needed.seconds < 30 * 86_400
    assert "at the present traffic" in verdict.needed.words


def test_what_is_foretold_counts_neither_warm_up_nor_outages() -> None:
    """The present traffic is that of the time in which it was counted, however long the weight is in force."""
    few = Side(requests=4, failed=0, not_found=0, redirects=0)
    counted = window(few, few)
    requests = 64 * 4
    for elapsed, known, seconds in ((630.0, None, 600.0), (3630.0, 600.0, 600.0), (630.0, 60.0, 60.0)):
        verdict = judge(GATE, replace(counted, elapsed_seconds=elapsed, counted_seconds=known))
        assert verdict.needed is not None
        assert verdict.needed.requests is not None
        assert verdict.needed.seconds == pytest.approx(verdict.needed.requests * seconds / requests)


def test_of_next_to_nothing_no_time_is_foretold() -> None:
    """Six requests in the first seconds say too little about the traffic, and two seconds too."""
    one = Side(requests=1, buckets=6, failed=0, not_found=0, redirects=0)
    two = replace(one, requests=2, buckets=64)
    brief = window(two, two)
    for early, said in (
        (replace(window(one, one), elapsed_seconds=45.0), "6 requests on Lambda in 15 s so far"),
        (replace(brief, counted_seconds=2.0), "128 requests on Lambda in 2 s so far"),
    ):
        needed = judge(GATE, early).needed
        assert needed is not None
        assert (needed.requests, needed.seconds) == (None, None)
        assert needed.words == f"too early to say how long a verdict takes: {said}"


def test_a_limit_that_nothing_is_known_of_is_named() -> None:
    """Latencies that nobody counted have no estimate; the others keep theirs."""
    side = Side(requests=4, failed=0, not_found=0, redirects=0)
    few = window(side, side)
    assert few.evidence is not None
    bare = replace(few.evidence, lambda_=replace(few.evidence.lambda_, latency={}))
    needed = judge(GATE, replace(few, evidence=bare)).needed
    assert needed is not None
    assert (needed.requests, needed.seconds) == (None, None)
    assert needed.words.startswith("no estimate for latency p50, latency p95, latency p99: ")
    assert "; for the others about " in needed.words


def test_a_step_without_traffic_holds() -> None:
    """No request on Lambda: too few, and nothing can be foretold."""
    empty = RouteEvidence(legacy=MUCH.evidence())
    verdict = judge(GATE, replace(window(weight=100), evidence=empty))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert codes(verdict)[:2] == [Code.FEW_REQUESTS, Code.FEW_USERS]
    assert verdict.needed is not None
    assert verdict.needed.requests is None


def test_users_of_few_buckets_are_not_enough() -> None:
    """However many requests they send, users of five buckets are too few to judge by."""
    five = replace(MUCH, buckets=5)
    verdict = judge(GATE, replace(window(five, MUCH), weight=Weight(700)))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert Code.FEW_USERS in codes(verdict)


def test_a_split_that_does_not_fit_the_weight_is_not_trusted() -> None:
    """Half of the users on Lambda at a weight of a twentieth: the evidence is wrong somewhere."""
    verdict = judge(GATE, window(MUCH, MUCH, weight=500))
    assert (verdict.outcome, codes(verdict)) == (Outcome.ERROR, [Code.SPLIT])


def test_mistrust_never_stops_a_rollback() -> None:
    """A broken limit fails although the split is wrong too: going back to legacy is always safe."""
    assert judge(GATE, window(replace(MUCH, failed=48), MUCH, weight=500)).outcome is Outcome.FAIL


def test_heavy_users_alone_are_no_wrong_split() -> None:
    """One bucket with nearly all of the requests moves the share of requests, not that of users."""
    lambda_ = dict(Side(requests=20).evidence().buckets)
    lambda_[3] = replace(lambda_[3], requests=9_000)
    evidence = RouteEvidence(legacy=Side(requests=20).evidence(), lambda_=SideEvidence(buckets=lambda_))
    verdict = judge(GATE, replace(window(), evidence=evidence))
    assert Code.SPLIT not in codes(verdict)


def test_nobody_on_lambda_at_half_is_a_wrong_split() -> None:
    """A weight that is not in force shows in the buckets, however few requests there are."""
    evidence = RouteEvidence(legacy=Side(requests=20).evidence())
    assert codes(judge(GATE, replace(window(), evidence=evidence))) == [Code.SPLIT]


def test_at_full_weight_the_last_legacy_baseline_stands_in_and_is_named() -> None:
    """Without users of its own legacy is what it was in its last step; without that, the step holds."""
    alone = RouteEvidence(lambda_=MUCH.evidence())
    full = replace(window(weight=10_000), evidence=alone)
    verdict = judge(GATE, replace(full, baseline=MUCH.evidence()))
    assert (verdict.outcome, verdict.baseline) == (Outcome.PASS, Baseline.LAST)
    assert "last legacy baseline" in verdict.reasons[0].words
    worse = replace(full, evidence=RouteEvidence(lambda_=replace(MUCH, failed=48).evidence()), baseline=MUCH.evidence())
    assert judge(GATE, worse).outcome is Outcome.FAIL
    held = judge(GATE, full)
    assert (held.outcome, codes(held)[0]) == (Outcome.INCONCLUSIVE, Code.NO_BASELINE)


def test_absolute_limits_need_no_legacy_at_all() -> None:
    """A gate of absolute limits decides at full weight by Lambda alone."""
    limit = Limit(metric=Metric.SERVER_ERRORS, limit=0.01, tolerated=0.005, relation=Relation.ABSOLUTE)
    alone = replace(window(weight=10_000), evidence=RouteEvidence(lambda_=MUCH.evidence()))
    assert judge(Gate(limits=(limit,)), alone).outcome is Outcome.PASS


def test_a_holdback_is_named() -> None:
    """Users that are kept on legacy on purpose are compared with, and the verdict says so."""
    legacy = Side(requests=200, failed=0, not_found=2, redirects=4)
    held = replace(window(MUCH, legacy, weight=9_520), holdback=True)
    assert judge(GATE, held).baseline is Baseline.HOLDBACK


def test_parity_is_judged_where_answers_are_compared() -> None:
    """A limit on parity passes and fails by compared answers, and is an error where nothing is compared."""
    limit = Limit(metric=Metric.PARITY, limit=0.02, tolerated=0.01, relation=Relation.ABSOLUTE)
    gate = Gate(limits=(limit,))

    def compared(parity: Parity | None) -> Window:
        return replace(
            window(), evidence=RouteEvidence(legacy=MUCH.evidence(), lambda_=replace(MUCH.evidence(), parity=parity))
        )

    assert judge(gate, compared(Parity(compared=20_000, different=20))).outcome is Outcome.PASS
    assert judge(gate, compared(Parity(compared=20_000, different=1_000))).outcome is Outcome.FAIL
    assert judge(gate, compared(Parity(compared=20, different=0))).outcome is Outcome.INCONCLUSIVE
    legacy = replace(MUCH.evidence(), parity=Parity(compared=20_000, different=20))
    both = RouteEvidence(legacy=legacy, lambda_=MUCH.evidence())
    assert judge(gate, replace(window(), evidence=both)).findings[0].lambda_requests == 20_000
    assert codes(judge(gate, compared(None))) == [Code.NO_PARITY]


def test_cold_starts_are_left_out_of_latencies_and_told() -> None:
    """A tenth of the requests start environments and take six times as long: all limits are kept, they are named."""
    equal = window(MUCH, MUCH)
    assert equal.evidence is not None
    cold = dict.fromkeys(range(FOLDS), latencies(4_000, 10))
    lambda_ = replace(equal.evidence.lambda_, cold_latency=cold)
    verdict = judge(GATE, replace(equal, evidence=replace(equal.evidence, lambda_=lambda_)))
    assert verdict.outcome is Outcome.PASS
    assert (
        "cold starts, left out of latencies: 32000 of 288000 requests (11.11%), 95 % within " in verdict.diagnostics[0]
    )
    mixed = dict.fromkeys(range(FOLDS), sums_of(latencies(28_000), latencies(4_000, 10)))
    lambda_ = replace(equal.evidence.lambda_, latency=mixed)
    verdict = judge(GATE, replace(equal, evidence=replace(equal.evidence, lambda_=lambda_)))
    assert (verdict.outcome, verdict.diagnostics) == (Outcome.FAIL, ())


def test_without_cold_starts_none_are_told_and_one_limit_is_the_limit() -> None:
    """Where a handler marks them and none came, there is nothing to say; a gate of one limit has one."""
    equal = window(MUCH, MUCH)
    assert equal.evidence is not None
    none = replace(latencies(4_000, 10), counts=(0,) * len(latencies(4_000, 10).counts))
    lambda_ = replace(equal.evidence.lambda_, cold_latency={0: none})
    one = Gate(limits=DEFAULT_LIMITS[:1])
    verdict = judge(one, replace(equal, evidence=replace(equal.evidence, lambda_=lambda_)))
    assert (verdict.outcome, verdict.diagnostics) == (Outcome.PASS, ())
    assert verdict.reasons[0].words.startswith("the limit is kept, against ")


def sums_of(one: Histogram, other: Histogram) -> Histogram:
    return replace(one, counts=tuple(map(add, one.counts, other.counts)))


def test_limits_are_eased_where_few_users_are_on_lambda() -> None:
    """What passes at 1 % does not yet at 16 %; what is beyond the tolerated rolls back at 1 % too."""
    few, many = Side(requests=20, failed=0), Side(requests=3_000, failed=0)
    at = {parts: judge(GATE, replace(window(few, many), weight=Weight(parts))).findings[0] for parts in (100, 1_600)}
    assert [(one.limit, one.outcome) for one in at.values()] == [
        (0.02, Outcome.PASS),
        (0.005, Outcome.INCONCLUSIVE),
    ]
    broken = judge(GATE, replace(window(Side(requests=20, failed=2), many), weight=Weight(100)))
    assert broken.findings[0].outcome is Outcome.FAIL


def test_cold_starts_have_a_limit_of_their_own() -> None:
    """Their p95 in milliseconds is judged where the handler marks them; without any it is kept."""
    limit = Limit(metric=Metric.COLD_P95, limit=300.0, tolerated=250.0, relation=Relation.ABSOLUTE)
    gate = Gate(limits=(limit,))

    def started(slower: int, requests: int) -> Window:
        cold = dict.fromkeys(range(FOLDS), latencies(requests, slower)) if requests else {}
        lambda_ = replace(MUCH.evidence(), cold_latency=cold)
        return replace(window(), evidence=RouteEvidence(legacy=MUCH.evidence(), lambda_=lambda_))

    assert judge(gate, started(0, 2_000)).outcome is Outcome.PASS
    assert judge(gate, started(12, 2_000)).outcome is Outcome.FAIL
    assert judge(gate, started(0, 3)).outcome is Outcome.INCONCLUSIVE
    assert judge(gate, started(0, 0)).outcome is Outcome.PASS


@given(st.integers(0, 40), st.integers(0, 40), st.integers(100, 10_000))
def test_a_lambda_that_fails_more_never_gets_a_better_verdict(failed: int, more: int, requests: int) -> None:
    """The same failures added for everybody never turn fail into less, nor anything else into pass."""
    order = [Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL]
    legacy = Side(requests=requests, failed=requests // 500)
    before, after = (
        judge(GATE, window(Side(requests=requests, failed=one), legacy)) for one in (failed, failed + more)
    )
    assert order.index(after.outcome) >= order.index(before.outcome)


def test_the_error_budget_is_spent_over_all_limits_and_steps() -> None:
    """The parts of one step add up to its share of alpha."""
    assert sum(spending(GATE, 5).values()) == pytest.approx(GATE.alpha / 5)
    assert len(spending(GATE, 5)) == len(DEFAULT_LIMITS)


@given(strategies.evidence, st.sampled_from((1, 100, 5_000, 10_000)))
def test_whatever_was_counted_there_is_a_verdict(evidence: RouteEvidence, weight: int) -> None:
    """Odd evidence (few buckets, empty histograms, several versions) is judged like any other."""
    gate = Gate(minimum_requests=1, minimum_users=1)
    look = Window(evidence=evidence, weight=Weight(weight), elapsed_seconds=60.0, recent=(evidence,))
    assert judge(gate, look).reasons
    one = replace(evidence.lambda_, executed_versions={})
    assert judge(gate, replace(look, evidence=replace(evidence, lambda_=one))).reasons


def test_latencies_that_lie_on_the_limit_are_judged() -> None:
    """Where Lambda is just at the limit, evidence does not say how long it takes, and nothing is divided by it."""
    limit = Limit(metric=Metric.LATENCY_P99, limit=1.5, tolerated=1.0)
    found = judge(Gate(limits=(limit,)), window(Side(requests=20), Side(requests=20))).findings[0]
    assert found.estimate == pytest.approx(1.0)


@given(st.integers(0, 20), st.integers(0, BUCKETS), st.sampled_from((100, 5_000, 10_000)))
def test_a_verdict_survives_json(failed: int, buckets: int, weight: int) -> None:
    """What the ledger keeps is read back as the same verdict."""
    verdict = judge(GATE, window(Side(failed=failed, buckets=buckets), Side(), weight=weight))
    assert Verdict.from_json(verdict.to_json()) == verdict


@given(
    st.sampled_from((500, 4_000)),
    st.sampled_from(({}, {"failed": 3}, {"failed": 40}, {"fallbacks": 9}, {"bytes_each": 1_500}, {"slower": 1})),
    st.sampled_from((100, 5_000)),
)
def test_what_a_look_decides_is_what_its_bounds_say(requests: int, change: dict[str, int], weight: int) -> None:
    """A look works out only the bound that may decide; the bounds that are shown later say the same of every limit."""
    side = Side(requests=requests, failed=2, not_found=40, redirects=80)
    for one in judge(GATE, window(replace(side, **change), side, weight=weight)).findings:
        is_broken = one.lower is not None and one.lower > one.tolerated
        is_kept = one.upper is not None and one.upper < one.limit
        expected = Outcome.FAIL if is_broken else Outcome.PASS if is_kept else Outcome.INCONCLUSIVE
        assert one.outcome is expected, one
