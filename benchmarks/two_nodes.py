"""For how long two nodes behind one VIP differ while a weight moves, and whether anybody swings outside of that.

    python benchmarks/two_nodes.py [--shifts 20] [--rate 100] [--json]

One route moves up and down. Users whose side that changes ask both nodes all the time, so it is seen when each node
changed; other users send through the VIP. A side that no weight explains that was in force or on its way then is a
bounce. At the end an estate is published and taken back. Needs network namespaces, as the soak does.
"""

import argparse
import asyncio
import collections
import contextlib
import itertools
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.measuring import end_cleanly
from benchmarks.soak_client import Connection, Sent, Users, Vip
from benchmarks.soak_hosts import ENTRY_PORT, Estate
from benchmarks.soak_network import run_inside
from benchmarks.soak_weights import Shift, bounced

_ROUTE = "by-header"
_WEIGHTS = (2_000, 5_000, 10_000, 3_000, 0)
_PROBES = 3  # connections to each node
_AFTER = 5  # answers of each node that are waited for once the shift is confirmed
_WAIT_SECONDS = 60.0


class Probes:
    """Users whose side the present shift changes, who ask every node directly; `answers` are those since it began."""

    def __init__(self, vip: Vip, users: Users) -> None:
        self._vip = vip
        self._users = users
        self._numbers = itertools.count()
        self._moving: Sequence[int] = (0,)
        self.answers: list[Sent] = []

    def begin(self, before: int, after: int) -> None:
        """Ask as users between these weights from now on."""
        low, high = sorted((before, after))
        self._moving = [user for user in range(2000) if low <= self._users.place(_ROUTE, user) < high][:20]
        self.answers = []

    async def run(self, node: int) -> None:
        """Ask one node until cancelled."""
        connection: Connection | None = None
        while True:
            if connection is None or not connection.usable:
                connection = await self._vip.connect_to(node)
            if connection is None:
                await asyncio.sleep(0.05)
                continue
            number = next(self._numbers)
            user = self._moving[number % len(self._moving)]
            sent = await self._users.ask(connection, f"probe-{number}", _ROUTE, user, "GET")
            self.answers.append(sent)
            await asyncio.sleep(0.002)  # the nodes shall not be busy: it is their moment that is measured


def difference(answers: Sequence[Sent], *, side: str) -> tuple[float, float]:
    """For how many seconds nodes differed while users came to `side`: at least, and at most."""
    last_old: dict[int, float] = {}
    first_new: dict[int, Sent] = {}
    for one in sorted(answers, key=lambda one: one.ended):
        if one.assigned == side:
            first_new.setdefault(one.node, one)
        elif one.assigned and one.node not in first_new:
            last_old[one.node] = max(one.began, last_old.get(one.node, -math.inf))
    if len(first_new) < 2:
        return math.inf, math.inf
    came = [one.ended for one in first_new.values()]
    left = [last_old.get(node, one.began) for node, one in first_new.items()]
    return max(0.0, max(left) - min(came)), max(came) - min(left)


class Measurement:
    """The shifts, one after the other, and what was seen of each."""

    def __init__(self, estate: Estate, *, rate: float) -> None:
        self.estate = estate
        self.vip = Vip([network.address for network in estate.networks], ENTRY_PORT)
        self.users = Users(self.vip, rate=rate, seed=1, connections=8)
        self.probes = Probes(self.vip, self.users)
        self.shifts: list[Shift] = []
        self.probed: list[Sent] = []
        self.at_least: list[float] = []
        self.at_most: list[float] = []

    async def run(self, shifts: int) -> None:
        """Move the route that often under load, then publish and go back."""
        await self._both_serve()
        tasks = [asyncio.create_task(self.vip.watch()), asyncio.create_task(self.users.run(math.inf))]
        tasks += [asyncio.create_task(self.probes.run(node)) for node in (0, 1) for _ in range(_PROBES)]
        try:
            before = 0
            for parts in itertools.islice(itertools.cycle(_WEIGHTS), shifts):
                await self._shift(before, parts)
                before = parts
            await asyncio.to_thread(self.estate.publish)
            await asyncio.to_thread(self.estate.publish_back)
            self.users.stop()
            await tasks[1]
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for one in ended:
            if isinstance(one, Exception):
                raise one

    async def _shift(self, before: int, parts: int) -> None:
        self.probes.begin(before, parts)
        await self._answers(lambda one: not one.fault)
        shift = Shift(_ROUTE, parts, time.monotonic())
        self.shifts.append(shift)
        answer = await asyncio.to_thread(self._ask_for, shift)
        if answer["in_force"] and not answer["lagging"]:
            shift.ended = time.monotonic()
        side = "lambda" if parts > before else "legacy"
        await self._answers(lambda one: one.began > shift.ended and one.assigned == side)
        least, most = difference([one for one in self.probes.answers if one.ended >= shift.began], side=side)
        self.at_least.append(least)
        self.at_most.append(most)
        self.probed += self.probes.answers

    async def _answers(self, fits: Callable[[Sent], bool]) -> None:
        """Wait until every node has given some answers that fit; what never fits is seen in the figures."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            nodes = collections.Counter(one.node for one in self.probes.answers if fits(one))
            if min(nodes[0], nodes[1]) >= _AFTER:
                return
            await asyncio.sleep(0.01)

    def _ask_for(self, shift: Shift) -> dict[str, object]:
        with self.estate.client() as client:
            return client.shift(
                {"route": shift.route, "weight": shift.parts, "actor": "bench", "reason": "bench", "wait_seconds": 10}
            )

    async def _both_serve(self) -> None:
        deadline = time.monotonic() + _WAIT_SECONDS * 3
        for node in (0, 1):
            while not await self.vip.asked(node):
                if time.monotonic() > deadline:
                    message = f"node-{node} does not serve:\n{self.estate.logs()}"
                    raise RuntimeError(message)
                await asyncio.sleep(0.05)

    def seen(self) -> dict[str, Any]:
        """The figures."""
        sent = [*self.users.sent, *self.probed]
        return {
            "requests": len(sent),
            "by_node": [sum(one.node == node for one in sent) for node in (0, 1)],
            "answered": dict(collections.Counter(one.answered for one in sent if one.answered)),
            "failed": dict(collections.Counter(one.fault for one in sent if one.fault)),
            "bounced": len(bounced(sent, self.shifts)),
            "shifts": len(self.shifts),
            "in_force": sum(one.ended < math.inf for one in self.shifts),
            "in_force_ms": [round((one.ended - one.began) * 1000, 2) for one in self.shifts],
            "differed_at_least_ms": [round(one * 1000, 2) for one in self.at_least],
            "differed_at_most_ms": [round(one * 1000, 2) for one in self.at_most],
        }


def table(seen: dict[str, Any]) -> str:
    """The figures as Markdown."""
    rows = [
        ("in force on both, as the shift's caller hears it, ms", seen["in_force_ms"]),
        ("nodes differ at least, ms", seen["differed_at_least_ms"]),
        ("nodes differ at most, ms", seen["differed_at_most_ms"]),
    ]
    nodes = " and ".join(f"{count:,}" for count in seen["by_node"])
    done = f"{seen['shifts']} shifts, a publish and the way back"
    came = f"failed {seen['failed'] or 0}, bounced {seen['bounced']}"
    lines = [
        f"{seen['requests']:,} requests to two nodes ({nodes}), {done}: {came}",
        "",
        "| | median | longest |",
        "|---|---:|---:|",
    ]
    lines += [f"| {name} | {statistics.median(values):.1f} | {max(values):.1f} |" for name, values in rows]
    return "\n".join(lines)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--shifts", type=int, default=20)
    parser.add_argument("--rate", type=float, default=100, help="requests a second through the VIP")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    end_cleanly()
    run_inside(__file__)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        measurement = Measurement(stack.enter_context(Estate(Path(folder))), rate=options.rate)
        asyncio.run(measurement.run(options.shifts))
        seen = measurement.seen()
    print(json.dumps(seen) if options.json else table(seen))


if __name__ == "__main__":
    main()
