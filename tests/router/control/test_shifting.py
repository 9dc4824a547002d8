"""Shifts, moves that nodes made alone, and what happens when the ledger cannot write."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from .fakes import BOOKS, FakeTime, Here, control_here, estate_of, run, until

ESTATE = estate_of(books=BOOKS, pens={"legacy": "shop", "lambda": "books"}, events={"legacy": "shop", "stream": True})


def test_a_shift_returns_when_every_live_node_has_the_weight_in_force(tmp_path: Path) -> None:
    """A shift says in force, with the milliseconds of each node, once all live nodes report its weights version."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        async with here.node("node-1").running() as one, here.node("node-2").running() as two:
            answer = await here.shift("books", 2500)
            assert (answer["from"], answer["to"], answer["in_force"]) == (0, 2500, True)
            assert [node["name"] for node in answer["nodes"]] == ["node-1", "node-2"]
            assert all(0 < node["ms"] <= answer["in_force_ms"] for node in answer["nodes"])
            assert one.weights == two.weights == {"books": 2500}

    run(tmp_path, story)


def test_a_node_that_does_not_apply_a_shift_is_named(tmp_path: Path) -> None:
    """A shift that one live node does not put in force names that node as lagging; it is recorded all the same."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        async with here.node("quick").running(), here.node("slow").running() as slow:
            slow.frozen = True
            answer = await here.shift("books", 500, wait_seconds=0.2)
            assert (answer["in_force"], answer["in_force_ms"], answer["lagging"]) == (False, None, ["slow"])
            assert (await here.history())[-1] == ("shift", "books", 0, 500)

    run(tmp_path, story)


def test_without_a_live_node_a_shift_is_recorded_only(tmp_path: Path) -> None:
    """A shift while no node is live is not in force, lags nowhere, and waits for nobody."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        answer = await here.shift("books", 500, wait_seconds=60)
        assert (answer["in_force"], answer["lagging"], answer["nodes"]) == (False, [], [])
        assert (await here.get("/v1/estate"))["weights"]["books"] == 500

    run(tmp_path, story)


def test_a_node_that_is_silent_for_five_seconds_is_not_waited_for(tmp_path: Path) -> None:
    """A node that fell silent is not waited for, but it lags for ten minutes: its Envoy serves on with what it had."""
    time = FakeTime()

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        node = here.node()
        await node.hear()
        await node.report()
        time.seconds += 4.9
        assert (await here.shift("books", 500, wait_seconds=0))["lagging"] == ["node-1"]
        time.seconds += 0.2
        answer = await asyncio.wait_for(here.shift("books", 600, wait_seconds=60), 30)
        assert (answer["lagging"], answer["in_force"]) == (["node-1"], False)
        time.seconds += 600
        assert (await here.shift("books", 700, wait_seconds=0))["lagging"] == []

    run(tmp_path, story, time)


@pytest.mark.parametrize(
    ("route", "status", "said", "hint"),
    [
        ("boks", 404, "there is no route 'boks'", "did you mean books?"),
        ("events", 422, "events has no weight: it streams, which only legacy serves", None),
    ],
)
def test_a_route_that_cannot_be_shifted_is_refused(
    tmp_path: Path, route: str, status: int, said: str, hint: str | None
) -> None:
    """An unknown route gets a suggestion; a route without two sides says why; neither changes anything."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        before = here.control.keeper.desired
        error = (await here.shift(route, 500, status))["error"]
        assert (error["message"], error["hint"]) == (said, hint)
        assert here.control.keeper.desired is before

    run(tmp_path, story)


def test_a_shift_to_the_present_weight_changes_nothing(tmp_path: Path) -> None:
    """A shift to the weight that the route has writes no history and hands out no new version."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        async with here.node().running():
            first = await here.shift("books", 500)
            again = await here.shift("books", 500)
            assert (again["from"], again["to"], again["in_force"]) == (500, 500, True)
            assert again["version"] == first["version"]
            assert len(await here.history()) == 2

    run(tmp_path, story)


def test_a_node_s_own_rollback_becomes_everybody_s(tmp_path: Path) -> None:
    """A move towards legacy that one node made alone is recorded with its name, lowers the weight everywhere, once."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        alone = here.node("alone")
        async with here.node("other").running() as other:
            await alone.hear()
            await alone.report()
            await here.shift("books", 5000, wait_seconds=0)
            move = _move("m1", to=0)
            assert await alone.report(local_moves=[move]) == {"acknowledged": ["m1"]}
            await until(lambda: other.weights == {"books": 0})
            entry = (await here.get("/v1/history", limit=1))["entries"][0]
            assert (entry["kind"], entry["node"], entry["reason"], entry["to"]) == ("rollback", "alone", "errors", 0)
            await here.shift("books", 100, wait_seconds=0)
            assert await alone.report(local_moves=[move]) == {"acknowledged": ["m1"]}
            assert (await here.get("/v1/estate"))["weights"]["books"] == 100

    run(tmp_path, story)


def test_a_rollback_to_more_than_the_present_weight_is_noted_only(tmp_path: Path) -> None:
    """A node's late news of a higher weight never raises the weight, but is in the history and acknowledged."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        await here.shift("books", 100, wait_seconds=0)
        node = here.node()
        await node.hear()
        version = node.weights_version
        moves = [_move("m1", to=300), _move("m2", to=0, route="gone")]
        assert await node.report(local_moves=moves) == {"acknowledged": ["m1", "m2"]}
        await node.hear()
        assert node.weights == {"books": 100}
        assert node.weights_version > version
        assert [entry[0] for entry in await here.history()] == ["publish", "shift", "rollback", "rollback"]

    run(tmp_path, story)


def test_a_move_towards_legacy_does_not_wait_for_the_ledger(tmp_path: Path) -> None:
    """While the database is locked, a shift towards Lambda is refused; one towards legacy is in force at once.

    It is written as soon as the database is well again.
    """

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        async with here.node().running() as node:
            await here.shift("books", 5000)
            somebody = create_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
            with somebody.connect() as other:
                other.execute(text("BEGIN IMMEDIATE"))
                down = asyncio.create_task(here.shift("books", 0))
                await until(lambda: node.weights == {"books": 0})
                answer = await down
                assert (answer["in_force"], answer["recorded"]) == (True, False)
                error = (await here.shift("pens", 100, 503))["error"]
                assert "could not write to the ledger" in error["message"]
                assert (await here.get("/v1/status"))["problems"] != []
                other.rollback()
            somebody.dispose()
            await here.control.keeper.catch_up()
            assert (await here.history())[-1] == ("shift", "books", 5000, 0)
            assert here.ledger.desired() == here.control.keeper.desired

    run(tmp_path, story)


def test_shifts_at_the_same_time_all_count(tmp_path: Path) -> None:
    """Shifts of several routes that overlap are all in force and all in the history, in one order for both."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        async with here.node().running() as node:
            await here.shift("books", 9000)
            await asyncio.gather(here.shift("books", 10), here.shift("pens", 20), here.shift("books", 5))
            assert node.weights == {"books": 5, "pens": 20}
            assert here.ledger.desired() == here.control.keeper.desired

    run(tmp_path, story)


def test_versions_never_go_backwards_over_a_restart_or_an_old_backup(tmp_path: Path) -> None:
    """A restarted control goes on with its versions; one whose ledger is older than a node's knowledge overtakes it."""

    async def story() -> None:
        async with control_here(tmp_path) as here:
            await here.publish(ESTATE, wait_seconds=0)
            await here.shift("books", 5000, wait_seconds=0)
            before = here.control.keeper.desired
        async with control_here(tmp_path) as here:
            assert here.control.keeper.desired == before
            node = here.node()
            await node.hear()
            node.revision, node.weights_version = 70, 90
            await node.report()
            await node.hear()
            assert node.revision > 70
            assert node.weights_version > 90
            assert node.weights == {"books": 5000}
        async with control_here(tmp_path) as here:
            assert here.control.keeper.desired.weights_version > 90

    asyncio.run(story())


def _move(name: str, *, to: int, route: str = "books") -> dict[str, Any]:
    return {
        "id": name,
        "route": route,
        "from": 5000,
        "to": to,
        "actor": "op",
        "reason": "errors",
        "at": "2026-11-02T08:00:00+00:00",
    }
