"""Statements that end on the server, too: a function that is killed leaves no query running.

The bound is the profile's `statement_timeout` or what remains of the invocation, whichever is less. MariaDB takes it
for any statement (`SET STATEMENT max_statement_time=... FOR`), MySQL for SELECT only, as a hint. Both belong to the one
statement, so nothing has to be set back, and a proxy in between does not pin the connection.

Source: MariaDB, "SET STATEMENT"; MySQL 8.4 reference manual, 10.9.3, "Statement execution time optimizer hints".
"""

import functools
import math
import re
from typing import Any

from sqlalchemy import Engine, event

from .. import effects
from ..deadline import bounded
from ..errors import ShadowSuppressed
from ..profiles.values import DatabaseProfile
from ..shadow import is_shadow

_BOUNDABLE = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CALL)\b", re.IGNORECASE)
_READS = re.compile(r"\s*(SELECT|SHOW|DESCRIBE|EXPLAIN)\b(?!.*\bINTO\b)", re.IGNORECASE | re.DOTALL)
_UNDONE = re.compile(
    r"(?:\s|/\*(?!M?!).*?\*/|#[^\n]*\n|--\s[^\n]*\n)*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CALL|SHOW|DESCRIBE|DESC"
    r"|EXPLAIN|VALUES|TABLE|LOAD\s+DATA|DO|USE|SAVEPOINT|RELEASE|ROLLBACK|KILL|CREATE\s+TEMPORARY|DROP\s+TEMPORARY"
    r"|SET\b(?!.*\b(?:AUTOCOMMIT|PASSWORD)\b))\b",
    re.IGNORECASE | re.DOTALL,
)
"""What a rollback undoes, or has nothing of to undo; all else the server commits at once. Source: MariaDB, "SQL
statements that cause an implicit commit"."""
_SELECT = re.compile(r"\s*SELECT\b(?!\s*/\*\+)", re.IGNORECASE)
_LONGEST_KEPT = 4096
"""Characters of a statement that is remembered: a load of a whole table is not."""
_HAIR = 1e-6


def bound(engine: Engine, profile: DatabaseProfile) -> None:
    """Have every statement of the engine checked against the deadline, and bounded on the server."""
    doing = f"running a statement on {profile.name}"
    configured = profile.statement_timeout

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def before(
        connection: Any,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        many: bool,  # noqa: FBT001
    ) -> tuple[str, Any]:
        seconds = bounded(configured, doing, nothing_done=True)
        reads, mariadb, mysql = _seen(statement) if len(statement) <= _LONGEST_KEPT else _look(statement)
        if not reads:
            _note_write(connection.connection.dbapi_connection, statement, profile.name)
        if many:
            # PyMySQL makes one statement of many rows, if it begins as it was written.
            driver = connection.connection.dbapi_connection
            driver.prefix = _mariadb_prefix(seconds) if seconds and mariadb and connection.dialect.is_mariadb else ""
            return statement, parameters
        if seconds is None:
            return statement, parameters
        if connection.dialect.is_mariadb:
            return (_for_mariadb(statement, seconds) if mariadb else statement), parameters
        return (_for_mysql(statement, seconds, mysql) if mysql else statement), parameters


def _note_write(driver: Any, statement: str, name: str) -> None:
    """Note what will be committed; what is committed at once is no statement of a shadow, and noted now."""
    driver.writes = True
    if driver.get_autocommit() or not _UNDONE.match(statement):
        if is_shadow():
            raise ShadowSuppressed(name, "a statement that cannot be rolled back")
        effects.note(f"running a statement on {name}")


def bounded_text(statement: str, seconds: float, *, is_mariadb: bool) -> str:
    """The statement with a bound for the server; as it is where the server takes none for its kind."""
    _, mariadb, mysql = _look(statement)
    if is_mariadb:
        return _for_mariadb(statement, seconds) if mariadb else statement
    return _for_mysql(statement, seconds, mysql) if mysql else statement


def _for_mariadb(statement: str, seconds: float) -> str:
    return f"{_mariadb_prefix(seconds)}{statement}"


def _mariadb_prefix(seconds: float) -> str:
    return f"SET STATEMENT max_statement_time={_steps(seconds) / 100:.2f} FOR "


def _for_mysql(statement: str, seconds: float, place: int) -> str:
    return f"{statement[:place]} /*+ MAX_EXECUTION_TIME({_steps(seconds) * 10}) */{statement[place:]}"


def _steps(seconds: float) -> int:
    """Hundredths of a second, rounded up: not every statement has another text."""
    return max(1, math.ceil(seconds * 100 - _HAIR))


def _look(statement: str) -> tuple[bool, bool, int]:
    """Whether it only reads, whether MariaDB takes a bound for it, and where MySQL takes one (0: nowhere)."""
    found = _SELECT.match(statement)
    return bool(_READS.match(statement)), bool(_BOUNDABLE.match(statement)), found.end() if found else 0


_seen = functools.lru_cache(maxsize=512)(_look)
