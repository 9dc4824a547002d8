"""The stretch of time that a query looks at, and how many rows it gives: no query is without either."""

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, and_

from .constructs import moment

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
MAX_LIMIT = 5_000
MAX_SPAN = 400 * 86_400 * SECOND


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` until before `end`, nanoseconds since 1970."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end < 2**63 or self.end - self.start > MAX_SPAN:
            message = f"a window from {self.start} to {self.end} is none: it begins before it ends, within 400 days"
            raise ValueError(message)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start) / SECOND

    def covers(self, column: "Column[int]") -> ColumnElement[bool]:
        """The condition that a time column is in the window."""
        return and_(column >= moment(self.start), column < moment(self.end))

    def whole_minutes(self, present: int) -> "Window":
        """All of each minute that this window touches, until the present: the minutes' table knows no finer time."""
        start, end = self.start // MINUTE * MINUTE, -(-self.end // MINUTE) * MINUTE
        return Window(start, min(end, present) if present > start else end)

    def widened(self, by: int) -> "Window":
        """The window with so many nanoseconds more at both ends: a parent begins earlier, a child ends later."""
        start = max(self.start - by, 0)
        return Window(start, min(max(self.end + by, start + 1), start + MAX_SPAN))


def last(minutes: float, now: int) -> Window:
    """The window of so many minutes until now."""
    return Window(max(now - int(minutes * MINUTE), 0), now + SECOND)


def limited(limit: int) -> int:
    """The limit, between 1 and `MAX_LIMIT`."""
    return min(max(limit, 1), MAX_LIMIT)
