"""Rates, durations, memory, bandwidths and shares as people write them, with the bounds that their places need.

Pure text to numbers, without pydantic: the command line reads its options with the same parsers. All raise `Fault`.
"""

import math
import re
from collections.abc import Callable

from strangler_fig.units import FULL_SHARE, UnitError, format_bytes, format_seconds, seconds, share, size_bytes

from .fault import Fault

RATE = "DM111"
DURATION = "DM112"
MEMORY = "DM113"
SIZE = "DM114"
SHARE = "DM115"
BANDWIDTH = "DM116"

RATE_PATTERN = r"[0-9]{1,9}(\.[0-9]{1,6})?\s?/\s?(s|min|h|d)"
DURATION_PATTERN = r"[0-9]{1,12}(\.[0-9]{1,6})?\s?(ms|s|m|h|d)"
MEMORY_PATTERN = r"[0-9]{1,5}(\.[0-9]{1,3})?\s?(MB|MiB|GB|GiB)"
SIZE_PATTERN = r"[0-9]{1,12}(\.[0-9]{1,6})?\s?(B|kB|KB|MB|GB|KiB|MiB|GiB)"
SHARE_PATTERN = r"[0-9]+(\.[0-9]{1,2})?%"
BANDWIDTH_PATTERN = r"[0-9]{1,6}(\.[0-9]{1,3})?\s?(Mbps|Gbps|Tbps)"

HIGHEST_RATE = 10_000_000.0
SHORTEST_SECONDS = 0.0001
LAMBDA_LIMIT_SECONDS = 900.0
"""Source: AWS Lambda Developer Guide, "Lambda quotas": function timeout 900 seconds (15 minutes), 2025."""
MEMORY_MB = (128, 10_240)
"""Source: AWS Lambda Developer Guide, "Lambda quotas": function memory allocation 128 MB to 10,240 MB, 2025."""
HIGHEST_GROWTH = 10.0
HIGHEST_GBPS = 10_000.0

_PER_SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
_MEMORY_UNITS = {"": 1, "MB": 1, "MiB": 1, "GB": 1_024, "GiB": 1_024}
_GBPS = {"Mbps": 0.001, "Gbps": 1.0, "Tbps": 1_000.0}
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_RATE = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,6})?)\s?/\s?(s|min|h|d)")
_MEMORY = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)\s?([A-Za-z]*)")
_BANDWIDTH = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s?(Mbps|Gbps|Tbps)")
_PERCENTAGE = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,2})?)%")


def rate_per_second(text: str) -> float:
    """Requests per second that a rate such as `60/s` or `90000/h` stands for."""
    found = _RATE.fullmatch(text)
    if not found:
        meant = f"did you mean {text}/s?" if _NUMBER.fullmatch(text) else "as in 60/s, 3600/min or 90000/h"
        raise Fault(RATE, f"{text!r} is not a rate: write a number, '/' and s, min, h or d", meant)
    value = float(found[1]) / _PER_SECONDS[found[2]]
    if value < 0:
        raise Fault(RATE, f"{text!r} is negative", "a rate is 0/s or more")
    if value > HIGHEST_RATE:
        raise Fault(RATE, f"{text!r} is out of range", f"it is at most {HIGHEST_RATE:,.0f}/s")
    return value


def requests_per_second(text: str) -> float:
    """A bare number of requests per second, more than none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= HIGHEST_RATE:
        raise Fault(RATE, f"{text!r} is not a rate", f"more than 0 and at most {HIGHEST_RATE:,.0f} requests per second")
    return value


def duration_up_to(most: float, least: float = SHORTEST_SECONDS) -> Callable[[str], float]:
    """A parser of durations from `least` to `most` seconds."""

    def parse(text: str) -> float:
        try:
            value = seconds(text)
        except UnitError as error:
            meant = f"did you mean {text}ms or {text}s?" if _NUMBER.fullmatch(text) else "as in 500ms or 2s"
            raise Fault(DURATION, str(error), meant) from error
        if not least <= value <= most:
            limits = f"from {format_seconds(least)} to {format_seconds(most)}"
            raise Fault(DURATION, f"{text!r} is out of range", f"it is {limits}")
        return value

    return parse


def memory_mb(text: str) -> int:
    """MB of 1,024 KB, as Lambda counts, of `1536`, `1536MB` or `1.5GB`."""
    found = _MEMORY.fullmatch(text)
    unit = found[2] if found else None
    value = float(found[1]) * _MEMORY_UNITS[unit] if found and unit in _MEMORY_UNITS else -1.0
    least, most = MEMORY_MB
    if value < 0 or value != int(value):
        raise Fault(MEMORY, f"{text!r} is not a function's memory", "write whole MB, as in 1536 or 1536MB")
    if not least <= value <= most:
        raise Fault(MEMORY, f"{text!r} is out of range", f"it is from {least} MB to {most} MB")
    return int(value)


def size_between(least: int, most: int) -> Callable[[str], int]:
    """A parser of sizes from `least` to `most` bytes."""

    def parse(text: str) -> int:
        try:
            value = size_bytes(text)
        except UnitError as error:
            raise Fault(SIZE, str(error), "write a number with its unit, as in 12KB or 2MiB") from error
        if not least <= value <= most:
            limits = f"from {format_bytes(least)} to {format_bytes(most)}"
            raise Fault(SIZE, f"{text!r} is out of range", f"it is {limits}")
        return value

    return parse


def share_of_one(text: str) -> float:
    """The fraction of one that a percentage from 0% to 100% stands for."""
    try:
        return share(text) / FULL_SHARE
    except UnitError as error:
        raise Fault(SHARE, str(error), "write a percentage, as in 40%") from error


def growth(text: str) -> float:
    """The growth in a year that a percentage such as `30%` stands for, as a fraction of one; it may exceed 100%."""
    found = _PERCENTAGE.fullmatch(text)
    if not found:
        meant = f"did you mean {text}%?" if _NUMBER.fullmatch(text) else "as in 30%"
        raise Fault(SHARE, f"{text!r} is not a growth: write a percentage in a year", meant)
    value = float(found[1]) / 100
    if value > HIGHEST_GROWTH:
        raise Fault(SHARE, f"{text!r} is out of range", f"it is at most {HIGHEST_GROWTH:.0%} in a year")
    return value


def gbps(text: str) -> float:
    """Gbps that a bandwidth such as `500Mbps` or `10Gbps` stands for."""
    found = _BANDWIDTH.fullmatch(text)
    value = float(found[1]) * _GBPS[found[2]] if found else 0.0
    if not found:
        raise Fault(BANDWIDTH, f"{text!r} is not a bandwidth", "write a number with Mbps or Gbps, as in 10Gbps")
    if not 0 < value <= HIGHEST_GBPS:
        raise Fault(BANDWIDTH, f"{text!r} is out of range", f"it is more than 0 and at most {HIGHEST_GBPS:,.0f} Gbps")
    return value
