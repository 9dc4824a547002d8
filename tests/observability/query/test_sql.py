"""A user's own SQL reads the tables and nothing else."""

import resource
from collections.abc import Iterator

import pytest

from observability.query import sql as own
from observability.query.reader import DuckDbReader
from observability.query.sql import run_sql
from observability.store.database import Place, open_database
from strangler_fig.diagnostics import Refused


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDbReader]:
    connection = open_database(Place(file=tmp_path_factory.mktemp("sql") / "o'brien.duckdb"))
    yield DuckDbReader(lambda: connection)
    connection.close()


def test_a_select(reader: DuckDbReader) -> None:
    """Columns and rows come back, at most as many as were asked for."""
    answer = run_sql(reader, "SELECT range AS n FROM range(10)", limit=3)
    assert (answer.columns, answer.rows, answer.is_cut) == (["n"], [(0,), (1,), (2,)], True)
    assert run_sql(reader, "WITH a AS (SELECT 1 AS x) FROM a;").rows == [(1,)]


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM otel_traces",
        "INSERT INTO fig_store VALUES (2)",
        "DROP TABLE otel_logs",
        "CREATE TABLE x (a INT)",
        "UPDATE fig_store SET Version = 9",
        "SELECT 1; DROP TABLE otel_logs",
        "COPY otel_traces TO '/tmp/x.parquet'",
        "ATTACH '/tmp/other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '64GB'",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "EXPLAIN ANALYZE DELETE FROM otel_traces",
        "CHECKPOINT",
        "VACUUM",
        "EXPORT DATABASE '/tmp/x'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('https://example.com/x.parquet')",
        "SELECT nothing",
        "no sql",
        "",
        "SELECT '" + "x" * 200_000 + "'",
    ],
)
def test_everything_else_is_refused(reader: DuckDbReader, text: str) -> None:
    """What writes, leaves the tables, or is wrong is a diagnostic."""
    with pytest.raises(Refused):
        run_sql(reader, text)
    assert run_sql(reader, "SELECT count(*), max(Version) FROM fig_store").rows == [(1, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT repeat('x', 400000000) AS a",
        "SELECT repeat('x', 1000000000) AS a",
        "SELECT repeat('x', 1000000) FROM range(2000)",
        "SELECT length(repeat('x', 1000000000))",
        "SELECT repeat('x', 20000000)",
        "SELECT range(100000000)",
        "SELECT list(range) FROM range(60000000)",
        "SELECT string_agg(repeat('x', 100000), '') FROM range(100000)",
        "SELECT repeat('x', 1000) FROM range(100000)",
    ],
)
def test_an_answer_is_bounded(reader: DuckDbReader, text: str) -> None:
    """What makes gigabytes of nothing is refused before they are there, and the next query runs."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Refused, match=r"larger than|more memory"):
        run_sql(reader, text, limit=100_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 400 * 1024
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert run_sql(reader, "SELECT 1").rows == [(1,)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the query is empty"),
        ("  -- nothing", "the query is empty"),
        ("INSTALL httpfs", "not INSTALL"),
        ("-- a\n/* b */ checkpoint", "not CHECKPOINT"),
        ("SELECT 1; LOAD httpfs", "not SELECT, LOAD"),
    ],
)
def test_what_is_refused_is_called_by_its_name(reader: DuckDbReader, text: str, said: str) -> None:
    """The refusal says what its author wrote."""
    with pytest.raises(Refused) as refused:
        run_sql(reader, text)
    assert said in refused.value.diagnostics[0].message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM duckdb_databases()",
        "SELECT * FROM duckdb_databases",
        'SELECT * FROM system.main."DuckDB_Databases"()',
        "WITH a AS (SELECT path FROM duckdb_databases()) SELECT * FROM a",
        "SELECT (SELECT max(value) FROM duckdb_settings())",
        "SELECT 1 WHERE EXISTS (FROM pragma_database_list)",
        "SELECT current_setting('temp_directory')",
        "SELECT current_setting('Time' || 'Zone')",
        "FROM which_secret('s3://x', 's3')",
        "FROM query('SELECT * FROM duckdb_databases()')",
        "DESCRIBE SELECT * FROM duckdb_settings()",
    ],
)
def test_nothing_tells_where_the_store_is(reader: DuckDbReader, text: str) -> None:
    """What would tell a viewer of paths of this machine is refused, and the refusal has none."""
    with pytest.raises(Refused, match="tells of this process") as refused:
        run_sql(reader, text)
    assert "/" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT lpad('x', 10000000000)",
        "SELECT 'x'.rpad(100 * 100000, 'y')",
        "SELECT lpad('x', n) FROM (SELECT 1001 AS n)",
        "SELECT lpad('x', 1001)",
        "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
        "SELECT 1 WHERE jaro_similarity(repeat('a', 1000000), repeat('b', 1000000)) > 0",
    ],
)
def test_what_nothing_could_interrupt_is_refused(reader: DuckDbReader, text: str) -> None:
    """A single call that takes as long as somebody likes is not begun; padding for the eye is."""
    with pytest.raises(Refused, match="nothing could interrupt it"):
        run_sql(reader, text)
    assert run_sql(reader, "SELECT lpad('7', 3, '0'), rpad('7', -1, ' ')").rows == [("007", "")]


def test_the_tables_may_be_asked_for(reader: DuckDbReader) -> None:
    """Their names and columns are no secret."""
    assert ("otel_logs",) in run_sql(reader, "SELECT table_name FROM duckdb_tables()").rows
    assert run_sql(reader, "DESCRIBE otel_logs").rows
    assert run_sql(reader, "SHOW TABLES").rows


def test_a_query_that_takes_too_long(reader: DuckDbReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is interrupted, and the next one runs."""
    monkeypatch.setattr(own, "SQL_SECONDS", 0.3)
    with pytest.raises(Refused, match="took longer"):
        run_sql(reader, "SELECT sum(hash(a.range + b.range)) FROM range(10000000) a, range(10000000) b")
    assert run_sql(reader, "SELECT 1").rows == [(1,)]


def test_now_is_the_tables_time(reader: DuckDbReader) -> None:
    """Sessions run in UTC, as the tables' times are, whatever the machine's zone."""
    assert run_sql(reader, "SELECT current_setting('TimeZone')").rows == [("UTC",)]
    wrong = "SELECT abs(epoch_ns(now()::TIMESTAMP) - epoch_ns(now())) > 1000000000"
    assert run_sql(reader, wrong).rows == [(False,)]
