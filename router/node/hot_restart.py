"""What two Envoys share while the one hands its listening sockets over to the other, and how to mend it.

Three facts, all measured on 1.40.0, make this more than three options on a command line. A new Envoy that dies before
it is ready leaves the shared memory marked, and every later one refuses to start: `settle` takes the mark away. The
old one's admin interface is closed before the new one is ready: only another hand-over brings it back. And an Envoy
whose predecessor is gone when it sends it its last message waits ten seconds and then aborts: `letter_box` takes the
message in the predecessor's place, and `NEVER_SECONDS` sees to it that it is sent at two times only: when the Envoy
hands over itself, and when it is asked to end.

Source: Envoy documentation, "Hot restart"; source/server/hot_restart_impl.h (1.40).
"""

import hashlib
import os
import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SOCKETS = "hot-restart"
"""The beginning of the names of the Envoys' sockets, in Envoy's working directory: as a path it would be too long."""
NEVER_SECONDS = 100_000_000
"""Three years: the old Envoy is ended by the agent, which knows when its last connection is closed."""

_MEMORY = Path("/dev/shm")  # noqa: S108 - where shm_open(3) has it; the file is Envoy's
_PROCESSES = 3  # an Envoy's sockets are named by its epoch modulo this
_BASES = (1 << 31) // 10 - 1
"""Envoy multiplies a base id by ten in 32 bits with a sign: a higher one gives its sockets names of another number."""
_INITIALIZING = 1
_NUMBER = struct.Struct("Q")
_HEAD = struct.Struct("QQ")  # size and version
_ASK_SECONDS = 20.0
_VERSION = re.compile(r"version: (\S+)")
_HOT_RESTART = re.compile(r"^(\d+\.\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Build:
    """What a binary says of itself: its version, and the hot-restart version that two Envoys must share."""

    version: str
    hot_restart: str


def is_possible() -> bool:
    """Whether Envoy can have shared memory on this host; without it every change of the bootstrap is a stop."""
    return os.access(_MEMORY, os.W_OK)


def base_id(root: Path) -> int:
    """The number that keeps the nodes on one machine apart: it follows from the state directory's place on the disk."""
    status = root.stat()
    digest = hashlib.sha256(f"{status.st_dev}:{status.st_ino}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % _BASES + 1


def build_of(binary: Path) -> Build | None:
    """What the binary says of itself, or None when it does not answer."""
    try:
        said = [_said(binary, option) for option in ("--version", "--hot-restart-version")]
    except (OSError, subprocess.SubprocessError):
        return None
    version, hot_restart = _VERSION.search(said[0]), _HOT_RESTART.search(said[1])
    return Build(version[1], hot_restart[1]) if version and hot_restart else None


def _said(binary: Path, option: str) -> str:
    # The one is printed on standard output, the other on standard error.
    return subprocess.run(
        [str(binary), option],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_ASK_SECONDS,
        check=True,
    ).stdout


def version_in_memory(base: int) -> str | None:
    """The hot-restart version of the Envoy that runs, as its shared memory says; None when there is none."""
    try:
        with _memory(base).open("rb") as file:
            size, version = _HEAD.unpack(file.read(_HEAD.size))
    except (OSError, struct.error):
        return None
    return f"{version}.{size}"


def settle(base: int) -> bool:
    """Take the mark of an Envoy that died while it started away; returns whether there was one.

    With the mark it had not yet asked its predecessor to drain. Call it only while no Envoy is starting.
    """
    try:
        with _memory(base).open("r+b") as file:
            (size,) = _NUMBER.unpack(file.read(_NUMBER.size))
            file.seek(size - _NUMBER.size)  # the flags are the last field
            (flags,) = _NUMBER.unpack(file.read(_NUMBER.size))
            if not flags & _INITIALIZING:
                return False
            file.seek(size - _NUMBER.size)
            file.write(_NUMBER.pack(flags & ~_INITIALIZING))
    except (OSError, struct.error):
        return False
    return True


def forget(root: Path, base: int) -> None:
    """Remove the shared memory and the sockets of Envoys that have ended."""
    _memory(base).unlink(missing_ok=True)
    for path in root.glob(f"{SOCKETS}_*"):
        path.unlink(missing_ok=True)


@contextmanager
def letter_box(root: Path, base: int, epoch: int) -> Iterator[None]:
    """Take what is sent to the ended Envoy of that epoch; nothing to do before the first."""
    if epoch < 0:
        yield
        return
    name = f"{SOCKETS}_parent_{base * 10 + epoch % _PROCESSES}"
    folder = os.open(root, os.O_PATH | os.O_CLOEXEC)
    box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        with suppress(FileNotFoundError):
            (root / name).unlink()
        box.bind(f"/proc/self/fd/{folder}/{name}")  # the name of a Unix socket has at most 107 characters
        yield
    finally:
        box.close()
        os.close(folder)


def _memory(base: int) -> Path:
    return _MEMORY / f"envoy_shared_memory_{base * 10}"
