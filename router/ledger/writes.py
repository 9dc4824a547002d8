"""The writes of one step, inside the transaction that the store opened: entries, documents, and the desired state."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, case, insert, select, update
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from . import tables
from .chain import Head, sealed, text_digest
from .records import Desired, NewEntry, Step
from .rows import differing, entry_row, frozen_row, held_row, ramp_row, release_row

_BATCH = 500

Rows = Sequence[dict[str, Any]]


def upsert(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert the rows; where one of that primary key is there, make it like this one."""
    _write(connection, table, rows, [column.name for column in table.columns if not column.primary_key])


def insert_missing(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert the rows whose primary key is not there yet."""
    _write(connection, table, rows, [])


def write_step(connection: Connection, step: Step) -> None:
    """Write what the step changed. The versions come first: that takes the lock under which the head is read."""
    _write_desired(connection, step)
    _append(connection, [entry for entry in step.entries if not _is_known(connection, entry)])
    insert_missing(
        connection, tables.documents, [{"digest": text_digest(text), "text": text} for text in step.documents]
    )
    _write_weights(connection, step.before, step.after)
    releases = differing(step.before.releases, step.after.releases)
    upsert(connection, tables.releases, [release_row(one) for one in releases.values()])
    ramps = differing(step.before.ramps, step.after.ramps)
    upsert(connection, tables.ramps, [ramp_row(key, one) for key, one in ramps.items()])


def head(connection: Connection) -> Head:
    """The last entry's number and digest."""
    row = connection.execute(select(tables.desired.c.head_entries, tables.desired.c.head_digest)).one()
    return Head(entries=row.head_entries, digest=row.head_digest)


def _write(connection: Connection, table: Table, rows: Rows, changed: Iterable[str]) -> None:
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        to_sqlite = sqlite.insert(table)
        new = {name: to_sqlite.excluded[name] for name in changed}
        keys = [column.name for column in table.primary_key]
        both = (
            to_sqlite.on_conflict_do_update(index_elements=keys, set_=new)
            if new
            else to_sqlite.on_conflict_do_nothing()
        )
        connection.execute(both, rows)
        return
    to_mysql = mysql.insert(table)
    key = next(column.name for column in table.primary_key)
    names = list(changed) or [key]
    connection.execute(to_mysql.on_duplicate_key_update({name: to_mysql.inserted[name] for name in names}), rows)


def _append(connection: Connection, entries: Iterable[NewEntry]) -> None:
    lines, last = list[dict[str, Any]](), head(connection)
    for entry in entries:
        lines.append(sealed(entry_row(entry), last))
        last = Head(entries=lines[-1]["id"], digest=lines[-1]["digest"])
    if lines:
        connection.execute(insert(tables.history), lines)
        connection.execute(update(tables.desired).values(head_entries=last.entries, head_digest=last.digest))


def _is_known(connection: Connection, entry: NewEntry) -> bool:
    """Whether the entry is a node's own move that was written before: a node reports it until it is acknowledged."""
    if entry.move_id is None:
        return False
    table = tables.history
    same = select(table.c.id).where(table.c.node == entry.node, table.c.move_id == entry.move_id)
    return connection.execute(same).first() is not None


def _write_weights(connection: Connection, before: Desired, after: Desired) -> None:
    if before.weights is after.weights:
        return
    gone = [route for route in before.weights if route not in after.weights]
    for start in range(0, len(gone), _BATCH):
        routes = gone[start : start + _BATCH]
        connection.execute(tables.weights.delete().where(tables.weights.c.route.in_(routes)))
    changed = differing(before.weights, after.weights)
    upsert(connection, tables.weights, [held_row(route, held) for route, held in changed.items()])


def _write_desired(connection: Connection, step: Step) -> None:
    """Write what the step changed; versions never fall, whatever order two steps are written in."""
    table, before, after = tables.desired, step.before, step.after
    values: dict[str, Any] = {
        "revision": _larger(table.c.revision, after.revision),
        "weights_version": _larger(table.c.weights_version, after.weights_version),
    }
    if after.snapshot != before.snapshot:
        values["snapshot"] = after.snapshot
    if after.previous != before.previous:
        values["previous"] = after.previous
    if after.frozen != before.frozen:
        values |= frozen_row(after.frozen)
    connection.execute(update(table).values(values))


def _larger(column: ColumnElement[int], value: int) -> ColumnElement[int]:
    return case((column > value, column), else_=value)
