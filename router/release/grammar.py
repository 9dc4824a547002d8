"""The texts that a release file's values are written in: `1% for 2h`, `mon-fri`, `08:30`, `2026-12-18 18:00`.

Each parser raises `Fault`, which says what was found and what would do.
"""

import re
import zoneinfo
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from strangler_fig.documents import did_you_mean
from strangler_fig.units import UnitError, seconds, share

from ..source.fault import Fault

NAME = "RS101"
HELD = "RS102"
DAYS = "RS103"
CLOCK = "RS104"
INSTANT = "RS105"
ZONE = "RS106"

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
HELD_PATTERN = r"[0-9]{1,3}(\.[0-9]{1,2})?%( for [0-9]+(\.[0-9]+)?\s?(s|m|h|d))?"
CLOCK_PATTERN = "([01][0-9]|2[0-3]):[0-5][0-9]|24:00"
INSTANT_PATTERN = "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2})?"
LONGEST_NAME = 63
LONGEST_LINE = 255
LONGEST_HOLD_SECONDS = 90 * 86_400.0

_NAME = re.compile(NAME_PATTERN)
_CLOCK = re.compile(CLOCK_PATTERN)
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(INSTANT_PATTERN)


@dataclass(frozen=True, slots=True)
class Held:
    """A share in parts per 10,000, and for how many seconds it is held; None: not said."""

    parts: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Days:
    """Weekdays (Monday is 0) or dates."""

    weekdays: frozenset[int] = frozenset()
    dates: frozenset[date] = frozenset()


def parse_release_name(text: str) -> str:
    """A release's name. Raises `Fault`."""
    if not _NAME.fullmatch(text):
        shown = parse_line(text, LONGEST_NAME)
        hint = f"at most {LONGEST_NAME} letters, digits, '.', '_' and '-', as in 2026.11.2"
        raise Fault(NAME, f"{shown!r} is not a release's name", hint)
    return text


def parse_route_name(text: str) -> str:
    """A route's name, which the estate has or has not. Raises `Fault`."""
    return parse_line(text, LONGEST_NAME)


def parse_line(text: str, most: int = LONGEST_LINE) -> str:
    """A line of text that people read. Raises `Fault`."""
    if not text or not text.isprintable():
        raise Fault(NAME, "it is empty or has characters that cannot be printed", "write a line of text")
    if len(text) > most:
        raise Fault(NAME, f"it has {len(text):,} characters", f"at most {most} are taken")
    return text


def parse_held(text: str) -> Held:
    """A share and how long it is held, as in `1% for 2h`. Raises `Fault`."""
    said, is_timed, lasting = text.partition(" for ")
    try:
        parts = share(said.strip())
        lasts = seconds(lasting.strip()) if is_timed else None
    except UnitError as error:
        raise Fault(HELD, str(error), "write a share and how long it is held, as in 1% for 2h") from error
    if lasts is not None and not 0 < lasts <= LONGEST_HOLD_SECONDS:
        raise Fault(HELD, f"{text!r} is held for too long or not at all", "from 1s to 90d")
    return Held(parts, lasts)


def parse_days(text: str) -> Days:
    """One weekday, a span of weekdays (`mon-fri`, `fri-mon`) or one date. Raises `Fault`."""
    if _DATE.fullmatch(text):
        return Days(dates=frozenset({_date(text)}))
    first, dash, last = text.lower().partition("-")
    for word in (first, last) if dash else (first,):
        if word[:3] not in WEEKDAYS or not _is_weekday(word):
            hint = did_you_mean(word, WEEKDAYS) if word.isalpha() else "write mon-fri, sat, or a date as 2026-12-05"
            raise Fault(DAYS, f"{word!r} is not a day", hint)
    start = WEEKDAYS.index(first[:3])
    length = (WEEKDAYS.index(last[:3]) - start) % 7 if dash else 0
    return Days(weekdays=frozenset((start + offset) % 7 for offset in range(length + 1)))


_YEARS = range(2000, 2200)
"""Of windows and freezes: what lies beyond is a slip, and calendars end before it can be added up."""


def parse_clock(text: str) -> time | None:
    """A time of day; None for 24:00, the day's end. Raises `Fault`."""
    if not _CLOCK.fullmatch(text):
        raise Fault(
            CLOCK, f"{text!r} is not a time of day", "write hours and minutes, as in 08:30; the day ends at 24:00"
        )
    return None if text.startswith("24") else time.fromisoformat(text)


def parse_instant(text: str) -> datetime:
    """A date with or without a time, by the clock of the release's time zone. Raises `Fault`."""
    if not _INSTANT.fullmatch(text):
        raise Fault(
            INSTANT, f"{text!r} is not a date with a time", "as in 2026-12-18 18:00; the time zone is the release's"
        )
    try:
        found = datetime.fromisoformat(text)  # without a zone on purpose: it is a reading of the release's own clock
    except ValueError as error:
        raise Fault(INSTANT, f"{text!r} does not exist: {error}", "as in 2026-12-18 18:00") from error
    if found.year not in _YEARS:
        raise Fault(INSTANT, f"{text!r} is not in the years {_YEARS[0]} to {_YEARS[-1]}", "as in 2026-12-18 18:00")
    return found


def parse_last_instant(text: str) -> datetime:
    """Until when: a date alone means the end of that day. Raises `Fault`."""
    until = parse_instant(text)
    return until + timedelta(days=1) if _DATE.fullmatch(text) else until


def parse_zone(text: str) -> str:
    """The name of a time zone. Raises `Fault`."""
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = did_you_mean(text, zoneinfo.available_timezones()) if "/" in text else "as in Europe/Zurich or UTC"
        raise Fault(ZONE, f"there is no time zone {text!r}", hint) from error
    return text


def _is_weekday(word: str) -> bool:
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return any(name.startswith(word) for name in full) and len(word) >= 3  # noqa: PLR2004 - mon, tue, ...


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Fault(DAYS, f"{text!r} does not exist: {error}", "as in 2026-12-05") from error
