"""Windows over readings: what was counted since they began, whatever happens to the counters meanwhile."""

import sys
import zlib
from collections import deque
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.control.evidence import RECENT_SECONDS, Evidence
from router.control.evidence_kept import packed, unpacked
from router.control.falls import fell
from router.gate.evidence import Counts, Histogram, Parity, Reading, RouteEvidence, SideEvidence
from router.gate.sums import difference

KEY = ("r1#1", "books", 1)


@dataclass(slots=True)
class Clock:
    """Seconds that the test counts."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        """Now."""
        return self.seconds


def reading(requests: int, *, node: str = "n1", epoch: str = "1") -> Reading:
    """A node's counters, which have one bucket on Lambda."""
    side = SideEvidence(buckets={7: Counts(requests=requests, by_status={200: requests})})
    return Reading(node=node, epoch=epoch, weights_version=1, at=0.0, routes={"books": RouteEvidence(lambda_=side)})


def requests(evidence: Evidence, *nodes: str) -> int | None:
    """What the window has of the route on Lambda; None: it has no evidence."""
    seen = evidence.seen(KEY, "books", nodes or ("n1",)).evidence
    return seen.lambda_.requests if seen else None


@given(st.lists(st.tuples(st.sampled_from(["count", "restart", "forget"]), st.integers(1, 50)), max_size=40))
def test_a_window_has_what_was_counted_since_it_began(events: list[tuple[str, int]]) -> None:
    """Neither a restart of the counters nor one that Envoy forgets takes away what the window had."""
    clock = Clock()
    evidence = Evidence(clock)
    evidence.heard(reading(100))
    evidence.open(KEY, warm_up_seconds=0.0)
    counted, epoch, expected = 100, 1, 0
    for kind, number in events:
        clock.seconds += 1.0
        match kind:
            case "count":
                counted += number
                expected += number
            case "restart":  # what the new counters have was counted since
                epoch, counted = epoch + 1, number
                expected += number
            case _:  # what came between two readings is lost with it
                counted = min(number, counted - 1) if counted else 0
        evidence.heard(reading(counted, epoch=str(epoch)))
    assert requests(evidence) == expected


@given(
    st.lists(st.tuples(st.sampled_from(["count", "restart", "forget", "crash"]), st.integers(1, 50)), max_size=40),
    st.integers(1, 4),
)
def test_a_window_that_was_kept_counts_nothing_twice(events: list[tuple[str, int]], keeps_every: int) -> None:
    """However often control is killed, and whenever it last kept the window, no request is in it twice.

    None is lost either, but for what counters had that Envoy began at zero between what was kept and the crash.
    """
    clock = Clock()
    evidence = Evidence(clock)
    evidence.heard(reading(100))
    evidence.open(KEY, warm_up_seconds=0.0)
    counted, epoch, expected = 100, 1, 0
    kept = evidence.parts(KEY, ["books"]) or {}
    is_simple = not {"restart", "forget"} & {kind for kind, _ in events}
    for number_of_event, (kind, number) in enumerate(events):
        match kind:
            case "count":
                counted += number
                expected += number
            case "restart":
                epoch, counted = epoch + 1, number
                expected += number
            case "forget":
                counted = min(number, counted - 1) if counted else 0
            case _:
                evidence = Evidence(clock)
                evidence.restore(KEY, unpacked(packed(kept)))
                evidence.open(KEY, warm_up_seconds=0.0)
        evidence.heard(reading(counted, epoch=str(epoch)))
        if number_of_event % keeps_every == 0:
            kept = evidence.parts(KEY, ["books"]) or {}
        found = requests(evidence)
        assert found is not None
        assert found <= expected
        assert found == expected or not is_simple


def test_a_node_that_counts_on_while_control_is_away_loses_nothing() -> None:
    """With the same counters before and after, the window is what it would have been without the crash."""
    clock = Clock()
    evidence = Evidence(clock)
    evidence.heard(reading(100))
    evidence.open(KEY, warm_up_seconds=0.0)
    evidence.heard(reading(130))
    kept = unpacked(packed(evidence.parts(KEY, ["books"]) or {}))
    evidence.heard(reading(190))
    again = Evidence(clock)
    again.restore(KEY, kept)
    again.heard(reading(250))  # before anybody looks
    again.open(KEY, warm_up_seconds=0.0)
    assert requests(again) == 150
    again.heard(reading(260))
    assert requests(again) == 160
    assert requests(again, "n1", "n2") is None
    begun_anew = Evidence(clock)
    begun_anew.restore(KEY, kept)
    begun_anew.open(KEY, warm_up_seconds=0.0)
    begun_anew.heard(reading(20))  # lower, although nobody saw it fall: forgotten, and a second lost
    begun_anew.heard(reading(25))
    assert requests(begun_anew) == 35


def test_the_time_that_was_counted_leaves_out_warm_up_and_outages() -> None:
    """By the node's clock: not the warm-up, not while Envoy was away, but while control was, for nodes count on."""
    clock = Clock()

    def heard(evidence: Evidence, seconds: float, epoch: str = "1") -> float | None:
        clock.seconds += seconds
        evidence.heard(replace(reading(int(clock.seconds), epoch=epoch), at=clock.seconds))
        return evidence.seen(KEY, "books", ("n1",)).counted_seconds

    evidence = Evidence(clock)
    evidence.heard(replace(reading(0), at=clock.seconds))
    evidence.open(KEY, warm_up_seconds=30.0)
    assert [heard(evidence, 29.0), heard(evidence, 2.0), heard(evidence, 10.0)] == [0.0, 2.0, 12.0]
    assert [heard(evidence, 600.0, "2"), heard(evidence, 5.0, "2")] == [12.0, 17.0]
    kept = unpacked(packed(evidence.parts(KEY, ["books"]) or {}))
    again = Evidence(clock)
    again.restore(KEY, kept)
    again.open(KEY, warm_up_seconds=0.0)
    assert heard(again, 100.0, "2") == 117.0
    older = Evidence(clock)
    older.restore(KEY, {node: replace(part, seconds=None, at=None) for node, part in kept.items()})
    older.open(KEY, warm_up_seconds=0.0)
    assert heard(older, 1.0, "2") is None


def test_what_cannot_be_unpacked_is_a_value_error() -> None:
    """Bytes of somebody else, or of a later version, are never taken for evidence."""
    later = zlib.compress(b'{"version": 2}')
    for wrong in (b"", b"x", later, zlib.compress(b"[]"), zlib.compress(b'{"version": 1}')):
        with pytest.raises((ValueError, KeyError, TypeError)):
            unpacked(wrong)


def test_a_window_that_warms_up_keeps_nothing() -> None:
    """It has no evidence yet, and begins anew after a restart."""
    evidence = Evidence(Clock())
    evidence.open(KEY, warm_up_seconds=30.0)
    evidence.heard(reading(10))
    assert evidence.parts(KEY, ["books"]) is None
    assert evidence.parts(("r2", "books", 1), ["books"]) is None


def test_a_warm_up_is_left_out() -> None:
    """What is counted while a weight warms up does not count; what comes after does."""
    clock = Clock()
    evidence = Evidence(clock)
    evidence.heard(reading(10))
    evidence.open(KEY, warm_up_seconds=30.0)
    for seconds, count in ((10, 50), (19, 80), (2, 100)):
        clock.seconds += seconds
        evidence.heard(reading(count))
    assert requests(evidence) == 20


def test_nodes_are_added_up_and_a_silent_one_makes_it_none() -> None:
    """The window is all nodes' together; one that serves and tells nothing makes it none; its age is told."""
    clock = Clock()
    evidence = Evidence(clock)
    evidence.open(KEY, warm_up_seconds=0.0)
    for count in (5, 25):
        evidence.heard(reading(count))
        assert requests(evidence, "n1", "n2") is None
    for count in (1, 4):
        evidence.heard(reading(count, node="n2"))
    assert requests(evidence, "n1", "n2") == 23
    clock.seconds += 20
    evidence.heard(reading(26))
    assert evidence.seen(KEY, "books", ("n1", "n2")).age_seconds == 20
    evidence.forget("n2")
    assert requests(evidence, "n1", "n2") is None
    assert requests(evidence, "n1") == 21


def test_failures_of_the_last_moments_are_seen_without_what_was_well_before() -> None:
    """Where Lambda fails just now the breaker sees shorter spans, too: one has nothing but failures in it."""
    clock = Clock()
    evidence = Evidence(clock)

    def heard(good: int, failed: int) -> None:
        buckets = {bucket: Counts(requests=good, by_status={200: good}) for bucket in range(20)}
        for bucket in range(failed):
            buckets[bucket] = Counts(requests=good + 1, by_status={200: good, 500: 1})
        side = RouteEvidence(lambda_=SideEvidence(buckets=buckets))
        evidence.heard(Reading(node="n1", epoch="1", weights_version=1, at=0.0, routes={"books": side}))
        clock.seconds += 0.5

    heard(0, 0)
    evidence.open(KEY, warm_up_seconds=0.0)
    for second in range(10):
        heard(second, 0)
    assert len(evidence.seen(KEY, "books", ("n1",)).recent) == len(RECENT_SECONDS)
    heard(10, 0)
    heard(10, 4)
    heard(10, 9)
    spans = [(one.lambda_.requests, sum(one.lambda_.columns.by_status.get(500, ()))) for one in _recent(evidence)]
    assert (9, 9) in spans[len(RECENT_SECONDS) :]
    assert spans[0] == (209, 9)
    assert all(failed >= 6 for _, failed in spans)  # spans in which hardly anything failed are not asked for


def _recent(evidence: Evidence) -> tuple[RouteEvidence, ...]:
    return evidence.seen(KEY, "books", ("n1",)).recent


def test_the_last_seconds_are_seen_apart_and_little_is_kept() -> None:
    """The breaker sees the last ten seconds and the last two minutes; hours of readings keep a few dozen of them."""
    clock = Clock()
    evidence = Evidence(clock)
    evidence.heard(reading(0))
    evidence.open(KEY, warm_up_seconds=0.0)
    for second in range(1, 4000):
        clock.seconds += 1.0
        evidence.heard(reading(second))
    short, long = (one.lambda_.requests for one in evidence.seen(KEY, "books", ("n1",)).recent)
    assert short == 10
    assert RECENT_SECONDS[1] <= long <= RECENT_SECONDS[1] + 11
    kept: deque[tuple[float, Reading]] = evidence._readings["n1"]  # noqa: SLF001 - how much memory it takes
    assert len(kept) < 30
    assert sys.getsizeof(kept) < 10_000


sides = st.builds(
    SideEvidence,
    buckets=st.dictionaries(
        st.integers(0, 2),
        st.builds(
            Counts,
            requests=st.integers(0, 3),
            by_status=st.dictionaries(st.sampled_from([200, 502]), st.integers(0, 2)),
            fallbacks=st.integers(0, 1),
            throttles=st.integers(0, 1),
            timeouts=st.integers(0, 1),
            response_bytes=st.integers(0, 1),
        ),
    ),
    latency=st.dictionaries(
        st.integers(0, 1),
        st.builds(
            Histogram,
            bounds=st.sampled_from([(1.0,), (2.0,)]),
            counts=st.tuples(st.integers(0, 1), st.integers(0, 1)),
        ),
    ),
    parity=st.none() | st.builds(Parity, compared=st.integers(2, 3), different=st.integers(0, 2)),
)
readings = st.builds(
    Reading,
    node=st.just("n1"),
    epoch=st.sampled_from(["1", "2"]),
    weights_version=st.just(1),
    at=st.just(0.0),
    routes=st.dictionaries(st.sampled_from(["books", "ink"]), st.builds(RouteEvidence, legacy=sides, lambda_=sides)),
)


@given(readings, readings)
def test_a_fall_is_found_exactly_where_there_is_no_difference(later: Reading, earlier: Reading) -> None:
    """The quick look says that a counter fell whenever the difference of the two readings does not exist."""
    try:
        for route in later.routes.keys() | earlier.routes.keys():
            difference(later, earlier, route)
    except ValueError:
        assert fell(later, earlier)
    else:
        assert not fell(later, earlier)
