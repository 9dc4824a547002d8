"""Waiting for something to become true: a bell that whoever changes something rings.

Used by the nodes' long polls and by commands that wait until a change is in force. One event loop only.
"""

import asyncio
from collections.abc import Callable

_LOOK_AGAIN_SECONDS = 0.5
"""How often a waiter looks without being rung: nodes stop being live without saying so."""


class Bell:
    """Wakes all waiters when it is rung; after `close` nobody waits any more."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()
        self._closed = False

    def ring(self) -> None:
        """Let every waiter look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def close(self) -> None:
        """End all waiting, now and later: the process stops."""
        self._closed = True
        self.ring()

    async def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Whether `done` became true within `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not done():
            left = deadline - loop.time()
            if left <= 0 or self._closed:
                return False
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.add(waiter)
            await asyncio.wait({waiter}, timeout=min(left, _LOOK_AGAIN_SECONDS))
            self._waiters.discard(waiter)
        return True
