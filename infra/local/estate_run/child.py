"""One child process: its own process group, its output as lines, its readiness, its end.

Every process is ended by its own id: first asked (SIGTERM), after a deadline killed, and with it what is left of its
group.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_CHUNK = 64 * 1024
_LAST_LINES_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ReadyLine:
    """Ready when the process prints a line that begins with `prefix`."""

    prefix: str

    def __str__(self) -> str:
        return f"a line that begins with {self.prefix!r}"


@dataclass(frozen=True, slots=True)
class ReadyObject:
    """Ready when the process prints a JSON object as one line, which `Child.told` keeps: nobody is shown it."""

    def __str__(self) -> str:
        return "a line with a JSON object"


@dataclass(frozen=True, slots=True)
class ReadyUrl:
    """Ready when the address answers 2xx."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class ReadyNode:
    """Ready when control has heard of a live node."""

    control: str
    token: str = field(repr=False)

    def __str__(self) -> str:
        return f"its first report to {self.control}"


@dataclass(frozen=True, slots=True)
class ReadyAtOnce:
    """Ready once started."""

    def __str__(self) -> str:
        return "its start"


Readiness = ReadyLine | ReadyObject | ReadyUrl | ReadyNode | ReadyAtOnce


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A process to start; `environment` is the whole of it.

    The run ends when the process ends by itself; with `when_gone` it goes on, and says this sentence.
    """

    name: str
    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    ready: Readiness = ReadyAtOnce()
    when_gone: str | None = None


class Child:
    """A running process. `on_line` gets each line that it prints, without the line end."""

    def __init__(self, spec: Spec, process: asyncio.subprocess.Process) -> None:
        self.spec = spec
        self.pid = process.pid
        self.ended = asyncio.ensure_future(process.wait())
        self.said_ready = asyncio.Event()
        self.told: Mapping[str, Any] = {}
        self._process = process
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, spec: Spec, on_line: Callable[[str, str], None]) -> "Child":
        """Start the process in a group of its own. Raises `OSError` when there is no such program."""
        # our own pipe, not asyncio's: with asyncio's, `wait` also waits for whoever inherited the pipe
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *spec.argv,
                cwd=spec.folder,
                env=dict(spec.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        child = cls(spec, process)
        child._reading = asyncio.create_task(child._read(reading, on_line))
        return child

    async def end(self, *, deadline_seconds: float, hurry: asyncio.Event) -> None:
        """Ask the process to end; kill it after the deadline or when `hurry` is set, with what is left of its group."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            hurried = asyncio.create_task(hurry.wait())
            await asyncio.wait({self.ended, hurried}, timeout=deadline_seconds, return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
        # the group keeps its id while anybody is in it; nobody there is the usual case
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        await self.ended
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=_LAST_LINES_SECONDS)
            self._reading.cancel()

    async def last_lines(self) -> None:
        """Wait a moment for what the ended process printed last."""
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=_LAST_LINES_SECONDS)

    async def _read(self, descriptor: int, on_line: Callable[[str, str], None]) -> None:
        reader = asyncio.StreamReader()
        pipe = os.fdopen(descriptor, "rb", buffering=0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            rest = b""
            while chunk := await reader.read(_CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > _CHUNK:  # a process that never ends its line
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    self._line(line, on_line)
            if rest:
                self._line(rest, on_line)
        finally:
            transport.close()

    def _line(self, line: bytes, on_line: Callable[[str, str], None]) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        match self.spec.ready:
            case ReadyLine(prefix=prefix) if text.startswith(prefix):
                self.said_ready.set()
            case ReadyObject() if not self.said_ready.is_set() and (told := _object(text)):
                self.told = told
                self.said_ready.set()
                return
            case _:
                pass
        on_line(self.spec.name, text)


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
