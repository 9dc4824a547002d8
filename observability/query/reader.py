"""Runs the catalogue's statements: read-only, in a transaction of their own, for a bounded time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Protocol

import duckdb
from sqlalchemy import SelectBase

from ..errors import StoreFailed
from .constructs import DUCKDB

Record = dict[str, Any]
QUERY_SECONDS = 20.0


class Rows(Protocol):
    """What the catalogue needs of any store: the rows of a statement, by column name."""

    def rows(self, statement: SelectBase) -> list[Record]:
        """The rows that the statement selects."""


class Columns(Rows, Protocol):
    """What large answers need besides."""

    def columns(self, statement: SelectBase) -> dict[str, tuple[Any, ...]]:
        """The columns that the statement selects, by name."""


class Stop:
    """Ends what is being read for somebody who does not wait any more. Set from any thread, once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interrupt: Callable[[], object] | None = None
        self._is_set = False

    def set(self) -> None:
        """Interrupt what is running, and refuse what would run later."""
        with self._lock:
            self._is_set = True
            if self._interrupt is not None:
                self._interrupt()

    @contextmanager
    def over(self, interrupt: Callable[[], object]) -> Iterator[None]:
        """Interruptible until the block ends. Raises `StoreFailed` when nobody waits already."""
        with self._lock:
            if self._is_set:
                message = "nobody waits for the answer"
                raise StoreFailed(message)
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._lock:
                self._interrupt = None


STOP: ContextVar[Stop | None] = ContextVar("stop", default=None)
"""What ends the reading of this context early, where there is such a thing."""


class DuckDbReader:
    """Reads through cursors of the writer's connection, which `connection` gives: it may be opened anew."""

    def __init__(self, connection: Callable[[], duckdb.DuckDBPyConnection], seconds: float = QUERY_SECONDS) -> None:
        self._connection = connection
        self._seconds = seconds

    def rows(self, statement: SelectBase) -> list[Record]:
        """The rows that it selects. Raises `StoreFailed` when it takes too long or the store is out of order."""
        names, rows = self._answer(statement)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def columns(self, statement: SelectBase) -> dict[str, tuple[Any, ...]]:
        """The same as columns: for tens of thousands of rows it is several times quicker."""
        names, rows = self._answer(statement)
        return dict(zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True))

    def _answer(self, statement: SelectBase) -> tuple[list[str], list[tuple[Any, ...]]]:
        compiled = statement.compile(dialect=DUCKDB, compile_kwargs={"render_postcompile": True})
        values = compiled.params
        arguments = [values[name] for name in compiled.positiontup or ()]
        try:
            with self.cursor(self._seconds) as cursor:
                cursor.execute(str(compiled), arguments)
                return [column[0] for column in cursor.description or ()], cursor.fetchall()
        except duckdb.InterruptException as error:
            message = f"the query took longer than {self._seconds:.0f} seconds: ask for less time"
            raise StoreFailed(message) from error
        except duckdb.Error as error:
            message = f"the store could not be read: {str(error).splitlines()[0]}"
            raise StoreFailed(message) from error

    @contextmanager
    def cursor(self, seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor in a read-only transaction, interrupted when the block takes longer."""
        cursor = self._connection().cursor()
        alarm = threading.Timer(seconds, cursor.interrupt)
        alarm.daemon = True
        stop = STOP.get() or Stop()
        try:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            alarm.start()
            with stop.over(cursor.interrupt):
                yield cursor
        finally:
            alarm.cancel()
            with suppress(duckdb.Error):  # an interrupted transaction has ended already
                cursor.execute("ROLLBACK")
            cursor.close()
