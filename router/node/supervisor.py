"""Keeps one Envoy running: adopts, starts, waits until it is live, starts again with back-off when it ends.

What Envoy is started *with* is the agent's business (`prepare`); this module knows the process only.
"""

import asyncio
import contextlib
import enum
import time
from collections.abc import Awaitable, Callable
from typing import Any

from .admin import Admin
from .backoff import Backoff
from .envoy_process import EnvoyProcess, EnvoySettings, adopt, start
from .errors import EnvoyGone, NodeFailed, Unreachable
from .state_directory import StateDirectory

_LIVE_SECONDS = 60.0
_ADOPT_SECONDS = 5.0
_HEALTHY_SECONDS = 30.0
_POLL_SECONDS = 0.02


class EnvoyState(enum.Enum):
    """What Envoy is doing."""

    RUNNING = "running"
    STARTING = "starting"
    BACKOFF = "backoff"
    DOWN = "down"


class Supervisor:
    """One Envoy's life. `prepare` puts the live files in order and says whether there is something to serve."""

    def __init__(
        self, *, state: StateDirectory, settings: EnvoySettings, backoff: Backoff, say: Callable[[str], None]
    ) -> None:
        self._directory = state
        self._settings = settings
        self._backoff = backoff
        self._say = say
        self._admin = Admin(state.admin_socket)
        self._process: EnvoyProcess | None = None
        self._wanted = asyncio.Event()
        self._changed = asyncio.Condition()
        self._planned = False
        self.state = EnvoyState.DOWN
        self.generation = 0
        self.restarts = 0
        self.version: str | None = None
        self.last_end: str | None = None

    @property
    def pid(self) -> int | None:
        """Envoy's process id while it runs."""
        return self._process.pid if self._process else None

    async def run(self, prepare: Callable[[], Awaitable[bool]], on_live: Callable[[], Awaitable[None]]) -> None:
        """Keep Envoy running until cancelled; Envoy itself is left as it is then."""
        self._process = await self._adopt()
        while True:
            if self._process is None:
                self._process = await self._start_when_wanted(prepare)
            began = time.monotonic()
            ending = await self._serve(self._process, on_live)
            await self._after_the_end(ending, time.monotonic() - began)

    def want(self) -> None:
        """There may be something to serve now: `prepare` is asked again."""
        self._wanted.set()

    async def restart(self) -> None:
        """End Envoy, so that it is started again at once with what `prepare` gives it; returns when it has ended."""
        process = self._process
        self.want()
        if process is not None:
            self._planned = True
            await process.stop()
            async with self._changed:
                await self._changed.wait_for(lambda: self._process is not process)

    async def live(self, *, beyond: int, deadline_seconds: float) -> None:
        """Wait for an Envoy younger than generation `beyond`. Raises `EnvoyGone` when it ends or takes too long."""
        try:
            async with asyncio.timeout(deadline_seconds), self._changed:
                await self._changed.wait_for(lambda: self.generation > beyond and self.state is not EnvoyState.STARTING)
        except TimeoutError as error:
            message = f"Envoy is not live after {deadline_seconds:.0f} s"
            raise EnvoyGone(message) from error
        if self.state is not EnvoyState.RUNNING:
            message = f"Envoy {self.last_end or 'ended'} while it started"
            raise EnvoyGone(message)

    async def stop(self) -> None:
        """End Envoy. Raises `NodeFailed` when it cannot be ended."""
        if self._process is not None:
            await self._process.stop()
            self._process.close()
            self._process = None
        await self._become(EnvoyState.DOWN)

    async def _start_when_wanted(self, prepare: Callable[[], Awaitable[bool]]) -> EnvoyProcess:
        while True:
            self._wanted.clear()
            if not await prepare():
                await self._become(EnvoyState.DOWN)
                await self._wanted.wait()
                continue
            self.generation += 1
            await self._become(EnvoyState.STARTING)
            try:
                return start(self._directory, self._settings)
            except NodeFailed as error:
                self.last_end = str(error)
                await self._pause()

    async def _serve(self, process: EnvoyProcess, on_live: Callable[[], Awaitable[None]]) -> str:
        self._planned = False
        self._admin.close()
        ended = asyncio.create_task(process.exited())
        try:
            info = await self._live_or_ended(process, ended)
            if info is not None:
                self.version = str(info["version"]).split("/")[1]
                await self._become(EnvoyState.RUNNING)
                await on_live()
            return await ended
        finally:
            ended.cancel()

    async def _live_or_ended(self, process: EnvoyProcess, ended: asyncio.Task[str]) -> dict[str, Any] | None:
        deadline = time.monotonic() + _LIVE_SECONDS
        while not ended.done():
            try:
                info = await self._admin.server_info()
                if info["state"] == "LIVE" and await self._admin.process_id() == process.pid:
                    return info
            except Unreachable:
                pass  # not listening yet
            self._admin.close()
            if time.monotonic() > deadline:
                self._say(f"Envoy (pid {process.pid}) is not live after {_LIVE_SECONDS:.0f} s: it is stopped")
                await process.stop()
                return None
            await asyncio.wait([ended], timeout=_POLL_SECONDS)
        return None

    async def _after_the_end(self, ending: str, lived_seconds: float) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None
        self.last_end = ending
        self.restarts += 1
        if self._planned:
            await self._become(EnvoyState.STARTING)
            return
        if lived_seconds > _HEALTHY_SECONDS:
            self._backoff.reset()
        await self._pause()

    async def _pause(self) -> None:
        delay = self._backoff.next_delay()
        when = f"in {delay:.1f} s" if delay else "at once"
        self._say(f"Envoy {self.last_end}; started again {when} (its log: {self._directory.log})")
        await self._become(EnvoyState.BACKOFF)
        with contextlib.suppress(TimeoutError):  # the delay is over
            async with asyncio.timeout(delay):
                await self._wanted.wait()

    async def _adopt(self) -> EnvoyProcess | None:
        process = adopt(self._directory)
        if process is None:
            return None
        deadline = time.monotonic() + _ADOPT_SECONDS
        while process.alive and time.monotonic() < deadline:
            try:
                info = await self._admin.server_info()
            except Unreachable:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            if info["command_line_options"]["service_node"] == self._settings.node:
                self.generation += 1
                await self._become(EnvoyState.STARTING)
                self._say(f"took over the running Envoy (pid {process.pid})")
                return process
            break
        self._say(f"the Envoy that was left here (pid {process.pid}) does not answer as this node: it is stopped")
        await process.stop()
        process.close()
        return None

    async def _become(self, state: EnvoyState) -> None:
        async with self._changed:
            self.state = state
            self._changed.notify_all()
