from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router.release.windows import Freeze, Hours, Windows

WORKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def zurich(*hours: Hours, freezes: tuple[Freeze, ...] = ()) -> Windows:
    return Windows(zone="Europe/Zurich", hours=hours, freezes=freezes)


OFFICE = Hours(weekdays=WORKDAYS, start=time(8, 30), until=time(16))


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-27T07:29", False),  # winter time: 08:30 is 07:30 UTC
        ("2026-03-27T07:30", True),
        ("2026-03-30T06:30", True),  # the Monday after the clocks went forward
        ("2026-03-30T06:29", False),
        ("2026-10-23T06:30", True),
        ("2026-10-26T06:30", False),  # the Monday after they went back
        ("2026-10-26T07:30", True),
        ("2026-10-26T15:00", False),
        ("2026-10-24T10:00", False),  # a Saturday
    ],
)
def test_hours_keep_their_wall_clock_over_both_clock_changes(at: str, is_open: bool) -> None:  # noqa: FBT001 - the case
    """Half past eight is half past eight in summer and in winter."""
    assert zurich(OFFICE).is_open(utc(at)) is is_open


def test_an_hour_that_is_skipped_is_never_open() -> None:
    """On 29 March 2026 there is no 02:30; a window inside that hour opens on the next day."""
    windows = zurich(Hours(weekdays=EVERY_DAY, start=time(2), until=time(3)))
    assert windows.next_open(utc("2026-03-29T00:30")) == utc("2026-03-30T00:00")


def test_a_window_around_the_skipped_hour_is_an_hour_shorter() -> None:
    """From 01:30 to 04:30 on that night it is two hours long."""
    windows = zurich(Hours(weekdays=EVERY_DAY, start=time(1, 30), until=time(4, 30)))
    assert windows.next_open(utc("2026-03-29T00:00")) == utc("2026-03-29T00:30")
    assert windows.closes(utc("2026-03-29T00:30")) == utc("2026-03-29T02:30")


def test_what_opens_in_the_skipped_hour_opens_with_the_new_time() -> None:
    """A window from 02:30 opens when the clocks show 03:00."""
    windows = zurich(Hours(weekdays=EVERY_DAY, start=time(2, 30), until=time(5)))
    assert windows.next_open(utc("2026-03-29T00:00")) == utc("2026-03-29T01:00")


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    """On 25 October 2026 the window from 02:00 to 03:00 is two hours long."""
    windows = zurich(Hours(weekdays=EVERY_DAY, start=time(2), until=time(3)))
    assert windows.next_open(utc("2026-10-24T12:00")) == utc("2026-10-25T00:00")
    assert windows.closes(utc("2026-10-25T00:30")) == utc("2026-10-25T02:00")
    assert windows.is_open(utc("2026-10-25T01:30"))


def test_hours_may_go_over_midnight() -> None:
    """From 22:00 to 02:00 on Fridays is open on Saturday morning, not on Friday morning."""
    windows = Windows(hours=(Hours(weekdays=frozenset({4}), start=time(22), until=time(2)),))
    assert windows.is_open(utc("2026-11-07T01:59"))
    assert not windows.is_open(utc("2026-11-06T01:00"))
    assert windows.closes(utc("2026-11-06T23:00")) == utc("2026-11-07T02:00")


def test_whole_days_that_follow_each_other_do_not_close_between() -> None:
    """Monday to Friday from 00:00 to 24:00 closes once a week; every day, never."""
    week = Windows(hours=(Hours(weekdays=WORKDAYS, start=time(0), until=None),))
    assert week.closes(utc("2026-11-02T10:00")) == utc("2026-11-07T00:00")
    always = Windows(hours=(Hours(weekdays=EVERY_DAY, start=time(0), until=None),))
    assert always.closes(utc("2026-11-02T10:00")) is None


def test_a_freeze_shuts_what_the_hours_open() -> None:
    """It is named, the window closes where it begins, and opens in the first hours after it."""
    freeze = Freeze(
        start=datetime.fromisoformat("2026-12-18 12:00"), until=datetime.fromisoformat("2027-01-05"), reason="year end"
    )
    windows = zurich(OFFICE, freezes=(freeze,))
    assert windows.closes(utc("2026-12-18T09:00")) == utc("2026-12-18T11:00")
    assert windows.freeze_at(utc("2026-12-24T09:00")) == freeze
    assert windows.next_open(utc("2026-12-18T11:00")) == utc("2027-01-05T07:30")


def test_a_date_opens_once() -> None:
    """After its day it never opens again, and before a freeze that covers it it is known that it never will."""
    windows = Windows(hours=(Hours(dates=frozenset({date(2026, 12, 5)}), start=time(20), until=time(23)),))
    assert windows.ever_opens()
    assert windows.next_open(utc("2026-11-01T00:00")) == utc("2026-12-05T20:00")
    assert windows.next_open(utc("2026-12-06T00:00")) is None
    midday = datetime.fromisoformat("2026-12-05 12:00")
    partly = Windows(hours=windows.hours, freezes=(Freeze(start=midday, until=midday + timedelta(hours=10)),))
    assert partly.ever_opens()
    assert not Windows(
        hours=windows.hours, freezes=(Freeze(start=midday, until=midday + timedelta(days=9)),)
    ).ever_opens()


zones = st.sampled_from(["UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(
    zone=zones,
    start=clocks,
    until=st.none() | clocks,
    days=st.frozensets(st.integers(0, 6), min_size=1),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - hypothesis adds the zone below
)
@example(
    zone="America/New_York",
    start=time(1, 6),
    until=time(1, 6),
    days=frozenset({6}),
    at=datetime(2026, 1, 1),  # noqa: DTZ001
)
def test_opening_and_closing_agree_with_being_open(
    zone: str, start: time, until: time | None, days: frozenset[int], at: datetime
) -> None:
    """The next opening is open and nothing before it is; the closing is shut and nothing before it is."""
    windows = Windows(zone=zone, hours=(Hours(weekdays=days, start=start, until=until),))
    now = at.replace(tzinfo=UTC)
    opening = windows.next_open(now)
    if start == until:
        assert opening is None
        return
    assert opening is not None
    assert windows.is_open(opening)
    steps = [now + (opening - now) * part / 7 for part in range(7)]
    assert opening == now or not any(windows.is_open(one) for one in steps)
    closing = windows.closes(opening)
    if closing is not None:
        assert not windows.is_open(closing)
        assert all(windows.is_open(opening + (closing - opening) * part / 7) for part in range(7))
