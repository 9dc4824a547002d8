import pytest

from router.gate.evidence import Counts, Histogram, Parity, SideEvidence

from .crowds import Side


@pytest.mark.parametrize(
    "make",
    [
        lambda: Counts(requests=-1),
        lambda: Counts(by_status={200: -1}),
        lambda: Counts(by_status={20: 1}),
        lambda: Histogram(bounds=(1.0, 2.0), counts=(1, 2)),
        lambda: Histogram(bounds=(2.0, 2.0), counts=(1, 2, 3)),
        lambda: Histogram(bounds=(2.0,), counts=(1, -2)),
        lambda: Parity(compared=1, different=2),
        lambda: SideEvidence(buckets={64: Counts()}),
        lambda: SideEvidence(latency={8: Histogram(bounds=(), counts=(1,))}),
    ],
)
def test_what_nobody_can_have_counted_is_refused(make: object) -> None:
    """Evidence that cannot be is a `ValueError` where it is made."""
    with pytest.raises(ValueError, match=r"\w"):
        make()  # type: ignore[operator] # a lambda


def test_a_side_knows_its_requests_and_how_many_buckets_of_users_sent_any() -> None:
    """Requests add up over buckets; a bucket without requests is not seen."""
    side = Side(requests=20, buckets=9).evidence()
    assert (side.requests, side.buckets_seen) == (180, 9)
    assert SideEvidence(buckets={1: Counts(), 2: Counts(requests=3)}).buckets_seen == 1
