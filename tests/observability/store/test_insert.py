"""Rows come out of the store as they went in, whatever is in them."""

import math
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from sqlalchemy import Table

from observability.store.database import Place, open_database
from observability.store.insert import insert, kinds
from observability.tables import TABLES, otel_metrics_histogram, otel_traces

NOW = 1_795_659_300_123_456_789
EMPTY: dict[str, Any] = {"VARCHAR": "", "MAP(VARCHAR, VARCHAR)": {}, "BOOLEAN": None, "DOUBLE": 0.0}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    made = open_database(Place(file=tmp_path_factory.mktemp("insert") / "observe.duckdb"))
    yield made
    made.close()


def row(table: Table, **known: Any) -> tuple[Any, ...]:
    """A row of the table in which nothing is said but this."""
    return tuple(
        known[name] if name in known else [] if kind.endswith("[]") else EMPTY.get(kind, 0)
        for name, kind in kinds(table)
    )


def read(connection: duckdb.DuckDBPyConnection, table: Table, order: str, *columns: str) -> list[Any]:
    """Columns of all rows of a table."""
    names = ", ".join(columns)
    return connection.execute(f'SELECT {names} FROM "{table.name}" ORDER BY {order}').fetchall()  # noqa: S608 - a test's own


def test_texts_maps_lists_and_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    """Umlauts beside plain text, empty and full maps, lists of maps, and what is not known, each in its own row."""
    rows = [
        row(otel_traces, Timestamp=NOW, TraceId="a", SpanName="", SpanAttributes={}),
        row(
            otel_traces,
            Timestamp=NOW + 1,
            TraceId="b",
            SpanName="GET /ä/\N{GRINNING FACE}",
            SpanAttributes={"ü": "ß", "": ""},
            Duration=2**64 - 1,
            HttpStatus=599,
            ColdStart=True,
            **{
                "Events.Timestamp": [NOW, 0],
                "Events.Name": ["x", "é"],
                "Events.Attributes": [{}, {"a": "b", "c": "d"}],
            },
        ),
        row(otel_traces, Timestamp=NOW + 2, TraceId="c", HttpStatus=None, ColdStart=False, **{"Links.TraceId": ["t"]}),
    ]
    insert(connection, otel_traces, rows)
    assert read(
        connection, otel_traces, "TraceId", "epoch_ns(Timestamp)", "SpanName", "SpanAttributes", "Duration"
    ) == [
        (NOW, "", {}, 0),
        (NOW + 1, "GET /ä/\N{GRINNING FACE}", {"ü": "ß", "": ""}, 2**64 - 1),
        (NOW + 2, "", {}, 0),
    ]
    lists = ('list_transform("Events.Timestamp", lambda t: epoch_ns(t))', '"Events.Name"', '"Events.Attributes"')
    assert read(connection, otel_traces, "TraceId", *lists, '"Links.TraceId"', "HttpStatus", "ColdStart") == [
        ([], [], [], [], 0, None),
        ([NOW, 0], ["x", "é"], [{}, {"a": "b", "c": "d"}], [], 599, True),
        ([], [], [], ["t"], None, False),
    ]


def test_numbers_that_are_none(connection: duckdb.DuckDBPyConnection) -> None:
    """What is no number is nothing, so that it does not spoil a sum; great and negative ones stay."""
    rows = [
        row(otel_metrics_histogram, MetricName=str(number), Sum=value, ExplicitBounds=[0.5, math.inf], BucketCounts=[1])
        for number, value in enumerate([math.nan, -1.5, math.inf, 1e300])
    ]
    insert(connection, otel_metrics_histogram, rows)
    found = read(connection, otel_metrics_histogram, "MetricName", '"Sum"', "ExplicitBounds", "BucketCounts")
    assert found == [(value, [0.5, None], [1]) for value in (None, -1.5, None, 1e300)]


def test_a_thousand_rows_of_every_table(connection: duckdb.DuckDBPyConnection) -> None:
    """Every table takes rows in which nothing is said."""
    for table in TABLES.sorted_tables:
        connection.execute(f'DELETE FROM "{table.name}"')  # noqa: S608 - our own names
        insert(connection, table, [row(table)] * 1_000)
        assert connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchone() == (1_000,)  # noqa: S608


@pytest.mark.parametrize("bad", [("too short",), (1,) * 28, ("x",) * 29, row(otel_traces, Duration=-1)])
def test_what_is_no_row_is_refused(connection: duckdb.DuckDBPyConnection, bad: tuple[Any, ...]) -> None:
    """A row of another width or kind is an exception, and nothing is stored."""
    connection.execute("DELETE FROM otel_traces")
    with pytest.raises((ValueError, TypeError, OverflowError)):
        insert(connection, otel_traces, [row(otel_traces), bad])
    assert connection.execute("SELECT count(*) FROM otel_traces").fetchone() == (0,)
