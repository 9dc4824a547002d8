"""What a node hears of its shares, when it hears it, and who is counted."""

import asyncio
from pathlib import Path
from typing import Any

from .fakes import BOOKS, FakeTime, Here, estate_of, run

ESTATE = estate_of(books=BOOKS)


async def nodes(here: Here, name: str, **params: Any) -> int | None:
    """Of how many nodes this one is told that it is one."""
    told = (await here.get("/v1/desired", node=name, **params)).get("shares")
    return told["nodes"] if told else None


def test_only_who_says_its_name_hears_shares(tmp_path: Path) -> None:
    """A poll without a name is answered as ever; one with a name counts as a node at once."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        assert "shares" not in await here.get("/v1/desired")
        assert await nodes(here, "a") == 1
        assert await nodes(here, "b") == 2
        assert await nodes(here, "a") == 2
        answer = await here.http.get("/v1/desired", params={"node": "../a"})
        assert answer.status_code == 422

    run(tmp_path, story)


def test_a_waiting_node_hears_at_once_that_there_is_another(tmp_path: Path) -> None:
    """A long poll ends when the node's shares change, although nothing else does."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        now = await here.get("/v1/desired", node="a")
        version = now["shares"]["version"]
        poll = asyncio.create_task(
            here.get("/v1/desired", node="a", after=now["revision"], shares=version, wait=20),
        )
        await asyncio.sleep(0)
        await nodes(here, "b")
        changed = await poll
        assert changed["revision"] == now["revision"]
        assert (changed["shares"]["nodes"], changed["shares"]["version"] != version) == (2, True)

    run(tmp_path, story)


def test_a_node_that_has_left_is_not_counted_live_or_missed(tmp_path: Path) -> None:
    """After its last report a node is told nothing, the others are one less, and no shift waits for it."""

    async def story(here: Here) -> None:
        async with here.node("a").running() as stays:
            await here.publish(ESTATE)
            leaves = here.node("b")
            await leaves.hear()
            await leaves.report()
            await nodes(here, "b")
            assert await nodes(here, "a") == 2
            poll = asyncio.create_task(here.get("/v1/desired", node="b", after=stays.revision, wait=20))
            await asyncio.sleep(0)
            await leaves.report(left=True)
            poll.cancel()
            assert await nodes(here, "a") == 1
            shown = {one["name"]: one["live"] for one in (await here.get("/v1/status"))["nodes"]}
            assert shown == {"a": True, "b": False}
            shifted = await here.shift("books", 100)
            assert (shifted["in_force"], shifted["lagging"]) == (True, [])
            await leaves.report()
            assert await nodes(here, "a") == 2

    run(tmp_path, story)


def test_a_poll_that_waits_while_its_node_leaves_does_not_bring_it_back(tmp_path: Path) -> None:
    """The answer to an old poll of a node that has left says nothing of shares, and the node stays away."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        now = await here.get("/v1/desired", node="b")
        await nodes(here, "a")
        version = (await here.get("/v1/desired", node="b"))["shares"]["version"]
        wait = here.get("/v1/desired", node="b", after=now["revision"], shares=version, wait=2)
        poll = asyncio.create_task(wait)
        await asyncio.sleep(0)
        await here.node("b").report(left=True)
        await here.shift("books", 100, wait_seconds=0)
        assert "shares" not in await poll
        assert await nodes(here, "a") == 1

    run(tmp_path, story)


def test_a_silent_node_is_counted_for_a_minute(tmp_path: Path) -> None:
    """A node that fell silent may still serve: it counts until the grace time is over."""
    time = FakeTime()

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        await nodes(here, "a")
        await nodes(here, "b")
        time.seconds += 59
        assert await nodes(here, "a") == 2
        time.seconds += 2
        assert await nodes(here, "a") == 1

    run(tmp_path, story, time)
