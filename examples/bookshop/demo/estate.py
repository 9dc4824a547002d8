"""The running estate as the demo sees it: `fig up` as a child process, `fig shift`, and the local Lambda's faults."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .observed import Observed, Observer, Told

ESTATE_FILE = Path(__file__).resolve().parents[1] / "estate.yaml"
FUNCTION = "books"
TRACE_SAMPLE = "10%"
"""Requests that begin a trace; log records and numbers are of all."""
START_SECONDS = 60.0
END_SECONDS = 20.0
_TIMEOUT_SECONDS = 10.0
_LAST_LINES = 25


class EstateFailed(Exception):  # noqa: N818 - named as the reader meets it
    """The estate did not start, or a command on it failed; the message has its last lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift that was made: the weight in percent, and how long it took until it was in force everywhere."""

    weight: float
    in_force_ms: float


class LocalEstate:
    """The bookshop, run by `fig up` in `state`.

    `keep`: it outlives this process; else it ends with it, whatever happens.
    """

    def __init__(self, state: Path, *, keep: bool, observe: bool = True) -> None:
        self.addresses: dict[str, str] = {}
        self.login: str | None = None
        """Where a browser watches, once; None where nobody observes."""
        self.log = state / "up.log"
        self._state = state
        self.keep = keep
        self._observe = observe
        self._process: asyncio.subprocess.Process | None = None
        self._environment: dict[str, str] = {}

    @property
    def pid(self) -> int:
        """The process to end when all of it shall end."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start everything and wait until it serves. Raises `EstateFailed`."""
        self._state.mkdir(parents=True, exist_ok=True)
        arguments = ["up", str(ESTATE_FILE), "--state", str(self._state), "--json"]
        arguments += [] if self.keep else ["--until-eof"]
        arguments += [] if self._observe else ["--no-observe"]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_fig(*arguments),
                env={"TRACE_SAMPLE": TRACE_SAMPLE, **os.environ},
                # it sees the end of this pipe even when this process is killed
                stdin=asyncio.subprocess.DEVNULL if self.keep else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        ready = await self._ready_line(self._process)
        self.addresses, self.login = ready["addresses"], ready["login"]
        run = _read_json(ready["run_file"])
        self._environment = {**os.environ, "FIG_CONTROL": run["control"], "FIG_TOKEN": run["token"]}

    async def shift(self, route: str, percent: float, *, reason: str) -> Shift:
        """Move the route, as a user does it: `fig shift ROUTE SHARE`. Returns once the weight is in force."""
        process = await asyncio.create_subprocess_exec(
            *_fig("shift", route, f"{percent:g}%", "--reason", reason, "--json"),
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaints = await process.communicate()
        if process.returncode:
            message = f"fig shift {route} {percent:g}% ended with {process.returncode}: {complaints.decode().strip()}"
            raise EstateFailed(message)
        result = json.loads(printed)
        if not result["in_force"]:
            message = f"{percent:g}% is not in force on {', '.join(result['lagging'])}"
            raise EstateFailed(message)
        return Shift(weight=percent, in_force_ms=round(float(result["in_force_ms"] or 0.0), 2))

    async def make_lambda(self, fail: str) -> None:
        """Make every call of the function fail in this way (`error`, `throttle`, ...), or `none` of them."""
        body = json.dumps({"fail": fail, "count": None}).encode()
        address = f"{self.addresses['lambda']}/_local/faults/{FUNCTION}"
        await asyncio.to_thread(_post, address, body)

    async def observed(self, told: Told) -> Observed | None:
        """What `fig observe` saw; None where nobody observes. Raises `EstateFailed` when it does not answer."""
        if self.login is None:
            return None
        try:
            return await asyncio.to_thread(Observer(run_file=self._state / "observe.json").saw, told)
        except OSError as error:
            message = f"fig observe does not answer: {error}\n{self._last_lines()}"
            raise EstateFailed(message) from error

    async def end(self) -> None:
        """End everything, and wait for it."""
        process = self._process
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), END_SECONDS)
                return

    async def _ready_line(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        if process.stdout is None:
            message = "fig up has no output"
            raise EstateFailed(message)
        try:
            line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        except TimeoutError as error:
            message = f"fig up was not ready after {START_SECONDS:g} s\n{self._last_lines()}"
            raise EstateFailed(message) from error
        if not line:
            code = await process.wait()
            message = f"fig up ended with exit code {code}\n{self._last_lines()}"
            raise EstateFailed(message)
        ready: dict[str, Any] = json.loads(line)
        return ready

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:])


def _fig(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "fig", *arguments)


def _read_json(path: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(Path(path).read_text(encoding="utf-8"))
    return values


def _post(address: str, body: bytes) -> None:
    request = urllib.request.Request(address, data=body, headers={"content-type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310 - http on this machine
        pass
