"""When a release may move towards Lambda: opening hours and change freezes, in a time zone of their own.

One rule: a reviewer thinks in wall-clock time, the machine in UTC. Hours are turned into instants day by day, so that
a window keeps its wall-clock hours over a clock change: an hour that is skipped is not open, an hour that comes twice
is open twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_HORIZON_DAYS = 400
_WEEK_DAYS = 8
_ONE_DAY = timedelta(days=1)
_ANY_MONDAY = date(2000, 1, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """From when to when on which days: weekdays (Monday is 0) or dates. `until` None is midnight, the day's end.

    Where `until` is before `start`, the hours go on into the next day; where they are the same there are none.
    """

    weekdays: frozenset[int] = frozenset()
    dates: frozenset[date] = frozenset()
    start: time = time(0)
    until: time | None = None

    def has(self, day: date) -> bool:
        """Whether the hours begin on that day."""
        return day.weekday() in self.weekdays or day in self.dates


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A change freeze, from one wall-clock instant to another (exclusive)."""

    start: datetime
    until: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An open window as instants in UTC, end exclusive."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """When a move towards Lambda is allowed. `hours` empty: always, except in a freeze."""

    zone: str = "UTC"
    hours: tuple[Hours, ...] = ()
    freezes: tuple[Freeze, ...] = ()

    def is_open(self, at: datetime) -> bool:
        """Whether a move is allowed at that instant (with a time zone)."""
        return self.freeze_at(at) is None and (not self.hours or any(at in one for one in self._around(at)))

    def freeze_at(self, at: datetime) -> Freeze | None:
        """The change freeze at that instant, or None."""
        return next((one for one in self.freezes if at in self._frozen(one)), None)

    def next_open(self, at: datetime) -> datetime | None:
        """The earliest instant from `at` on at which a move is allowed; None when there is none within 400 days."""
        limit = at + timedelta(days=_HORIZON_DAYS)
        candidate = at
        while candidate <= limit:
            freeze = self.freeze_at(candidate)
            if freeze is not None:
                candidate = self._frozen(freeze).end
                continue
            if not self.hours:
                return candidate
            found = self._opening(candidate, limit)
            if found is None or self.freeze_at(found) is None:
                return found
            candidate = found
        return None

    def closes(self, at: datetime) -> datetime | None:
        """When the window that is open at `at` closes; None when it never does. Meaningful while it is open."""
        ends = [self._frozen(one).start for one in self.freezes if self._frozen(one).start > at]
        end = self._hours_end(at) if self.hours else None
        return min([*ends, *([end] if end else [])], default=None)

    def is_over(self, at: datetime) -> bool:
        """Whether the hours name dates alone, and none of them comes any more."""
        days = {day for one in self.hours for day in one.dates}
        if not days or any(one.weekdays for one in self.hours):
            return False
        return max(days) < (at + timedelta(days=_HORIZON_DAYS)).date() and self.next_open(at) is None

    def is_frozen_throughout(self, at: datetime) -> bool:
        """Whether hours come within 400 days, but freezes cover every one of them."""
        return self.next_open(at) is None and replace(self, freezes=()).next_open(at) is not None

    def ever_opens(self) -> bool:
        """Whether there is any instant, after all freezes or on a named date, at which a move is allowed."""
        days = {day for one in self.hours for day in one.dates}
        if not self.hours or any(one.weekdays for one in self.hours):
            days.add(max((one.until.date() for one in self.freezes), default=_ANY_MONDAY))
        begins = any(self.is_open(start) for day in days for start in self._starts(day - _ONE_DAY, _WEEK_DAYS + 1))
        return begins or any(self._open_after_freeze(one) for one in self.freezes)

    def _open_after_freeze(self, freeze: Freeze) -> bool:
        return self.is_open(self._frozen(freeze).end)

    def _starts(self, first: date, days: int) -> Iterator[datetime]:
        for number in range(days + 1):
            day = first + number * _ONE_DAY
            if not self.hours:
                yield self._instant(day, time(0), last=False)
            yield from (one.start for one in self._of_day(day))

    def _hours_end(self, at: datetime) -> datetime | None:
        """The end of the hours at `at`, those that follow without a gap included; None: within 400 days none ends."""
        end, limit = at, at + timedelta(days=_HORIZON_DAYS)
        while end < limit:
            later = max((one.end for one in self._around(end) if end in one), default=None)
            if later is None:
                return end
            end = later
        return None

    def _opening(self, at: datetime, limit: datetime) -> datetime | None:
        day = at.astimezone(ZoneInfo(self.zone)).date() - 2 * _ONE_DAY
        while True:
            found = [max(one.start, at) for one in self._of_day(day) if one.end > at]
            if found:
                earlier = [max(one.start, at) for one in self._of_day(day + _ONE_DAY) if one.end > at]
                return min(found + earlier)
            day += _ONE_DAY
            if self._instant(day, time(0), last=False) > limit:
                return None

    def _around(self, at: datetime) -> Iterator[Interval]:
        day = at.astimezone(ZoneInfo(self.zone)).date()
        for one in (day - _ONE_DAY, day):
            yield from self._of_day(one)

    def _of_day(self, day: date) -> Iterator[Interval]:
        """The intervals of the hours that begin on `day`; an hour that the clocks skip gives none."""
        for one in self.hours:
            if not one.has(day) or one.until == one.start:
                continue
            overnight = one.until is None or one.until < one.start
            until_day = day + _ONE_DAY if overnight else day
            start = self._instant(day, one.start, last=False)
            end = self._instant(until_day, one.until or time(0), last=True)
            if start < end:
                yield Interval(start=start, end=end)

    def _frozen(self, freeze: Freeze) -> Interval:
        start = self._instant(freeze.start.date(), freeze.start.time(), last=False)
        return Interval(start=start, end=self._instant(freeze.until.date(), freeze.until.time(), last=True))

    def _instant(self, day: date, at: time, *, last: bool) -> datetime:
        """The instant of a wall-clock time; of one that comes twice the first, or the `last`.

        One that is skipped is the instant of the change: what begins or ends there begins or ends with the new time.
        """
        zone = ZoneInfo(self.zone)
        early = datetime.combine(day, at, zone).replace(fold=0)
        late = early.replace(fold=1)
        first, second = early.astimezone(UTC), late.astimezone(UTC)
        if second < first:  # skipped: the two readings lie on both sides of the change
            return _change(zone, second, first)
        return second if last else first


ALWAYS = Windows()


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The instant between the two at which the zone's clocks change."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
