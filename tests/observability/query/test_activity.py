"""A route's requests over time, in steps that are equal but for the ends of the window."""

from collections.abc import Iterator

import pytest

from observability.normalise.bounds import Clock
from observability.normalise.logs import logs_batch
from observability.normalise.minutes import RouteNames
from observability.query.reader import DuckDbReader
from observability.query.routes import activity, overview, series, since_first, together
from observability.query.window import MINUTE, SECOND, Window
from observability.store.database import Place, open_database
from observability.store.upkeep import Keep
from observability.store.writer import Writer
from tests.observability.telemetry import NOW, logs, served

FIRST = NOW // MINUTE * MINUTE
TEN = Window(FIRST, FIRST + 10 * MINUTE)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDbReader]:
    """Ten minutes: legacy alone for five, then half on Lambda, and a router that answers something by itself."""
    place = Place(file=tmp_path_factory.mktemp("store") / "observe.duckdb", memory_bytes=200 * 10**6)
    connection = open_database(place)
    writer = Writer(connection, place, Keep())
    told = [
        served("books", side, time=FIRST + minute * MINUTE + second * SECOND, weight=0 if minute < 5 else 5_000)
        for minute in range(10)
        for second in range(0, 60, 2)
        for side in (("legacy",) if minute < 5 else ("legacy", "lambda"))
    ]
    told += [served("gone", "", time=FIRST + MINUTE, status=404), served("books", "lambda", time=FIRST, status=500)]
    writer.submit(logs_batch(logs(*told, service="fig-router"), Clock(NOW), RouteNames(), 100)).result(30)
    yield DuckDbReader(lambda: connection)
    writer.close()
    connection.close()


def test_a_line_for_each_side(reader: DuckDbReader) -> None:
    """Requests per second of every step; a side that was not there yet is zero, not missing."""
    books = activity(reader, TEN, points=10)["books"]
    assert (books["start"], books["step_seconds"]) == (FIRST, 60)
    assert books["sides"]["legacy"] == [0.5] * 10
    assert books["sides"]["lambda"] == [pytest.approx(1 / 60, abs=0.001), *[0.0] * 4, *[0.5] * 5]
    assert set(activity(reader, TEN)["gone"]["sides"]) == {"router"}


def test_few_points_for_much_time(reader: DuckDbReader) -> None:
    """Minutes are put together until there are no more points than wanted; requests per second stay the same."""
    books = activity(reader, Window(FIRST, FIRST + 9 * MINUTE), points=4)["books"]
    assert books["step_seconds"] == 180
    assert len(books["sides"]["legacy"]) in (3, 4)
    assert set(books["sides"]["legacy"]) == {0.5}


def test_scraps_at_the_ends_are_no_steps(reader: DuckDbReader) -> None:
    """The minute that has just begun says little: it is drawn when half of it is over, and then by what it covers."""
    young = activity(reader, Window(FIRST, FIRST + 5 * MINUTE + 10 * SECOND))["books"]
    older = activity(reader, Window(FIRST, FIRST + 5 * MINUTE + 40 * SECOND))["books"]
    assert len(young["sides"]["legacy"]) == 5
    assert older["sides"]["legacy"] == [0.5] * 5 + [0.75]


def test_a_window_of_numbers_is_whole_minutes(reader: DuckDbReader) -> None:
    """All of each minute that a window touches is counted, until the present, and the rate is of what was counted."""
    later = FIRST + 20 * MINUTE
    ten = Window(FIRST + 50 * SECOND, FIRST + 60 * SECOND).whole_minutes(later)
    assert ten == Window(FIRST, FIRST + MINUTE)
    assert Window(FIRST + 30 * SECOND, FIRST + 90 * SECOND).whole_minutes(later) == Window(FIRST, FIRST + 2 * MINUTE)
    assert TEN.whole_minutes(later) == TEN
    now = FIRST + 5 * MINUTE + 40 * SECOND
    assert Window(FIRST + SECOND, now + SECOND).whole_minutes(now) == Window(FIRST, now)
    assert Window(later, later + SECOND).whole_minutes(now) == Window(later, later + MINUTE)
    (books,) = overview(reader, ten, route="books")
    assert (books["total"]["requests"], books["sides"]["legacy"]["per_second"]) == (31, 0.5)


def test_rates_are_of_the_time_since_the_first_data(reader: DuckDbReader) -> None:
    """A window that begins before anything was told begins with the first minute; any other is as it was."""
    hour = Window(FIRST - 50 * MINUTE, FIRST + 10 * MINUTE)
    assert since_first(reader, hour) == TEN
    later = Window(FIRST + MINUTE, FIRST + 2 * MINUTE)
    assert since_first(reader, later) == later
    before = Window(FIRST - 2 * MINUTE, FIRST - MINUTE)
    assert since_first(reader, before) == before


def test_a_series_says_what_its_steps_cover_and_the_weight(reader: DuckDbReader) -> None:
    """Each step has the seconds of it that the window covers, and the weight that was last heard of in it."""
    steps = series(reader, "books", Window(FIRST, FIRST + 5 * MINUTE + 40 * SECOND))
    legacy = [one for one in steps if one["side"] == "legacy"]
    assert [one["seconds"] for one in legacy] == [60.0] * 5 + [40.0]
    assert [one["weight"] for one in legacy][1:] == [0] * 4 + [5_000]
    assert legacy[-1]["per_second"] == 0.75
    assert [one["side"] for one in series(reader, "gone", TEN)] == ["router"]


def test_one_route_has_the_numbers_of_the_board(reader: DuckDbReader) -> None:
    """Asked for alone a route has the numbers that it has among all, and what all add up to is their sum."""
    board = overview(reader, TEN)
    assert overview(reader, TEN, route="books") == [one for one in board if one["route"] == "books"]
    assert overview(reader, TEN, route="none") == []
    total = together(board, TEN)
    assert (total["routes"], total["requests"], total["errors"]) == (2, 452, 1)
    assert total["shares"] == {
        "legacy": round(300 / 452, 6),
        "lambda": round(151 / 452, 6),
        "router": round(1 / 452, 6),
    }
    assert together([], TEN)["error_share"] is None


def test_a_function_s_call_back_is_no_client_s_request(reader: DuckDbReader) -> None:
    """Beside a router's records, routes that only spans tell of are not added up; without a router they are."""
    board = overview(reader, TEN)
    inner = {**board[0], "route": "/stock", "source": "span"}
    assert together([*board, inner], TEN) == {**together(board, TEN), "routes": 3}
    assert together([inner], TEN)["requests"] == board[0]["total"]["requests"]
