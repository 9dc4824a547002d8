"""A user's own SQL over the tables: one statement that reads, read-only, for a bounded time and number of rows.

Three locks: the kind of statement, the transaction, and the database, which knows no other files.
"""

from dataclasses import dataclass
from typing import Any

import duckdb

from strangler_fig.diagnostics import Diagnostic, Refused

from .reader import DuckDbReader

MAX_ROWS = 100_000
_NO_SELECT, _WRONG_SQL, _SLOW_SQL = "OB201", "OB202", "OB203"
SQL_SECONDS = 30.0
_TOO_LONG = f"the query took longer than {SQL_SECONDS:.0f} seconds"
_MAX_CHARACTERS = 100_000
_READING = frozenset({duckdb.StatementType.SELECT})


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
        with reader.cursor(SQL_SECONDS) as cursor:
            cursor.execute(text)
            found = cursor.fetchmany(rows + 1)
            names = [column[0] for column in cursor.description or ()]
    except duckdb.InterruptException as error:
        raise _refused(_SLOW_SQL, _TOO_LONG, "bound its time") from error
    except duckdb.Error as error:
        raise _refused(_WRONG_SQL, str(error).strip() or "the query failed") from error
    return Answer(columns=names, rows=found[:rows], is_cut=len(found) > rows)


def _check(text: str) -> None:
    if len(text) > _MAX_CHARACTERS:
        raise _refused(_NO_SELECT, f"a query of more than {_MAX_CHARACTERS} characters")
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise _refused(_WRONG_SQL, str(error).strip()) from error
    if len(statements) != 1 or statements[0].type not in _READING:
        kinds = ", ".join(one.type.name for one in statements[:5]) or "nothing"
        raise _refused(_NO_SELECT, f"one SELECT is run here, not {kinds}", "the store is read-only from outside")


def _refused(code: str, message: str, hint: str | None = None) -> Refused:
    return Refused([Diagnostic(code=code, message=message, hint=hint)])
