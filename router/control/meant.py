"""Which ramps an order means: of the release that runs, else, to roll it back, of the last one of that name."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from strangler_fig.documents import did_you_mean

from ..ramp.events import Command, Order
from .ramping import Parts
from .refusal import NotDone
from .running import Live, weights_of
from .unread import Unread, on_route

_LONGEST = 255
"""No release and no route has a longer name."""


def shortened(name: str) -> str:
    """A name as it is said back: what nothing can be called is not repeated whole."""
    return name if len(name) <= _LONGEST else f"{name[:40]}... ({len(name):,} characters)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What a person orders of a release; of all its ramps, or of the one with that route."""

    release: str
    route: str | None
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Finds them."""

    parts: Parts

    def moving(self, route: str) -> Live | None:
        """The ramp that moves the route, or None."""
        lives = self.parts.running.live(self.parts.keeper.desired)
        return next((live for live in lives if route in live.ramp.routes and not live.state.is_over), None)

    async def live(self, wish: Ordered) -> list[Live]:
        """The ramps that are meant: of the release that runs, else, to roll it back, of the one that ended last."""
        running = list(self.parts.running.live(self.parts.keeper.desired))
        lives = [live for live in running if live.release.name == wish.release]
        if not lives and wish.order.command is Command.ROLLBACK:
            lives = await self._past(wish.release)
        if not lives:
            await self._ended(wish)
            names = sorted({live.release.name for live in running})
            message = f"no release {shortened(wish.release)!r} runs"
            hint = did_you_mean(wish.release[:_LONGEST], names) if names else "none runs; fig history shows which did"
            raise NotDone(404, "CT404", message, hint=hint)
        own = [live for live in lives if wish.route is None or wish.route in live.ramp.routes]
        if not own:
            routes = [route for live in lives for route in live.ramp.routes]
            message = f"{wish.release} has no route {shortened(wish.route or '')!r}"
            raise NotDone(404, "CT404", message, hint=did_you_mean(wish.route or "", routes))
        return own

    async def _ended(self, wish: Ordered) -> None:
        """Raise `NotDone` that says how and when the release ended, where it did."""
        for last in await asyncio.to_thread(self.parts.keeper.ledger.releases, name=wish.release, limit=1):
            if last.outcome is not None and last.ended_at is not None:
                message = f"{last.name} has ended: {last.outcome} at {last.ended_at:%Y-%m-%d %H:%M:%S} UTC"
                hint = f"fig history --release {last.name} says why; plan it again to run it again"
                raise NotDone(409, "CT409", message, hint=hint)

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
        self.free([route for live in lives for route in live.ramp.routes])
        return lives

    async def unread(self, wish: Ordered) -> Sequence[Unread]:
        """The ramps that are meant and cannot be read: of the release that runs, else, to roll it back, of the last."""
        desired, running = self.parts.keeper.desired, self.parts.running
        of_it = [one for one in running.unread(desired) if one.release.name == wish.release]
        runs = any(one.name == wish.release and one.outcome is None for one in desired.releases.values())
        if not runs and wish.order.command is Command.ROLLBACK:
            of_it = await self._past_unread(wish.release)
        return [one for one in of_it if wish.route is None or wish.route in one.record.routes]

    async def _past_unread(self, name: str) -> list[Unread]:
        ledger = self.parts.keeper.ledger
        last = await asyncio.to_thread(ledger.releases, name=name, limit=1)
        if not last:
            return []
        ramps = await asyncio.to_thread(ledger.ramps, last[0].id)
        faults = [await asyncio.to_thread(self.parts.running.why_unread, last[0], *one) for one in ramps.items()]
        why = next((fault for fault in faults if fault is not None), None)
        if why is None:
            return []
        for record in ramps.values():
            self.free(record.routes)
        return [Unread(release=last[0], key=key, record=record, why=why) for key, record in ramps.items()]

    def free(self, routes: Sequence[str]) -> None:
        """Raise `NotDone` where another release moves one of the routes."""
        unread = self.parts.running.unread(self.parts.keeper.desired)
        for route in routes:
            busy = self.moving(route) or on_route(unread, route)
            if busy is not None:
                message = f"its routes are moved by the release {busy.release.name}: roll that one back"
                raise NotDone(409, "CT409", message)
