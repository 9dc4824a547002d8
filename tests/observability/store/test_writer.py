"""What is acknowledged is stored, what cannot be stored is refused, and what is old goes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from observability.errors import StoreFailed, StoreFull, StoreHeld
from observability.normalise.bounds import Clock
from observability.normalise.logs import logs_batch
from observability.normalise.minutes import RouteNames
from observability.normalise.spans import spans_batch
from observability.store import writer as writers
from observability.store.database import Place, open_database
from observability.store.upkeep import DAY, Keep, Upkeep, _stretches
from observability.store.writer import Writer
from observability.tables import Batch, trace_key
from tests.observability.telemetry import NOW, SECOND, TRACE, logs, served, span, traces


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(file=tmp_path / "observe.duckdb", memory_bytes=200 * 10**6)


@pytest.fixture
def writer(place: Place) -> Iterator[Writer]:
    made = Writer(open_database(place), place, Keep())
    yield made
    made.close()
    made.connection.close()


def batch(*, time: int = NOW, size: int = 100) -> Batch:
    """A batch of one span."""
    return spans_batch(traces(span(start=time)), Clock(time), RouteNames(), size)


def held(writer: Writer) -> threading.Event:
    """What lets the writer go on after its next commit."""
    may_go_on = threading.Event()

    def wait() -> None:
        may_go_on.wait(30)

    writer.when_stored = wait
    return may_go_on


def count(connection: duckdb.DuckDBPyConnection, table: str = "otel_traces") -> int:
    """How many rows a table has."""
    row = connection.cursor().execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608 - a test's own name
    assert row
    return int(row[0])


def test_what_is_acknowledged_is_there(writer: Writer, place: Place) -> None:
    """After the future is done the rows are read, and after a restart as well."""
    writer.submit(batch()).result(30)
    assert count(writer.connection) == 1
    writer.close()
    writer.connection.close()
    again = open_database(place)
    assert count(again) == 1
    assert count(again, "otel_traces_trace_id_ts") == 1
    again.close()


def test_batches_that_wait_are_committed_together(writer: Writer) -> None:
    """Many small batches do not need as many commits."""
    waiting = [writer.submit(batch()) for _ in range(200)]
    for one in waiting:
        one.result(60)
    assert count(writer.connection) == 200
    assert writer.condition.commits < 100


def test_a_full_queue_refuses(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """When too many bytes wait, the next batch is refused at once, and nothing of it is stored."""
    monkeypatch.setattr(writers, "MAX_QUEUED_BYTES", 1_000)
    may_go_on = held(writer)
    writer.submit(batch()).result(30)  # the writer waits after this one
    taken = writer.submit(batch(size=900))
    with pytest.raises(StoreFull, match="the queue is full") as full:
        writer.submit(batch(size=900))
    assert full.value.retry_after_seconds > 0
    may_go_on.set()
    taken.result(30)


def test_a_batch_that_does_not_fit_harms_no_other(writer: Writer) -> None:
    """Of batches that were committed together only the one at fault fails, and for good."""
    may_go_on = held(writer)
    writer.submit(batch()).result(30)
    bad = batch()
    bad.rows["otel_traces"].append(("too short",))
    before, failing, after = writer.submit(batch()), writer.submit(bad), writer.submit(batch())
    may_go_on.set()
    before.result(30)
    after.result(30)
    with pytest.raises(StoreFailed) as failed:
        failing.result(30)
    assert not isinstance(failed.value, StoreFull)
    assert count(writer.connection) == 3


def test_a_full_disk_refuses_and_says_so(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With too little room left batches are refused; when there is room again they are taken."""
    monkeypatch.setattr(writers, "_MIN_FREE_BYTES", 2**62)
    with pytest.raises(StoreFull, match=r"the disk of .* is full"):
        writer.submit(batch())
    assert "is full" in writer.condition.fault
    monkeypatch.undo()
    writer.submit(batch()).result(30)
    assert writer.condition.fault == ""


def test_a_file_of_an_older_release_is_brought_up_to_date(place: Place) -> None:
    """Traces of before are found as before, by the key that their rows did not have."""
    made = open_database(place)
    made.execute('ALTER TABLE otel_traces_trace_id_ts DROP COLUMN "Key"')
    made.execute(
        "INSERT INTO otel_traces_trace_id_ts VALUES (?, '2026-11-26', '2026-11-26'), ('', NULL, NULL)", [TRACE]
    )
    made.execute("UPDATE fig_store SET Version = 1")
    made.close()
    again = open_database(place)
    assert again.execute('SELECT TraceId, "Key" FROM otel_traces_trace_id_ts ORDER BY 1').fetchall() == [
        ("", 0),
        (TRACE, trace_key(TRACE)),
    ]
    assert again.execute("SELECT Version FROM fig_store").fetchall() == [(2,)]
    again.close()


def test_one_process_owns_the_file(writer: Writer, place: Place, tmp_path: Path) -> None:
    """A file that is no store, and one of a newer release, are refused in words."""
    writer.submit(batch()).result(30)
    (tmp_path / "text.duckdb").write_text("not a database" * 1_000)
    with pytest.raises(StoreFailed, match="cannot be opened"):
        open_database(Place(file=tmp_path / "text.duckdb"))
    newer = Place(file=tmp_path / "newer.duckdb")
    made = open_database(newer)
    made.execute("UPDATE fig_store SET Version = 99")
    made.close()
    with pytest.raises(StoreFailed, match="newer release"):
        open_database(newer)
    assert place.file.stat().st_mode & 0o777 == 0o600
    assert not issubclass(StoreFull, StoreHeld)


def test_the_old_go_by_age_and_minutes_stay(place: Place) -> None:
    """Rows older than the limit go; the minutes outlive them."""
    connection = open_database(place)
    keeping = Writer(connection, place, Keep())
    for age in (0, 3, 10):
        keeping.submit(
            logs_batch(logs(served("r", "lambda"), service="fig-router"), Clock(NOW), RouteNames(), 1)
        ).result(30)
        keeping.submit(batch(time=NOW - age * DAY)).result(30)
    keeping.close()
    assert count(connection) == 3
    Upkeep(connection, Keep(raw=7 * DAY)).run(NOW)
    assert count(connection) == 2
    assert count(connection, "route_minute") > 0
    Upkeep(connection, Keep(raw=1, minutes=1)).run(NOW + 2 * DAY)
    assert (count(connection), count(connection, "otel_logs"), count(connection, "route_minute")) == (0, 0, 0)
    connection.close()


def test_the_old_go_by_size(place: Place) -> None:
    """When the file holds too much, the oldest rows go until it fits."""
    connection = open_database(place)
    connection.execute(
        "INSERT INTO otel_traces (Timestamp, TraceId) SELECT make_timestamp_ns(? + range * 1000), md5(range::VARCHAR)"
        " FROM range(200000)",
        [NOW],
    )
    connection.execute("CHECKPOINT")
    Upkeep(connection, Keep(max_bytes=2 * 2**20)).run(NOW)
    left = count(connection)
    assert 0 < left < 200_000
    row = connection.execute("SELECT epoch_ns(max(Timestamp)) FROM otel_traces").fetchone()
    assert row == (NOW + 199_999 * 1000,)
    connection.close()


def test_minutes_are_merged_when_they_are_over(place: Place) -> None:
    """Many rows of a kind become one with their sums and the latest weight, also those of a process that was killed."""
    connection = open_database(place)
    keeping = Writer(connection, place, Keep())
    for number in range(5):
        sent = served("r", "lambda", time=NOW + number, weight=number)
        keeping.submit(logs_batch(logs(sent, service="fig-router"), Clock(NOW), RouteNames(), 1)).result(30)
    keeping.close()
    Upkeep(connection, Keep()).merge(NOW + 600 * SECOND)
    rows = connection.execute("SELECT Requests, Milliseconds, Weight FROM route_minute").fetchall()
    assert rows == [(5, 50.0, 4)]
    connection.close()


def test_only_what_changed_is_merged() -> None:
    """Minutes that follow each other are merged at once, others by themselves."""
    minute = 60 * SECOND
    assert _stretches([0, minute, 5 * minute]) == [(0, 2 * minute), (5 * minute, 6 * minute)]
