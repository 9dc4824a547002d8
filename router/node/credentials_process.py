"""The credentials' server, as the agent sees it: found, started, ended.

Whether it runs is told by the lock that it holds, which the system lets go at its end, whatever that was.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .credentials import fingerprint
from .credentials_files import CredentialsFiles
from .credentials_server import FORMAT, PORT_TAKEN
from .errors import NodeFailed
from .state_directory import StateDirectory

_START_SECONDS = 10.0
_END_SECONDS = 3.0
_POLL_SECONDS = 0.02
_SILENT_SECONDS = 30.0


class PortTaken(NodeFailed):
    """Another process has the port that Envoy was told."""


class CredentialsProcess:
    """The one server of a state directory."""

    def __init__(self, state: StateDirectory, environment: Mapping[str, str]) -> None:
        self._state = state
        self._environment = dict(environment)
        self._turn = asyncio.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self.files = CredentialsFiles(state.root / "credentials")

    @property
    def log(self) -> Path:
        """What the server says of itself when it fails."""
        return self._state.root / "logs" / "credentials.log"

    async def ensure(self) -> bool:
        """Have a server that serves; returns whether it was started now. Raises `NodeFailed` or `OSError`."""
        async with self._turn:
            return await self._ensure()

    async def _ensure(self) -> bool:
        self.files.prepare()
        pid = self.files.server()
        if pid is not None:
            told = self.files.told()
            if told.get("pid") != pid or self._fits(told):
                return False  # where it has not spoken yet, it is starting
            await self.stop()  # of another release, with another environment, or hung
        await self._start()
        return True

    def told(self) -> dict[str, Any]:
        """What the running server last said of itself; empty when none runs."""
        told = self.files.told()
        return told if told.get("pid") == self.files.server() else {}

    async def stop(self) -> None:
        """End the server: ask, and after three seconds insist."""
        pid = self.files.server()
        if pid is None:
            await self._reap()
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)  # it holds the lock, so the id is still its own
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_SECONDS):
                    while self.files.server() == pid:  # noqa: ASYNC110 - a lock of another process
                        await asyncio.sleep(_POLL_SECONDS)
                break
        await self._reap()

    async def _reap(self) -> None:
        """Take note of the end of a child; one that no longer holds the lock is at its end."""
        if self._child is not None and self._child.pid != self.files.server():
            await asyncio.to_thread(self._child.wait)
            self._child = None

    async def _start(self) -> None:
        await self._reap()
        package = (__package__ or "router.node").partition(".")[0]
        command = [sys.executable, "-P", "-W", "ignore", "-m", f"{package}.node.credentials_server"]
        with self.log.open("wb") as log:
            child = subprocess.Popen(  # noqa: ASYNC220 - it is to outlive the loop
                [*command, str(self._state.root)],
                cwd=self._state.root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._child = child
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                # Until it has walked the chain once: an Envoy that is started next has its keys with the first call.
                while child.poll() is None:
                    told = self.told()
                    if told.get("valid") or told.get("error"):
                        return
                    await asyncio.sleep(_POLL_SECONDS)
        if child.poll() == PORT_TAKEN:
            message = f"port {self.files.port()} of the credentials' server is taken by another process"
            raise PortTaken(message)
        if child.poll() is not None:
            message = f"the credentials' server exited with {child.poll()} (its log: {self.log})"
            raise NodeFailed(message)

    def _fits(self, told: Mapping[str, Any]) -> bool:
        at = told.get("at")
        heard = isinstance(at, float) and abs(time.time() - at) < _SILENT_SECONDS
        return told.get("format") == FORMAT and told.get("fingerprint") == fingerprint(self._environment) and heard
