"""How a handler's decorator was written, checked once. Loads nothing: it stands before OpenTelemetry's import.

A named tuple, as everything that a cold start makes: a dataclass is compiled anew in each environment.
"""

from typing import NamedTuple

from .variables import variable

FLUSH_SECONDS = 0.5
RESERVE_SECONDS = 0.2
_VARIABLE = "OTEL_INSTRUMENTATION_AWS_LAMBDA_FLUSH_TIMEOUT"
"""Milliseconds; the variable of OpenTelemetry's own instrumentation of Lambda."""


class Options(NamedTuple):
    """What `lambda_` was given; seconds."""

    route: str = ""
    service: str = ""
    metrics: str = ""
    flush_seconds: float = FLUSH_SECONDS
    reserve_seconds: float = RESERVE_SECONDS


def checked(options: Options) -> Options:
    """The options. Raises `ValueError` for seconds below zero."""
    if options.flush_seconds < 0 or options.reserve_seconds < 0:
        message = f"flush={options.flush_seconds} and reserve={options.reserve_seconds} are seconds, 0 or more"
        raise ValueError(message)
    return options


def flush_seconds(given: float | None) -> float:
    """What the decorator was given, else the variable, else half a second."""
    if given is not None:
        return given
    said = variable(_VARIABLE)
    return int(said) / 1000 if said.isascii() and said.isdecimal() else FLUSH_SECONDS
