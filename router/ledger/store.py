"""The ledger's database: the only code that talks to it. Calls are short and block; the caller picks the thread.

SQLite in WAL mode with `synchronous=FULL`: what `record` returned from survives a power cut, so that a restarted
control never hands out a revision twice.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exists, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from ..errors import LedgerFailed
from . import tables
from .chain import Check, Head, text_digest
from .migrate import migrate
from .one_writer import OneWriter
from .records import CountedWindow, Desired, Entry, Kind, RampKey, RampRecord, ReleaseRecord, Step, Stored
from .rows import entry_in, frozen_in, held_in, ramp_in, release_in
from .verification import StrayWeight, stray_weights, verified
from .writes import head, insert_missing, upsert, write_step

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=1000", "recursive_triggers=ON")


class Ledger:
    """History, published estates and the desired state in one database. Safe to call from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = threading.Lock()
        self._one_writer = OneWriter(engine)
        self.lost_triggers: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: Path) -> "Ledger":
        """The ledger in the SQLite file at `path`, made when it is not there. Raises `LedgerFailed`."""
        engine = create_engine(f"sqlite:///{path}", poolclass=QueuePool, pool_size=2, max_overflow=2)
        event.listen(engine, "connect", _prepare)
        return cls.over(engine)

    @classmethod
    def over(cls, engine: Engine) -> "Ledger":
        """The ledger in the engine's database, whose schema is brought up to date. Raises `LedgerFailed`."""
        ledger = cls(engine)
        with ledger._failures("open"):
            with engine.connect() as connection:
                ledger._one_writer.hold(connection)
            ledger.lost_triggers = migrate(engine)
        return ledger

    def keep_alive(self) -> None:
        """Keep the right to write, on a server that takes it from those who are silent for a minute."""
        with self._writing:
            self._one_writer.keep()

    def close(self) -> None:
        """Close every connection; SQLite then folds its log into the file."""
        self._one_writer.release()
        self._engine.dispose()

    def record(self, step: Step) -> None:
        """Append the step's entries and make its desired state the stored one. Raises `LedgerFailed`."""
        with self._write() as connection:
            write_step(connection, step)

    def store(self, published: Stored) -> None:
        """Keep a snapshot's estate and when it was published (last, where it was before). Raises `LedgerFailed`."""
        estate = estate_digest(published.estate)
        row = {"digest": published.digest, "estate": estate, "published_at": published.published_at.isoformat()}
        with self._write() as connection:
            insert_missing(connection, tables.estates, [{"digest": estate, "text": published.estate}])
            upsert(connection, tables.snapshots, [row])

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
        running = tables.releases.c.outcome.is_(None)
        ids = select(tables.releases.c.id).where(running)
        with self._reading() as connection:
            row = connection.execute(select(tables.desired)).one()
            held = {one.route: held_in(one) for one in connection.execute(select(tables.weights))}
            releases = {one.id: release_in(one) for one in connection.execute(select(tables.releases).where(running))}
            ramps = connection.execute(select(tables.ramps).where(tables.ramps.c.release_id.in_(ids))).all()
        return Desired(
            revision=row.revision,
            weights_version=row.weights_version,
            snapshot=row.snapshot,
            previous=row.previous,
            weights=held,
            releases=releases,
            ramps=dict(ramp_in(one) for one in ramps),
            frozen=frozen_in(row),
        )

    def head(self) -> Head:
        """The last entry's number and digest. Raises `LedgerFailed`."""
        with self._reading() as connection:
            return head(connection)

    def verify(self, noted: str | None = None) -> Check:
        """What is wrong with the history, and where the present is not what it says; `noted`: an earlier head's digest.

        All of it is read as of one moment, while control goes on writing. Raises `LedgerFailed`.
        """
        with self._reading() as connection:
            found = verified(connection, noted)
        if not self.lost_triggers:
            return found
        lost = ", ".join(self.lost_triggers)
        said = f"when control started, the database lacked {lost}, which keep the history as it is; they stand again"
        return replace(found, faults=(*found.faults, said))

    def stray_weights(self) -> dict[str, StrayWeight]:
        """The routes whose weight in the table is not the one that the history left them at. Raises `LedgerFailed`."""
        with self._reading() as connection:
            return stray_weights(connection)

    def releases(self, *, name: str | None = None, limit: int = 50) -> tuple[ReleaseRecord, ...]:
        """The releases that were started last, newest first; of one name when it is given. Raises `LedgerFailed`."""
        table = tables.releases
        query = select(table).order_by(table.c.started_at.desc(), table.c.id.desc()).limit(limit)
        if name is not None:
            query = query.where(table.c.name == name)
        with self._reading() as connection:
            return tuple(release_in(row) for row in connection.execute(query))

    def ramps(self, release_id: str) -> dict[RampKey, RampRecord]:
        """How far the ramps of a release were when it ended, or are. Raises `LedgerFailed`."""
        query = select(tables.ramps).where(tables.ramps.c.release_id == release_id)
        with self._reading() as connection:
            return dict(ramp_in(row) for row in connection.execute(query))

    def routes_of(self, release_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The routes of each of these releases. Raises `LedgerFailed`."""
        table = tables.ramps
        query = select(table.c.release_id, table.c.routes).where(table.c.release_id.in_(list(release_ids)))
        found: dict[str, tuple[str, ...]] = {}
        with self._reading() as connection:
            for row in connection.execute(query.order_by(table.c.release_id, table.c.ramp)):
                found[row.release_id] = (*found.get(row.release_id, ()), *row.routes.split())
        return found

    def times_started(self, name: str) -> int:
        """How often a release of this name was started. Raises `LedgerFailed`."""
        query = select(func.count()).select_from(tables.releases).where(tables.releases.c.name == name)
        with self._reading() as connection:
            return connection.execute(query).scalar_one()

    def document(self, digest: str) -> str | None:
        """The text of a document: a release, or what a decision was made on. Raises `LedgerFailed`."""
        query = select(tables.documents.c.text).where(tables.documents.c.digest == digest)
        with self._reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def history(
        self, *, route: str | None = None, release: str | None = None, after: int = 0, limit: int = 50
    ) -> tuple[Entry, ...]:
        """The latest entries after that number, newest first; of one route or release alone. Raises `LedgerFailed`."""
        query = select(tables.history).order_by(tables.history.c.id.desc()).limit(limit)
        for column, wanted in ((tables.history.c.route, route), (tables.history.c.release_name, release)):
            if wanted is not None:
                query = query.where(column == wanted)
        if after:
            query = query.where(tables.history.c.id > after)
        with self._reading() as connection:
            return tuple(entry_in(row) for row in connection.execute(query))

    def known_moves(self, node: str, ids: Iterable[str]) -> frozenset[str]:
        """Those of a node's own moves that the history already has. Raises `LedgerFailed`."""
        column = tables.history.c.move_id
        query = select(column).where(tables.history.c.node == node, column.in_(list(ids)))
        with self._reading() as connection:
            return frozenset(connection.execute(query).scalars().all())

    def note_legacy_use(self, uses: Mapping[str, datetime]) -> None:
        """Keep when legacy was last asked for these routes. Raises `LedgerFailed`."""
        rows = [{"route": route, "at": at.isoformat()} for route, at in uses.items()]
        with self._write() as connection:
            upsert(connection, tables.legacy_use, rows)

    def legacy_use(self) -> dict[str, datetime]:
        """When legacy was last asked, by route, as far as it was kept. Raises `LedgerFailed`."""
        with self._reading() as connection:
            rows = connection.execute(select(tables.legacy_use)).all()
        return {row.route: datetime.fromisoformat(row.at) for row in rows}

    def keep_counted(self, windows: Mapping[RampKey, CountedWindow]) -> None:
        """Keep what these ramps' windows counted, and nothing of other ramps. Raises `LedgerFailed`."""
        table = tables.evidence
        rows = [
            {"release_id": release, "ramp": ramp, "window_number": one.window, "counted": one.counted}
            for (release, ramp), one in windows.items()
        ]
        with self._write() as connection:
            known = connection.execute(select(table.c.release_id, table.c.ramp)).all()
            for release, ramp in ((row.release_id, row.ramp) for row in known):
                if (release, ramp) not in windows:
                    connection.execute(table.delete().where(table.c.release_id == release, table.c.ramp == ramp))
            upsert(connection, table, rows)

    def counted(self) -> dict[RampKey, CountedWindow]:
        """What was kept of ramps' windows. Raises `LedgerFailed`."""
        with self._reading() as connection:
            rows = connection.execute(select(tables.evidence)).all()
        return {
            (row.release_id, row.ramp): CountedWindow(window=row.window_number, counted=row.counted) for row in rows
        }

    def remember_node(self, name: str, at: datetime) -> None:
        """Note that this node exists, so that a restarted control waits for it. Raises `LedgerFailed`."""
        row = {"name": name, "first_seen": at.isoformat()}
        with self._write() as connection:
            insert_missing(connection, tables.nodes, [row])

    def known_nodes(self) -> frozenset[str]:
        """The names of all nodes that ever reported. Raises `LedgerFailed`."""
        with self._reading() as connection:
            return frozenset(connection.execute(select(tables.nodes.c.name)).scalars().all())

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._failures("read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._writing, self._failures("write to"), self._engine.begin() as connection:
            self._one_writer.hold(connection)
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
    return text_digest(text)


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
