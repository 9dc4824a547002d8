"""Moving a route's weight, by a person's wish or because a node already did it on its own.

Towards Lambda the move is recorded before any node hears of it; towards legacy nodes hear first. Either way the answer
comes when every live node has the weight in force, or names those that lag.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from strangler_fig.documents import did_you_mean

from ..errors import LedgerFailed
from ..estate import Route
from ..ledger.records import Desired, Kind, NewEntry, Step
from .keeper import Keeper
from .nodes import Nodes, runs
from .refusal import NotDone
from .state import Move, shifted, weight_of


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Whether a change is in force, after how many milliseconds on which node, and which live nodes lag."""

    in_force: bool
    milliseconds: float | None
    nodes: Mapping[str, float | None]
    lagging: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The answer's fields as JSON values."""
        return {
            "in_force": self.in_force,
            "in_force_ms": self.milliseconds,
            "nodes": [{"name": name, "in_force": ms is not None, "ms": ms} for name, ms in self.nodes.items()],
            "lagging": list(self.lagging),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is waited for: the desired snapshot with weights at least that new, for so long, unless it is given up."""

    seconds: float
    weights_version: int
    elapsed_ms: Callable[[], float]
    given_up: Callable[[], bool] = lambda: False


async def until_in_force(keeper: Keeper, nodes: Nodes, wish: Wish) -> InForce:
    """Wait until every live node runs what is wished for, and say which do, after how long.

    Nodes that fell silent are not waited for, but they lag: their Envoys serve on with what they had.
    """
    since: dict[str, float] = {}

    def done() -> bool:
        snapshot = keeper.desired.snapshot
        live = nodes.live()
        for seen in live:
            if runs(seen, snapshot=snapshot, weights_version=wish.weights_version):
                since.setdefault(seen.name, round(wish.elapsed_ms(), 3))
            else:
                since.pop(seen.name, None)
        waits = nodes.awaited() or any(seen.name not in since for seen in live)
        return wish.given_up() or not waits

    await nodes.bell.until(done, wish.seconds)
    live = [seen.name for seen in nodes.live()]
    lagging = (*(name for name in live if name not in since), *nodes.missed())
    in_force = bool(live) and not lagging and not wish.given_up()
    ms = max((since[name] for name in live), default=0.0) if in_force else None
    return InForce(in_force=in_force, milliseconds=ms, nodes={name: since.get(name) for name in live}, lagging=lagging)


class Shifting:
    """Sets weights. `clock` counts seconds; `under_a_ramp`: the step of a shift that ends a ramp, None where none runs.

    `under_a_ramp` raises `NotDone` for a shift that a release or a freeze does not allow.
    """

    def __init__(
        self, keeper: Keeper, nodes: Nodes, *, clock: Callable[[], float], under_a_ramp: Callable[[Move], Step | None]
    ) -> None:
        self._keeper = keeper
        self._nodes = nodes
        self._clock = clock
        self._under_a_ramp = under_a_ramp
        self._taken: set[tuple[str, str]] = set()

    async def shift(self, move: Move, wait_seconds: float) -> dict[str, Any]:
        """Set the weight and wait until it is in force. Raises `NotDone` where there is no weight, `LedgerFailed`."""
        started = self._clock()
        self._shiftable(move.route)
        before = weight_of(self._keeper.desired, move.route)
        towards_legacy = self._under_a_ramp(move)
        if ends_a_ramp := towards_legacy is not None:
            self._keeper.adopt(towards_legacy)
        elif move.to > before:
            await self._towards_lambda(move)
        elif move.to < before:
            towards_legacy = shifted(self._keeper.desired, move)
            self._keeper.adopt(towards_legacy)
        wish = Wish(
            seconds=wait_seconds,
            weights_version=self._keeper.desired.weights_version,
            elapsed_ms=lambda: (self._clock() - started) * 1000,
        )
        force, recorded = await asyncio.gather(
            until_in_force(self._keeper, self._nodes, wish), self._write_adopted(towards_legacy)
        )
        done = {"route": move.route, "from": before.parts, "to": move.to.parts, "version": wish.weights_version}
        return done | {"ends_a_ramp": ends_a_ramp, "recorded": recorded} | force.to_json()

    async def reconcile(self, node: str, moves: Sequence[Move]) -> list[str]:
        """Take over moves towards legacy that a node made alone; the ids of those that are now in the history.

        The lower weight becomes everybody's. A move that the history has is acknowledged and not made again: the route
        may have been shifted since. What is not acknowledged, the node reports again.
        """
        ids = [move.move_id or "" for move in moves]
        try:
            known = set(await asyncio.to_thread(self._keeper.ledger.known_moves, node, ids))
        except (
            LedgerFailed
        ):  # towards legacy nothing waits for the ledger; it drops what it has already when it is well
            known = set()
        self._taken -= {(node, known_id) for known_id in known}
        for move, move_id in zip(moves, ids, strict=True):
            if move_id in known or (node, move_id) in self._taken:
                continue
            self._taken.add((node, move_id))  # being written: the node may report it once more meanwhile
            if await self._keeper.adopt_first(self._lowered(move)):
                known.add(move_id)
                self._taken.discard((node, move_id))
        return sorted(known)

    def _lowered(self, move: Move) -> Step:
        desired = self._keeper.desired
        held = desired.weights.get(move.route)
        if held is not None and move.to < held.weight:
            return shifted(desired, move)
        entry = NewEntry(
            at=move.at,
            kind=Kind.ROLLBACK,
            actor=move.actor,
            reason=move.reason,
            route=move.route,
            before=held.weight if held else None,
            after=held.weight if held else move.to,
            node=move.node,
            move_id=move.move_id,
        )
        # a new weights version although no weight changes: the node gives up its own weight when it sees a newer one
        after = replace(desired, revision=desired.revision + 1, weights_version=desired.weights_version + 1)
        return Step(before=desired, after=after, entries=(entry,))

    async def _write_adopted(self, step: Step | None) -> bool:
        return step is None or await self._keeper.write_adopted(step)

    async def _towards_lambda(self, move: Move) -> None:
        expected = self._keeper.desired.weights.get(move.route)

        def make(desired: Desired) -> Step | None:
            if desired.weights.get(move.route) is not expected:
                return None  # somebody moved the route meanwhile, towards legacy perhaps: that stands
            self._under_a_ramp(move)  # a release that started meanwhile, or a freeze, does not allow it
            return shifted(desired, move)

        if await self._keeper.record_first(make) is None:
            raise NotDone(
                409, "CT409", f"{move.route} was moved by somebody else at the same time", hint="see fig history"
            )

    def _shiftable(self, name: str) -> Route:
        published = self._keeper.published
        if published is None:
            raise NotDone(404, "CT404", "no estate is published", hint="fig publish ESTATE")
        route = published.estate.route(name)
        if route is None:
            names = [one.name for one in published.estate.routes]
            raise NotDone(404, "CT404", f"there is no route {name!r}", hint=did_you_mean(name, names))
        if name in published.manifest.routes:
            return route
        raise NotDone(422, "CT422", f"{name} has no weight: {_why_not(route)}")


def _why_not(route: Route) -> str:
    if route.upgrade:
        return f"its connections are upgraded ({route.upgrade}), which only legacy serves"
    if route.stream:
        return "it streams, which only legacy serves"
    return "it has only legacy" if route.candidate is None else "it has only Lambda, which takes all of it"
