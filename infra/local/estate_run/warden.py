"""Ends an estate's processes when `fig up` was killed and could not do it itself.

A script of its own, in its own session, that imports the standard library only. It reads `+<pid>` and `-<pid>` lines
from standard input as process groups start and end. At the end of input, which the system brings about however `fig up`
died, it asks each group's first process to end, newest first, waits a little, and kills what is left of the groups.

A node gives its Envoy a session of its own, so that Envoy outlives the node. Under `fig up` nothing shall: each process
inherits the variable `MARK`, and whatever still carries the run's mark at the end is killed too, by its id.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

MARK = "FIG_UP_RUN"
"""The environment name whose value is the run's own; inherited by every process of the run, wherever it moves."""
GRACE_SECONDS = 12.0
"""How long the processes may take to end in order; a node waits up to ten seconds for its Envoy."""
_LOOK_EVERY_SECONDS = 0.05
_ROUNDS = 40


def groups_alive(lines: Iterable[str]) -> list[int]:
    """The process groups that started and did not end, in the order in which they started."""
    alive: list[int] = []
    for line in lines:
        sign, pid = line[:1], line[1:].strip()
        if sign == "+":
            alive.append(int(pid))
        elif sign == "-" and int(pid) in alive:
            alive.remove(int(pid))
    return alive


def marked(mark: str) -> list[int]:
    """The processes that carry the run's mark."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208 - no pathlib here
        # processes end meanwhile, and other users' cannot be read: neither is of this run
        with contextlib.suppress(OSError):
            if entry.isdigit() and wanted in _read(f"/proc/{entry}/environ").split(b"\0"):
                found.append(int(entry))
    return found


def kill_marked(mark: str) -> None:
    """Kill what carries the run's mark, until nothing does."""
    for _ in range(_ROUNDS):
        left = [pid for pid in marked(mark) if _is_running(pid)]
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_LOOK_EVERY_SECONDS)


def end(groups: list[int], mark: str) -> None:
    """Ask the groups' first processes to end, then kill what is left after `GRACE_SECONDS`."""
    for pid in reversed(groups):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and any(_is_running(pid) for pid in groups):
        time.sleep(_LOOK_EVERY_SECONDS)
    for pid in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    kill_marked(mark)


def _is_running(pid: int) -> bool:
    """Whether the process runs; one that ended and that nobody has collected yet does not."""
    try:
        return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - no pathlib here
        return file.read()


def main() -> None:
    """Read until the end of input, then end what is still alive. The run's mark is the first argument."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it must outlive fig up, and ends with it
    end(groups_alive(sys.stdin), sys.argv[1])


if __name__ == "__main__":
    main()
