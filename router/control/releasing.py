"""Starts releases and carries out what people order: approve, pause, resume, abort, roll back, freeze, thaw.

What stops or goes towards legacy is in force before it is written; what lets a ramp go on is written first.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..ledger.chain import text_digest
from ..ledger.records import Desired, Frozen, Kind, NewEntry, ReleaseRecord, Step
from ..ramp.events import Command, Order, Shifted
from ..ramp.machine import begin, decide, refusal
from ..ramp.state import Phase
from ..release.values import Ramp, Release
from ..weight import LEGACY_ONLY, MOST_COUNTED
from .deciding import Decided, Wanted
from .meant import Meant, Ordered
from .ramp_steps import Cause, Change, stepped
from .ramping import Parts
from .refusal import NotDone
from .running import Live
from .state import Move, weight_of
from .unread import Unread, ended, on_route

_ENDING = frozenset({Command.ABORT, Command.ROLLBACK})
_AT_ONCE = frozenset({Command.PAUSE, Command.ABORT, Command.ROLLBACK})
_TRIES = 5
"""A ramp that was just moved is decided about anew; somebody who moves it all the time is another trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A wish to start a release. `document` is its text, `plan` the digest of the plan that was reviewed."""

    document: str
    release: Release
    plan: str
    actor: str
    reason: str


@dataclass(slots=True)
class Releasing:
    """Releases at people's wish. `now` is the wall clock; `wake` lets the loop look again."""

    parts: Parts
    now: Callable[[], datetime]
    wake: Callable[[], None]

    @property
    def meant(self) -> Meant:
        """Finds the ramps that orders mean."""
        return Meant(parts=self.parts)

    async def start(self, wish: Start) -> dict[str, Any]:
        """Start it. Raises `NotDone` when its routes are not free or not where it begins, `LedgerFailed`."""
        keeper, release = self.parts.keeper, wish.release
        self._startable(release)
        times = await asyncio.to_thread(keeper.ledger.times_started, release.name)
        now = self.now()
        record = ReleaseRecord(
            id=f"{release.name}#{times + 1}",
            name=release.name,
            document=text_digest(wish.document),
            plan=wish.plan,
            actor=wish.actor,
            reason=wish.reason,
            started_at=now,
        )
        self.parts.running.know(record.document, release)
        entry = NewEntry(
            at=now,
            kind=Kind.STARTED,
            actor=wish.actor,
            reason=wish.reason or release.ticket,
            release=release.name,
            evidence=record.document,
            details=json.dumps({"plan": record.plan}),
        )

        def make(desired: Desired) -> Step:
            self._startable(release)
            changes = [_begun(record, ramp, desired.frozen, now) for ramp in release.ramps]
            step = stepped(desired, changes, Cause(at=now), (entry,))
            return replace(step, documents=(*step.documents, wish.document))

        before = await asyncio.to_thread(keeper.ledger.head)
        await keeper.record_first(make)
        self.wake()
        started = {"release": release.name, "id": record.id, "routes": sorted(release.routes)}
        return started | {"entry": before.entries}

    async def order(self, wish: Ordered) -> dict[str, Any]:
        """Carry out an order. Raises `NotDone` when there is nothing to order it of, `LedgerFailed`."""
        command = wish.order.command
        if unread := await self.meant.unread(wish):
            return await self._end_unread(wish, unread)
        lives = await self.meant.live(wish)
        if already := self._already(command, lives):
            routes = [route for live in lives for route in live.ramp.routes]
            said = {"release": wish.release, "command": command.value, "routes": routes}
            return said | {"already": already, "recorded": True}
        for _ in range(_TRIES):
            wanted = Wanted(decided=await self._decided(wish), cause=self._cause(wish.order))
            routes = [route for one in wanted.decided for route in one.live.ramp.routes]
            answer = {"release": wish.release, "command": command.value, "routes": routes}
            if command in _AT_ONCE:
                step = self.parts.deciding.adopt(wanted)
                self.wake()
                return answer | {"recorded": await self.parts.keeper.write_adopted(step)}
            if await self.parts.deciding.record_first(wanted):
                self.wake()
                return answer | {"recorded": True}
        raise NotDone(409, "CT409", f"{wish.release} moves at this moment", hint="say it again")

    async def freeze(self, actor: str, reason: str) -> dict[str, Any]:
        """Stop all movement towards Lambda, at once; `already`: who had stopped it before, and why."""
        now, desired = self.now(), self.parts.keeper.desired
        if desired.frozen is not None:
            already = f"by {desired.frozen.by}: {desired.frozen.reason}"
            return {"frozen": True, "recorded": True, "already": already}
        step = self.parts.deciding.adopt(self._for_all(Command.FREEZE, actor, reason, now))
        self.wake()
        return {"frozen": True, "recorded": await self.parts.keeper.write_adopted(step)}

    async def thaw(self, actor: str, reason: str) -> dict[str, Any]:
        """Let movement towards Lambda go on; `already`: nothing was frozen. Raises `NotDone`, `LedgerFailed`."""
        for _ in range(_TRIES):
            if self.parts.keeper.desired.frozen is None:
                return {"frozen": False, "recorded": True, "already": "nothing was frozen"}
            if await self.parts.deciding.record_first(self._for_all(Command.THAW, actor, reason, self.now())):
                self.wake()
                return {"frozen": False, "recorded": True}
        raise NotDone(409, "CT409", "ramps move at this moment", hint="say it again")

    def shifted(self, move: Move) -> Step | None:
        """The step of a person's shift that ends the ramp of its route; None: no ramp runs there.

        Raises `NotDone` for a shift towards Lambda under a release or in a freeze, and for one without a reason.
        """
        desired = self.parts.keeper.desired
        live = self.meant.moving(move.route)
        unread = on_route(self.parts.running.unread(desired), move.route)
        if move.to > weight_of(desired, move.route):
            _not_upward(desired, unread or live, move.route)
        if unread is not None and (move.to < weight_of(desired, move.route) or move.to == LEGACY_ONLY):
            _said_why(move, unread)
            return ended(desired, [unread], _abort(move), move.to)
        goes_down = move.to < weight_of(desired, move.route) or move.to == LEGACY_ONLY
        if live is None or not (goes_down or live.state.cohort is not None):
            return None
        _said_why(move, live)
        event = Shifted(weight=move.to, actor=move.actor, reason=move.reason)
        decided = Decided(live=live, decision=decide(live.ramp, live.state, event, move.at))
        return Wanted(decided=(decided,), cause=_abort(move)).step(desired)

    def _startable(self, release: Release) -> None:
        keeper = self.parts.keeper
        published, desired = keeper.published, keeper.desired
        if published is None:
            raise NotDone(404, "CT404", "no estate is published", hint="fig publish ESTATE")
        if any(one.name == release.name and one.outcome is None for one in desired.releases.values()):
            raise NotDone(
                409, "CT409", f"the release {release.name} runs already", hint="fig status shows how far it is"
            )
        together = desired.ramped() | release.routes.keys()
        if len(together) > MOST_COUNTED:
            message = f"{len(together)} routes would move at once, and of at most {MOST_COUNTED} there is evidence"
            raise NotDone(409, "CT409", f"{message}: no gate could decide", hint="wait until a release is over")
        for route, ramp in release.routes.items():
            if route not in published.manifest.routes:
                raise NotDone(422, "CT422", f"{route} is no route that can be shifted in the published estate")
            other = self.meant.moving(route) or on_route(self.parts.running.unread(desired), route)
            if other is not None:
                raise NotDone(409, "CT409", f"{route} is moved by the release {other.release.name}")
            weight = weight_of(desired, route)
            if weight != ramp.start:
                message = f"{route} is at {weight}, but the release begins at {ramp.start}"
                raise NotDone(409, "CT409", message, hint="write `from:` in the release, and plan it anew")

    async def _decided(self, wish: Ordered) -> Sequence[Decided]:
        command = wish.order.command
        lives = await self.meant.live(wish)
        if command is Command.ROLLBACK:
            lives = [one for one in lives if not self._is_back(one)]
        if command not in _ENDING and (lowered := next((one for one in lives if _is_lowered(one)), None)):
            message = f"{lowered.ramp.name} was moved towards legacy beside the release, which ends there"
            raise NotDone(409, "CT409", message, hint="fig status shows how far it is")
        refused = [refusal(live.state, command) for live in lives]
        if all(refused):
            raise NotDone(409, "CT409", f"{wish.release}: {refused[0]}", hint="fig status shows how far it is")
        now = self.now()
        return [
            Decided(live=live, decision=decide(live.ramp, live.state, wish.order, now))
            for live, why in zip(lives, refused, strict=True)
            if not why
        ]

    async def _end_unread(self, wish: Ordered, unread: Sequence[Unread]) -> dict[str, Any]:
        """Roll back or abort what cannot be read; the ramps of the release that can be are ordered the same."""
        command, keeper = wish.order.command, self.parts.keeper
        if command not in _ENDING:
            hint = f'fig rollback {wish.release} --reason "..." or fig abort: an older or newer control may read it'
            raise NotDone(409, "CT409", unread[0].problem, hint=hint)
        others = [
            live
            for live in self.parts.running.live(keeper.desired)
            if live.release.id == unread[0].release.id
            and not live.state.is_over
            and (wish.route is None or wish.route in live.ramp.routes)
        ]
        steps = []
        if others:
            decided = [
                Decided(live=one, decision=decide(one.ramp, one.state, wish.order, self.now())) for one in others
            ]
            steps.append(self.parts.deciding.adopt(Wanted(decided=decided, cause=self._cause(wish.order))))
        steps.append(ended(keeper.desired, unread, self._cause(wish.order)))
        keeper.adopt(steps[-1])
        self.wake()
        recorded = [await keeper.write_adopted(step) for step in steps]
        named = [*(live.ramp.routes for live in others), *(one.record.routes for one in unread)]
        routes = [route for some in named for route in some]
        return {"release": wish.release, "command": command.value, "routes": routes, "recorded": all(recorded)}

    def _already(self, command: Command, lives: Sequence[Live]) -> str:
        """What the order asks for, where all of it is so already, in words; else empty."""
        moving = [live for live in lives if not live.state.is_over]
        if command is Command.PAUSE and moving and all(live.state.paused for live in moving):
            return f"paused by {moving[0].state.paused}"
        if command is Command.ROLLBACK and all(self._is_back(live) for live in lives):
            return "rolled back"
        return ""

    def _is_back(self, live: Live) -> bool:
        weights = [weight_of(self.parts.keeper.desired, route) for route in live.ramp.routes]
        return live.state.phase is Phase.ROLLED_BACK and all(weight == LEGACY_ONLY for weight in weights)

    def _cause(self, order: Order) -> Cause:
        return Cause(at=self.now(), actor=order.actor, reason=order.reason, command=order.command)

    def _for_all(self, command: Command, actor: str, reason: str, now: datetime) -> Wanted:
        order = Order(command=command, actor=actor, reason=reason)
        lives = [live for live in self.parts.running.live(self.parts.keeper.desired) if not live.state.is_over]
        decided = [
            Decided(live=live, decision=decide(live.ramp, live.state, order, now))
            for live in lives
            if not _is_lowered(live)
        ]
        kind, frozen = (
            (Kind.FREEZE, Frozen(by=actor, at=now, reason=reason))
            if command is Command.FREEZE
            else (
                Kind.THAW,
                None,
            )
        )
        entry = NewEntry(at=now, kind=kind, actor=actor, reason=reason)
        return Wanted(
            decided=decided,
            cause=replace(self._cause(order), at=now),
            entries=(entry,),
            also=lambda step: replace(step, after=replace(step.after, frozen=frozen)),
        )


def _begun(record: ReleaseRecord, ramp: Ramp, frozen: Frozen | None, now: datetime) -> Change:
    why = f"{frozen.by}: {frozen.reason}" if frozen else ""
    return Change(release=record, ramp=ramp, before=None, decision=begin(ramp, now, frozen=why))


def _is_lowered(live: Live) -> bool:
    """Whether a node, or a publish, moved one of its routes towards legacy, and the loop has not ended the ramp yet.

    Nobody may decide on its state then: it still says the weight from before, and would bring that back.
    """
    return not live.state.is_over and any(weight < live.state.weight for weight in live.weights)


def _abort(move: Move) -> Cause:
    return Cause(at=move.at, actor=move.actor, reason=move.reason, command=Command.ABORT)


def _said_why(move: Move, moving: Live | Unread) -> None:
    if not move.reason:
        message = f"{move.route} is moved by the release {moving.release.name}, which this ends: say why"
        raise NotDone(422, "CT422", message, hint='--reason "..."')


def _not_upward(desired: Desired, moving: Live | Unread | None, route: str) -> None:
    if moving is not None:
        name = moving.release.name
        hint = f'fig abort {name} --route {route} --reason "..." leaves it to you'
        raise NotDone(409, "CT409", f"{route} is moved towards Lambda by the release {name} alone", hint=hint)
    if desired.frozen is not None:
        message = f"nothing moves towards Lambda: frozen by {desired.frozen.by}: {desired.frozen.reason}"
        raise NotDone(409, "CT409", message, hint='fig thaw --reason "..."')
