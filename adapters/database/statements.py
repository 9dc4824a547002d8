"""Statements that end on the server, too: a function that is killed leaves no query running.

The bound is the profile's `statement_timeout` or what remains of the invocation, whichever is less. MariaDB takes it
for any statement (`SET STATEMENT max_statement_time=... FOR`), MySQL for SELECT only, as a hint. Both belong to the one
statement, so nothing has to be set back, and a proxy in between does not pin the connection.

Source: MariaDB, "SET STATEMENT"; MySQL 8.4 reference manual, 10.9.3, "Statement execution time optimizer hints".
"""

import re
from typing import Any

from sqlalchemy import Engine, event

from ..deadline import bounded
from ..profiles.values import DatabaseProfile

_BOUNDABLE = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CALL)\b", re.IGNORECASE)
_READS = re.compile(r"\s*(SELECT|SHOW|DESCRIBE|EXPLAIN)\b(?!.*\bINTO\b)", re.IGNORECASE | re.DOTALL)
_SELECT = re.compile(r"\s*SELECT\b(?!\s*/\*\+)", re.IGNORECASE)
_STEP_MS = 10


def bound(engine: Engine, profile: DatabaseProfile) -> None:
    """Have every statement of the engine checked against the deadline, and bounded on the server."""
    doing = f"running a statement on {profile.name}"

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def before(
        connection: Any,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        _many: bool,  # noqa: FBT001
    ) -> tuple[str, Any]:
        seconds = bounded(profile.statement_timeout, doing)
        if not _READS.match(statement):
            connection.connection.dbapi_connection.writes = True
        if seconds is not None:
            statement = bounded_text(statement, seconds, is_mariadb=connection.dialect.is_mariadb)
        return statement, parameters


def bounded_text(statement: str, seconds: float, *, is_mariadb: bool) -> str:
    """The statement with a bound for the server; as it is where the server takes none for its kind."""
    milliseconds = max(_STEP_MS, -(-round(seconds * 1000) // _STEP_MS) * _STEP_MS)
    if is_mariadb:
        if not _BOUNDABLE.match(statement):
            return statement
        return f"SET STATEMENT max_statement_time={milliseconds / 1000:.2f} FOR {statement}"
    found = _SELECT.match(statement)
    if not found:
        return statement
    return f"{found[0]} /*+ MAX_EXECUTION_TIME({milliseconds}) */{statement[found.end() :]}"
