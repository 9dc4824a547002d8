"""A control that is killed again and again while it ramps a route, and what must be true afterwards."""

import asyncio
import multiprocessing
import random
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx2

from router.control.app import Clocks, Outside, make_control
from router.control.server import listen, serve
from router.gate.values import Gate
from router.gate.verdict import Baseline, Code, Outcome, Reason, Verdict
from router.gate.window import Window
from router.ledger.store import Ledger

from .fakes import TOKEN, FakeNode, fake_stages
from .ramps import ESTATE, Counter

STEPS = 15
_HOLD = "20ms"
_LONGEST_SECONDS = 0.8
"""How long a control lives at most before it is killed: a few steps."""
_START_SECONDS = 30.0
_SPAWN = multiprocessing.get_context("forkserver")
_SPAWN.set_forkserver_preload(["tests.router.control.kills"])


def release(number: int) -> str:
    """A release with many short steps."""
    steps = "".join(f"      - lambda: {step}% for {_HOLD}\n" for step in range(1, STEPS + 1))
    return f"version: 1\nrelease: r{number}\nticket: T\nroutes:\n  books:\n    steps:\n{steps}"


def passing(_gate: Gate, window: Window) -> Verdict:
    """A pass where there is evidence."""
    outcome = Outcome.ERROR if window.evidence is None else Outcome.PASS
    reason = Reason(code=Code.KEPT, words="there is evidence")
    return Verdict(outcome=outcome, reasons=(reason,), baseline=Baseline.SAME_WINDOW)


def control(folder: Path, port: int, ready: Connection) -> None:
    """Run a control process over the folder, whose ramps are looked at every few milliseconds."""
    (folder / "snapshots").mkdir(exist_ok=True)
    ledger = Ledger.open(folder / "ledger.sqlite")
    outside, clocks = Outside(judge=passing), Clocks(look_seconds=0.01)
    parts = make_control(ledger, fake_stages(), folder / "snapshots", TOKEN, clocks, outside=outside)
    serve(parts, listen("127.0.0.1", port), lambda: ready.send(None))


@dataclass(slots=True)
class Killed:
    """The folder, the port, and what a node saw: each weight, and whether the ledger had it by then."""

    folder: Path
    port: int
    seen: list[int] = field(default_factory=list)
    unrecorded: list[int] = field(default_factory=list)
    kills: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[BaseProcess]:
        """A control process, killed at the end of the block."""
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=control, args=(self.folder, self.port, theirs), daemon=True)
        process.start()
        try:
            if not await asyncio.to_thread(ours.poll, _START_SECONDS):
                message = "control did not start"
                raise TimeoutError(message)
            yield process
        finally:
            process.kill()
            await asyncio.to_thread(process.join)

    def client(self) -> httpx2.AsyncClient:
        """A client of whichever control runs."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers=headers, trust_env=False, timeout=60
        )

    async def follow(self) -> None:
        """Be a node that counts and reports, whether control is there or not."""
        counter = Counter()
        async with self.client() as http:
            node = FakeNode(http=http)
            while True:
                try:
                    await node.hear(wait=0.02)
                    self._look(node.weights.get("books", 0))
                    counter.count(node.weights.items())
                    await node.report(evidence=counter.reading(node.weights_version))
                except httpx2.HTTPError:
                    pass  # it was killed, or is not there yet
                await asyncio.sleep(0.02)

    def _look(self, weight: int) -> None:
        if self.seen and self.seen[-1] == weight:
            return
        self.seen.append(weight)
        ledger = sqlite3.connect(f"file:{self.folder / 'ledger.sqlite'}?mode=ro", uri=True)
        recorded = ledger.execute("SELECT count(*) FROM history WHERE after_parts = ?", (weight,)).fetchone()[0]
        ledger.close()
        if weight and not recorded:
            self.unrecorded.append(weight)


async def kill_often(folder: Path, kills: int, seed: int) -> tuple[Killed, list[dict[str, Any]], dict[str, Any]]:
    """Ramp a route, killing control so often at random moments; then let the last release end.

    Returns what the node saw, the history (oldest first) and the check of it.
    """
    chance = random.Random(seed)  # noqa: S311 - a test's dice
    with socket.create_server(("127.0.0.1", 0)) as listener:
        killed = Killed(folder=folder, port=listener.getsockname()[1])
    node = asyncio.create_task(killed.follow())
    number = 0
    try:
        while True:
            async with killed.running(), killed.client() as http:
                number = await _see_to_a_release(http, number, is_last=killed.kills >= kills)
                if killed.kills >= kills:
                    await _until_it_ended(http)
                    found = (await http.get("/v1/history/check")).json()
                    return killed, await _history(http, number), found
                await asyncio.sleep(chance.uniform(0.0, _LONGEST_SECONDS))
            killed.kills += 1
    finally:
        node.cancel()
        await asyncio.gather(node, return_exceptions=True)


async def _see_to_a_release(http: httpx2.AsyncClient, number: int, *, is_last: bool) -> int:
    """Start the next release when none runs; its number."""
    if number == 0:
        body: dict[str, Any] = {"estate": ESTATE, "actor": "ann", "wait_seconds": 0}
        (await http.post("/v1/publishes", json=body)).raise_for_status()
    if (await http.get("/v1/releases")).json()["releases"] or (number and is_last):
        return number
    shift = {"route": "books", "weight": 0, "actor": "ann", "reason": "again", "wait_seconds": 0}
    (await http.post("/v1/shifts", json=shift)).raise_for_status()
    start = {"document": release(number + 1), "plan": "a" * 64, "actor": "ann"}
    (await http.post("/v1/releases", json=start)).raise_for_status()
    return number + 1


async def _history(http: httpx2.AsyncClient, releases: int) -> list[dict[str, Any]]:
    """Every entry about a release, oldest first; one release at a time, because an answer has at most 1,000."""
    listed: list[dict[str, Any]] = []
    for number in range(1, releases + 1):
        answer = await http.get("/v1/history", params={"release": f"r{number}", "limit": 1000})
        listed += answer.json()["entries"][::-1]
    return listed


async def _until_it_ended(http: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(200):
        while (await http.get("/v1/releases")).json()["releases"]:  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.05)


def faults(killed: Killed, entries: list[dict[str, Any]], found: dict[str, Any]) -> list[str]:
    """What is not as it must be."""
    wrong = list(found["faults"])
    wrong += [f"a node had {weight} before the ledger" for weight in killed.unrecorded]
    for name in sorted({entry["release"] for entry in entries if entry["release"]}):
        own = [entry for entry in entries if entry["release"] == name]
        moves = [(entry["from"], entry["to"]) for entry in own if entry["from"] != entry["to"]]
        expected = [(100 * step, 100 * step + 100) for step in range(STEPS)]
        if moves != expected:
            wrong.append(f"{name} moved {moves}")
        if [entry["kind"] for entry in own].count("completed") != 1:
            wrong.append(f"{name} did not complete once")
    for before, after in pairwise(killed.seen):
        if before > after and after != 0:
            wrong.append(f"a node went from {before} to {after}")
    return wrong
