"""How long a call may still take: what remains of the invocation, less a reserve for answering.

One rule: nothing that this package waits for is waited for longer than the `Deadline` in force. `handler` sets it from
the invocation's context; outside of an invocation there is none, and the settings alone bound a call.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from .errors import DeadlineExceeded

RESERVE_SECONDS = 0.2
"""What is kept for closing, rolling back and answering when a call ran into the deadline."""


GRACE_SECONDS = RESERVE_SECONDS / 2
"""What of it an undoing may take, of which the deadline itself leaves nothing."""

_LONGEST_SECONDS = 86400.0
"""What every timer takes: a socket's refuses 25 days."""


class Deadline:
    """A moment, on a monotonic clock in seconds, after which nothing may be waited for."""

    __slots__ = ("_at", "_clock")

    def __init__(self, seconds: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._at = clock() + min(seconds, _LONGEST_SECONDS)

    @classmethod
    def of_context(cls, context: object, *, reserve: float = RESERVE_SECONDS) -> "Deadline | None":
        """The deadline of a Lambda invocation; None where `context` cannot tell."""
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        return None if remaining is None else cls(remaining() / 1000 - reserve)

    def remaining(self) -> float:
        """The seconds that are left; negative after the deadline."""
        return self._at - self._clock()

    def bound(self, seconds: float | None, doing: str, *, nothing_done: bool = False) -> float:
        """`seconds`, or what is left where that is less. Raises `DeadlineExceeded`, which says what it was `doing`.

        `nothing_done`: what is about to be done has not begun, and would be undone with what came before it.
        """
        left = self.remaining()
        if left <= 0:
            raise DeadlineExceeded(doing, nothing_done=nothing_done)
        return left if seconds is None or left < seconds else seconds


_in_force: ContextVar[Deadline | None] = ContextVar("adapters_deadline", default=None)


def current() -> Deadline | None:
    """The deadline in force, or None outside of an invocation."""
    return _in_force.get()


def bounded(seconds: float | None, doing: str, *, nothing_done: bool = False) -> float | None:
    """`seconds`, or less where the deadline in force leaves less; None is unbounded. Raises `DeadlineExceeded`."""
    deadline = _in_force.get()
    return seconds if deadline is None else deadline.bound(seconds, doing, nothing_done=nothing_done)


def in_force(deadline: Deadline | None) -> "_InForce":
    """Put a deadline in force until the block ends; of two, the earlier counts."""
    return _InForce(deadline)


@contextmanager
def undoing(deadline: Deadline) -> Iterator[None]:
    """Have at least the grace until the block ends, although the `deadline` in force may be over."""
    token = _in_force.set(Deadline(max(deadline.remaining(), GRACE_SECONDS)))
    try:
        yield
    finally:
        _in_force.reset(token)


class _InForce:
    """The block; a class, since a generator takes thrice as long, and every operation on a database has some."""

    __slots__ = ("_deadline", "_token")

    def __init__(self, deadline: Deadline | None) -> None:
        self._deadline = deadline

    def __enter__(self) -> None:
        deadline, outer = self._deadline, _in_force.get()
        is_outer = deadline is None or (outer is not None and outer.remaining() < deadline.remaining())
        self._token = _in_force.set(outer if is_outer else deadline)

    def __exit__(self, *_raised: object) -> None:
        _in_force.reset(self._token)
