"""A control process as nodes see it: desired state by long poll, snapshots, reports. In a thread of the test."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from router.snapshot.manifest import Snapshot

from .waiting import until

TOKEN = "a-token-for-tests"  # noqa: S105 - it protects nothing


class FakeControl:
    """What nodes are told, and what they reported."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.snapshots: dict[str, Snapshot] = {}
        self.reports: list[dict[str, Any]] = []
        self.acknowledges = True
        self.damaged_file: str | None = None
        self._desired: dict[str, Any] = {"revision": 1, "snapshot": None, "weights": {"version": 0, "routes": {}}}
        self._closed = False
        self._waiting: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def version(self) -> int:
        """Control's version of the weights that are wanted, which is the revision too."""
        return int(self._desired["revision"])

    def want(self, snapshot: Snapshot | None = None, /, **weights: int) -> None:
        """Publish a snapshot (None: keep the present one), or set exactly these moving weights."""
        desired = dict(self._desired)
        desired["revision"] += 1
        if snapshot is not None:
            self.snapshots[snapshot.digest] = snapshot
            desired["snapshot"] = snapshot.digest
        desired["weights"] = {"version": desired["revision"], "routes": weights}
        self._desired = desired
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    def tell(self, version: str, *, nodes: int, of: dict[str, int], **weights: int) -> None:
        """Tell the node its shares, in a new revision, which has these moving weights too, where any are given."""
        shares = {"version": version, "nodes": nodes, "of": of}
        revision = self.version + 1
        moved = {"weights": {"version": revision, "routes": weights}} if weights else {}
        self._desired = {**self._desired, "revision": revision, "shares": shares, **moved}
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    def await_report(self, fits: Callable[[dict[str, Any]], bool], *, seconds: float = 60.0) -> dict[str, Any]:
        """Wait for a report that fits, among those to come and the last one."""
        what = lambda: f"the last report is {self.reports[-1:]}"  # noqa: E731 - evaluated when the wait fails
        return until(lambda: next((one for one in self.reports[-1:] if fits(one)), None), seconds=seconds, what=what)

    def await_in_force(self, *, seconds: float = 60.0) -> dict[str, Any]:
        """Wait until the node has what is wanted."""
        wanted = self._desired

        def fits(report: dict[str, Any]) -> bool:
            version = wanted["weights"]["version"]
            return bool(report["snapshot"] == wanted["snapshot"] and report["weights_version"] == version)

        return self.await_report(fits, seconds=seconds)

    def close(self) -> None:
        """Answer every long poll at once from now on."""
        self._closed = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    def app(self) -> Starlette:
        """The HTTP service."""
        return Starlette(
            routes=[
                Route("/v1/desired", self._get_desired),
                Route("/v1/snapshots/{digest}/{file}", self._get_file),
                Route("/v1/nodes/{name}/report", self._take_report, methods=["POST"]),
            ]
        )

    async def _get_desired(self, request: Request) -> Response:
        self._loop = asyncio.get_running_loop()
        if request.headers["authorization"] != f"Bearer {TOKEN}":
            return JSONResponse({"error": {"code": "token", "message": "wrong token"}}, status_code=401)
        after, seconds = int(request.query_params["after"]), float(request.query_params["wait"])
        if self._desired["revision"] <= after and not self._closed:
            news = asyncio.Event()
            self._waiting.add(news)
            try:
                async with asyncio.timeout(min(seconds, 2.0)):
                    await news.wait()
            except TimeoutError:
                pass
            finally:
                self._waiting.discard(news)
        return JSONResponse(self._desired)

    def _wake(self) -> None:
        for news in self._waiting:
            news.set()

    async def _get_file(self, request: Request) -> Response:
        stored = self.snapshots.get(request.path_params["digest"])
        if stored is None:
            return JSONResponse({"error": {"code": "unknown", "message": "no such snapshot"}}, status_code=404)
        data = stored.files[request.path_params["file"]]
        return Response(data[:-1] if request.path_params["file"] == self.damaged_file else data)

    async def _take_report(self, request: Request) -> Response:
        report = await request.json()
        self.reports.append(report)
        moves = report["local_moves"] if self.acknowledges else []
        return JSONResponse({"acknowledged": [one["id"] for one in moves]})


@contextmanager
def fake_control(port: int = 0) -> Iterator[FakeControl]:
    """A running fake control."""
    # Named as TCP, because asyncio sends without delay only where it can see that: else an answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    control = FakeControl(listener.getsockname()[1])
    config = uvicorn.Config(control.app(), log_level="warning", lifespan="off", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield control
    finally:
        control.close()
        server.should_exit = True
        thread.join(10)
        listener.close()
