"""Publishing, going back, what happens to weights and keys, and folding."""

import asyncio
from pathlib import Path
from typing import Any

from router.control.state import AT_REST

from .fakes import BOOKS, FakeEnvoy, FakeTime, Here, control_here, estate_of, fake_stages, run, until

ESTATE = estate_of(books=BOOKS)
PENS = {"legacy": "shop", "lambda": "books"}


def test_the_first_publish_adds_everything_and_is_in_force_on_the_node(tmp_path: Path) -> None:
    """The first publish lists all as added, and is in force when the node runs the snapshot; new routes start at 0."""

    async def story(here: Here) -> None:
        async with here.node().running() as node:
            answer = await here.publish(ESTATE)
            assert answer["in_force"]
            assert answer["previous"] is None
            assert {(change["sign"], change["kind"], change["name"]) for change in answer["changes"]} == {
                ("+", "entry", "entry"),
                ("+", "legacy", "shop"),
                ("+", "lambda", "books"),
                ("+", "route", "books"),
            }
            assert node.snapshot == answer["snapshot"]
            assert await here.get("/v1/estate") == {
                "estate": ESTATE,
                "weights": {"books": 0},
                "snapshot": answer["snapshot"],
            }

    run(tmp_path, story)


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    """A dry run lists the changes with their fields, and leaves the desired state and the history alone."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        before = here.control.keeper.desired
        changed = estate_of(books={**BOOKS, "path": "/library"})
        answer = await here.publish(changed, dry_run=True)
        assert answer["changes"] == [
            {"sign": "~", "kind": "route", "name": "books", "detail": "path: /books -> /library"}
        ]
        assert here.control.keeper.desired is before
        assert len(await here.history()) == 1

    run(tmp_path, story)


def test_a_publish_keeps_weights_and_drops_keys_only_after_the_nodes_switched(tmp_path: Path) -> None:
    """A moving weight is built into the next snapshot; its key goes in a later weights version than the switch."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        async with here.node().running() as node:
            await here.shift("books", 2500)
            assert _moving(await here.get("/v1/status")) == {"books": True}
            answer = await here.publish(estate_of(books=BOOKS, pens=PENS))
            assert answer["in_force"]
            assert _moving(await here.get("/v1/status")) == {"books": False, "pens": False}
            assert (await here.get("/v1/estate"))["weights"] == {"books": 2500, "pens": 0}
            await until(lambda: node.weights == {})
            switched = [seen for seen in node.seen if seen["snapshot"] == answer["snapshot"]]
            assert switched[0]["weights"]["routes"] == {"books": 2500}
            assert switched[-1]["weights"]["version"] > switched[0]["weights"]["version"]

    run(tmp_path, story)


def test_a_shift_during_a_publish_is_not_lost(tmp_path: Path) -> None:
    """A weight that moves after the new snapshot was compiled stays a key until the next fold."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        node = here.node()
        await node.hear()
        await node.report()
        publishing = asyncio.create_task(here.publish(estate_of(books=BOOKS, pens=PENS), wait_seconds=5))
        await until(lambda: here.control.keeper.desired.snapshot != node.snapshot)
        await here.shift("books", 700, wait_seconds=0)
        async with node.running():
            assert (await publishing)["in_force"]
            assert node.weights == {"books": 700}
            assert _moving(await here.get("/v1/status")) == {"books": True, "pens": False}

    run(tmp_path, story)


def test_a_rejected_snapshot_goes_back_by_itself(tmp_path: Path) -> None:
    """When a node rejects the new snapshot, control returns to the previous one, records it, and says the reason."""

    async def story(here: Here) -> None:
        first = await here.publish(ESTATE, wait_seconds=0)
        async with here.node().running() as node:
            await here.shift("books", 2500)
            node.rejects_new = "unknown filter"
            answer = await here.publish(estate_of(pens=PENS))
            assert answer["rejected"] == [{"node": "node-1", "reason": "unknown filter"}]
            assert answer["in_force"] is False
            status = await here.get("/v1/status")
            assert status["snapshot"] == first["snapshot"] == node.snapshot
            assert [(route["route"], route["weight"]) for route in status["routes"]] == [("books", 2500)]
            assert node.weights == {"books": 2500}
            entry = (await here.get("/v1/history", limit=1))["entries"][0]
            assert (entry["kind"], entry["snapshot"]) == ("rollback", answer["snapshot"])
            assert entry["reason"] == "rejected by node-1: unknown filter"

    run(tmp_path, story)


def test_a_newcomer_that_rejects_what_is_in_force_moves_nobody_else(tmp_path: Path) -> None:
    """Once the fleet runs a snapshot, a host that cannot take it has a trouble of its own: nothing is rolled back."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        async with here.node().running() as node:
            answer = await here.publish(estate_of(pens=PENS))
            assert answer["in_force"]
            newcomer = here.node("newcomer")
            await newcomer.hear()
            await newcomer.report(snapshot=None, rejected={"snapshot": answer["snapshot"], "reason": "port in use"})
            status = await here.get("/v1/status")
            assert status["snapshot"] == answer["snapshot"] == node.snapshot
            assert (await here.get("/v1/history", limit=1))["entries"][0]["kind"] == "publish"

    run(tmp_path, story)


def test_what_was_rejected_can_be_published_again_once_the_host_is_mended(tmp_path: Path) -> None:
    """A node's old rejection, which it repeats until it hears of the second attempt, does not end that attempt."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        node = here.node()
        async with node.running():
            node.rejects_new = "no such CA file"
            failed = await here.publish(estate_of(pens=PENS))
            assert len(failed["rejected"]) == 1
        node.rejects_new, node.rejects = None, {}
        again = asyncio.create_task(here.publish(estate_of(pens=PENS)))
        await until(lambda: here.control.keeper.desired.snapshot == failed["snapshot"])
        await node.report(rejected={"snapshot": failed["snapshot"], "reason": "no such CA file"})
        async with node.running():
            answer = await again
            assert (answer["in_force"], answer["rejected"]) == (True, [])

    run(tmp_path, story)


def test_the_first_publish_can_be_rejected_too(tmp_path: Path) -> None:
    """When nothing was published before, a rejected snapshot leaves nothing published; nodes keep what they have."""

    async def story(here: Here) -> None:
        async with here.node().running() as node:
            node.rejects_new = "no"
            answer = await here.publish(ESTATE)
            assert len(answer["rejected"]) == 1
            assert (await here.get("/v1/status"))["snapshot"] is None

    run(tmp_path, story)


def test_back_publishes_the_estate_before_and_twice_returns(tmp_path: Path) -> None:
    """`back` publishes the estate before with today's weights, a second one returns; rejected estates are skipped."""

    async def story(here: Here) -> None:
        async with here.node().running() as node:
            assert "no estate to go back to" in (await here.post("/v1/publishes/back", 422))["error"]["message"]
            await here.publish(ESTATE)
            await here.publish(estate_of(books={**BOOKS, "path": "/library"}))
            await here.shift("books", 1500)
            node.rejects_new = "no"
            await here.publish(estate_of())
            node.rejects_new = None
            back = await here.post("/v1/publishes/back", reason="wrong path")
            assert back["in_force"]
            assert back["changes"][0]["detail"] == "path: /library -> /books"
            now = await here.get("/v1/estate")
            assert (now["estate"], now["weights"]) == (ESTATE, {"books": 1500})
            await here.post("/v1/publishes/back")
            assert (await here.get("/v1/estate"))["estate"]["routes"]["books"]["path"] == "/library"

    run(tmp_path, story)


def test_a_route_that_loses_a_side_or_goes_loses_its_weight(tmp_path: Path) -> None:
    """Taking a route or one of its sides away is shown with the weight, recorded, and starts at 0 when it returns."""

    async def story(here: Here) -> None:
        await here.publish(estate_of(books=BOOKS, pens=PENS), wait_seconds=0)
        async with here.node().running():
            await here.shift("books", 2500)
            await here.shift("pens", 100)
            answer = await here.publish(estate_of(books={"legacy": "shop", "path": "/books"}))
            details = {change["name"]: change["detail"] for change in answer["changes"]}
            assert details["pens"] == "it sends 1% to lambda"
            assert details["books"] == "lambda: books -> (unset); it loses its weight 25%"
            assert (await here.history())[-2:] == [("publish", "books", 2500, 0), ("publish", "pens", 100, 0)]
            await here.publish(estate_of(books=BOOKS, pens=PENS))
            assert (await here.get("/v1/estate"))["weights"] == {"books": 0, "pens": 0}

    run(tmp_path, story)


def test_an_estate_that_the_loader_or_envoy_refuses_changes_nothing(tmp_path: Path) -> None:
    """A wrong estate and one that Envoy refuses answer 422 with every finding, and nothing else happens."""
    envoy = FakeEnvoy()

    async def main() -> None:
        async with control_here(tmp_path, stages=fake_stages(envoy)) as here:
            wrong = (await here.publish({"routes": {}}, 422))["error"]["diagnostics"]
            assert [(one["code"], one["message"]) for one in wrong] == [("ES999", "entry is required")]
            envoy.problems = ("no route to nowhere", "bad regex")
            refused = (await here.publish(ESTATE, 422))["error"]["diagnostics"]
            assert [one["message"] for one in refused] == [
                "Envoy refuses the estate: no route to nowhere",
                "Envoy refuses the estate: bad regex",
            ]
            assert here.control.keeper.desired.revision == 0
            assert await here.history() == []

    asyncio.run(main())


def test_a_publish_over_somebody_else_s_is_refused(tmp_path: Path) -> None:
    """A publish that was decided on the diff to another estate than the present one answers 409."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        base = (await here.publish(estate_of(pens=PENS), dry_run=True))["base"]
        await here.publish(estate_of(), wait_seconds=0, base=base)
        await here.publish(estate_of(pens=PENS), 409, base=base)

    run(tmp_path, story)


def test_an_unchanged_estate_is_published_once(tmp_path: Path) -> None:
    """Publishing the present estate again changes nothing and is in force at once."""

    async def story(here: Here) -> None:
        async with here.node().running():
            first = await here.publish(ESTATE)
            again = await here.publish(ESTATE)
            assert (again["snapshot"], again["changes"], again["in_force"]) == (first["snapshot"], [], True)
            assert len(await here.history()) == 1

    run(tmp_path, story)


def test_an_unchanged_estate_is_not_published_for_a_weight_that_moved(tmp_path: Path) -> None:
    """The weight stays a key until it rests: no other snapshot, no line."""

    async def story(here: Here) -> None:
        async with here.node().running():
            first = await here.publish(ESTATE)
            route = next(name for name, one in ESTATE["routes"].items() if "lambda" in one)
            await here.shift(route, 500)
            again = await here.publish(ESTATE)
            assert (again["snapshot"], again["previous"]) == (first["snapshot"], first["snapshot"])
            assert [kind for kind, *_ in await here.history()] == ["publish", "shift"]

    run(tmp_path, story)


def test_weights_at_rest_are_folded_into_the_routes(tmp_path: Path) -> None:
    """A weight that has not moved for fifteen minutes is built into a new snapshot; nobody's weight changes."""
    time = FakeTime()

    async def story(here: Here) -> None:
        await here.publish(estate_of(books=BOOKS, pens=PENS), wait_seconds=0)
        async with here.node().running() as node:
            published_at = (await here.get("/v1/status"))["published_at"]
            await here.shift("books", 2500)
            assert not await here.control.publishing.fold()
            time.seconds += AT_REST.total_seconds()
            await node.report()
            await here.shift("pens", 300)
            assert await here.control.publishing.fold()
            await until(lambda: node.weights == {"pens": 300})
            status = await here.get("/v1/status")
            assert node.snapshot == status["snapshot"]
            assert status["published_at"] == published_at
            assert _moving(status) == {"books": False, "pens": True}
            assert (await here.get("/v1/estate"))["weights"] == {"books": 2500, "pens": 300}
            assert (await here.history())[-1] == ("fold", None, None, None)
            assert not await here.control.publishing.fold()

    run(tmp_path, story, time)


def test_a_fold_that_a_node_rejects_is_not_tried_again(tmp_path: Path) -> None:
    """A rejected fold goes back to the snapshot before with its keys, and is left until a weight moves."""
    time = FakeTime()

    async def story(here: Here) -> None:
        first = await here.publish(ESTATE, wait_seconds=0)
        async with here.node().running() as node:
            await here.shift("books", 2500)
            time.seconds += AT_REST.total_seconds()
            await node.report()
            node.rejects_new = "no"
            assert await here.control.publishing.fold()
            await until(lambda: here.control.keeper.desired.snapshot == first["snapshot"])
            node.rejects_new = None
            await node.report()
            assert not await here.control.publishing.fold()
            assert node.weights == {"books": 2500}

    run(tmp_path, story, time)


def test_a_restarted_control_has_all_that_was_published(tmp_path: Path) -> None:
    """After a restart the estate, the weights, the snapshot's files and the way back are there."""

    async def main() -> None:
        async with control_here(tmp_path) as here:
            await here.publish(ESTATE, wait_seconds=0)
            await here.publish(estate_of(books=BOOKS, pens=PENS), wait_seconds=0)
            await here.shift("pens", 4000, wait_seconds=0)
            before = await here.get("/v1/estate")
            desired = await here.get("/v1/desired")
        async with control_here(tmp_path) as here:
            assert await here.get("/v1/estate") == before
            assert await here.get("/v1/desired") == desired
            assert (await here.post("/v1/publishes/back", wait_seconds=0))["changes"][0]["sign"] == "-"

    asyncio.run(main())


def _moving(status: dict[str, Any]) -> dict[str, bool]:
    return {route["route"]: route["moving"] for route in status["routes"]}
