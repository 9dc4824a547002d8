"""The ledger's tables as they are now; `migrations` makes them, from nothing or from an older ledger.

`desired` has one row and `weights` one for each route: the present, so that a restart need not replay the past. They
are written in the same transaction as the history, as are `releases` and `ramps`. `documents` are texts that others
name by their digests: evidence, releases. `legacy_use` has when legacy was last asked for a route that is all Lambda's;
`evidence` what each ramp's window had counted a minute ago at most.
`history` may only grow, see `triggers`.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql

metadata = MetaData()

_NAME = String(255)
_DIGEST = String(64)
_TIME = String(40)
_LONG_TEXT = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_BYTES = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")

_SETTINGS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
"""Names are compared letter by letter, as SQLite and the router do."""

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
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
    Column("release_name", _NAME),
    Column("step", Integer),
    Column("evidence", _DIGEST),
    Column("details", _LONG_TEXT),
    Column("previous", _DIGEST, nullable=False),
    Column("digest", _DIGEST, nullable=False),
    UniqueConstraint("node", "move_id"),
    Index("history_by_route", "route", "id"),
    **_SETTINGS,
)

estates = Table(
    "estates",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("text", _LONG_TEXT, nullable=False),
    **_SETTINGS,
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("estate", _DIGEST, nullable=False),
    Column("published_at", _TIME, nullable=False),
    **_SETTINGS,
)

desired = Table(
    "desired",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("weights_version", Integer, nullable=False),
    Column("snapshot", _DIGEST),
    Column("previous", _DIGEST),
    Column("head_entries", Integer, nullable=False),
    Column("head_digest", _DIGEST, nullable=False),
    Column("frozen_by", _NAME),
    Column("frozen_at", _TIME),
    Column("frozen_reason", Text),
    CheckConstraint("id = 1"),
    **_SETTINGS,
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
    **_SETTINGS,
)

nodes = Table(
    "nodes",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("first_seen", _TIME, nullable=False),
    **_SETTINGS,
)

releases = Table(
    "releases",
    metadata,
    Column("id", _NAME, primary_key=True),
    Column("name", _NAME, nullable=False),
    Column("document", _DIGEST, nullable=False),
    Column("plan", _DIGEST, nullable=False),
    Column("actor", _NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("started_at", _TIME, nullable=False),
    Column("outcome", String(32)),
    Column("ended_at", _TIME),
    **_SETTINGS,
)

ramps = Table(
    "ramps",
    metadata,
    Column("release_id", _NAME, primary_key=True),
    Column("ramp", _NAME, primary_key=True),
    Column("routes", _LONG_TEXT, nullable=False),
    Column("state", _LONG_TEXT, nullable=False),
    Column("at", _TIME, nullable=False),
    **_SETTINGS,
)

legacy_use = Table(
    "legacy_use",
    metadata,
    Column("route", _NAME, primary_key=True),
    Column("at", _TIME, nullable=False),
    **_SETTINGS,
)

evidence = Table(
    "evidence",
    metadata,
    Column("release_id", _NAME, primary_key=True),
    Column("ramp", _NAME, primary_key=True),
    Column("window_number", Integer, nullable=False),
    Column("counted", _BYTES, nullable=False),
    **_SETTINGS,
)

documents = Table(
    "documents",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("text", _LONG_TEXT, nullable=False),
    **_SETTINGS,
)
