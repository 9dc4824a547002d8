"""What the database itself refuses: to change or remove a line of the history, and to turn a version back.

MariaDB has no trigger for TRUNCATE and DROP, and SQLite none for its file: what those took is found by the chain. That
somebody dropped a trigger, or put another in its place, is found by comparing what stands with what is made here.
"""

import re
from collections.abc import Iterator

from sqlalchemy import Connection, text

_APPEND_ONLY = "history is append-only"
_GROWS = "revision, weights version and history only grow"
_FALLS = (
    "NEW.revision < OLD.revision OR NEW.weights_version < OLD.weights_version OR NEW.head_entries < OLD.head_entries"
)
_IS_THERE = "EXISTS (SELECT 1 FROM history WHERE id = NEW.id OR (node = NEW.node AND move_id = NEW.move_id))"


def _sqlite(text: str) -> str:
    return f"BEGIN SELECT RAISE(ABORT, '{text}'); END"


def _mysql(text: str) -> str:
    return f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{text}'"


_MYSQL_GROWS = f"IF {_FALLS} THEN {_mysql(_GROWS)}; END IF"

NAMES = ("history_keeps_its_lines", "history_loses_no_line", "history_replaces_no_line", "desired_only_grows")

STATEMENTS = {
    "sqlite": (
        f"CREATE TRIGGER history_keeps_its_lines BEFORE UPDATE ON history {_sqlite(_APPEND_ONLY)}",
        f"CREATE TRIGGER history_loses_no_line BEFORE DELETE ON history {_sqlite(_APPEND_ONLY)}",
        # INSERT OR REPLACE removes the old line without asking the trigger for DELETE
        f"CREATE TRIGGER history_replaces_no_line BEFORE INSERT ON history WHEN {_IS_THERE} {_sqlite(_APPEND_ONLY)}",
        f"CREATE TRIGGER desired_only_grows BEFORE UPDATE ON desired WHEN {_FALLS} {_sqlite(_GROWS)}",
    ),
    "mysql": (
        f"CREATE TRIGGER history_keeps_its_lines BEFORE UPDATE ON history FOR EACH ROW {_mysql(_APPEND_ONLY)}",
        # REPLACE asks this one
        f"CREATE TRIGGER history_loses_no_line BEFORE DELETE ON history FOR EACH ROW {_mysql(_APPEND_ONLY)}",
        f"CREATE TRIGGER desired_only_grows BEFORE UPDATE ON desired FOR EACH ROW {_MYSQL_GROWS}",
    ),
}

_IN_SQLITE = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
_IN_MYSQL = """
SELECT trigger_name, CONCAT('CREATE TRIGGER ', trigger_name, ' ', action_timing, ' ', event_manipulation,
' ON ', event_object_table, ' FOR EACH ROW ', action_statement)
FROM information_schema.triggers WHERE trigger_schema = DATABASE()
"""


def statements(connection: Connection) -> tuple[str, ...]:
    """What makes the triggers in this kind of database."""
    return STATEMENTS["sqlite" if connection.dialect.name == "sqlite" else "mysql"]


def missing(connection: Connection) -> tuple[str, ...]:
    """The names of the triggers that are not there, or are others than those that are made here."""
    query = _IN_SQLITE if connection.dialect.name == "sqlite" else _IN_MYSQL
    found = {name: _plain(said) for name, said in connection.execute(text(query))}
    return tuple(name for name, said in _made(connection) if found.get(name) != said)


def absent(connection: Connection) -> tuple[str, ...]:
    """The names of the triggers that are not there at all."""
    query = _IN_SQLITE if connection.dialect.name == "sqlite" else _IN_MYSQL
    found = {name for name, _said in connection.execute(text(query))}
    return tuple(name for name, _said in _made(connection) if name not in found)


def _made(connection: Connection) -> Iterator[tuple[str, str]]:
    for statement in statements(connection):
        yield statement.split()[2], _plain(statement)


def _plain(statement: str) -> str:
    """The statement without what a database may write otherwise: spaces, quotes around names, and case."""
    return re.sub(r"\s+", " ", statement.replace("`", "")).strip().lower()
