"""The few things that each store writes in its own way. A second store adds its compilers here, and touches no query.

Times go in and come out as integers, nanoseconds since 1970.
"""

from typing import Any

from sqlalchemy import Boolean, String
from sqlalchemy.engine import default
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import BigInteger


class moment(GenericFunction[int]):  # noqa: N801 - functions are named as SQL's are
    """The timestamp that so many nanoseconds are."""

    inherit_cache = True
    name = "moment"


class nanoseconds(GenericFunction[int]):  # noqa: N801
    """The nanoseconds that a timestamp is."""

    inherit_cache = True
    name = "nanoseconds"
    type = BigInteger()


class each_nanoseconds(GenericFunction[Any]):  # noqa: N801
    """The nanoseconds that the timestamps of a list are."""

    inherit_cache = True
    name = "each_nanoseconds"


class attribute(GenericFunction[str]):  # noqa: N801
    """The value of an attribute in a map, empty where there is none: `attribute(map, name)`."""

    inherit_cache = True
    name = "attribute"
    type = String()


class count_where(GenericFunction[int]):  # noqa: N801
    """How many rows of a group meet a condition."""

    inherit_cache = True
    name = "count_where"
    type = BigInteger()


class latest(GenericFunction[Any]):  # noqa: N801
    """The value that goes with the greatest of a second: `latest(value, at)`."""

    inherit_cache = True
    name = "latest"


class contains(GenericFunction[bool]):  # noqa: N801
    """Whether a text has another in it, case aside."""

    inherit_cache = True
    name = "contains_text"
    type = Boolean()


class any_value_contains(GenericFunction[bool]):  # noqa: N801
    """Whether a value of a map has a text in it, case aside."""

    inherit_cache = True
    name = "any_value_contains"
    type = Boolean()


_DUCKDB = {
    moment: "make_timestamp_ns({0})",
    nanoseconds: "epoch_ns({0})",
    each_nanoseconds: "list_transform({0}, lambda t: epoch_ns(t))",
    attribute: "coalesce({0}[{1}], '')",
    count_where: "count(*) FILTER (WHERE {0})",
    latest: "arg_max({0}, {1})",
    contains: "contains(lower({0}), lower({1}))",
    any_value_contains: "contains(lower(array_to_string(map_values({0}), chr(10))), lower({1}))",
}


def _write(pattern: str) -> Any:
    def compile_(element: GenericFunction[Any], compiler: SQLCompiler, **kw: Any) -> str:
        return pattern.format(*(compiler.process(one, **kw) for one in element.clauses))

    return compile_


for _construct, _pattern in _DUCKDB.items():
    compiles(_construct, "duckdb")(_write(_pattern))


class DuckDb(default.DefaultDialect):
    """DuckDB's SQL, as far as the catalogue needs it: standard but for the constructs above."""

    name = "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_native_boolean = True


DUCKDB = DuckDb(paramstyle="qmark")
