"""The part of control's HTTP API that is about releases and their history."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from strangler_fig.diagnostics import Refused

from ..errors import LedgerFailed
from ..estate import Estate
from ..plan.present import Present
from ..plan.stale import moved_since
from ..ramp.events import Command
from ..release.values import Release
from .guard import read_body
from .present import basis, in_force, present, running_routes
from .ramping import Ramping
from .refusal import NotDone
from .release_shapes import FreezeBody, OrderBody, StartBody
from .release_status import releases_status
from .releasing import Releasing, Start
from .retirement import LegacyUse, ready_for_retirement
from .shifting import Wish, until_in_force

_SMALL_BYTES = 64 * 1024
_RELEASE_BYTES = 4 * 1024 * 1024
_PAST = 200
"""How many of the last releases are looked through for the last attempt at each route."""
_LATELY = 10
_HEAD = re.compile("[0-9a-f]{64}")
_LOWERING = frozenset({Command.ROLLBACK, Command.ABORT})

LoadRelease = Callable[[str, Estate | None], Release]
"""From a release's text and the published estate to the release. Raises `Refused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasesApi:
    """The handlers, and the parts they ask."""

    ramping: Ramping
    releasing: Releasing
    load: LoadRelease
    legacy_use: LegacyUse
    now: Callable[[], datetime]
    clock: Callable[[], float]

    def routes(self) -> list[Route]:
        """The paths that are about releases."""
        return [
            Route("/v1/present", self.present, methods=["GET"]),
            Route("/v1/releases", self.start, methods=["POST"]),
            Route("/v1/releases", self.releases, methods=["GET"]),
            Route("/v1/releases/{name}/orders", self.order, methods=["POST"]),
            Route("/v1/freeze", self.freeze, methods=["POST"]),
            Route("/v1/thaw", self.thaw, methods=["POST"]),
            Route("/v1/history/check", self.check, methods=["GET"]),
        ]

    async def present(self, _request: Request) -> Response:
        """What is in force and what runs, for a plan."""
        parts = self.ramping.parts
        past = await asyncio.to_thread(parts.keeper.ledger.releases, limit=_PAST)
        return JSONResponse(await asyncio.to_thread(present, parts, past))

    async def start(self, request: Request) -> Response:
        """Start a release, unless what its plan was made on has moved."""
        body = await read_body(request, StartBody, _RELEASE_BYTES)
        parts = self.ramping.parts
        published = parts.keeper.published
        await self._fresh(body)
        try:
            release = await asyncio.to_thread(self.load, body.document, published.estate if published else None)
        except Refused as refused:
            raise NotDone(422, "CT422", "the release is wrong", diagnostics=refused.diagnostics) from refused
        if body.basis is not None or body.seen is not None:
            await self._unused(release.name, body.plan)
            await self._fresh(body)
        wish = Start(document=body.document, release=release, plan=body.plan, actor=body.actor, reason=body.reason)
        return JSONResponse(await self.releasing.start(wish))

    async def releases(self, _request: Request) -> Response:
        """Every ramp that runs: step, weight, time left, evidence, verdict and why; and what ended lately."""
        return JSONResponse(await self.status())

    async def status(self) -> dict[str, Any]:
        """The same as values, for the whole status; what runs is known without the ledger."""
        ledger, desired = self.ramping.parts.keeper.ledger, self.ramping.parts.keeper.desired
        try:
            past = await asyncio.to_thread(ledger.releases, limit=_PAST)
            retired = await asyncio.to_thread(ready_for_retirement, desired, past, ledger, self.legacy_use)
        except LedgerFailed:  # whoever writes to it says so
            past, retired = (), []
        told = releases_status(self.ramping, past, self.now())
        return told | {"ended": told["ended"][:_LATELY], "retirement": retired}

    async def order(self, request: Request) -> Response:
        """Approve, pause, resume, abort or roll back a release, or one route of it."""
        body = await read_body(request, OrderBody, _SMALL_BYTES)
        started = self.clock()
        wish = body.order(request.path_params["name"])
        answer = await self.releasing.order(wish)
        if wish.order.command not in _LOWERING:
            return JSONResponse(answer)
        parts = self.ramping.parts
        waited = Wish(
            seconds=body.wait_seconds,
            weights_version=parts.keeper.desired.weights_version,
            elapsed_ms=lambda: (self.clock() - started) * 1000,
        )
        return JSONResponse(answer | (await until_in_force(parts.keeper, parts.nodes, waited)).to_json())

    async def freeze(self, request: Request) -> Response:
        """Stop all movement towards Lambda."""
        body = await read_body(request, FreezeBody, _SMALL_BYTES)
        return JSONResponse(await self.releasing.freeze(body.actor, body.reason))

    async def thaw(self, request: Request) -> Response:
        """Let it go on."""
        body = await read_body(request, FreezeBody, _SMALL_BYTES)
        return JSONResponse(await self.releasing.thaw(body.actor, body.reason))

    async def check(self, request: Request) -> Response:
        """Whether history and present are as they were written; `noted` is a head that the history must contain."""
        noted = request.query_params.get("noted") or None
        if noted is not None and not _HEAD.fullmatch(noted):
            raise NotDone(422, "CT422", "a head has 64 hexadecimal digits")
        found = await asyncio.to_thread(self.ramping.parts.keeper.ledger.verify, noted)
        return JSONResponse(found.to_json())

    async def _unused(self, name: str, plan: str) -> None:
        """Raise `NotDone` for a plan that was applied before: somebody may have stopped it on purpose."""
        past = await asyncio.to_thread(self.ramping.parts.keeper.ledger.releases, name=name, limit=_PAST)
        if used := next((one for one in past if one.plan == plan), None):
            message = f"the plan is stale: it was applied at {used.started_at:%Y-%m-%d %H:%M:%S} UTC already"
            ended = f", and {used.outcome} at {used.ended_at:%H:%M:%S}" if used.outcome and used.ended_at else ""
            raise NotDone(409, "CT410", message + ended, hint="plan it again, and look at what is different")

    async def _fresh(self, body: StartBody) -> None:
        """Raise `NotDone` when what the plan was made on has moved, as far as it concerns the plan."""
        parts, moved = self.ramping.parts, list[str]()
        if body.seen is not None:
            now = Present.from_json(await asyncio.to_thread(in_force, parts))
            moved += moved_since(body.seen.model_dump(), now)
        if body.basis is not None and body.basis != basis(parts.keeper, running_routes(parts, parts.keeper.desired)):
            moved.append("the estate, a weight or a running release is another one since it was made")
        if moved:
            hint = "plan it again, and look at what is different"
            raise NotDone(409, "CT410", f"the plan is stale: {'; '.join(moved)}", hint=hint)
