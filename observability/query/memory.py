"""How much memory questions of a user's own may take: one function of SQL makes gigabytes out of nothing.

DuckDB's own limit does not see a text while a function writes it, and the interruption comes only between functions.
So while such a question runs, the system gives this process only so much more; an allocation that is too large fails
at once, before anything is written into it.
"""

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MORE_BYTES = 320 * 2**20
_STATUS = Path("/proc/self/status")
_LOCK = threading.Lock()
_running = 0
_before = resource.RLIM_INFINITY


@contextmanager
def bounded_memory() -> Iterator[None]:
    """A process that may grow by `MORE_BYTES` until the last of these blocks ends; elsewhere than on Linux no bound."""
    global _running, _before  # noqa: PLW0603 - the limit is the process's
    with _LOCK:
        _running += 1
        if _running == 1:
            _before = resource.getrlimit(resource.RLIMIT_DATA)[0]
            _limit_to(_lower(_before, _data_bytes()))
    try:
        yield
    finally:
        with _LOCK:
            _running -= 1
            if not _running:
                _limit_to(_before)


def _limit_to(soft: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (soft, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _lower(before: int, used: int) -> int:
    wanted = used + MORE_BYTES
    return before if not used or (before != resource.RLIM_INFINITY and before < wanted) else wanted


def _data_bytes() -> int:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), 0)
