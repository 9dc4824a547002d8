"""The one writer: what is in the queue together is committed together, and only then acknowledged.

A commit that fails leaves nothing of its batches behind and the queue open: who sent them is told to come again. Upkeep
(retention, merging minutes) runs in the same thread, between two commits, so that nobody ever waits for a lock.
"""

import contextlib
import queue
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

import duckdb

from ..errors import StoreFailed, StoreFull
from ..tables import TABLES, Batch, Row
from .database import Place, open_database
from .insert import insert
from .upkeep import Keep, Upkeep

MAX_QUEUED_BYTES = 32 * 2**20
"""Of messages as they came. Their rows, Python's objects, take about five times as much: 118,000 spans are 170 MB."""
MAX_COALESCED_RECORDS = 5_000
_COMMIT_SECONDS = 0.05
"""Between the beginnings of two commits: many small batches then share one, and a single one never waits."""
_RETRY_SECONDS = 2
_DISK_RETRY_SECONDS = 15
_MIN_FREE_BYTES = 64 * 2**20
"""Room that must be left on the disk: a checkpoint writes blocks before it gives the log's back."""
_UPKEEP_SECONDS = 20.0
_PASSING = (duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException, duckdb.FatalException)
"""What may be over when the sender comes again; anything else is the batch's fault, or ours."""


@dataclass(slots=True)
class Condition:
    """How the writer is: what health pages tell. Written by the writer alone."""

    fault: str = ""
    commits: int = 0
    stored: int = 0
    failed_commits: int = 0
    slowest_commit_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: Batch
    stored: "Future[None]" = field(default_factory=Future)


class Writer:
    """Stores batches in the order in which they come; `submit` never blocks."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, place: Place, keep: Keep) -> None:
        self._connection = connection
        self._place = place
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._queued_bytes = 0
        self._upkeep = Upkeep(connection, keep)
        self._is_closed = False
        self._disk_seen, self._free = float("-inf"), 0
        self._committed_at = float("-inf")
        self.condition = Condition()
        self.when_stored: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection that readers take their cursors from; another one after the database had to be opened anew."""
        return self._connection

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait for their commit."""
        return self._queued_bytes

    def check_room(self, size: int) -> None:
        """Raise `StoreFull` when a batch of this size would not be taken now."""
        if self._is_closed:
            message = "the receiver is shutting down"
            raise StoreFull(message, retry_after_seconds=_RETRY_SECONDS)
        if self._queued_bytes and self._queued_bytes + size > MAX_QUEUED_BYTES:
            message = f"the queue is full: {self._queued_bytes} bytes wait to be stored"
            raise StoreFull(message, retry_after_seconds=_RETRY_SECONDS)
        if (free := self._free_bytes()) < _MIN_FREE_BYTES:
            self.condition.fault = f"the disk of {self._place.file} is full: {free} bytes are free"
            raise StoreFull(self.condition.fault, retry_after_seconds=_DISK_RETRY_SECONDS)

    def submit(self, batch: Batch) -> "Future[None]":
        """What is done once the batch is stored for good; fails with `StoreFull` when it could not be.

        Raises `StoreFull` at once when there is no room.
        """
        waiting = _Waiting(batch)
        with self._lock:
            self.check_room(batch.size)
            self._queued_bytes += batch.size
            self._queue.put(waiting)
        return waiting.stored

    def close(self) -> None:
        """Store what is queued, then end."""
        with self._lock:
            self._is_closed = True
            self._queue.put(None)
        self._thread.join()

    def _free_bytes(self) -> int:
        now = time.monotonic()
        if now - self._disk_seen > 1.0 or self._free < _MIN_FREE_BYTES:
            self._disk_seen = now
            self._free = shutil.disk_usage(self._place.file.parent).free
        return self._free

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """Take nothing any more, and let nobody wait: the end has come, or a fault of ours."""
        with self._lock:
            self._is_closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                if (one := self._queue.get_nowait()) is not None:
                    message = "the store's writer has ended"
                    one.stored.set_exception(StoreFull(message, retry_after_seconds=_DISK_RETRY_SECONDS))

    def _work(self) -> None:
        next_upkeep = time.monotonic() + _UPKEEP_SECONDS
        while True:
            taken, is_last = self._take(max(next_upkeep - time.monotonic(), 0.01))
            if taken:
                self._store(taken)
            if is_last:
                return
            if time.monotonic() >= next_upkeep:
                self._maintain()
                next_upkeep = time.monotonic() + _UPKEEP_SECONDS

    def _take(self, seconds: float) -> tuple[list[_Waiting], bool]:
        """What is queued, up to one commit's worth, and whether the end has come."""
        taken: list[_Waiting] = []
        records = 0
        try:
            one = self._queue.get(timeout=seconds)
            time.sleep(max(self._committed_at + _COMMIT_SECONDS - time.monotonic(), 0))
            while one is not None:
                taken.append(one)
                records += one.batch.records
                if records >= MAX_COALESCED_RECORDS:
                    return taken, False
                one = self._queue.get_nowait()
        except queue.Empty:
            return taken, False
        return taken, True

    def _store(self, taken: list[_Waiting]) -> None:
        self._committed_at = began = time.monotonic()
        failure = self._commit([one.batch for one in taken])
        if failure is not None and len(taken) > 1:  # one of them may be at fault: the others must not pay for it
            for one in taken:
                self._store([one])
            return
        took = time.monotonic() - began
        self.condition.slowest_commit_seconds = max(self.condition.slowest_commit_seconds, took)
        with self._lock:
            self._queued_bytes -= sum(one.batch.size for one in taken)
        if failure is None:
            self.condition.fault = ""
            self.condition.commits += 1
            self.condition.stored += sum(one.batch.records for one in taken)
            self._upkeep.noticed(one.batch for one in taken)
        else:
            self.condition.fault = str(failure)
            self.condition.failed_commits += 1
        for one in taken:
            one.stored.set_result(None) if failure is None else one.stored.set_exception(failure)
        if failure is None:
            self.when_stored()

    def _commit(self, batches: list[Batch]) -> StoreFailed | None:
        """Commit all or nothing; why it failed."""
        together: dict[str, list[Row]] = {}
        for batch in batches:
            for name, rows in batch.rows.items():
                together.setdefault(name, []).extend(rows)
        try:
            self._connection.execute("BEGIN")
            for name, rows in together.items():
                if rows:
                    insert(self._connection, TABLES.tables[name], rows)
            self._connection.execute("COMMIT")
        except (
            duckdb.Error,
            ValueError,
            TypeError,
            OverflowError,
        ) as error:  # a row that is none is a fault of ours: its batch's alone
            return self._recover(error)
        return None

    def _recover(self, error: Exception) -> StoreFailed:
        """Make the connection usable again after a failed commit; a database that gave itself up is opened anew."""
        reason = str(error).partition("\n")[0]
        try:
            if isinstance(error, duckdb.FatalException) or "invalidated" in str(error):
                self._connection.close()
                self._connection = open_database(self._place)
                self._upkeep.connection = self._connection
            else:
                self._connection.execute("ROLLBACK")
        except duckdb.TransactionException:
            pass  # the failed commit has ended the transaction already
        except (duckdb.Error, StoreFailed) as worse:
            reason = f"{reason}; {worse}"
        message = f"nothing was stored: {reason}"
        if isinstance(error, _PASSING):
            return StoreFull(message, retry_after_seconds=_DISK_RETRY_SECONDS)
        return StoreFailed(message)

    def _maintain(self) -> None:
        try:
            self._upkeep.run(time.time_ns())
        except duckdb.Error as error:
            self.condition.fault = f"upkeep failed: {str(error).splitlines()[0]}"
            self._recover(error)
