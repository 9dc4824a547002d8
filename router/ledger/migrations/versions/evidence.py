"""What ramps counted so far, so that a step's evidence survives a restart of control."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "evidence"
down_revision = "releases"
branch_labels = None
depends_on = None

_NAME = sa.String(255)
_BYTES = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
_SETTINGS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "evidence",
        sa.Column("release_id", _NAME, primary_key=True),
        sa.Column("ramp", _NAME, primary_key=True),
        sa.Column("window_number", sa.Integer, nullable=False),
        sa.Column("counted", _BYTES, nullable=False),
        **_SETTINGS,
    )
