"""A compiler that is small and obeys, a node that applies at once, and control in this process."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from router.control.app import Clocks, Control, Outside, make_control
from router.control.stages import Stages
from router.estate import (
    Cohort,
    Endpoint,
    Entry,
    Estate,
    LegacyService,
    Match,
    PathKind,
    PathMatch,
    Route,
    Sticky,
    StickyKind,
    WithoutKey,
)
from router.ledger.store import Ledger
from router.snapshot.directory import read_manifest, write
from router.snapshot.manifest import Manifest, RouteKeys, Snapshot, render
from router.weight import LEGACY_ONLY, Weight
from strangler_fig.diagnostics import Diagnostic

TOKEN = "a-token-for-tests-only"  # noqa: S105 - it opens nothing
ENTRY = {"address": "127.0.0.1:8080", "default": "shop"}
BOOKS = {"legacy": "shop", "lambda": "books", "path": "/books"}


def estate_of(**routes: Mapping[str, Any]) -> dict[str, Any]:
    """A normalised estate, as the fake loader reads it."""
    return {"entry": ENTRY, "legacy": {"shop": {}}, "lambda": {"books": {}}, "routes": dict(routes)}


def _route(name: str, about: Mapping[str, Any]) -> Route:
    return Route(
        name=name,
        match=Match(path=PathMatch(PathKind.PREFIX, about.get("path", f"/{name}"))),
        legacy=about.get("legacy"),
        candidate=about.get("lambda"),
        sticky=Sticky(kind=StickyKind.COOKIE, name="u", without_key=WithoutKey.ASSIGN),
        salt=name,
        timeout_seconds=None,
        stream=bool(about.get("stream")),
        shadow=bool(about.get("shadow")),
        cohort=Cohort(header="x-pilot", values=tuple(about["cohort"])) if "cohort" in about else None,
    )


def fake_load(text: str) -> tuple[Estate | None, tuple[Diagnostic, ...]]:
    """The estate in the JSON text; one whose entry is missing is wrong."""
    content = json.loads(text)
    if "entry" not in content:
        return None, (Diagnostic(code="ES999", message="entry is required"),)
    routes = tuple(_route(name, about) for name, about in content["routes"].items())
    shop = LegacyService(name="shop", endpoints=(Endpoint("127.0.0.1", 8081),))
    entry = Entry(address=Endpoint("127.0.0.1", 8080), default="shop")
    return Estate(entry=entry, legacy=(shop,), candidates=(), routes=routes), ()


def fake_normal(estate: Estate) -> dict[str, Any]:
    """What `fake_load` reads back."""
    routes: dict[str, dict[str, Any]] = {}
    for route in estate.routes:
        about = {"legacy": route.legacy, "lambda": route.candidate, "path": route.match.path.value}
        routes[route.name] = {key: value for key, value in about.items() if value} | (
            {name: True for name in ("stream", "shadow") if getattr(route, name)}
            | ({"cohort": list(route.cohort.values)} if route.cohort else {})
        )
    return estate_of(**routes)


def fake_compile(estate: Estate, weights: Mapping[str, Weight]) -> Snapshot:
    """A snapshot whose files say what went into it."""
    keys = {
        route.name: RouteKeys(
            weight=weights.get(route.name, LEGACY_ONLY).parts,
            lambda_key=f"shift.{route.name}.lambda",
            legacy_key=f"shift.{route.name}.legacy",
        )
        for route in estate.routes
        if route.has_two_sides
    }
    files = {"routes.json": json.dumps(fake_normal(estate), sort_keys=True).encode()}
    manifest = render(entry=estate.entry.address, routes=keys, files=files)
    return Snapshot(manifest=Manifest.parse(manifest), files={**files, "manifest.json": manifest})


@dataclass(slots=True)
class FakeEnvoy:
    """Says about a snapshot what the test wants it to say."""

    problems: tuple[str, ...] = ()
    asked: list[Path] = field(default_factory=list)

    def __call__(self, folder: Path) -> tuple[str, ...]:
        """Judge the snapshot in the folder."""
        self.asked.append(folder)
        return self.problems


def fake_stages(envoy: FakeEnvoy | None = None) -> Stages:
    """Stages that take no time."""
    return Stages(
        load=fake_load,
        normal=fake_normal,
        compile=fake_compile,
        write=write,
        read_manifest=read_manifest,
        problems=envoy,
    )


@dataclass(slots=True)
class FakeTime:
    """A wall clock and a counter of seconds that the test moves."""

    seconds: float = 1000.0
    start: datetime = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

    def clocks(self) -> Clocks:
        """The clocks to give to control."""
        return Clocks(now=lambda: self.start + timedelta(seconds=self.seconds), clock=lambda: self.seconds)


@dataclass(slots=True, kw_only=True)
class FakeNode:
    """A node that applies what it is told in no time, except snapshots that it rejects, and reports at once."""

    http: httpx2.AsyncClient
    name: str = "node-1"
    revision: int = -1
    desired_snapshot: str | None = None
    snapshot: str | None = None
    weights_version: int = 0
    weights: dict[str, int] = field(default_factory=dict)
    rejects: dict[str, str] = field(default_factory=dict)
    rejects_new: str | None = None
    frozen: bool = False
    rejected: dict[str, str] | None = None
    local_moves: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def hear(self, wait: float = 0.0) -> None:
        """Poll once and apply what is desired."""
        after = self.revision
        answer = await self.http.get("/v1/desired", params={"after": after, "wait": wait}, timeout=wait + 5)
        answer.raise_for_status()
        desired = answer.json()
        self.seen.append(desired)
        if desired["revision"] == after or self.frozen:
            return
        self.revision = desired["revision"]
        digest = desired["snapshot"]
        if digest != self.desired_snapshot:
            self.desired_snapshot, self.rejected = digest, None
        if digest != self.snapshot and self.rejects_new:
            self.rejects[digest] = self.rejects_new
        if digest in self.rejects:
            self.rejected = {"snapshot": digest, "reason": self.rejects[digest]}
            return
        if digest is not None:
            self.snapshot = digest
        self.weights_version, self.weights = desired["weights"]["version"], desired["weights"]["routes"]

    async def report(self, **more: Any) -> dict[str, Any]:
        """Say what is in force here; the answer of control."""
        body = {
            "revision": max(self.revision, 0),
            "snapshot": self.snapshot,
            "weights_version": self.weights_version,
            "entry": "127.0.0.1:8080",
            "envoy": {"state": "running", "pid": 1, "version": "1.40.0", "restarts": 0},
            "problems": [],
            "rejected": self.rejected,
            "local_moves": self.local_moves,
            "traffic": None,
            "at": "2026-11-02T08:00:00+00:00",
        }
        answer = await self.http.post(f"/v1/nodes/{self.name}/report", json=body | more)
        answer.raise_for_status()
        said: dict[str, Any] = answer.json()
        return said

    async def run(self) -> None:
        """Follow control until cancelled."""
        while True:
            await self.hear(wait=1.0)
            await self.report()
            # requests inside one process may never suspend, and one who cannot follow is answered at once
            await asyncio.sleep(0.02 if self.revision_is_refused() else 0)

    def revision_is_refused(self) -> bool:
        """Whether the node does not follow what is desired."""
        return self.frozen or self.rejected is not None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["FakeNode"]:
        """Follow control while the block runs."""
        await self.hear()
        await self.report()
        task = asyncio.create_task(self.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Control in this process, and a client of its API."""

    control: Control
    ledger: Ledger
    http: httpx2.AsyncClient

    async def post(self, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        """The answer to a POST, which must have this status."""
        answer = await self.http.post(path, json={"actor": "ann", "wait_seconds": 2} | body, timeout=20)
        assert answer.status_code == status, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        """The answer to a GET."""
        answer = await self.http.get(path, params=params, timeout=20)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def publish(self, estate: Mapping[str, Any], status: int = 200, **more: Any) -> dict[str, Any]:
        """Publish an estate."""
        return await self.post("/v1/publishes", status, estate=dict(estate), **more)

    async def shift(self, route: str, parts: int, status: int = 200, **more: Any) -> dict[str, Any]:
        """Shift a route."""
        return await self.post("/v1/shifts", status, route=route, weight=parts, **more)

    def node(self, name: str = "node-1") -> FakeNode:
        """A node of this control."""
        return FakeNode(http=self.http, name=name)

    async def history(self) -> list[tuple[str, str | None, int | None, int | None]]:
        """Kind, route, from and to of every entry, oldest first."""
        entries = (await self.get("/v1/history", limit=1000))["entries"]
        return [(one["kind"], one["route"], one["from"], one["to"]) for one in reversed(entries)]


async def until(done: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 - the condition is about values that other tasks change
            await asyncio.sleep(0.005)


def run(
    folder: Path,
    story: Callable[[Here], Awaitable[None]],
    time: FakeTime | None = None,
    outside: Outside | None = None,
) -> None:
    """Run the story against a control over this folder."""

    async def main() -> None:
        async with control_here(folder, clocks=time.clocks() if time else None, outside=outside) as here:
            await story(here)

    asyncio.run(main())


@contextlib.asynccontextmanager
async def control_here(
    folder: Path,
    *,
    stages: Stages | None = None,
    clocks: Clocks | None = None,
    token: str = TOKEN,
    outside: Outside | None = None,
) -> AsyncIterator[Here]:
    """Run control over this folder in this process; started again on the same folder it goes on where it was.

    At the end its tables agree with its history, whatever happened.
    """
    ledger = Ledger.open(folder / "ledger.sqlite")
    (folder / "snapshots").mkdir(exist_ok=True)
    control = make_control(ledger, stages or fake_stages(), folder / "snapshots", TOKEN, clocks, outside=outside)
    transport = httpx2.ASGITransport(app=control.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://control", headers=headers) as http:
            yield Here(control=control, ledger=ledger, http=http)
            await control.ramping.settled()
            lost = "the document"  # some tests damage one
            faults = [fault for fault in ledger.verify().faults if not fault.startswith(lost)]
            assert not faults, faults
    finally:
        control.close()
        ledger.close()
