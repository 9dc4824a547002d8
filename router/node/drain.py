"""The end of a node without the loss of a request: the VIP's monitor first, then the requests, then Envoy.

From the first step on every answer carries `connection: close`, so clients that keep connections open come again, and
by then to another node. Source: Envoy documentation, "Draining" and "Administration interface" (1.40).
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable
from dataclasses import dataclass

from .admin import Admin
from .errors import Unreachable

_POLL_SECONDS = 0.05
_QUIET_POLLS = 3
_ACTIVE = "http.entry.downstream_rq_active"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainSettings:
    """How long the VIP has to notice that the monitor fails, and then requests under way to come to an end."""

    notice_seconds: float
    finish_seconds: float


async def drain(admin: Admin, settings: DrainSettings, hurry: asyncio.Event) -> int:
    """Let the requests in Envoy come to their end and no new ones in; returns how many are left.

    `hurry` cuts every wait short. Raises `Unreachable` when Envoy does not answer.
    """
    await admin.post("/healthcheck/fail")
    await _unless(hurry, asyncio.sleep(settings.notice_seconds))
    deadline = time.monotonic() + settings.finish_seconds
    # A VIP that has not noticed still finds somebody who accepts, as long as requests come.
    await _unless(hurry, _quiet(admin, deadline))
    await admin.post("/drain_listeners?skip_exit")
    await _unless(hurry, _quiet(admin, deadline))
    return await _active(admin)


async def _quiet(admin: Admin, deadline: float) -> None:
    quiet = 0
    while quiet < _QUIET_POLLS and time.monotonic() < deadline:
        quiet = 0 if await _active(admin) else quiet + 1
        await asyncio.sleep(_POLL_SECONDS)


async def _active(admin: Admin) -> int:
    found = await admin.stats(f"^{_ACTIVE}$".replace(".", "[.]"), kind="Gauges")
    return int(found.get(_ACTIVE, 0))


async def _unless(hurry: asyncio.Event, work: Awaitable[None]) -> None:
    task, hurried = asyncio.ensure_future(work), asyncio.create_task(hurry.wait())
    try:
        await asyncio.wait([task, hurried], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        for one in (task, hurried):
            one.cancel()
        with contextlib.suppress(asyncio.CancelledError, Unreachable):
            await task
