"""Tells the estate's telemetry receiver of decisions and weights. Nothing ever waits for it.

What the receiver does not take is kept, up to a bound, and told again; then the oldest is dropped, and counted.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2

from ..errors import LedgerFailed
from ..estate import Telemetry
from ..ledger.records import NewEntry
from .keeper import Keeper
from .otlp import Json, event, head_event, logs, metrics
from .state import weight_of

_MOST_KEPT = 2_000
_MOST_AT_ONCE = 500
_TIMEOUT_SECONDS = 5.0


@dataclass(slots=True)
class Telling:
    """What is still to be told. `now` is the wall clock; `lost` counts what was dropped."""

    keeper: Keeper
    now: Callable[[], datetime]
    every_seconds: float = 10.0
    again_seconds: float = 5.0
    lost: int = 0
    _events: deque[Json] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def decided(self, entries: Sequence[NewEntry]) -> None:
        """Decisions were made; where the estate has no telemetry nobody hears of them."""
        if not entries or self._telemetry() is None:
            return
        for entry in entries:
            if len(self._events) >= _MOST_KEPT:
                self._events.popleft()
                self.lost += 1
            self._events.append(event(entry))
        self._news.set()

    async def run(self) -> None:
        """Tell for as long as the process runs."""
        while True:
            try:
                async with asyncio.timeout(self.every_seconds):
                    await self._news.wait()
            except TimeoutError:  # weights are told again and again: a gauge that is not told is forgotten
                pass
            self._news.clear()
            telemetry = self._telemetry()
            if telemetry is not None and not await self._tell(telemetry):
                await asyncio.sleep(self.again_seconds)
                if self._events:
                    self._news.set()

    def _telemetry(self) -> Telemetry | None:
        published = self.keeper.published
        return published.estate.telemetry if published else None

    async def _tell(self, telemetry: Telemetry) -> bool:
        """Send the events and the weights; False when the receiver did not take them."""
        some = list(self._events)[:_MOST_AT_ONCE]
        first = self._events[0] if self._events else None
        try:
            async with _client(telemetry) as http:
                if some:
                    await _send(http, telemetry, "logs", logs([*some, *await self._head()]))
                await _send(http, telemetry, "metrics", metrics(self._weights(), self.now()))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError):  # it is told again; nothing depends on it
            return False
        if some and self._events and self._events[0] is first:
            for _ in some:
                self._events.popleft()
        if self._events:
            self._news.set()
        return True

    async def _head(self) -> list[Json]:
        try:
            return [head_event(await asyncio.to_thread(self.keeper.ledger.head), self.now())]
        except LedgerFailed:  # the decision is told without it
            return []

    def _weights(self) -> Mapping[str, int]:
        published = self.keeper.published
        routes = published.manifest.routes if published else ()
        return {route: weight_of(self.keeper.desired, route).parts for route in routes}


def _client(telemetry: Telemetry) -> httpx2.AsyncClient:
    verify: ssl.SSLContext | bool = True
    if telemetry.tls is not None and telemetry.tls.ca_file is not None:
        verify = ssl.create_default_context(cafile=telemetry.tls.ca_file)
    return httpx2.AsyncClient(verify=verify, timeout=_TIMEOUT_SECONDS, trust_env=False)


async def _send(http: httpx2.AsyncClient, telemetry: Telemetry, what: str, content: Json) -> None:
    tls = telemetry.tls
    url = f"{'https' if tls else 'http'}://{telemetry.otlp}{telemetry.path.rstrip('/')}/v1/{what}"
    extensions: dict[str, Any] = {"sni_hostname": tls.name} if tls else {}
    answer = await http.post(url, json=content, extensions=extensions)
    answer.raise_for_status()
