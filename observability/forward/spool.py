"""The retry queue: one file for each message, oldest first, bounded; a restart goes on where it was."""

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

MAX_BYTES = 256 * 2**20


class Spool:
    """Messages that wait to be sent on; when they are too many, the oldest goes, and is counted."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES, now: Callable[[], int] = time.time_ns) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for unfinished in folder.glob("*.new"):
            unfinished.unlink()
        self._folder = folder
        self._max_bytes = max_bytes
        self._now = now
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._sizes = {path: path.stat().st_size for path in sorted(folder.glob("*.pb"))}
        self.dropped = 0
        self.arrived = threading.Event()

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait."""
        return sum(self._sizes.values())

    def put(self, signal: str, data: bytes) -> None:
        """Add a message; it is there after a restart."""
        name = f"{self._now():020d}-{next(self._numbers):08d}-{signal}"
        new, path = self._folder / f"{name}.new", self._folder / f"{name}.pb"
        try:
            new.write_bytes(data)
            new.rename(path)
        except OSError:  # the disk is full: what is stored here stays; the loss further on is counted
            new.unlink(missing_ok=True)
            self.dropped += 1
            return
        with self._lock:
            self._sizes[path] = len(data)
            while len(self._sizes) > 1 and sum(self._sizes.values()) > self._max_bytes:
                oldest = next(iter(self._sizes))
                self._forget(oldest)
                self.dropped += 1
        self.arrived.set()

    def oldest(self) -> tuple[Path, str, bytes] | None:
        """The oldest message's file, signal and bytes; None when nothing waits."""
        with self._lock:
            path = next(iter(self._sizes), None)
            if path is None:
                self.arrived.clear()
                return None
            try:
                return path, path.stem.rpartition("-")[2], path.read_bytes()
            except OSError:
                self._forget(path)
                self.dropped += 1
                return None

    def done(self, path: Path) -> None:
        """Forget a message: it was sent, or never will be."""
        with self._lock:
            self._forget(path)

    def clear(self) -> None:
        """Forget every message, and count it as dropped."""
        with self._lock:
            self.dropped += len(self._sizes)
            for path in list(self._sizes):
                self._forget(path)

    def _forget(self, path: Path) -> None:
        self._sizes.pop(path, None)
        path.unlink(missing_ok=True)
