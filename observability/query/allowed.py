"""Which functions and views of DuckDB's a user's own SQL may name.

None that tell where this process has its files, and none that one call keeps busy for as long as one likes: DuckDB is
interrupted between the calls of a function, never within one.
"""

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
_SLOW = frozenset({"levenshtein", "editdist3", "damerau_levenshtein", "jaro_similarity", "jaro_winkler_similarity"})
"""They take as long as the product of two lengths."""
_PADDING, _MAX_PADDING = frozenset({"lpad", "rpad"}), 1_000
_PADDED_TO: tuple[str | int, ...] = ("arguments", 1, "expression", "literal", "text")
_OF_THE_PROCESS = "is not asked here: it tells of this process, not of telemetry"
_UNBOUNDED = "is not asked here: nothing could interrupt it"
_CONSTANT_TEXT: tuple[str | int, ...] = ("arguments", 0, "expression", "literal", "text")


def denied(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """Which name in a SELECT is not allowed, and why, empty where there is none. Raises `duckdb.Error`."""
    row = connection.execute("SELECT json_serialize_sql($1::VARCHAR)", [text]).fetchone()
    tree = orjson.loads(row[0]) if row else {}
    if tree.get("error", True):
        raise duckdb.NotImplementedException(tree.get("error_message", "the query cannot be read"))
    waiting: list[Any] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if why := _denied(one):
                return why
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
            return f"{name} {_OF_THE_PROCESS}"
        if name.startswith(_ABOUT_THE_PROCESS) and name not in _ABOUT_THE_TABLES:
            return f"{name} {_OF_THE_PROCESS}"
        if name in _SLOW:
            return f"{name} {_UNBOUNDED}"
        if name in _PADDING and not _is_short(str(_within(node, _PADDED_TO))):
            return f"{name} to more than {_MAX_PADDING:,} characters, or to a length that is no number, {_UNBOUNDED}"
    return ""


def _is_short(length: str) -> bool:
    digits = length.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) <= 6 and int(digits) <= _MAX_PADDING  # noqa: PLR2004 - no text of a million digits


def _within(node: Any, path: tuple[str | int, ...]) -> object:
    for step in path:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return None
    return node
