"""The ledger's database: the only code that talks to it. Calls are short and block; the caller picks the thread.

SQLite in WAL mode with `synchronous=FULL`: what `record` returned from survives a power cut, so that a restarted
control never hands out a revision twice.
"""

import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, create_engine, event, exists, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from ..errors import LedgerFailed
from ..weight import Weight
from . import tables
from .records import Desired, Entry, Held, Kind, NewEntry, Step, Stored

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=1000", "recursive_triggers=ON")


class Ledger:
    """History, published estates and the desired state in one database. Safe to call from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> "Ledger":
        """The ledger in the SQLite file at `path`, made when it is not there. Raises `LedgerFailed`."""
        engine = create_engine(f"sqlite:///{path}", poolclass=QueuePool, pool_size=2, max_overflow=2)
        event.listen(engine, "connect", _prepare)
        ledger = cls(engine)
        with ledger._failures("open"):
            tables.metadata.create_all(engine)
            with engine.begin() as connection:
                first = {"id": 1, "revision": 0, "weights_version": 0}
                connection.execute(upsert(tables.desired).values(first).on_conflict_do_nothing())
        return ledger

    def close(self) -> None:
        """Close every connection; SQLite then folds its log into the file."""
        self._engine.dispose()

    def record(self, step: Step) -> None:
        """Append the step's entries and make its desired state the stored one. Raises `LedgerFailed`."""
        with self._writing, self._failures("write to"), self._engine.begin() as connection:
            entries = [entry for entry in step.entries if not _is_known(connection, entry)]
            if entries:
                connection.execute(insert(tables.history), [_entry_row(entry) for entry in entries])
            _write_weights(connection, step)
            _write_desired(connection, step)

    def store(self, published: Stored) -> None:
        """Keep a snapshot's estate and when it was published (last, where it was before). Raises `LedgerFailed`."""
        estate = estate_digest(published.estate)
        row = {"digest": published.digest, "estate": estate, "published_at": published.published_at.isoformat()}
        with self._writing, self._failures("write to"), self._engine.begin() as connection:
            text = {"digest": estate, "text": published.estate}
            connection.execute(upsert(tables.estates).values(text).on_conflict_do_nothing())
            again = {"published_at": row["published_at"]}
            statement = upsert(tables.snapshots).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["digest"], set_=again))

    def stored(self, digest: str) -> Stored | None:
        """The estate that was published as the snapshot `digest`. Raises `LedgerFailed`."""
        query = select(tables.snapshots.c.published_at, tables.estates.c.text).join(
            tables.estates, tables.estates.c.digest == tables.snapshots.c.estate
        )
        with self._reading() as connection:
            row = connection.execute(query.where(tables.snapshots.c.digest == digest)).one_or_none()
        if row is None:
            return None
        return Stored(digest=digest, estate=row.text, published_at=datetime.fromisoformat(row.published_at))

    def last_other_estate(self, snapshot: str) -> str | None:
        """The digest of the latest published snapshot whose estate is not that of `snapshot`.

        Publishes that a node rejected do not count: nobody wants to return to them. Raises `LedgerFailed`.
        """
        history, snapshots = tables.history, tables.snapshots
        later = history.alias("later")
        rejected = exists().where(
            later.c.kind == Kind.ROLLBACK.value, later.c.snapshot == history.c.snapshot, later.c.id > history.c.id
        )
        present = select(snapshots.c.estate).where(snapshots.c.digest == snapshot).scalar_subquery()
        query = (
            select(history.c.snapshot)
            .join(snapshots, snapshots.c.digest == history.c.snapshot)
            .where(history.c.kind == Kind.PUBLISH.value, snapshots.c.estate != present, ~rejected)
            .order_by(history.c.id.desc())
            .limit(1)
        )
        with self._reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def desired(self) -> Desired:
        """The stored desired state. Raises `LedgerFailed`."""
        with self._reading() as connection:
            row = connection.execute(select(tables.desired)).one()
            held = {one.route: _held(one) for one in connection.execute(select(tables.weights))}
        return Desired(
            revision=row.revision,
            weights_version=row.weights_version,
            snapshot=row.snapshot,
            previous=row.previous,
            weights=held,
        )

    def history(self, *, route: str | None = None, limit: int = 50) -> tuple[Entry, ...]:
        """The latest entries, newest first; of one route when it is named. Raises `LedgerFailed`."""
        query = select(tables.history).order_by(tables.history.c.id.desc()).limit(limit)
        if route is not None:
            query = query.where(tables.history.c.route == route)
        with self._reading() as connection:
            return tuple(_entry(row) for row in connection.execute(query))

    def known_moves(self, node: str, ids: Iterable[str]) -> frozenset[str]:
        """Those of a node's own moves that the history already has. Raises `LedgerFailed`."""
        column = tables.history.c.move_id
        query = select(column).where(tables.history.c.node == node, column.in_(list(ids)))
        with self._reading() as connection:
            return frozenset(connection.execute(query).scalars().all())

    def remember_node(self, name: str, at: datetime) -> None:
        """Note that this node exists, so that a restarted control waits for it. Raises `LedgerFailed`."""
        row = {"name": name, "first_seen": at.isoformat()}
        with self._writing, self._failures("write to"), self._engine.begin() as connection:
            connection.execute(upsert(tables.nodes).values(row).on_conflict_do_nothing())

    def known_nodes(self) -> frozenset[str]:
        """The names of all nodes that ever reported. Raises `LedgerFailed`."""
        with self._reading() as connection:
            return frozenset(connection.execute(select(tables.nodes.c.name)).scalars().all())

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._failures("read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _failures(self, verb: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            message = f"could not {verb} the ledger {self._engine.url.database}: {cause}"
            raise LedgerFailed(message) from error


def estate_digest(text: str) -> str:
    """The SHA-256 of a normalised estate's text: its name in the ledger."""
    return hashlib.sha256(text.encode()).hexdigest()


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _is_known(connection: Connection, entry: NewEntry) -> bool:
    """Whether the entry is a node's own move that was written before: a node reports it until it is acknowledged."""
    if entry.move_id is None:
        return False
    table = tables.history
    same = select(table.c.id).where(table.c.node == entry.node, table.c.move_id == entry.move_id)
    return connection.execute(same).first() is not None


def _write_weights(connection: Connection, step: Step) -> None:
    before, after = step.before.weights, step.after.weights
    if before is after:
        return
    gone = [route for route in before if route not in after]
    for start in range(0, len(gone), 500):
        routes = gone[start : start + 500]
        connection.execute(tables.weights.delete().where(tables.weights.c.route.in_(routes)))
    changed = [_weight_row(route, held) for route, held in after.items() if before.get(route) is not held]
    if changed:
        statement = upsert(tables.weights)
        new = {name: statement.excluded[name] for name in ("parts", "since", "by", "moving")}
        connection.execute(statement.on_conflict_do_update(index_elements=["route"], set_=new), changed)


def _write_desired(connection: Connection, step: Step) -> None:
    """Write what the step changed; versions never fall, whatever order two steps are written in."""
    table, before, after = tables.desired, step.before, step.after
    values: dict[str, Any] = {
        "revision": func.max(table.c.revision, after.revision),
        "weights_version": func.max(table.c.weights_version, after.weights_version),
    }
    if after.snapshot != before.snapshot:
        values["snapshot"] = after.snapshot
    if after.previous != before.previous:
        values["previous"] = after.previous
    connection.execute(update(table).values(values))


def _weight_row(route: str, held: Held) -> dict[str, Any]:
    since = held.since.isoformat()
    return {"route": route, "parts": held.weight.parts, "since": since, "by": held.by, "moving": held.moving}


def _held(row: Row[Any]) -> Held:
    since = datetime.fromisoformat(row.since)
    return Held(weight=Weight(row.parts), since=since, by=row.by, moving=row.moving)


def _entry_row(entry: NewEntry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "kind": entry.kind.value,
        "route": entry.route,
        "before_parts": entry.before.parts if entry.before is not None else None,
        "after_parts": entry.after.parts if entry.after is not None else None,
        "actor": entry.actor,
        "reason": entry.reason,
        "snapshot": entry.snapshot,
        "node": entry.node,
        "move_id": entry.move_id,
    }


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        at=datetime.fromisoformat(row.at),
        kind=Kind(row.kind),
        actor=row.actor,
        reason=row.reason,
        route=row.route,
        before=Weight(row.before_parts) if row.before_parts is not None else None,
        after=Weight(row.after_parts) if row.after_parts is not None else None,
        snapshot=row.snapshot,
        node=row.node,
    )
