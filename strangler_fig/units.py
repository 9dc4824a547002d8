"""Durations, sizes and shares as people write them (`500ms`, `16MiB`, `25%`), and back.

Every parser raises `UnitError` with a sentence that names what was found and what is allowed.
"""

import re
from decimal import Decimal

FULL_SHARE = 10_000
"""All of the traffic, in parts per 10,000: the total of every weighted split."""

_DURATION_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_SIZE_BYTES = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NUMBER_AND_UNIT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s?([A-Za-z%]*)")
_SHARE = re.compile(r"([0-9]{1,3})(?:\.([0-9]+))?%")


class UnitError(ValueError):
    """A quantity that does not read as one; the message says what would."""


def seconds(text: str) -> float:
    """The seconds that a duration such as `500ms`, `2s`, `1.5m`, `1h` or `1d` stands for."""
    number, unit = _split(text, "a duration")
    if unit not in _DURATION_SECONDS:
        message = f"{text!r} is not a duration: write a number with ms, s, m, h or d, as in 500ms or 2s"
        raise UnitError(message)
    return float(number * _DURATION_SECONDS[unit])


def size_bytes(text: str) -> int:
    """The bytes that a size such as `64KiB` or `50MB` stands for."""
    number, unit = _split(text, "a size")
    if unit not in _SIZE_BYTES:
        message = f"{text!r} is not a size: write a number with B, KB, MB, GB, KiB, MiB or GiB, as in 16MiB"
        raise UnitError(message)
    return int(number * _SIZE_BYTES[unit])


def share(text: str) -> int:
    """The parts per 10,000 that a percentage such as `25%`, `0.05%` or the bare `0` stands for."""
    if text == "0":
        return 0
    found = _SHARE.fullmatch(text)
    if not found:
        hint = f"; did you mean {text}%?" if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", text) else ""
        message = f"{text!r} is not a share: write a percentage from 0% to 100%, as in 25% or 0.05%{hint}"
        raise UnitError(message)
    whole, fraction = found[1], found[2] or ""
    if len(fraction) > 2:  # noqa: PLR2004 - two decimals of a percent are one part per 10,000
        message = f"{text!r} has too many digits: a share has at most two decimals (0.01% is one request in 10,000)"
        raise UnitError(message)
    parts = int(whole) * 100 + int(fraction.ljust(2, "0"))
    if parts > FULL_SHARE:
        message = f"{text!r} is out of range: a share is from 0% to 100%"
        raise UnitError(message)
    return parts


def format_share(parts: int) -> str:
    """Parts per 10,000 as a percentage: 2500 is `25%`, 5 is `0.05%`."""
    return f"{parts / 100:.2f}".rstrip("0").rstrip(".") + "%"


def format_seconds(value: float) -> str:
    """Seconds as the shortest exact duration: 0.5 is `500ms`, 90 is `90s`, 3600 is `1h`."""
    if value < 1 or value != int(value):
        return f"{Decimal(str(value)) * 1000:f}".rstrip("0").rstrip(".") + "ms" if value else "0s"
    for unit, length in (("h", 3600), ("m", 60)):
        if int(value) % length == 0:
            return f"{int(value) // length}{unit}"
    return f"{int(value)}s"


def format_bytes(value: int) -> str:
    """Bytes as the largest exact binary or decimal unit: 1048576 is `1MiB`, 50000000 is `50MB`."""
    for unit in ("GiB", "GB", "MiB", "MB", "KiB", "KB"):
        if value and value % _SIZE_BYTES[unit] == 0:
            return f"{value // _SIZE_BYTES[unit]}{unit}"
    return f"{value}B"


def _split(text: str, kind: str) -> tuple[Decimal, str]:
    found = _NUMBER_AND_UNIT.fullmatch(text)
    if not found:
        message = f"{text!r} is not {kind}"
        raise UnitError(message)
    return Decimal(found[1]), found[2]
