import pytest

from adapters.deadline import Deadline, bounded, current, in_force
from adapters.errors import DeadlineExceeded


class Context:
    """A Lambda context with that much time left."""

    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        """What Lambda says."""
        return self._milliseconds


def test_the_invocations_time_less_the_reserve_counts() -> None:
    """A deadline is what remains of the invocation, less what answering needs; a context without time has none."""
    deadline = Deadline.of_context(Context(5000), reserve=0.2)
    assert deadline is not None
    assert 4.7 < deadline.remaining() <= 4.8
    assert Deadline.of_context(object()) is None


def test_the_nearer_bound_wins() -> None:
    """A call is bounded by its setting or by the deadline, whichever is nearer; outside of both by nothing."""
    assert bounded(3.0, "x") == 3.0
    assert bounded(None, "x") is None
    with in_force(Deadline(10.0)):
        assert bounded(3.0, "x") == 3.0
        assert 9.0 < (bounded(None, "x") or 0) <= 10.0
        with in_force(Deadline(1.0)), in_force(Deadline(5.0)):
            assert (bounded(3.0, "x") or 9) <= 1.0
        with in_force(None):
            assert current() is not None
    assert current() is None


def test_no_timer_is_asked_for_more_than_it_takes() -> None:
    """A deadline of years is one of a day: a socket's timer refuses 25 of them."""
    with in_force(Deadline(1e300)):
        assert bounded(None, "x") == pytest.approx(86400, abs=60)


def test_it_says_what_it_was_doing() -> None:
    """After the deadline nothing is begun, and the error says what would have been."""
    with in_force(Deadline(-0.1)), pytest.raises(DeadlineExceeded, match="while reading the orders") as caught:
        bounded(3.0, "reading the orders")
    assert caught.value.doing == "reading the orders"
