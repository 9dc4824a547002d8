"""The environment's start: from the process's birth until its first handler was decorated.

A start that the first invocation waited for is told as a span `init`; one that was made ahead of time (provisioned
concurrency, SnapStart, an environment that Lambda began in advance) was not waited for, and is none.
"""

import os
import time

_START_FIELD = 19
"""The process's start after the last `)` of /proc/self/stat, in ticks since boot. Source: proc(5)."""
_NOT_WAITED_SECONDS = 10.0
"""The rest of the function's own imports may follow the decorator. Source: Lambda developer guide, the init phase's
limit."""


def is_cold() -> bool:
    """Whether the first invocation here is a cold start, as Lambda's users mean it."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") == "on-demand"


def born() -> int | None:
    """When this process began, in nanoseconds since 1970; None where the system cannot tell."""
    try:
        with open("/proc/self/stat", encoding="utf-8") as file:  # noqa: PTH123 - pathlib's import is part of what is measured
            ticks = int(file.read().rpartition(")")[2].split()[_START_FIELD])
        since_boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        age = since_boot - ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return time.time_ns() - age if age >= 0 else None


def waited_for(begun: int, ready: int, now: int) -> bool:
    """Whether the first invocation, which began at `now`, waited for the start; nanoseconds since 1970."""
    return begun < ready <= now and now - ready < _NOT_WAITED_SECONDS * 1e9
