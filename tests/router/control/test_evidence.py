"""Windows over readings: what was counted since they began, whatever happens to the counters meanwhile."""

import sys
from collections import deque
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from router.control.evidence import RECENT_SECONDS, Evidence
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
