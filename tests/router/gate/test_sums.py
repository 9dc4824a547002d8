from dataclasses import replace

import pytest
from hypothesis import given

from router.gate.evidence import Counts, Histogram, Reading, RouteEvidence, SideEvidence
from router.gate.sums import difference, total

from . import strategies


def reading(evidence: RouteEvidence, epoch: str = "a") -> Reading:
    return Reading(node="router-1", epoch=epoch, weights_version=1, at=0.0, routes={"books": evidence})


def tidy(evidence: RouteEvidence) -> RouteEvidence:
    """The evidence without the zeros that may as well be absent."""
    return RouteEvidence(legacy=_tidy(evidence.legacy), lambda_=_tidy(evidence.lambda_))


def _tidy(side: SideEvidence) -> SideEvidence:
    return replace(
        side,
        buckets={key: one for key, one in side.buckets.items() if one != Counts()},
        latency={key: one for key, one in side.latency.items() if any(one.counts)},
        cold_latency={key: one for key, one in side.cold_latency.items() if any(one.counts)},
    )


@given(strategies.evidence, strategies.evidence)
def test_what_came_after_a_reading_is_its_difference_to_the_next(first: RouteEvidence, more: RouteEvidence) -> None:
    """Counting `more` after `first` and taking the difference gives `more` again."""
    later, earlier = reading(total([first, more])), reading(first)
    assert tidy(difference(later, earlier, "books")) == tidy(more)


@given(strategies.evidence, strategies.evidence, strategies.evidence)
def test_nodes_add_up_in_any_order(one: RouteEvidence, two: RouteEvidence, three: RouteEvidence) -> None:
    """A total does not depend on the order, nor on which nodes were added first."""
    assert tidy(total([one, two, three])) == tidy(total([total([three, one]), two]))


@given(strategies.evidence, strategies.evidence)
def test_a_new_epoch_counts_from_zero(before: RouteEvidence, after: RouteEvidence) -> None:
    """When Envoy's counters began again, all that they hold is new."""
    assert difference(reading(after, "b"), reading(before, "a"), "books") == after


def test_counters_that_fall_within_an_epoch_are_refused() -> None:
    """A counter that lost something without a new epoch is nothing to judge by."""
    later = reading(RouteEvidence())
    earlier = reading(RouteEvidence(legacy=SideEvidence(buckets={3: Counts(requests=2)})))
    with pytest.raises(ValueError, match="below zero"):
        difference(later, earlier, "books")


def test_readings_of_two_nodes_have_no_difference() -> None:
    """Differences are of one node; nodes are added afterwards."""
    with pytest.raises(ValueError, match="two nodes"):
        difference(reading(RouteEvidence()), replace(reading(RouteEvidence()), node="router-2"), "books")


def test_a_route_that_was_not_counted_before_begins_at_nothing() -> None:
    """A route that started to move after the earlier reading has all its counts in the difference."""
    side = SideEvidence(buckets={3: Counts(requests=2)})
    before = replace(reading(RouteEvidence()), routes={})
    assert difference(reading(RouteEvidence(lambda_=side)), before, "books").lambda_ == side
    assert difference(before, before, "carts") == RouteEvidence()


def test_histograms_of_other_bounds_are_never_added() -> None:
    """Two nodes with different histogram settings are a fault, not a sum."""
    one, other = (
        RouteEvidence(legacy=SideEvidence(latency={0: Histogram(bounds=(bound,), counts=(1, 1))})) for bound in (1.0, 2)
    )
    with pytest.raises(ValueError, match="different bounds"):
        total([one, other])
