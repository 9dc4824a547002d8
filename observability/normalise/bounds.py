"""How much of anything is kept: hostile and broken emitters must not decide how large a row is, or when it was."""

from dataclasses import dataclass

MAX_ATTRIBUTES = 128
"""Attributes of one thing. Source: OpenTelemetry's SDK environment variables, OTEL_ATTRIBUTE_COUNT_LIMIT's default."""
MAX_NAME = 256
MAX_VALUE = 16_384
MAX_ITEMS = 128
"""Events, links or exemplars of one thing. Source: the same, OTEL_SPAN_EVENT_COUNT_LIMIT's default."""
MAX_BUCKETS = 512
MAX_DEPTH = 8
DROPPED_ATTRIBUTE = "fig.dropped"
"""How many attributes were not kept."""
CLOCK_ATTRIBUTE = "fig.original_time"
"""The emitter's time, nanoseconds, where it could not be true and the time of receipt stands in its stead."""
DURATION_ATTRIBUTE = "fig.original_duration"
"""The emitter's duration, nanoseconds, where it was longer than `MAX_DURATION` or below zero."""

_SECOND = 1_000_000_000
_PAST, _FUTURE = 30 * 86_400 * _SECOND, 600 * _SECOND
_CUT = 256
MAX_DURATION = 7 * 86_400 * _SECOND


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of receipt, nanoseconds, and which times of emitters can be true: 30 days back, 10 minutes ahead."""

    now: int

    def is_possible(self, time: int) -> bool:
        """Whether an emitter's time can be true."""
        return self.now - _PAST <= time <= self.now + _FUTURE

    def settle(self, *times: int) -> int:
        """The first time that can be true, else the time of receipt."""
        return next((time for time in times if self.is_possible(time)), self.now)


def bounded(text: str, limit: int = MAX_VALUE) -> str:
    """The text without zero characters, and where it is too long without its end.

    The cut takes some characters more, back to a space where there is one: half of a secret is not recognised as one.
    """
    if "\0" in text:
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if len(text) <= limit:
        return text
    kept = text[: max(limit - _CUT, limit // 2)]
    space = kept.rfind(" ", len(kept) - _CUT)
    return kept[: space if space > 0 else len(kept)] + "\N{HORIZONTAL ELLIPSIS}"
