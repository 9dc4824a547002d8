"""The ledger as it was before it had revisions; one that was made then is only marked as being here."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "first"
down_revision = None
branch_labels = None
depends_on = None

_NAME = sa.String(255)
_DIGEST = sa.String(64)
_TIME = sa.String(40)
_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_SETTINGS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the tables of the weights, the snapshots and the nodes."""
    _history()
    op.create_index("history_by_route", "history", ["route", "id"])
    op.create_table(
        "estates",
        sa.Column("digest", _DIGEST, primary_key=True),
        sa.Column("text", _LONG_TEXT, nullable=False),
        **_SETTINGS,
    )
    op.create_table(
        "snapshots",
        sa.Column("digest", _DIGEST, primary_key=True),
        sa.Column("estate", _DIGEST, nullable=False),
        sa.Column("published_at", _TIME, nullable=False),
        **_SETTINGS,
    )
    op.create_table(
        "desired",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("weights_version", sa.Integer, nullable=False),
        sa.Column("snapshot", _DIGEST),
        sa.Column("previous", _DIGEST),
        sa.CheckConstraint("id = 1"),
        **_SETTINGS,
    )
    op.create_table(
        "weights",
        sa.Column("route", _NAME, primary_key=True),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("by", _NAME, nullable=False),
        sa.Column("moving", sa.Boolean, nullable=False),
        sa.CheckConstraint("parts BETWEEN 0 AND 10000"),
        **_SETTINGS,
    )
    op.create_table(
        "nodes",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("first_seen", _TIME, nullable=False),
        **_SETTINGS,
    )
    op.execute("INSERT INTO desired (id, revision, weights_version) VALUES (1, 0, 0)")


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("id", sa.Integer, primary_key=True),
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
        sa.UniqueConstraint("node", "move_id"),
        **_SETTINGS,
    )
