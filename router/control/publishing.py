"""Publishing an estate: check, compile, ask Envoy, make it desired, and go back by itself when a node rejects it.

Weights are not touched: the new snapshot has the present ones built in, and their runtime keys go only after every live
node switched its routes. A fold is the same without a new estate.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from strangler_fig.diagnostics import Diagnostic, has_errors

from ..errors import ControlFailed
from ..estate import Estate
from ..ledger.records import Desired, Kind, NewEntry, Step, Stored
from ..ledger.store import estate_digest
from ..snapshot.manifest import Manifest, Snapshot
from ..weight import Weight
from .changes import Change, changes
from .keeper import Keeper, Published
from .nodes import Nodes, Rejection, Seen, runs
from .refusal import NotDone
from .shifting import Wish, until_in_force
from .stages import estate_text
from .state import caught_up, published, returned, settled, weight_of, weights_to_fold

_CONTROL = "control"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A wish to publish. `base`: the digest of the estate that the wisher compared with; another one now is refused."""

    actor: str
    reason: str
    wait_seconds: float
    dry_run: bool = False
    base: str | None = None


@dataclass(slots=True)
class _Attempt:
    """The snapshot that became desired last: since which revision, who rejected it, and whether that was acted on."""

    digest: str | None = None
    revision: int = 0
    over: bool = False
    rejected: dict[str, str] = field(default_factory=dict)


class Publishing:
    """Switches snapshots, one at a time. `now` is the wall clock, `clock` counts seconds."""

    def __init__(
        self, keeper: Keeper, nodes: Nodes, *, now: Callable[[], datetime], clock: Callable[[], float]
    ) -> None:
        self._keeper = keeper
        self._nodes = nodes
        self._now = now
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._settling = True  # a restart may have come between a switch and its end
        self._settles = asyncio.Lock()
        self._last: tuple[str, Estate, dict[str, Any]] | None = None
        self._attempt = _Attempt(digest=keeper.desired.snapshot, over=keeper.desired.previous is None)
        self._unfoldable: tuple[str | None, Mapping[str, Weight]] | None = None

    async def publish(self, text: str, order: Order) -> dict[str, Any]:
        """Publish the estate that the JSON text holds. Raises `NotDone` when it is wrong or refused, `LedgerFailed`."""
        if self._one_at_a_time.locked():
            raise NotDone(409, "CT409", "another publish is under way", hint="try again when it is done")
        async with self._one_at_a_time:
            estate, normal = await self._loaded(text)
            return await self._publish(estate, normal, order)

    async def publish_back(self, order: Order) -> dict[str, Any]:
        """Publish the estate that was published before the present one. Raises `NotDone`, `LedgerFailed`."""
        present = self._keeper.desired.snapshot
        digest = await asyncio.to_thread(self._keeper.ledger.last_other_estate, present) if present else None
        stored = await asyncio.to_thread(self._keeper.ledger.stored, digest) if digest else None
        if stored is None:
            raise NotDone(422, "CT422", "there is no estate to go back to", hint="fig history shows what was published")
        return await self.publish(stored.estate, order)

    async def heard(self, seen: Seen) -> None:
        """Act on a node's report: go back from what it rejected, or drop the keys that no node needs any more."""
        await self._overtake(seen)
        attempt, live = self._attempt, self._nodes.live()
        if live and all(runs(one, snapshot=attempt.digest, weights_version=0) for one in live):
            attempt.over = True  # whoever rejects it from now on has a trouble of its own, not the fleet's
        rejection = seen.report.rejected
        if rejection is not None and self._counts(seen, rejection):
            await self._go_back(seen.name, rejection)
        await self.settle()

    async def settle(self) -> None:
        """Drop the runtime keys whose weights are built in, once every live node has switched its routes."""
        async with self._settles:
            now, desired = self._keeper.published, self._keeper.desired
            live = self._nodes.live()
            if not self._settling or now is None or not live or self._nodes.awaited():
                return
            if all(runs(seen, snapshot=desired.snapshot, weights_version=0) for seen in live):
                await self._keeper.record_first(lambda current: _settled(current, now.manifest))
                self._settling = self._keeper.published is not now

    async def fold(self) -> bool:
        """Build weights at rest into the routes when that is due and nothing else is under way; whether it was done."""
        present, desired = self._keeper.published, self._keeper.desired
        live = self._nodes.live()
        if self._one_at_a_time.locked() or present is None or not live:
            return False
        if not all(runs(seen, snapshot=desired.snapshot, weights_version=0) for seen in live):
            return False
        weights = weights_to_fold(desired, present.manifest, self._now())
        if weights is None or self._unfoldable == (desired.snapshot, weights):
            return False
        async with self._one_at_a_time:
            snapshot = await asyncio.to_thread(self._keeper.stages.compile, present.estate, weights)
            if snapshot.digest != desired.snapshot:
                self._unfoldable = (desired.snapshot, weights)  # until it proves to be foldable: no second attempt
                await self._validated(snapshot)
                entry = NewEntry(at=self._now(), kind=Kind.FOLD, actor=_CONTROL, snapshot=snapshot.digest)
                await self._switch(snapshot, present.estate, present.text, entry)
            self._settling = True
            await self.settle()
        return True

    async def _loaded(self, text: str) -> tuple[Estate, dict[str, Any]]:
        """The estate in the text; a publish follows its dry run, so that the last one is kept for a second asking."""
        last, self._last = self._last, None
        if last is not None and last[0] == text:
            return last[1:]
        estate, found = await asyncio.to_thread(self._keeper.stages.load, text)
        if estate is None or has_errors(found):
            raise NotDone(422, "CT422", "the estate is wrong", diagnostics=found)
        normal = await asyncio.to_thread(self._keeper.stages.normal, estate)
        self._last = (text, estate, normal)
        return estate, normal

    async def _publish(self, estate: Estate, normal: dict[str, Any], order: Order) -> dict[str, Any]:
        keeper, desired, text = self._keeper, self._keeper.desired, estate_text(normal)
        old = await asyncio.to_thread(_normal, keeper.published)
        base = estate_digest(keeper.published.text) if keeper.published else ""
        differ = changes(old, normal, {route: held.weight for route, held in desired.weights.items()})
        previous = desired.snapshot
        if order.dry_run:
            return _answer(None, previous, differ) | {"base": base, "in_force": False}
        if order.base is not None and order.base != base:
            hint = "publish again to see what would change now"
            raise NotDone(409, "CT409", "the estate was changed by somebody else meanwhile", hint=hint)
        snapshot = await asyncio.to_thread(self._compiled, estate, is_same=old == normal)
        started = self._clock()
        if snapshot.digest != desired.snapshot:
            await self._validated(snapshot)
            entry = NewEntry(
                at=self._now(),
                kind=Kind.PUBLISH,
                actor=order.actor,
                reason=order.reason,
                snapshot=snapshot.digest,
            )
            await self._switch(snapshot, estate, text, entry)
        wish = Wish(
            seconds=order.wait_seconds,
            weights_version=0,
            elapsed_ms=lambda: (self._clock() - started) * 1000,
            given_up=lambda: keeper.desired.snapshot != snapshot.digest,
        )
        force = await until_in_force(keeper, self._nodes, wish)
        await self.settle()
        attempt = self._attempt
        rejected = attempt.rejected if attempt.digest == snapshot.digest else {}
        said = [{"node": node, "reason": reason} for node, reason in rejected.items()]
        warnings = [] if keeper.stages.problems else ["no Envoy is here to validate it with: only nodes judge it"]
        answer = _answer(snapshot.digest, previous, differ) | force.to_json()
        return answer | {"rejected": said, "warnings": warnings}

    def _compiled(self, estate: Estate, *, is_same: bool) -> Snapshot:
        """The estate with the present weights built in; blocks. `is_same`: the one that is published.

        Weights that moved since are no reason to publish the same estate once more: they are folded when they rest.
        """
        desired, present = self._keeper.desired, self._keeper.published
        compile_ = self._keeper.stages.compile
        if is_same and present is not None:
            built_in = {route: Weight(keys.weight) for route, keys in present.manifest.routes.items()}
            snapshot = compile_(estate, built_in)
            if snapshot.digest == desired.snapshot:
                return snapshot
        names = [route.name for route in estate.routes if route.has_two_sides]
        return compile_(estate, {name: weight_of(desired, name) for name in names})

    async def _validated(self, snapshot: Snapshot) -> None:
        stages = self._keeper.stages
        try:
            folder = await asyncio.to_thread(stages.write, snapshot, self._keeper.snapshots)
        except OSError as error:
            message = f"the snapshot cannot be written to {self._keeper.snapshots}: {error}"
            raise ControlFailed(message) from error
        if stages.problems is None:
            return
        problems = await asyncio.to_thread(stages.problems, folder)
        if problems:
            found = [Diagnostic(code="CT110", message=f"Envoy refuses the estate: {problem}") for problem in problems]
            raise NotDone(422, "CT110", "Envoy refuses the estate", diagnostics=found)

    async def _switch(self, snapshot: Snapshot, estate: Estate, text: str, entry: NewEntry) -> None:
        keeper, present = self._keeper, self._keeper.published
        folded = entry.kind is Kind.FOLD and present is not None
        at = present.published_at if folded and present else entry.at
        await asyncio.to_thread(keeper.ledger.store, Stored(digest=snapshot.digest, estate=text, published_at=at))
        manifest = snapshot.manifest
        step = await keeper.record_first(
            lambda current: published(current, manifest, entry),
            Published(estate=estate, text=text, manifest=manifest, published_at=at),
        )
        revision = step.after.revision if step else keeper.desired.revision
        self._attempt = _Attempt(digest=snapshot.digest, revision=revision)
        self._settling = True
        in_force = {seen.report.snapshot or "" for seen in self._nodes.all()}
        await asyncio.to_thread(keeper.prune, in_force)

    def _counts(self, seen: Seen, rejection: Rejection) -> bool:
        """Whether a rejection is about the present attempt: a node repeats what it said of an earlier one a while."""
        attempt, report = self._attempt, seen.report
        if attempt.over or not rejection.snapshot == attempt.digest == self._keeper.desired.snapshot:
            return False
        return report.revision >= attempt.revision and report.snapshot != rejection.snapshot

    async def _go_back(self, node: str, rejection: Rejection) -> None:
        keeper = self._keeper
        target = keeper.desired.previous
        self._attempt.rejected[node] = rejection.reason
        self._attempt.over = True
        back = await asyncio.to_thread(keeper.load, target) if target else None
        desired = keeper.desired
        entry = NewEntry(
            at=self._now(),
            kind=Kind.ROLLBACK,
            actor=_CONTROL,
            reason=f"rejected by {node}: {rejection.reason}",
            snapshot=rejection.snapshot,
        )
        manifest: Manifest | None = back.manifest if back else None
        self._settling = True
        await keeper.adopt_first(returned(desired, manifest, entry), back)
        self._nodes.bell.ring()

    async def _overtake(self, seen: Seen) -> None:
        report, desired = seen.report, self._keeper.desired
        if report.revision <= desired.revision and report.weights_version <= desired.weights_version:
            return

        def make(current: Desired) -> Step | None:
            return caught_up(current, revision=report.revision, weights_version=report.weights_version)

        await self._keeper.record_first(make)


def _settled(desired: Desired, manifest: Manifest) -> Step | None:
    """The settling step, unless another snapshot became desired since it was decided."""
    return settled(desired, manifest) if desired.snapshot == manifest.digest else None


def _normal(present: Published | None) -> dict[str, Any] | None:
    if present is None:
        return None
    normal: dict[str, Any] = json.loads(present.text)
    return normal


def _answer(snapshot: str | None, previous: str | None, differ: tuple[Change, ...]) -> dict[str, Any]:
    listed = [change.to_json() for change in differ]
    return {"snapshot": snapshot, "previous": previous, "changes": listed, "lagging": [], "rejected": []}
