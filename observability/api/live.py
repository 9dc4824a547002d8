"""Tells browsers that something was stored: at most one frame a second for each, whatever comes in meanwhile.

There are no queues: a listener remembers the last frame's number, so one that is slow misses numbers and nothing else.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from .guard import problem

MAX_LISTENERS = 64
_RETRY_MILLISECONDS = 2_000


@dataclass(slots=True, kw_only=True)
class Live:
    """The changes of the store, for any number of browsers up to `MAX_LISTENERS`. `told` gives a frame's content."""

    told: Callable[[], Mapping[str, object]]
    release: str = ""
    pause_seconds: float = 1.0
    heartbeat_seconds: float = 15.0
    listeners: int = 0
    _boot: str = field(default_factory=lambda: secrets.token_hex(4))
    _number: int = 0
    _is_marked: bool = False
    _loop: asyncio.AbstractEventLoop | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def routes(self) -> list[Route]:
        """The path of the stream."""
        return [Route("/events", self.events)]

    def stored(self) -> None:
        """Take note that something was stored; may be called from any thread, and never waits."""
        if self._loop is not None and not self._is_marked:
            self._is_marked = True
            try:
                self._loop.call_soon_threadsafe(self._mark)
            except RuntimeError:  # the loop has ended: nobody listens any more
                self._loop = None

    def close(self) -> None:
        """End every stream, so that the server need not wait for them. Called in the loop's thread."""
        self._ended.set()
        self._changed.set()

    async def events(self, request: Request) -> Response:
        """The stream of changes, until the browser goes, the session ends, or the process does."""
        if self.listeners >= MAX_LISTENERS:
            answer = problem(503, "OB503", f"{MAX_LISTENERS} browsers are listening already")
            answer.headers["Retry-After"] = "30"
            return answer
        is_allowed: Callable[[], bool] = request.state.is_session_alive
        frames = self.frames(request.headers.get("last-event-id", ""), is_allowed)
        return StreamingResponse(
            frames, media_type="text/event-stream", headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
        )

    def _mark(self) -> None:
        self._is_marked = False
        self._number += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def frames(self, last: str, is_allowed: Callable[[], bool]) -> AsyncIterator[bytes]:
        """What a browser is sent that heard the frame with the id `last`, as long as it is allowed to listen."""
        self._loop = asyncio.get_running_loop()
        self.listeners += 1
        try:
            yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
            seen = self._number if last == self._id() else -1
            while is_allowed() and not self._ended.is_set():
                if seen == self._number:
                    if not await _happens(self._changed, self.heartbeat_seconds):
                        yield b": still here\n\n"
                    continue
                seen = self._number
                yield self._frame()
                await _happens(self._ended, self.pause_seconds)
        finally:
            self.listeners -= 1

    def _id(self) -> str:
        return f"{self._boot}.{self._number}"

    def _frame(self) -> bytes:
        content = {"boot": self._boot, "release": self.release, "number": self._number, **self.told()}
        return b"event: stored\nid: %s\ndata: %s\n\n" % (self._id().encode(), orjson.dumps(content))


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether it happened in this time."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
