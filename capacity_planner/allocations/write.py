"""Allocations as text: the CSV that every command of the planner reads, and JSON."""

import csv
import io
from typing import Any

from .csv_list import COLUMN_NAMES
from .values import Allocations

_TRUTHS = {True: "true", False: "false", None: ""}


def csv_text(rows: Allocations) -> str:
    """The allocations as CSV, in their order."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMN_NAMES)
    for row in rows.rows():
        writer.writerow((str(row.block), row.name, row.vpc, row.az, row.purpose, _TRUTHS[row.routable]))
    return out.getvalue()


def to_json(rows: Allocations) -> list[dict[str, Any]]:
    """The allocations as JSON values; what is not known has no key."""
    values = []
    for row in rows.rows():
        known: dict[str, Any] = {"cidr": str(row.block)}
        texts = {"name": row.name, "vpc": row.vpc, "az": row.az, "purpose": row.purpose}
        known |= {key: value for key, value in texts.items() if value}
        if row.routable is not None:
            known["routable"] = row.routable
        values.append(known)
    return values
