"""The Envoy that handed its sockets over: it may finish, and ends with its last client or when its time is up."""

import asyncio
import time
from collections.abc import Callable

from .connections import count
from .envoy_process import EnvoyProcess
from .errors import NodeFailed
from .state_directory import Note, StateDirectory

_POLL_SECONDS = 0.25
_QUIET_POLLS = 3
"""That often in a row there must be no connection: one that was accepted a moment ago may not be counted yet."""


class Former:
    """At most one Envoy that ends its requests; a second hand-over waits for it, up to a limit."""

    def __init__(self, *, state: StateDirectory, limit_seconds: float, say: Callable[[str], None]) -> None:
        self._state = state
        self._limit_seconds = limit_seconds
        self._say = say
        self._process: EnvoyProcess | None = None
        self._watching: asyncio.Task[None] | None = None

    def see_off(self, process: EnvoyProcess, ports: frozenset[int] | None) -> None:
        """Take care of an Envoy that drains; `ports` are those on which it listened, None when nobody knows."""
        self._process = process
        self._watching = asyncio.create_task(self._watch(process, ports))

    async def gone(self, *, deadline_seconds: float) -> None:
        """Wait for its end, and end it when that takes longer. Raises `NodeFailed` when it cannot be ended."""
        if self._watching is None:
            return
        done, _ = await asyncio.wait([self._watching], timeout=deadline_seconds)
        if not done:
            await self.stop()

    async def stop(self) -> None:
        """End it now. Raises `NodeFailed` when it cannot be ended."""
        self.leave()
        process, self._process = self._process, None
        if process is not None:
            await process.stop()
            self._forget(process)

    def leave(self) -> None:
        """Care no more; the process is not touched."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _watch(self, process: EnvoyProcess, ports: frozenset[int] | None) -> None:
        deadline = time.monotonic() + self._limit_seconds
        ended = asyncio.create_task(process.exited())
        quiet = 0
        try:
            while not ended.done() and quiet < _QUIET_POLLS and time.monotonic() < deadline:
                await asyncio.wait([ended], timeout=_POLL_SECONDS)
                quiet = 0 if count(process.pid, ports) else quiet + 1
            left = count(process.pid, ports)
            if left:
                self._say(
                    f"the former Envoy (pid {process.pid}) is ended with {left} connections open: "
                    f"{self._limit_seconds:.0f} s are over"
                )
            await process.stop()
        except NodeFailed as error:
            self._say(str(error))
            return
        finally:
            ended.cancel()
        self._process = None
        self._forget(process)

    def _forget(self, process: EnvoyProcess) -> None:
        process.close()
        self._state.note(Note.FORMER).unlink(missing_ok=True)
