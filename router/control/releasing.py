"""Starts releases and carries out what people order: approve, pause, resume, abort, roll back, freeze, thaw.

What stops or goes towards legacy is in force before it is written; what lets a ramp go on is written first.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from strangler_fig.documents import did_you_mean

from ..ledger.chain import text_digest
from ..ledger.records import Desired, Frozen, Kind, NewEntry, ReleaseRecord, Step
from ..ramp.events import Command, Order, Shifted
from ..ramp.machine import begin, decide, refusal
from ..ramp.state import Phase
from ..release.values import Ramp, Release
from ..weight import LEGACY_ONLY
from .deciding import Decided, Wanted
from .ramp_steps import Cause, Change, stepped
from .ramping import Parts
from .refusal import NotDone
from .running import Live, weights_of
from .state import Move, weight_of

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What a person orders of a release; of all its ramps, or of the one with that route."""

    release: str
    route: str | None
    order: Order


@dataclass(slots=True)
class Releasing:
    """Releases at people's wish. `now` is the wall clock; `wake` lets the loop look again."""

    parts: Parts
    now: Callable[[], datetime]
    wake: Callable[[], None]

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
        """Stop all movement towards Lambda, at once."""
        now, desired = self.now(), self.parts.keeper.desired
        if desired.frozen is not None:
            raise NotDone(409, "CT409", f"it is frozen already, by {desired.frozen.by}: {desired.frozen.reason}")
        step = self.parts.deciding.adopt(self._for_all(Command.FREEZE, actor, reason, now))
        self.wake()
        return {"frozen": True, "recorded": await self.parts.keeper.write_adopted(step)}

    async def thaw(self, actor: str, reason: str) -> dict[str, Any]:
        """Let movement towards Lambda go on. Raises `NotDone` when nothing is frozen, `LedgerFailed`."""
        for _ in range(_TRIES):
            if self.parts.keeper.desired.frozen is None:
                raise NotDone(409, "CT409", "nothing is frozen")
            if await self.parts.deciding.record_first(self._for_all(Command.THAW, actor, reason, self.now())):
                self.wake()
                return {"frozen": False, "recorded": True}
        raise NotDone(409, "CT409", "ramps move at this moment", hint="say it again")

    def shifted(self, move: Move) -> Step | None:
        """The step of a person's shift that ends the ramp of its route; None: no ramp runs there.

        Raises `NotDone` for a shift towards Lambda under a release or in a freeze, and for one without a reason.
        """
        desired = self.parts.keeper.desired
        live = self._moving(move.route)
        if move.to > weight_of(desired, move.route):
            _not_upward(desired, live, move.route)
        if live is None or (move.to >= weight_of(desired, move.route) and live.state.cohort is None):
            return None
        if not move.reason:
            message = f"{move.route} is moved by the release {live.release.name}, which this ends: say why"
            raise NotDone(422, "CT422", message, hint='--reason "..."')
        event = Shifted(weight=move.to, actor=move.actor, reason=move.reason)
        decided = Decided(live=live, decision=decide(live.ramp, live.state, event, move.at))
        cause = Cause(at=move.at, actor=move.actor, reason=move.reason, command=Command.ABORT)
        return Wanted(decided=(decided,), cause=cause).step(desired)

    def _moving(self, route: str) -> Live | None:
        lives = self.parts.running.live(self.parts.keeper.desired)
        return next((live for live in lives if route in live.ramp.routes and not live.state.is_over), None)

    def _startable(self, release: Release) -> None:
        keeper = self.parts.keeper
        published, desired = keeper.published, keeper.desired
        if published is None:
            raise NotDone(404, "CT404", "no estate is published", hint="fig publish ESTATE")
        if any(one.name == release.name and one.outcome is None for one in desired.releases.values()):
            raise NotDone(
                409, "CT409", f"the release {release.name} runs already", hint="fig status shows how far it is"
            )
        for route, ramp in release.routes.items():
            if route not in published.manifest.routes:
                raise NotDone(422, "CT422", f"{route} is no route that can be shifted in the published estate")
            other = self._moving(route)
            if other is not None:
                raise NotDone(409, "CT409", f"{route} is moved by the release {other.release.name}")
            weight = weight_of(desired, route)
            if weight != ramp.start:
                message = f"{route} is at {weight}, but the release begins at {ramp.start}"
                raise NotDone(409, "CT409", message, hint="write `from:` in the release, and plan it anew")

    async def _decided(self, wish: Ordered) -> Sequence[Decided]:
        command = wish.order.command
        lives = await self._ordered(wish)
        if command is Command.ROLLBACK:
            lives = [one for one in lives if not self._is_back(one)]
            if not lives:
                raise NotDone(409, "CT409", f"{wish.release} is rolled back already")
        refused = [refusal(live.state, command) for live in lives]
        if all(refused):
            raise NotDone(409, "CT409", f"{wish.release}: {refused[0]}", hint="fig status shows how far it is")
        now = self.now()
        return [
            Decided(live=live, decision=decide(live.ramp, live.state, wish.order, now))
            for live, why in zip(lives, refused, strict=True)
            if not why
        ]

    async def _ordered(self, wish: Ordered) -> list[Live]:
        """The ramps that are meant: of the release that runs, else, to roll it back, of the one that ended last."""
        running = list(self.parts.running.live(self.parts.keeper.desired))
        lives = [live for live in running if live.release.name == wish.release]
        if not lives and wish.order.command is Command.ROLLBACK:
            lives = await self._past(wish.release)
        if not lives:
            names = sorted({live.release.name for live in running})
            message = f"no release {wish.release!r} runs"
            raise NotDone(404, "CT404", message, hint=did_you_mean(wish.release, names))
        own = [live for live in lives if wish.route is None or wish.route in live.ramp.routes]
        if not own:
            routes = [route for live in lives for route in live.ramp.routes]
            message = f"{wish.release} has no route {wish.route!r}"
            raise NotDone(404, "CT404", message, hint=did_you_mean(wish.route or "", routes))
        return own

    async def _past(self, name: str) -> list[Live]:
        ledger, running = self.parts.keeper.ledger, self.parts.running
        last = await asyncio.to_thread(ledger.releases, name=name, limit=1)
        if not last:
            return []
        ramps = await asyncio.to_thread(ledger.ramps, last[0].id)
        release = await asyncio.to_thread(running.release, last[0])
        lives = []
        for key, record in ramps.items():
            ramp = release.ramp(key[1])
            if ramp is not None:
                weights = weights_of(self.parts.keeper.desired, ramp)
                state = running.state(key, record)
                lives.append(Live(release=last[0], ramp=ramp, record=record, state=state, weights=weights))
        busy = [other for live in lives for route in live.ramp.routes if (other := self._moving(route)) is not None]
        if busy:
            raise NotDone(
                409, "CT409", f"its routes are moved by the release {busy[0].release.name}: roll that one back"
            )
        return lives

    def _is_back(self, live: Live) -> bool:
        weights = [weight_of(self.parts.keeper.desired, route) for route in live.ramp.routes]
        return live.state.phase is Phase.ROLLED_BACK and all(weight == LEGACY_ONLY for weight in weights)

    def _cause(self, order: Order) -> Cause:
        return Cause(at=self.now(), actor=order.actor, reason=order.reason, command=order.command)

    def _for_all(self, command: Command, actor: str, reason: str, now: datetime) -> Wanted:
        order = Order(command=command, actor=actor, reason=reason)
        lives = [live for live in self.parts.running.live(self.parts.keeper.desired) if not live.state.is_over]
        decided = [Decided(live=live, decision=decide(live.ramp, live.state, order, now)) for live in lives]
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


def _not_upward(desired: Desired, live: Live | None, route: str) -> None:
    if live is not None:
        name = live.release.name
        hint = f'fig abort {name} --route {route} --reason "..." leaves it to you'
        raise NotDone(409, "CT409", f"{route} is moved towards Lambda by the release {name} alone", hint=hint)
    if desired.frozen is not None:
        message = f"nothing moves towards Lambda: frozen by {desired.frozen.by}: {desired.frozen.reason}"
        raise NotDone(409, "CT409", message, hint='fig thaw --reason "..."')
