"""Rows into DuckDB by way of Arrow arrays, which it reads where they lie: no text between them and its columns."""

from collections.abc import Sequence
from functools import lru_cache

import duckdb
from sqlalchemy import Boolean, Float, Integer, String, Table

from ..tables import Row
from .columns import rows_as_array

_SPELLED = {String: "VARCHAR", Boolean: "BOOLEAN", Integer: "INTEGER", Float: "DOUBLE"}


def ddl(table: Table) -> str:
    """The statement that makes a table where it is missing."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds(table))
    return f'CREATE TABLE IF NOT EXISTS "{table.name}" ({columns})'


def insert(connection: duckdb.DuckDBPyConnection, table: Table, rows: Sequence[Row]) -> None:
    """Add the rows, tuples in the order of the table's columns, in the transaction that is open."""
    connection.from_arrow(rows_as_array(kinds(table), rows)).insert_into(table.name)


@lru_cache(maxsize=64)
def kinds(table: Table) -> tuple[tuple[str, str], ...]:
    """The names of the table's columns and their kinds, as DuckDB spells them."""
    return tuple((column.name, _kind(column.type)) for column in table.columns)


def _kind(kind: object) -> str:
    spelled = next((name for known, name in _SPELLED.items() if type(kind) is known), None)
    return spelled or kind.get_col_spec()  # type: ignore[attr-defined]  # one of `tables`' own types
