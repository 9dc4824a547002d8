"""Of a long time only as much is compared span by span as one question can bear."""

from collections.abc import Iterator

import pytest

from observability.query.joinable import joinable
from observability.query.reader import DuckDbReader
from observability.query.window import MINUTE, Window
from observability.store.database import Place, open_database

START, HOUR = 1_750_000_000_000_000_000, 60 * MINUTE
WEEK = Window(START, START + 168 * HOUR)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDbReader]:
    """A store with a span for each hour of a week."""
    connection = open_database(Place(file=tmp_path_factory.mktemp("week") / "observe.duckdb"))
    at = f"make_timestamp_ns({START} + i * {HOUR}::BIGINT + 1)"
    connection.execute(f"INSERT INTO otel_traces BY NAME SELECT {at} AS Timestamp, 'a' AS TraceId FROM range(168) t(i)")  # noqa: S608 - the test's own
    yield DuckDbReader(lambda: connection)
    connection.close()


@pytest.mark.parametrize(("most", "hours"), [(168, 168), (167, 84), (84, 84), (50, 42), (1, 1.3125)])
def test_the_end_of_the_window_is_kept(store: DuckDbReader, most: int, hours: float) -> None:
    """All of it where it has few enough spans, else half of it, and half of that, up to its end."""
    assert joinable(store, WEEK, most) == Window(WEEK.end - int(hours * HOUR), WEEK.end)


def test_it_is_never_shorter_than_a_minute(store: DuckDbReader) -> None:
    """However many spans came in, the last minute is compared."""
    assert joinable(store, WEEK, -1) == Window(WEEK.end - MINUTE, WEEK.end)
