"""Releases from the command line: the real `fig control`, the real commands, and a node that is played."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from router import run_file
from router.ledger.triggers import NAMES

from .fakes import FakeNode
from .ramps import Counter
from .test_process import ESTATE, Desk

RELEASE = """\
version: 1
release: 2026.11.2
ticket: CHG-1
routes:
  books-read:
    steps:
      - lambda: 1% for 1h
      - lambda: 10% for 1h
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "estate.yaml").write_text(ESTATE)
    return Desk(folder=tmp_path)


async def start(node: FakeNode) -> None:
    """Start the release, and wait until its first weight is in force."""
    body: dict[str, Any] = {"document": RELEASE, "plan": "a" * 64, "actor": "ann"}
    answer = await node.http.post("/v1/releases", json=body)
    assert answer.status_code == 200, answer.text
    counter = Counter()
    async with asyncio.timeout(20):
        while (await node.http.get("/v1/releases")).json()["releases"][0]["ramps"][0]["in_force"] is False:
            counter.count(node.weights.items())
            await node.report(evidence=counter.reading(node.weights_version))
            await asyncio.sleep(0.05)


def test_a_release_is_seen_and_ordered_from_the_command_line(desk: Desk) -> None:
    """Status shows step, weight and why; pause, resume, freeze, thaw and rollback say what they did, history too."""

    async def main() -> None:
        async with desk.control(), desk.node() as node:
            await desk.fig("publish", "estate.yaml")
            await start(node)
            shown = await desk.fig("status")
            assert "2026.11.2" in shown.out
            assert "1 of 2: lambda 1%" in shown.out
            watching = await desk.start("status", "--watch")  # into a pipe it goes at once, too
            assert watching.stdout is not None
            assert b"published" in await asyncio.wait_for(watching.stdout.readline(), 60)
            watching.kill()
            await watching.wait()
            for arguments, said in (
                (["pause", "2026.11.2"], "2026.11.2 (books-read): paused"),
                (["resume", "2026.11.2", "--route", "books-read"], "2026.11.2 (books-read): resumed"),
                (["freeze"], "nothing moves towards Lambda until fig thaw"),
                (["thaw"], "releases go on"),
                (["rollback", "2026.11.2"], "rolled back: everybody is on legacy, in force after"),
            ):
                done = await desk.fig(*arguments, "--reason", "a reason", "--actor", "ben")
                assert (done.code, said in done.out) == (0, True), done
            assert node.weights.get("books-read", 0) == 0
            assert "release 2026.11.2: rolled back" in (await desk.fig("status")).out
            history = (await desk.fig("history", "--route", "books-read", "--json")).json()["entries"]
            kinds = [entry["kind"] for entry in history if entry["kind"] != "verdict"]
            assert kinds == ["rollback", "resume", "pause", "step"]
            assert "2026.11.2 step 1" in (await desk.fig("history", "--release", "2026.11.2")).out
            assert (await desk.fig("abort", "2026.11.2")).code == 2
            refused = await desk.fig("approve", "2026.11.2", "--reason", "x")
            assert (refused.code, "2026.11.2 has ended: rolled back at" in refused.err) == (2, True), refused.err
            again = await desk.fig("rollback", "2026.11.2", "--reason", "to be sure")
            assert (again.code, "already rolled back; nothing was changed" in again.out) == (0, True), again

    asyncio.run(main())


def test_history_is_verified_from_the_command_line(desk: Desk) -> None:
    """An intact history says so with its head; one that was tampered with, or has not a noted head, exits 1."""

    async def main() -> None:
        async with desk.control(), desk.node():
            await desk.fig("publish", "estate.yaml")
            for weight in ("1%", "2%", "3%"):
                await desk.fig("shift", "books-read", weight)
            intact = await desk.fig("history", "--verify", "--json")
            assert (intact.code, intact.json()["intact"]) == (0, True)
            noted = await desk.fig("history", "--verify", "--head", intact.json()["head"])
            assert noted.out.startswith("4 entries are as they were written")
            slip = await desk.fig("history", "--verify", "--head", "beef")
            assert (slip.code, "is not a head: 64 hexadecimal digits" in slip.err) == (2, True), slip
            nobody = await desk.fig("history", "--route", "book-read")
            assert (nobody.code, "HI101 error: nothing is known of a route 'book-read'" in nobody.err) == (2, True)
            assert "did you mean books-read?" in nobody.err
            unknown = await desk.fig("history", "--release", "r9")
            assert (unknown.code, "nothing is known of a release 'r9'" in unknown.err) == (2, True), unknown
            at_rest = await desk.fig("history", "--route", "events")
            assert (at_rest.code, at_rest.out) == (0, "events has not been moved yet\n"), at_rest
            lost = await desk.fig("history", "--verify", "--head", "f" * 64)
            assert (lost.code, "was written anew" in lost.err) == (1, True)
            ledger = sqlite3.connect(desk.folder / "state" / "ledger.sqlite")
            for name in NAMES:
                ledger.execute(f"DROP TRIGGER IF EXISTS {name}")
            ledger.execute("UPDATE history SET actor = 'nobody' WHERE id = 2")
            ledger.commit()
            ledger.close()
            found = await desk.fig("history", "--verify")
            assert (found.code, "line 2 was changed" in found.err) == (1, True)

    asyncio.run(main())


def test_the_run_file_names_the_control_that_releases_ask(desk: Desk) -> None:
    """An order without a control that answers exits 1, one without a reason 2, and nothing is done."""

    async def main() -> None:
        async with desk.control():
            assert run_file.read(desk.folder / run_file.NAME).control
            unreachable = await desk.fig("freeze", "--reason", "x", "--control", "http://127.0.0.1:1")
            assert (unreachable.code, "fig node rollback" in unreachable.err) == (1, False)
            for down in (("rollback", "r1", "--reason", "x"), ("shift", "books-read", "0")):
                away = await desk.fig(*down, "--control", "http://127.0.0.1:1")
                assert (away.code, "fig node rollback --reason ... on each router host" in away.err) == (1, True), away
            assert (await desk.fig("freeze")).code == 2
            empty = await desk.fig("freeze", "--reason", " ")
            assert (empty.code, "it is empty: the history keeps why" in empty.err) == (2, True), empty
            assert (await desk.fig("history", "--head", "x")).code == 2

    asyncio.run(main())


SHORT = RELEASE.replace("for 1h", "for 100ms").replace(
    "ticket: CHG-1", "ticket: CHG-1\ngate: {warm_up: 1ms, minimum_requests: 1}"
)


async def count(node: FakeNode) -> None:
    """Count and report until cancelled."""
    counter = Counter(version="$LATEST")
    while True:
        counter.count(node.weights.items(), each=20_000)
        await node.report(evidence=counter.reading(node.weights_version))
        await asyncio.sleep(0.1)


def test_a_plan_is_applied_and_followed_to_its_end(desk: Desk) -> None:
    """A plan whose files or basis moved is refused; a fresh one is started and followed to its outcome."""
    (desk.folder / "release.yaml").write_text(SHORT)
    plan = ["plan", "release.yaml", "--estate", "estate.yaml", "-o", "release.plan"]

    async def main() -> None:
        async with desk.control(), desk.node() as node:
            await desk.fig("publish", "estate.yaml")
            planned = await desk.fig(*plan)
            assert planned.code == 0, planned
            (desk.folder / "release.yaml").write_text(SHORT + "# another text\n")
            stale = await desk.fig("apply", "release.plan")
            assert (stale.code, "release.yaml was changed since it was made (digest" in stale.err) == (2, True), stale
            (desk.folder / "release.yaml").write_text(SHORT)
            await desk.fig("shift", "books-read", "2%")
            moved = await desk.fig("apply", "release.plan")
            words = "PL302 error: the plan is stale: weights have moved: books-read 0% -> 2% (ledger digest"
            assert (moved.code, words in moved.err) == (2, True), moved
            await desk.fig("shift", "books-read", "0")
            counting = asyncio.create_task(count(node))
            applied = await desk.fig("apply", "release.plan", "--reason", "go")
            counting.cancel()
            assert applied.code == 0, applied
            assert "0% -> 1%" in applied.out
            assert applied.out.splitlines()[-1] == "release 2026.11.2: completed"

    asyncio.run(main())


def test_a_plan_can_be_applied_and_left_alone(desk: Desk) -> None:
    """Detached, apply returns when it has started; no plan, and an estate's that changes its route, are refused."""
    (desk.folder / "release.yaml").write_text(RELEASE)
    (desk.folder / "other.yaml").write_text(ESTATE.replace("  books-read:", "  books-read-again:"))

    async def main() -> None:
        async with desk.control(), desk.node():
            await desk.fig("publish", "estate.yaml")
            await desk.fig("plan", "release.yaml", "--estate", "estate.yaml", "-o", "release.plan")
            await desk.fig("plan", "other.yaml", "-o", "estate.plan")
            started = await desk.fig("apply", "release.plan", "--detach", "--json")
            assert (started.code, started.json()["id"]) == (0, "2026.11.2#1"), started
            other = await desk.fig("history", "--route", "events", "--release", "2026.11.2")
            assert (other.code, other.out) == (0, "release 2026.11.2 did not move events\n"), other
            estate = await desk.fig("apply", "estate.plan")
            words = "PL302 error: the plan is stale: the release 2026.11.2 runs now, on books-read, which it changes"
            assert (estate.code, words in estate.err) == (2, True), estate
            again = await desk.fig("apply", "release.plan", "--detach")
            assert again.code == 2
            assert (await desk.fig("apply", "estate.yaml")).code == 2
            assert (await desk.fig("apply", "nowhere")).code == 2

    asyncio.run(main())
