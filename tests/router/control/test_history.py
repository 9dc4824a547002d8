"""What was counted over the last minutes, from readings that count on until an Envoy is replaced."""

from pathlib import Path
from typing import Any

import pytest

from router.control.history import WINDOW_SECONDS, History, summed

from .fakes import BOOKS, Here, estate_of, run

ROUTE = ("routes", "books", "requests", "fallback")


def reading(count: int, epoch: str = "e1") -> dict[str, Any]:
    """A node's reading with so many fallbacks of one route."""
    return {"epoch": epoch, "routes": {"books": {"requests": {"fallback": count}, "calls": {}}}}


def test_what_was_there_before_is_not_recent() -> None:
    """The first reading says nothing about when its counts were made; what is added later is recent."""
    history = History()
    history.add(0.0, reading(100))
    assert history.recent()[ROUTE] == 0
    history.add(10.0, reading(130))
    assert (history.recent()[ROUTE], history.total()[ROUTE]) == (30, 130)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    """Readings each ten seconds for an hour: what was added in the window is right to a minute."""
    history = History()
    for second in range(0, 3600, 10):
        history.add(float(second), reading(second))
    assert WINDOW_SECONDS <= history.recent()[ROUTE] <= WINDOW_SECONDS + 70
    assert history.total()[ROUTE] == 3590


@pytest.mark.parametrize("apart", [1.0, 10.0, 40.0])
def test_a_replaced_envoy_counts_from_zero(apart: float) -> None:
    """When Envoy was replaced all that the new one counted is added to what the old one did; nothing is negative."""
    history = History()
    for number, (count, epoch) in enumerate([(5, "e1"), (9, "e1"), (11, "e1"), (3, "e2"), (4, "e2"), (6, "e2")]):
        history.add(number * apart, reading(count, epoch))
    assert history.recent()[ROUTE] == (11 - 5) + 6  # the first 5 came before
    assert history.total()[ROUTE] == 11 + 6


def test_what_envoy_forgot_begins_anew() -> None:
    """A count that was forgotten for want of news and comes back is added whole; what it was before is not lost."""
    history = History()
    history.add(0.0, reading(100))
    history.add(10.0, {"epoch": "e1"})
    history.add(20.0, reading(3))
    history.add(30.0, reading(2))  # forgotten and back between two readings
    assert (history.recent()[ROUTE], history.total()[ROUTE]) == (5, 105)


def test_nodes_are_summed() -> None:
    """The tree has each path of any node, with recent and total counts of all."""
    histories = [History(), History(), History()]
    for history, (first, second) in zip(histories, [(0, 2), (10, 13)], strict=False):
        history.add(0.0, reading(first))
        history.add(20.0, reading(second) | {"odd_paths": {"default": second, "quiet": 0}})
    assert summed(histories) == {
        "odd_paths": {"default": {"recent": 15, "total": 15}},
        "routes": {"books": {"requests": {"fallback": {"recent": 5, "total": 15}}}},
    }


def test_status_has_what_nodes_counted(tmp_path: Path) -> None:
    """Status has the faults of routes for all live nodes together, and what concerns one node with it."""

    async def story(here: Here) -> None:
        await here.publish(estate_of(books=BOOKS), wait_seconds=0)
        node = here.node()
        more = {"alarms": {"login_on_pooled_connection": {"shop": 2}}, "telemetry": {"batches": 5, "lost": 1}}
        await node.report(counters=reading(100) | more)
        await node.report(counters=reading(107) | more)
        await node.report(counters=None)
        status = await here.get("/v1/status")
        assert status["counters"]["window_seconds"] == WINDOW_SECONDS
        assert status["counters"]["routes"]["books"]["requests"]["fallback"] == {"recent": 7, "total": 107}
        (said,) = status["nodes"]
        assert said["counters"] == {
            "alarms": {"login_on_pooled_connection": {"shop": {"recent": 0, "total": 2}}},
            "telemetry": {"batches": {"recent": 0, "total": 5}, "lost": {"recent": 0, "total": 1}},
        }

    run(tmp_path, story)


def test_what_is_only_shown_cuts_no_node_off(tmp_path: Path) -> None:
    """Counters, credentials and certificates that do not read are left out; the report is taken all the same."""

    async def story(here: Here) -> None:
        await here.publish(estate_of(books=BOOKS), wait_seconds=0)
        certificates = [{"file": "a.pem", "subject": "CN=a", "not_after": "2026-12-01T00:00:00"}, {"file": "b.pem"}, 7]
        aws = {"source": "keys\x1b[31m", "expires_at": "2026-12-01T00:00:00+00:00", "later": 1}
        await here.node().report(counters={"routes": 7}, aws=aws, certificates=certificates)
        (node,) = (await here.get("/v1/status"))["nodes"]
        assert node["counters"] == {}
        assert node["certificates"] == [{"file": "a.pem", "subject": "CN=a", "not_after": "2026-12-01T00:00:00Z"}]
        assert (node["aws"]["source"], node["aws"]["later"]) == ("keys [31m", 1)
        await here.node().report(aws=["wrong"])
        assert (await here.get("/v1/status"))["nodes"][0]["aws"] is None

    run(tmp_path, story)
