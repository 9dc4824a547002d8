"""Sees whether Envoy answers: one whose main thread hangs serves on with old weights, out of reach of any rollback."""

import time
from collections.abc import Callable
from pathlib import Path

from .admin import Admin
from .errors import Unreachable

_ASK_SECONDS = 2.0


class Watch:
    """Asks Envoy's admin interface; `limit_seconds` without an answer means that Envoy is frozen."""

    def __init__(
        self, admin_socket: Path, *, limit_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._admin = Admin(admin_socket)
        self._limit_seconds = limit_seconds
        self._clock = clock
        self._answered = clock()
        self._generation = -1

    async def is_frozen(self, generation: int) -> bool:
        """Whether this generation of Envoy has accepted connections but no question for too long."""
        if generation != self._generation:
            self._generation = generation
            self._admin.close()
            self._answered = self._clock()
        try:
            await self._admin.text("/ready", timeout_seconds=min(_ASK_SECONDS, self._limit_seconds))
        except Unreachable as error:
            if isinstance(error.__cause__, (ConnectionError, FileNotFoundError, EOFError, type(None))):
                self._answered = self._clock()  # ended or closed, which is another matter
        else:
            self._answered = self._clock()
        return self._clock() - self._answered >= self._limit_seconds

    async def is_closed(self) -> bool:
        """Whether Envoy has no admin interface any more, as after a hand-over that failed."""
        return await self._admin.is_closed()
