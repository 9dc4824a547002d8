"""Invocations of type Event: accepted at once, run when there is room, tried three times in all.

The service waits one and two minutes before its retries; here the first wait is a setting, the second twice that.
Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation".
"""

import asyncio
from dataclasses import replace

from .function import Function
from .invocation import Invocation
from .outcome import Outcome

MAX_RETRIES = 2
MAX_EVENTS = 1_000
"""Events of one function that may wait or run at a time; the service's queue is longer, but not a laptop's."""


class EventQueue:
    """The accepted events of one function."""

    def __init__(self, function: Function, *, retry_delay_seconds: float) -> None:
        self._function = function
        self._delay = retry_delay_seconds
        self._timers: set[asyncio.TimerHandle] = set()
        self.size = 0

    def add(self, invocation: Invocation) -> bool:
        """Accept an event; False when too many are waiting. Its `done` is replaced."""
        if self.size >= MAX_EVENTS:
            return False
        self.size += 1
        self._run(invocation, 0)
        return True

    def stop(self) -> None:
        """Forget the events that wait for a retry."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _run(self, invocation: Invocation, retries: int) -> None:
        def done(_invocation: Invocation, outcome: Outcome) -> None:
            if not outcome.failed:
                self.size -= 1
            elif retries < MAX_RETRIES:
                self._later(invocation, retries)
            else:
                self.size -= 1
                self._function.counts.events_dropped += 1

        self._function.submit_when_possible(replace(invocation, done=done))

    def _later(self, invocation: Invocation, retries: int) -> None:
        def run() -> None:
            self._timers.discard(timer)
            self._run(invocation, retries + 1)

        timer = asyncio.get_running_loop().call_later(self._delay * 2**retries, run)
        self._timers.add(timer)
