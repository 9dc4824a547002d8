"""Holds a whole ledger against its history: the chain, the documents that it names, the present, and the triggers."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from . import tables, triggers
from .chain import Check, Line, check, line_digest, text_digest
from .deviations import Present, deviations, strays
from .replay import Told
from .writes import head


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayWeight:
    """A route's parts per 10,000 in the table, after the last line about it, and the least of what both say."""

    table: int
    recorded: int
    least: int


def verified(connection: Connection, noted: str | None) -> Check:
    """What is wrong with the ledger as it is at this moment; `noted` is an earlier head's digest."""
    if connection.dialect.name == "sqlite":  # Python's module begins a transaction for writes alone
        connection.exec_driver_sql("BEGIN")
    told = Told()
    found = check(told.follow(_lines(connection)), head(connection), noted)
    faults = (
        *found.faults,
        *_lost_documents(connection),
        *_lost_estates(connection),
        *deviations(told, _present(connection)),
        *(f"the trigger {name} is gone, or is another one" for name in triggers.missing(connection)),
    )
    return Check(entries=found.entries, head=found.head, faults=faults)


def stray_weights(connection: Connection) -> dict[str, StrayWeight]:
    """The routes whose weight was changed beside control; only lines that are as they were written count as said."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
    kept, told = head(connection).entries, Told()
    for line in _lines(connection):
        if line["id"] <= kept and line["digest"] == line_digest(line):
            told.take(line)
    return {
        route: StrayWeight(
            table=parts or 0,
            recorded=max(said.parts) if said else 0,
            least=min(parts or 0, *(said.parts if said else (0,))),
        )
        for route, parts, said in strays(told.weights, _present(connection))
    }


def _lines(connection: Connection) -> Iterator[Line]:
    for row in connection.execute(select(tables.history).order_by(tables.history.c.id)).mappings():
        yield dict(row)


def _lost_documents(connection: Connection) -> Iterator[str]:
    texts = connection.execute(select(tables.documents))
    known = {one.digest for one in texts if text_digest(one.text) == one.digest}
    column = tables.history.c.evidence
    named = connection.execute(select(column).where(column.is_not(None)).distinct()).scalars().all()
    for digest in sorted(set(named) - known):
        yield f"the document {digest} is gone or was changed"


def _lost_estates(connection: Connection) -> Iterator[str]:
    for row in connection.execute(select(tables.estates)):
        if text_digest(row.text) != row.digest:
            yield f"the estate {row.digest} was changed: its digest is not that of its text"
    named = select(tables.snapshots.c.digest, tables.snapshots.c.estate)
    for row in connection.execute(named.where(tables.snapshots.c.estate.not_in(select(tables.estates.c.digest)))):
        yield f"the estate {row.estate}, of which snapshot {row.digest[:12]} was made, is gone"


def _present(connection: Connection) -> Present:
    desired = connection.execute(select(tables.desired)).mappings().one()
    return Present(
        desired=dict(desired),
        weights={row["route"]: row for row in _rows(connection, tables.weights)},
        releases={row["id"]: row for row in _rows(connection, tables.releases)},
        ramps={(row["release_id"], row["ramp"]): row for row in _rows(connection, tables.ramps)},
        shiftable=_shiftable(connection, desired["snapshot"]),
    )


def _rows(connection: Connection, table: Table) -> Iterator[Mapping[str, Any]]:
    for row in connection.execute(select(table)).mappings():
        yield dict(row)


def _shiftable(connection: Connection, snapshot: str | None) -> frozenset[str]:
    """The routes with two sides of the published estate."""
    query = select(tables.estates.c.text).join(tables.snapshots, tables.snapshots.c.estate == tables.estates.c.digest)
    text = connection.execute(query.where(tables.snapshots.c.digest == snapshot)).scalar_one_or_none()
    try:
        routes = json.loads(text or "{}").get("routes", {})
        return frozenset(name for name, route in routes.items() if "legacy" in route and "lambda" in route)
    except (ValueError, AttributeError, TypeError):  # it was changed, which is said of its digest
        return frozenset()
