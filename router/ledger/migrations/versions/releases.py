"""Releases, ramps and documents; the history gets their columns and becomes a chain, over the old lines as found.

The history is built anew beside the old one, because SQLite cannot take its CHECK away. Its lines are numbered without
gaps, in their order: a number that is missing would be a line that is missing. The old triggers go with the old table;
`router.ledger.migrate` makes the present ones.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "releases"
down_revision = "first"
branch_labels = None
depends_on = None

_NAME = sa.String(255)
_DIGEST = sa.String(64)
_TIME = sa.String(40)
_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_SETTINGS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
_BATCH = 1000
_GENESIS = "0" * 64
_OLD = ("at", "kind", "route", "before_parts", "after_parts", "actor", "reason", "snapshot", "node", "move_id")
_NEW = ("release_name", "step", "evidence", "details")


def upgrade() -> None:
    """Rebuild the history as a chain, keep its head, and make the tables of releases."""
    entries, digest = _chain(_new_history())
    op.drop_table("history")
    op.rename_table("history_new", "history")
    op.create_index("history_by_route", "history", ["route", "id"])
    op.execute("DROP TRIGGER IF EXISTS desired_only_grows")
    op.add_column("desired", sa.Column("head_entries", sa.Integer, nullable=False, server_default="0"))
    op.add_column("desired", sa.Column("head_digest", _DIGEST, nullable=False, server_default=_GENESIS))
    op.add_column("desired", sa.Column("frozen_by", _NAME))
    op.add_column("desired", sa.Column("frozen_at", _TIME))
    op.add_column("desired", sa.Column("frozen_reason", sa.Text))
    desired = sa.table("desired", sa.column("head_entries"), sa.column("head_digest"))
    op.execute(desired.update().values(head_entries=entries, head_digest=digest))
    _releases()


def _new_history() -> sa.Table:
    return op.create_table(
        "history_new",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("route", _NAME),
        sa.Column("before_parts", sa.Integer),
        sa.Column("after_parts", sa.Integer),
        sa.Column("actor", _NAME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("snapshot", _DIGEST),
        sa.Column("node", _NAME),
        sa.Column("move_id", _NAME),
        sa.Column("release_name", _NAME),
        sa.Column("step", sa.Integer),
        sa.Column("evidence", _DIGEST),
        sa.Column("details", _LONG_TEXT),
        sa.Column("previous", _DIGEST, nullable=False),
        sa.Column("digest", _DIGEST, nullable=False),
        sa.UniqueConstraint("node", "move_id"),
        **_SETTINGS,
    )


def _chain(new: sa.Table) -> tuple[int, str]:
    """Copy the old lines, each with the digest of all before it; how many there are and the last digest."""
    connection = op.get_bind()
    old = sa.table("history", sa.column("id"), *(sa.column(name) for name in _OLD))
    number, previous, batch = 0, _GENESIS, list[dict[str, Any]]()
    for row in connection.execute(sa.select(old).order_by(old.c.id)).mappings().all():
        number += 1
        line: dict[str, Any] = {name: row[name] for name in _OLD} | dict.fromkeys(_NEW)
        line |= {"id": number, "previous": previous}
        text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        batch.append({**line, "digest": previous})
    for part in _parts(batch):
        connection.execute(new.insert(), part)
    return number, previous


def _parts(lines: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(lines), _BATCH):
        yield lines[start : start + _BATCH]


def _releases() -> None:
    op.create_table(
        "releases",
        sa.Column("id", _NAME, primary_key=True),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("document", _DIGEST, nullable=False),
        sa.Column("plan", _DIGEST, nullable=False),
        sa.Column("actor", _NAME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("outcome", sa.String(32)),
        sa.Column("ended_at", _TIME),
        **_SETTINGS,
    )
    op.create_table(
        "ramps",
        sa.Column("release_id", _NAME, primary_key=True),
        sa.Column("ramp", _NAME, primary_key=True),
        sa.Column("routes", _LONG_TEXT, nullable=False),
        sa.Column("state", _LONG_TEXT, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        **_SETTINGS,
    )
    op.create_table(
        "legacy_use",
        sa.Column("route", _NAME, primary_key=True),
        sa.Column("at", _TIME, nullable=False),
        **_SETTINGS,
    )
    op.create_table(
        "documents",
        sa.Column("digest", _DIGEST, primary_key=True),
        sa.Column("text", _LONG_TEXT, nullable=False),
        **_SETTINGS,
    )
