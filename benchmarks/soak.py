"""Two nodes under load while weights move every second and everything is killed, restarted and published again.

    python benchmarks/soak.py [--seconds 120] [--rate 2000] [--seed 1] [--keep]

What is told: requests sent, failed (and whether they were inside a process that was killed), run twice (by unique id,
POSTs only), bounced (a user's assigned side that no weight explains that was in force or on its way then), and what
each fault cost. Bounded to five minutes. Needs user and network namespaces: each node is a host of its own.
"""

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.measuring import end_cleanly
from benchmarks.soak_client import Users, Vip
from benchmarks.soak_hosts import ENTRY_PORT, Estate
from benchmarks.soak_network import run_inside
from benchmarks.soak_report import Fault, Run, report
from benchmarks.soak_weights import Shift
from router.errors import RouterFailed
from strangler_fig.diagnostics import Refused

_MOST_SECONDS = 300
_FAULTS = (
    "kill control",
    "kill an agent",
    "kill an Envoy",
    "kill a legacy host",
    "kill a function",
    "restart a node",
    "replace an Envoy",
    "publish",
    "publish back",
)
_OF_A_NODE = ("kill an agent", "kill an Envoy", "restart a node", "replace an Envoy")
_ROUTES = ("by-header", "by-cookie")


class Soak:
    """The run: traffic, shifts and faults side by side."""

    def __init__(self, estate: Estate, *, seconds: float, rate: float, seed: int) -> None:
        self.estate = estate
        self.seconds = seconds
        self.chance = random.Random(seed)
        self.vip = Vip([network.address for network in estate.networks], ENTRY_PORT)
        self.users = Users(self.vip, rate=rate, seed=seed)
        self.shifts: list[Shift] = []
        self.faults: list[Fault] = []
        self.troubles: list[str] = []
        self._struck = 0.0

    async def run(self) -> None:
        """Run everything for the time that was asked for."""
        watch = asyncio.create_task(self.vip.watch())
        await self._nodes_serve()
        self.began = time.monotonic()
        until = self.began + self.seconds
        others = [asyncio.create_task(self._shift(until)), asyncio.create_task(self._break(until))]
        try:
            await self.users.run(until)
            self.took = time.monotonic() - self.began
            await asyncio.gather(*others)
        finally:
            for task in (watch, *others):
                task.cancel()
            await asyncio.gather(watch, *others, return_exceptions=True)

    async def _nodes_serve(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        for node in range(len(self.estate.networks)):
            while not await self.vip.asked(node):
                if time.monotonic() > deadline:
                    message = f"node-{node} does not serve:\n{self.estate.logs()}"
                    raise RuntimeError(message)
                await asyncio.sleep(0.05)

    async def _shift(self, until: float) -> None:
        """Move one route every second: up in steps, and down to nothing at times."""
        weights = dict.fromkeys(_ROUTES, 0)
        turn = 0
        while (now := time.monotonic()) < until - 1:
            route = _ROUTES[turn % len(_ROUTES)]
            turn += 1
            higher = min(10_000, weights[route] + self.chance.choice((500, 1500, 2500)))
            weights[route] = 0 if weights[route] == 10_000 or self.chance.random() < 0.15 else higher
            shift = Shift(route, weights[route], now)
            self.shifts.append(shift)
            try:
                answer = await asyncio.to_thread(self._ask_for, shift)
                if answer["in_force"] and not answer["lagging"]:
                    shift.ended = time.monotonic()
            except (RouterFailed, Refused) as error:
                self.troubles.append(f"shift: {type(error).__name__}")
            await asyncio.sleep(max(0.0, now + 1 - time.monotonic()))

    def _ask_for(self, shift: Shift) -> dict[str, object]:
        with self.estate.client() as client:
            return client.shift(
                {"route": shift.route, "weight": shift.parts, "actor": "soak", "reason": "soak", "wait_seconds": 3}
            )

    async def _break(self, until: float) -> None:
        """One fault after another, all kinds before any comes again, each when what the last hit is back."""
        bag: list[str] = []
        await asyncio.sleep(2)
        while time.monotonic() < until - 6:
            bag = bag or self.chance.sample(_FAULTS, len(_FAULTS))
            kind, node = bag.pop(), self.chance.randrange(2)
            self._struck = time.monotonic()
            try:
                await asyncio.to_thread(self._strike, kind, node)
                await self._nodes_serve()
            except RuntimeError as error:
                self.troubles.append(f"{kind}: {error}")
            hit = node if kind in _OF_A_NODE else -1
            self.faults.append(Fault(kind, hit, self._struck, time.monotonic()))
            await asyncio.sleep(self.chance.uniform(1.0, 2.5))

    def _strike(self, kind: str, node: int) -> None:
        estate = self.estate
        self._struck = time.monotonic()
        match kind:
            case "kill control":
                estate.kill("control")
                time.sleep(0.5)
                estate.start("control")
            case "kill an agent":
                estate.kill(f"node-{node}")
                time.sleep(0.5)
                estate.start(f"node-{node}")
            case "kill an Envoy":
                estate.kill_envoy(node)
            case "kill a legacy host":
                estate.kill(f"legacy-{node}")
                time.sleep(0.5)
                estate.start(f"legacy-{node}")
            case "kill a function":
                estate.kill_function(self.chance)
            case "restart a node":
                estate.stop(f"node-{node}")
                estate.start(f"node-{node}")
            case "replace an Envoy":
                estate.replace_envoy(node)
            case "publish":
                estate.publish()
            case "publish back":
                estate.publish_back()

    def seen(self) -> Run:
        """What came of it."""
        return Run(
            took=self.took,
            sent=self.users.sent,
            shifts=self.shifts,
            faults=self.faults,
            journals=self.estate.journals,
            troubles=self.troubles,
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rate", type=float, default=2000, help="requests a second, as far as this machine can")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    options = parser.parse_args()
    if options.seconds > _MOST_SECONDS:
        parser.error(f"at most {_MOST_SECONDS} seconds")
    end_cleanly()
    run_inside(__file__)
    print(
        f"{options.seconds:.0f} s, {options.rate:,.0f} requests/s wanted, seed {options.seed}, {os.cpu_count()} cores\n"
    )
    with contextlib.ExitStack() as stack:
        if options.keep:
            folder = tempfile.mkdtemp(prefix="soak-")
            print(f"logs: {folder}\n")
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
        estate = stack.enter_context(Estate(Path(folder)))
        soak = Soak(estate, seconds=options.seconds, rate=options.rate, seed=options.seed)
        asyncio.run(soak.run())
        print(report(soak.seen()))


if __name__ == "__main__":
    main()
