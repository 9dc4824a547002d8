"""Which functions and views of DuckDB's a user's own SQL may name: none that tell where this process has its files."""

from typing import Any

import duckdb
import orjson

_ABOUT_THE_PROCESS = ("duckdb_", "pragma_")
_ABOUT_THE_TABLES = frozenset(
    {"duckdb_tables", "duckdb_columns", "duckdb_functions", "duckdb_types", "duckdb_keywords", "pragma_version"}
)
_DENIED = frozenset({"which_secret", "query", "query_table", "json_execute_serialized_sql"})
"""A secret's storage tells the home folder; the others run a text that nobody has looked at."""
_SETTING, _PLAIN_SETTINGS = "current_setting", frozenset({"timezone"})
_CONSTANT_TEXT: tuple[str | int, ...] = ("arguments", 0, "expression", "literal", "text")


def denied_name(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """The first name in a SELECT that is not allowed, empty where there is none. Raises `duckdb.Error`."""
    row = connection.execute("SELECT json_serialize_sql($1::VARCHAR)", [text]).fetchone()
    tree = orjson.loads(row[0]) if row else {}
    if tree.get("error", True):
        raise duckdb.NotImplementedException(tree.get("error_message", "the query cannot be read"))
    waiting: list[Any] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if name := _denied(one):
                return name
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return ""


def _denied(node: dict[str, Any]) -> str:
    for said in (node.get("function_name"), node.get("table_name")):
        name = str(said or "").strip('"').lower()
        if name == _SETTING and str(_within(node, _CONSTANT_TEXT)).lower() in _PLAIN_SETTINGS:
            continue
        if name in _DENIED or name == _SETTING:
            return name
        if name.startswith(_ABOUT_THE_PROCESS) and name not in _ABOUT_THE_TABLES:
            return name
    return ""


def _within(node: Any, path: tuple[str | int, ...]) -> object:
    for step in path:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return None
    return node
