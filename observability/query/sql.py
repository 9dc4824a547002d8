"""A user's own SQL over the tables: one statement that reads, read-only, in a bounded time, memory and answer.

Three locks: the kind of statement, the transaction, and the database, which knows no other files.
"""

import re
import sys
from dataclasses import dataclass
from typing import Any

import duckdb

from strangler_fig.diagnostics import Diagnostic, Refused

from .allowed import denied
from .memory import bounded_memory
from .reader import DuckDbReader

MAX_ROWS = 100_000
MAX_ANSWER_BYTES = 16 * 2**20
_NO_SELECT, _WRONG_SQL, _SLOW_SQL, _LARGE_SQL = "OB201", "OB202", "OB203", "OB207"
SQL_SECONDS = 10.0
_TOO_LONG = f"the query took longer than {SQL_SECONDS:.0f} seconds"
_MAX_CHARACTERS = 100_000
_READING = frozenset({duckdb.StatementType.SELECT})
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)
_AT_ONCE = 100
_NO_MEMORY = "the query wants more memory than one may have"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The columns' names, the rows, and whether there were more than were asked for."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_cut: bool


def run_sql(reader: DuckDbReader, text: str, limit: int = 1_000) -> Answer:
    """What a statement selects, at most `limit` rows. Raises `Refused` when it is wrong, writes, or takes too long."""
    _check(text)
    rows = min(max(limit, 1), MAX_ROWS)
    try:
        with bounded_memory(), reader.cursor(SQL_SECONDS) as cursor:
            if why := denied(cursor, text):
                raise _refused(_NO_SELECT, why)
            cursor.execute(text)
            names = [column[0] for column in cursor.description or ()]
            found = _fetched(cursor, rows + 1)
    except duckdb.InterruptException as error:
        raise _refused(_SLOW_SQL, _TOO_LONG, "bound its time") from error
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        raise _refused(_LARGE_SQL, _NO_MEMORY, "ask for less time, fewer columns, shorter texts") from error
    except duckdb.Error as error:
        raise _refused(_WRONG_SQL, str(error).strip() or "the query failed") from error
    return Answer(columns=names, rows=found[:rows], is_cut=len(found) > rows)


def _fetched(cursor: duckdb.DuckDBPyConnection, rows: int) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    size = 0
    while len(found) < rows and (some := cursor.fetchmany(min(_AT_ONCE, rows - len(found)))):
        size += sum(_size(value) for row in some for value in row)
        if size > MAX_ANSWER_BYTES:
            message = f"the answer is larger than {MAX_ANSWER_BYTES // 2**20} MiB"
            raise _refused(_LARGE_SQL, message, "ask for fewer rows (--limit), or for a part of the texts")
        found += some
    return found


def _size(value: object) -> int:
    if isinstance(value, dict):
        return sys.getsizeof(value) + sum(_size(key) + _size(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return sys.getsizeof(value) + sum(_size(one) for one in value)
    return sys.getsizeof(value)


def _check(text: str) -> None:
    if len(text) > _MAX_CHARACTERS:
        raise _refused(_NO_SELECT, f"a query of more than {_MAX_CHARACTERS} characters")
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise _refused(_WRONG_SQL, str(error).strip()) from error
    if not statements:
        raise _refused(_NO_SELECT, "the query is empty: one SELECT is run here")
    if len(statements) != 1 or statements[0].type not in _READING:
        kinds = ", ".join(_kind(one) for one in statements[:5])
        raise _refused(_NO_SELECT, f"one SELECT is run here, not {kinds}", "the store is read-only from outside")


def _kind(statement: duckdb.Statement) -> str:
    """The statement's first word, as its author wrote it: DuckDB calls INSTALL a kind of LOAD."""
    word = _FIRST_WORD.match(statement.query)
    return word[1].upper() if word else statement.type.name


def _refused(code: str, message: str, hint: str | None = None) -> Refused:
    return Refused([Diagnostic(code=code, message=message, hint=hint)])
