"""Brings a ledger's schema up to date when control starts: from nothing, from an older revision, or from before them.

In SQLite the whole of it is one transaction: a process that dies in it leaves the ledger as it was. MariaDB ends a
transaction with every change of a table, so there a backup is what one goes back to.
"""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, inspect, text

from . import triggers

_FIRST = "first"
_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> tuple[str, ...]:
    """Make the database's tables and triggers the present ones; its content stays.

    Returns the names of triggers that were gone from a ledger that this very version has opened before.
    """
    if engine.dialect.name != "sqlite":  # its connections know how to reach the server
        with engine.begin() as connection:
            return _migrated(connection)
    own = create_engine(engine.url, poolclass=NullPool)
    event.listen(own, "connect", _no_hidden_transactions)
    event.listen(own, "begin", _begin_at_once)
    try:
        with own.begin() as connection:
            return _migrated(connection)
    finally:
        own.dispose()


def _migrated(connection: Connection) -> tuple[str, ...]:
    before = _revision(connection)
    _upgrade(connection)
    gone = triggers.absent(connection) if before == _revision(connection) else ()
    _make_triggers(connection)
    return gone


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    tables = set(inspect(connection).get_table_names())
    if "history" in tables and "alembic_version" not in tables:  # made before there were revisions
        command.stamp(config, _FIRST)
    command.upgrade(config, "head")


def _make_triggers(connection: Connection) -> None:
    for name in triggers.NAMES:
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
    for statement in triggers.statements(connection):
        connection.exec_driver_sql(statement)


def _no_hidden_transactions(connection: Any, _record: object) -> None:
    """Let SQLAlchemy alone say when a transaction begins: Python's module would leave tables out of it."""
    connection.isolation_level = None


def _begin_at_once(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
