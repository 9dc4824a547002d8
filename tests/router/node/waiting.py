"""Waiting for a condition with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(condition: Callable[[], Found | None], *, seconds: float = 60.0, what: Callable[[], str] = str) -> Found:
    """The first true value of `condition`; fails the test when there is none in time, with `what` there is instead."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"still not so after {seconds} s; {what()}"
        time.sleep(0.005)
