"""The way out through the function's log: each request of OTLP is one line of JSON on standard output.

CloudWatch keeps such lines as they are. What reads them: a Collector's `otlpjsonfile` receiver, or whoever posts each
line to `/v1/traces` (its first key says which signal it is). Source: OpenTelemetry specification, "OTLP File Exporter".
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from .encode import Json, as_bytes

MAX_LINE = 200_000
"""Bytes; CloudWatch Logs cuts an event at 256 KiB. Source: CloudWatch Logs quotas, "Event size", November 2026."""


def lines(request: Callable[[Sequence[Any]], Json], items: Sequence[Any]) -> list[str]:
    """The items as lines that are short enough; an item that alone is too long is a line all the same."""
    whole = as_bytes(request(items))
    if len(whole) <= MAX_LINE or len(items) <= 1:
        return [whole.decode()]
    half = len(items) // 2
    return [*lines(request, items[:half]), *lines(request, items[half:])]


def write(found: Sequence[str]) -> None:
    """Write lines at once, so that none of the function's own stands within one."""
    sys.stdout.write("".join(f"{line}\n" for line in found))
    sys.stdout.flush()
