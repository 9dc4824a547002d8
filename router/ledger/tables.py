"""The ledger's tables. The history may only grow: the database itself refuses to change or remove a line of it.

`desired` has one row and `weights` one for each route: the present, so that a restart need not replay the past. They
are written in the same transaction as the history. Triggers are SQLite's; another database brings its own.
"""

from sqlalchemy import (
    DDL,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.schema import ExecutableDDLElement

metadata = MetaData()

_NAME = String(255)
_DIGEST = String(64)
_TIME = String(40)

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", _TIME, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("route", _NAME),
    Column("before_parts", Integer),
    Column("after_parts", Integer),
    Column("actor", _NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("snapshot", _DIGEST),
    Column("node", _NAME),
    Column("move_id", _NAME),
    UniqueConstraint("node", "move_id"),
    CheckConstraint("kind IN ('shift', 'publish', 'rollback', 'fold')"),
    Index("history_by_route", "route", "id"),
    sqlite_autoincrement=True,
)

estates = Table(
    "estates",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("text", Text, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("estate", _DIGEST, nullable=False),
    Column("published_at", _TIME, nullable=False),
)

desired = Table(
    "desired",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("weights_version", Integer, nullable=False),
    Column("snapshot", _DIGEST),
    Column("previous", _DIGEST),
    CheckConstraint("id = 1"),
)

weights = Table(
    "weights",
    metadata,
    Column("route", _NAME, primary_key=True),
    Column("parts", Integer, nullable=False),
    Column("since", _TIME, nullable=False),
    Column("by", _NAME, nullable=False),
    Column("moving", Boolean, nullable=False),
    CheckConstraint("parts BETWEEN 0 AND 10000"),
)

nodes = Table(
    "nodes",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("first_seen", _TIME, nullable=False),
)

_REFUSE = "BEGIN SELECT RAISE(ABORT, '{}'); END"
_APPEND_ONLY = _REFUSE.format("history is append-only")
_SAME_LINE = "SELECT 1 FROM history WHERE id = NEW.id OR (node = NEW.node AND move_id = NEW.move_id)"
_FALLS = "NEW.revision < OLD.revision OR NEW.weights_version < OLD.weights_version"

_TRIGGERS = {
    history: (
        f"CREATE TRIGGER history_keeps_its_lines BEFORE UPDATE ON history {_APPEND_ONLY}",
        f"CREATE TRIGGER history_loses_no_line BEFORE DELETE ON history {_APPEND_ONLY}",
        # INSERT OR REPLACE removes the old line without asking the trigger for DELETE
        f"CREATE TRIGGER history_replaces_no_line BEFORE INSERT ON history WHEN EXISTS ({_SAME_LINE}) {_APPEND_ONLY}",
    ),
    desired: (
        f"CREATE TRIGGER desired_only_grows BEFORE UPDATE ON desired WHEN {_FALLS} "
        + _REFUSE.format("revision and weights version only grow"),
    ),
}

for _table, _statements in _TRIGGERS.items():
    for _statement in _statements:
        _ddl: ExecutableDDLElement = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap
        event.listen(_table, "after_create", _ddl.execute_if(dialect="sqlite"))
