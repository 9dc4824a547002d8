"""Two nodes under load while weights move every second and everything is killed, restarted and published again.

    python benchmarks/soak.py [--seconds 120] [--rate 2000] [--seed 1] [--keep]

What is told: requests sent, failed (and whether they were inside a process that was killed), run twice (by unique id,
POSTs only), bounced (a user's assigned side that no weight explains that was in force or on its way then), and what
each fault cost. Bounded to five minutes. Needs user and network namespaces: each node is a host of its own.
"""

import argparse
import asyncio
import collections
import contextlib
import math
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from benchmarks.measuring import end_cleanly
from benchmarks.soak_client import Sent, Users, Vip
from benchmarks.soak_hosts import ENTRY_PORT, Estate
from benchmarks.soak_network import run_inside
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
    "publish",
)
_ROUTES = ("by-header", "by-cookie")
_COST_SECONDS = 3.0  # a fault is charged with what fails until then, or until the next one


@dataclass(slots=True)
class Shift:
    """One shift of a route; `ended` is infinite until every live node said that it is in force."""

    route: str
    parts: int
    began: float
    ended: float = math.inf


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, its node (or -1), when it struck, and when what it hit was back."""

    kind: str
    node: int
    at: float
    over: float


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
            kind, node, at = bag.pop(), self.chance.randrange(2), time.monotonic()
            try:
                await asyncio.to_thread(self._strike, kind, node)
                await self._nodes_serve()
            except RuntimeError as error:
                self.troubles.append(f"{kind}: {error}")
            hit = node if kind in ("kill an agent", "kill an Envoy", "restart a node", "kill a legacy host") else -1
            self.faults.append(Fault(kind, hit, at, time.monotonic()))
            await asyncio.sleep(self.chance.uniform(1.0, 2.5))

    def _strike(self, kind: str, node: int) -> None:
        estate = self.estate
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
            case "publish":
                estate.publish()

    # What came of it.

    def cause(self, one: Sent) -> str:
        """Whether a failed request was inside a process that was killed, or else which fault it is charged to."""
        for fault in self.faults:
            struck = one.began - 0.1 <= fault.at + 0.3 and fault.at <= one.ended + 0.1
            if not struck or one.ended > fault.at + _COST_SECONDS:
                continue
            if fault.kind == "kill an Envoy" and fault.node == one.node and one.fault == "connection lost":
                return "inside a killed Envoy"
            if fault.kind in ("kill a legacy host", "kill a function") and one.fault.startswith("status"):
                return "inside a killed legacy host or function"
        return "other"

    def charged(self, at: float) -> Fault | None:
        """The fault that what happened at this time is charged to."""
        before = [fault for fault in self.faults if fault.at <= at <= fault.over + _COST_SECONDS]
        return before[-1] if before else None

    def bounced(self, one: Sent) -> bool:
        """Whether no weight that was in force or on its way while the request ran explains the side it was given."""
        if not one.assigned or not one.route:
            return False
        known = [shift for shift in self.shifts if shift.route == one.route and shift.began <= one.ended]
        settled = max((number for number, shift in enumerate(known) if shift.ended <= one.began), default=-1)
        weights = {shift.parts for shift in known[max(settled, 0) :]} | ({0} if settled < 0 else set())
        return all((one.place < weight) != (one.assigned == "lambda") for weight in weights)

    def run_twice(self) -> int:
        """How many POSTs ran more than once, over legacy and functions together."""
        posts = {one.id for one in self.users.sent if one.method == "POST"}
        runs = collections.Counter(
            line.split(" ")[0]
            for journal in self.estate.journals
            if journal.exists()
            for line in journal.read_text().splitlines()
        )
        return sum(1 for name, count in runs.items() if count > 1 and name in posts)

    def report(self) -> str:
        """The figures as Markdown."""
        sent = self.users.sent
        failed = [one for one in sent if one.fault]
        bounced = [one for one in sent if self.bounced(one)]
        causes = collections.Counter(self.cause(one) for one in failed)
        took = sorted(one.ended - one.began for one in sent)
        both = collections.Counter(one.assigned for one in sent if one.assigned)
        lines = [
            "| figure | value |",
            "|---|---:|",
            f"| requests sent in {self.took:.0f} s | {len(sent):,} ({len(sent) / self.took:,.0f}/s) |",
            f"| of them assigned to legacy / to Lambda | {both['legacy']:,} / {both['lambda']:,} |",
            f"| failed | {len(failed):,} |",
            *(f"| … {cause} | {count:,} |" for cause, count in causes.most_common()),
            f"| run twice (POST) | {self.run_twice():,} |",
            f"| bounced | {len(bounced):,} |",
            f"| shifts, confirmed | {len(self.shifts)}, {sum(shift.ended < math.inf for shift in self.shifts)} |",
            f"| p50, p99, longest ms | {_ms(took, 0.5)}, {_ms(took, 0.99)}, {_ms(took, 1)} |",
            "",
            "| fault | times | failed | of them inside what was killed | bounced | longest request ms | longest until back s |",  # noqa: E501
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        for kind in _FAULTS:
            mine = [fault for fault in self.faults if fault.kind == kind]
            if not mine:
                continue
            lost = [one for one in failed if (fault := self.charged(one.ended)) and fault.kind == kind]
            inside = sum(self.cause(one) != "other" for one in lost)
            swung = sum(1 for one in bounced if (fault := self.charged(one.ended)) and fault.kind == kind)
            longest = max(
                (one.ended - one.began for one in sent if (fault := self.charged(one.ended)) and fault.kind == kind),
                default=0.0,
            )
            back = max(fault.over - fault.at for fault in mine)
            lines.append(
                f"| {kind} | {len(mine)} | {len(lost):,} | {inside:,} | {swung:,} | {longest * 1000:.0f} | {back:.1f} |"
            )
        kinds = collections.Counter((self.cause(one), one.fault, one.method) for one in failed)
        lines += [
            "",
            *(f"{count} × {method} {fault}: {cause}" for (cause, fault, method), count in kinds.most_common()),
        ]
        lines += [f"{count} × {text}" for text, count in collections.Counter(self.troubles).most_common()]
        return "\n".join(lines)


def _ms(values: list[float], share: float) -> str:
    return f"{values[min(len(values) - 1, int(len(values) * share))] * 1000:.1f}" if values else "-"


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
        print(soak.report())


if __name__ == "__main__":
    main()
