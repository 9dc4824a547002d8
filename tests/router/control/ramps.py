"""A release on the way: control in this process, a node that counts, a judge that says what the test wants."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from router.control.app import Outside
from router.gate.evidence import Counts, Histogram, Reading, RouteEvidence, SideEvidence
from router.gate.values import Gate
from router.gate.verdict import Baseline, Code, Outcome, Reason, Verdict
from router.gate.window import Window
from router.gate.wire import to_json

from .fakes import FakeNode, FakeTime, Here, estate_of

SIDES = {"legacy": "shop", "lambda": "books"}
ESTATE = estate_of(books=SIDES, pens=SIDES, ink=SIDES)
RELEASE = """\
version: 1
release: r1
ticket: CHG-1
routes:
  books:
    steps:
      - lambda: 1% for 10m
      - lambda: 10% for 10m
      - lambda: 100% for 10m
"""
TWO = (
    RELEASE
    + """\
  pens:
    steps:
      - lambda: 5% for 10m
      - lambda: 50% for 10m
      - lambda: 100% for 10m
"""
)
BOUNDS = (10.0, 50.0, 100.0, 1000.0)


@dataclass(slots=True)
class FakeJudge:
    """Says of every route what the test wants to hear, and remembers what it was shown."""

    outcome: Outcome = Outcome.INCONCLUSIVE
    code: Code = Code.UNDECIDED
    words: str = "not yet"
    seen: list[Window] = field(default_factory=list)

    def __call__(self, _gate: Gate, window: Window) -> Verdict:
        """Judge."""
        self.seen.append(window)
        reason = Reason(code=self.code, words=self.words)
        return Verdict(outcome=self.outcome, reasons=(reason,), baseline=Baseline.SAME_WINDOW)

    def says(self, outcome: Outcome, words: str = "said", code: Code = Code.UNDECIDED) -> None:
        """From now on."""
        self.outcome, self.words, self.code = outcome, words, code

    def outside(self) -> Outside:
        """What control is given."""
        return Outside(judge=self)


@dataclass(slots=True)
class Counter:
    """A node's counters: every bucket of users sends so many requests at a time, by the weight of the route."""

    node: str = "node-1"
    epoch: str = "1"
    at: float = 1_000.0
    version: str = "41"
    failing: float = 0.0
    sides: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)
    failed: dict[str, list[int]] = field(default_factory=dict)

    def count(self, routes: Iterable[tuple[str, int]], each: int = 1000) -> None:
        """Every bucket of users sends `each` requests to the routes, split by weight; some on Lambda fail."""
        self.at += 1.0
        for route, parts in routes:
            legacy, lambda_ = self.sides.setdefault(route, ([0] * 64, [0] * 64))
            failed = self.failed.setdefault(route, [0] * 64)
            for bucket in range(64):
                here = each * parts // 10_000
                legacy[bucket] += each - here
                lambda_[bucket] += here
                failed[bucket] += round(here * self.failing)

    def restart(self) -> None:
        """Envoy's counters begin at zero."""
        self.epoch = str(int(self.epoch) + 1)
        self.sides, self.failed = {}, {}

    def reading(self, weights_version: int) -> dict[str, Any]:
        """What the node tells."""
        routes = {
            route: RouteEvidence(
                legacy=_side(legacy, [0] * 64, None), lambda_=_side(lambda_, self.failed[route], self.version)
            )
            for route, (legacy, lambda_) in self.sides.items()
        }
        reading = Reading(node=self.node, epoch=self.epoch, weights_version=weights_version, at=self.at, routes=routes)
        return to_json(reading)


def _side(requests: list[int], failed: list[int], version: str | None) -> SideEvidence:
    total = sum(requests)
    if not total:
        return SideEvidence()
    buckets = {
        bucket: Counts(requests=n, by_status={200: n - bad, 502: bad}, response_bytes=100 * n)
        for bucket, (n, bad) in enumerate(zip(requests, failed, strict=True))
    }
    folds = {fold: sum(requests[fold::8]) for fold in range(8)}
    latency = {fold: Histogram(bounds=BOUNDS, counts=(n, 0, 0, 0, 0)) for fold, n in folds.items()}
    return SideEvidence(buckets=buckets, latency=latency, executed_versions={version: total} if version else {})


@dataclass(slots=True)
class Play:
    """Time passes, the node counts and reports, control looks."""

    here: Here
    time: FakeTime
    node: FakeNode
    counter: Counter = field(default_factory=Counter)

    async def begin(self, release: str = RELEASE, **more: Any) -> dict[str, Any]:
        """Publish the estate, and start the release."""
        await self.here.publish(ESTATE, wait_seconds=0)
        await self.second()
        return await self.start(release, **more)

    async def start(self, release: str = RELEASE, status: int = 200, **more: Any) -> dict[str, Any]:
        """Start the release."""
        answer = await self.here.http.post(
            "/v1/releases", json={"document": release, "plan": "a" * 64, "actor": "ann"} | more
        )
        assert answer.status_code == status, answer.text
        said: dict[str, Any] = answer.json()
        await self.second()
        return said

    async def second(self, seconds: float = 1.0, *, counts: bool = True) -> None:
        """Let time pass, the node apply what it is told, count and report, and control act on it, until it is quiet."""
        self.time.seconds += seconds
        for _ in range(4):
            await self.node.hear()
            if counts:
                weights = self.here.control.keeper.desired.weights
                self.counter.count((route, held.weight.parts) for route, held in weights.items())
            await self.node.report(evidence=self.counter.reading(self.node.weights_version))
            self.here.control.ramping.look()
            await self.here.control.ramping.settled()

    async def order(self, command: str, release: str = "r1", status: int = 200, **more: Any) -> dict[str, Any]:
        """Order something of the release."""
        body = {"command": command, "actor": "ben", "reason": "because", "wait_seconds": 0} | more
        answer = await self.here.http.post(f"/v1/releases/{release}/orders", json=body)
        assert answer.status_code == status, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def say(self, path: str, status: int = 200, **more: Any) -> dict[str, Any]:
        """Freeze, or thaw."""
        answer = await self.here.http.post(path, json={"actor": "ben", "reason": "Friday"} | more)
        assert answer.status_code == status, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def ramp(self, name: str = "books") -> dict[str, Any]:
        """What status says of the ramp."""
        releases = (await self.here.get("/v1/releases"))["releases"]
        found: dict[str, Any] = next(one for release in releases for one in release["ramps"] if one["ramp"] == name)
        return found

    def weight(self, route: str = "books") -> int:
        """The weight that the node has in force."""
        return self.node.weights.get(route, 0)

    async def kinds(self) -> list[tuple[str, str | None, int | None, int | None]]:
        """Kind, route, from and to of every entry since the release started."""
        entries = await self.here.history()
        return entries[[kind for kind, *_ in entries].index("started") :]
