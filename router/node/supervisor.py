"""Keeps one Envoy running: adopts, starts, waits until it is live, hands over to a new one, starts again when it ends.

What Envoy is started *with* is the agent's business (`prepare`); this module knows the processes only. `envoy.pid`
names the present Envoy at every moment, so that an agent that is killed in the middle of a hand-over leaves its
successor something to go on from.
"""

import asyncio
import contextlib
import enum
import time
from collections.abc import Awaitable, Callable
from typing import Any

from . import hot_restart
from .admin import Admin
from .backoff import Backoff
from .connections import listened
from .envoy_process import EnvoyProcess, EnvoySettings, adopt, command_of, same_start, start
from .errors import EnvoyGone, NodeFailed, Unreachable
from .former import Former
from .state_directory import Note, StateDirectory

_LIVE_SECONDS = 60.0
_ADOPT_SECONDS = 5.0
_HEALTHY_SECONDS = 30.0
_POLL_SECONDS = 0.02
_FORMER_SECONDS = 30.0
"""How long a hand-over waits for the end of the one before it."""


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
        self._base = hot_restart.base_id(state.root)
        self._admin = Admin(state.admin_socket)
        self._former = Former(state=state, limit_seconds=settings.handover_seconds, say=say)
        self._process: EnvoyProcess | None = None
        self._handing = asyncio.Lock()
        self._replaced = asyncio.Event()
        self._wanted = asyncio.Event()
        self._changed = asyncio.Condition()
        self._planned = False
        self.state = EnvoyState.DOWN
        self.generation = 0
        self.restarts = 0
        self.version: str | None = None
        self._full_version = ""
        self.build: hot_restart.Build | None = None
        self.last_end: str | None = None

    @property
    def pid(self) -> int | None:
        """Envoy's process id while it runs."""
        return self._process.pid if self._process else None

    @property
    def bootstrap(self) -> str | None:
        """The digest of the bootstrap that the running Envoy was started with."""
        return self._process.bootstrap if self._process else None

    @property
    def is_handing_over(self) -> bool:
        """Whether a new Envoy is starting beside the present one."""
        return self._handing.locked()

    @property
    def can_hand_over(self) -> bool:
        """Whether the running Envoy and one that would be started now can hand over to one another."""
        process, build = self._process, self.build
        if process is None or process.epoch is None or build is None or not hot_restart.is_possible():
            return False
        return hot_restart.version_in_memory(self._base) == build.hot_restart

    @property
    def is_outdated(self) -> bool:
        """Whether the running Envoy is not what would be started now: another version, other settings."""
        if self._process is None or self.version is None or self.build is None:
            return False
        would = command_of(self._settings, bootstrap="", base=self._base)
        return self.build.version != self._full_version or not same_start(self._process.command, would)

    async def run(self, prepare: Callable[[], Awaitable[bool]], on_live: Callable[[], Awaitable[None]]) -> None:
        """Keep Envoy running until cancelled; Envoy itself is left as it is then."""
        self.build = await asyncio.to_thread(hot_restart.build_of, self._settings.binary)
        self._process = await self._adopt()
        try:
            while True:
                if self._process is None:
                    self._process = await self._start_when_wanted(prepare)
                began = time.monotonic()
                process = self._process
                ending = await self._serve(process, on_live)
                async with self._handing:  # the end of an Envoy in the middle of a hand-over is not yet a loss
                    if ending is None or self._process is not process:
                        continue
                    await self._after_the_end(ending, time.monotonic() - began)
        finally:
            self._former.leave()

    def want(self) -> None:
        """There may be something to serve now: `prepare` is asked again."""
        self._wanted.set()

    async def restart(self) -> None:
        """End Envoy, so that it is started again at once with what `prepare` gives it; returns when it has ended."""
        process = self._process
        self.want()
        if process is not None:
            self._planned = True
            await self._end(process)
            async with self._changed:
                await self._changed.wait_for(lambda: self._process is not process)

    async def hand_over(self) -> None:
        """Start an Envoy on the live files beside the present one, which gives it its sockets and ends its requests.

        Returns when the new one is live. Raises `EnvoyGone` when it does not start; then the present one serves on.
        """
        async with self._handing:
            old = self._process
            if old is None or old.epoch is None:
                message = "there is no Envoy that could hand over"
                raise EnvoyGone(message)
            await self._former.gone(deadline_seconds=_FORMER_SECONDS)
            ports = listened(old.pid)
            self.build = await asyncio.to_thread(hot_restart.build_of, self._settings.binary)
            with hot_restart.letter_box(self._directory.root, self._base, old.epoch - 1):
                new = start(self._directory, self._settings, epoch=old.epoch + 1)
                if not await self._became_live(new):
                    await self._keep(old, new, ports)
            self._promote(old, new, ports)
            async with self._changed:
                self._process = new
                self.generation += 1
                self._replaced.set()
                self._changed.notify_all()

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
        """End Envoy, and one that still ends its requests. Raises `NodeFailed` when one cannot be ended."""
        await self._former.stop()
        for process in (self._process, adopt(self._directory, Note.NEXT)):
            if process is not None:
                await self._end(process)
                process.close()
        self._process = None
        hot_restart.forget(self._directory.root, self._base)
        await self._become(EnvoyState.DOWN)

    async def drained(self, *, deadline_seconds: float) -> None:
        """Wait until no hand-over is on its way and the former Envoy has ended its requests."""
        async with self._handing:
            await self._former.gone(deadline_seconds=deadline_seconds)

    def kill(self) -> None:
        """End an Envoy that does not answer any more; it is started again at once."""
        if self._process is not None:
            self._process.kill()

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
                self.build = await asyncio.to_thread(hot_restart.build_of, self._settings.binary)
                return start(self._directory, self._settings)
            except NodeFailed as error:
                self.last_end = str(error)
                await self._pause()

    async def _serve(self, process: EnvoyProcess, on_live: Callable[[], Awaitable[None]]) -> str | None:
        """How the process ended, or None when another took its place."""
        self._planned = False
        self._replaced.clear()
        self._admin.close()
        ended = asyncio.create_task(process.exited())
        replaced = asyncio.create_task(self._replaced.wait())
        try:
            info = await self._live_or_ended(process, ended)
            if info is not None:
                self._full_version = str(info["version"])
                self.version = self._full_version.split("/")[1]
                await self._become(EnvoyState.RUNNING)
                await on_live()
            await asyncio.wait([ended, replaced], return_when=asyncio.FIRST_COMPLETED)
            return None if self._process is not process else await ended
        finally:
            ended.cancel()
            replaced.cancel()

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
                await self._end(process)
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

    # -- handing over --------------------------------------------------------------------------------------------------

    async def _became_live(self, new: EnvoyProcess) -> bool:
        ended = asyncio.create_task(new.exited())
        try:
            return await self._live_or_ended(new, ended) is not None
        finally:
            ended.cancel()
            self._admin.close()

    async def _keep(self, old: EnvoyProcess, new: EnvoyProcess, ports: frozenset[int]) -> None:
        """Stay with the old one after a failure, or, when it was drained already, start alone. Raises `EnvoyGone`."""
        ending = await new.exited()
        new.close()
        self._directory.note(Note.NEXT).unlink(missing_ok=True)
        if not hot_restart.settle(self._base) and old.alive:
            # Its sockets are closed: what it has it may finish, and a new Envoy has to be started from nothing.
            self._directory.note(Note.PRESENT).rename(self._directory.note(Note.FORMER))
            self._former.see_off(old, ports)
            self._process = None
            self.last_end = ending
            self.restarts += 1
            self._replaced.set()
        message = f"the new Envoy {ending} while it started (its log: {self._directory.log})"
        raise EnvoyGone(message)

    def _promote(self, old: EnvoyProcess, new: EnvoyProcess, ports: frozenset[int]) -> None:
        notes = self._directory.note
        with contextlib.suppress(FileNotFoundError):
            notes(Note.PRESENT).rename(notes(Note.FORMER))
        notes(Note.NEXT).rename(notes(Note.PRESENT))
        self._former.see_off(old, ports)
        self._say(f"Envoy (pid {old.pid}) handed over to a new one (pid {new.pid})")

    # -- taking over ---------------------------------------------------------------------------------------------------

    async def _adopt(self) -> EnvoyProcess | None:
        await self._adopt_next()
        process, former = adopt(self._directory), adopt(self._directory, Note.FORMER)
        if former is not None:
            self._former.see_off(former, listened(process.pid) if process else None)
        if process is None:
            return None
        if await self._answers_as_ours(process):
            self.generation += 1
            await self._become(EnvoyState.STARTING)
            self._say(f"took over the running Envoy (pid {process.pid})")
            return process
        if process.alive and process.is_node(self._settings.node) and await self._admin.is_closed():
            with contextlib.suppress(NodeFailed):  # a hand-over that failed closed it, and only another one helps
                self._process = process
                await self.hand_over()
                return self._process
        self._say(f"the Envoy that was left here (pid {process.pid}) does not answer as this node: it is stopped")
        await self._end(process)
        process.close()
        return None

    async def _adopt_next(self) -> None:
        """Bring a hand-over to its end in whose middle the agent before this one ended."""
        new, old = adopt(self._directory, Note.NEXT), adopt(self._directory)
        if new is None or not await self._became_live(new):
            self._directory.note(Note.NEXT).unlink(missing_ok=True)
            hot_restart.settle(self._base)
        elif old is not None:
            self._promote(old, new, listened(new.pid))
            self._former.leave()
        else:
            self._directory.note(Note.NEXT).rename(self._directory.note(Note.PRESENT))
        for one in (new, old):
            if one is not None:
                one.close()

    async def _answers_as_ours(self, process: EnvoyProcess) -> bool:
        deadline = time.monotonic() + _ADOPT_SECONDS
        while process.alive and time.monotonic() < deadline:
            try:
                info = await self._admin.server_info()
            except Unreachable:
                await asyncio.sleep(_POLL_SECONDS)
                continue
            return bool(info["command_line_options"]["service_node"] == self._settings.node)
        return False

    async def _end(self, process: EnvoyProcess) -> None:
        with hot_restart.letter_box(self._directory.root, self._base, (process.epoch or 0) - 1):
            await process.stop()

    async def _become(self, state: EnvoyState) -> None:
        async with self._changed:
            self.state = state
            self._changed.notify_all()
