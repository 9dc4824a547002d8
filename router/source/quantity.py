"""Durations and sizes with the bounds that their places need."""

from collections.abc import Callable

from strangler_fig.units import UnitError, format_bytes, format_seconds, seconds, size_bytes

from .fault import Fault

DURATION = "ES113"
SIZE = "ES114"

DURATION_PATTERN = r"[0-9]{1,12}(\.[0-9]{1,6})?\s?(ms|s|m|h|d)"
SIZE_PATTERN = r"[0-9]{1,12}(\.[0-9]{1,6})?\s?(B|kB|KB|MB|GB|KiB|MiB|GiB)"

SHORTEST_SECONDS = 0.001
LAMBDA_LIMIT_SECONDS = 900.0
"""Source: AWS Lambda Developer Guide, "Lambda quotas": function timeout 900 seconds (15 minutes), 2025."""


def duration_up_to(most: float) -> Callable[[str], float]:
    """A parser of durations from 1 ms to `most` seconds; it raises `Fault`."""

    def parse(text: str) -> float:
        try:
            value = seconds(text)
        except UnitError as error:
            raise Fault(DURATION, str(error), "write a number with its unit, as in 500ms or 2s") from error
        if not SHORTEST_SECONDS <= value <= most:
            limits = f"from {format_seconds(SHORTEST_SECONDS)} to {format_seconds(most)}"
            raise Fault(DURATION, f"{text!r} is out of range", f"it is {limits}")
        return value

    return parse


def size_between(least: int, most: int) -> Callable[[str], int]:
    """A parser of sizes from `least` to `most` bytes; it raises `Fault`."""

    def parse(text: str) -> int:
        try:
            value = size_bytes(text)
        except UnitError as error:
            raise Fault(SIZE, str(error), "write a number with its unit, as in 64KiB or 50MB") from error
        if not least <= value <= most:
            limits = f"from {format_bytes(least)} to {format_bytes(most)}"
            raise Fault(SIZE, f"{text!r} is out of range", f"it is {limits}")
        return value

    return parse
