"""What this host serves: which snapshot, with which weights, and how the one becomes the other.

Two rules. Nothing unverified reaches Envoy: digests before every start, Envoy's own validation before every switch.
And no weight rises because something broke: whichever snapshot is served, keys hold the weights that were last
wanted.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import SnapshotDamaged
from ..snapshot.directory import BOOTSTRAP, read_manifest
from ..snapshot.manifest import Manifest
from ..snapshot.runtime import NOT_TOLD
from ..weight import LEGACY_ONLY, Weight
from .admin import Admin
from .entry_address import check_entry
from .errors import EnvoyGone, NodeFailed, Rejection, Unreachable
from .former_entries import FormerEntries
from .kept_weights import KeptWeights
from .local_moves import LocalMove, LocalMoves, held, local_move
from .renewal import START_SECONDS, Renewal
from .report import Problems
from .shares_use import SharesInForce, Told
from .state_directory import StateDirectory
from .stored_snapshots import StoredSnapshots
from .supervisor import EnvoyState, Supervisor
from .switch import Switch, Weighing, confirm_start
from .weight_files import StoredWeights, WeightFiles
from .weights import Target, bridge, effective, shares, target, wait_until_in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """How long weights took to be in force: since they were known here, and since their file was renamed."""

    since_known_seconds: float
    since_written_seconds: float


class Serving:
    """The snapshot and the weights of one host.

    `serving` is the manifest of what Envoy serves or is started with; `in_force` the digest that Envoy serves *and*
    that the next start would use. `wanted`, `moving` and `told` are control's wishes, as far as they are known.
    """

    def __init__(
        self,
        *,
        state: StateDirectory,
        supervisor: Supervisor,
        problems: Problems,
        former: FormerEntries,
        measured: Callable[[Flip], None],
    ) -> None:
        self._state = state
        self._supervisor = supervisor
        self._problems = problems
        self._former = former
        self._measured = measured
        self._admin = Admin(state.admin_socket)
        self._flips = Admin(state.admin_socket)
        self._stored = StoredSnapshots(state=state, problems=problems, former=former)
        self._files = WeightFiles(state)
        self._kept = KeptWeights(files=self._files, state=state, problems=problems)
        self._moves = LocalMoves(state.local_moves)
        self._turn = asyncio.Lock()
        self._renewal = Renewal(state=state, supervisor=supervisor, problems=problems)
        self._next: Manifest | None = None
        self._start_with: Manifest | None = None
        self._prepared = False
        self._log_start = 0
        self._confirmed = (0, 0)
        self.serving: Manifest | None = None
        self.in_force: str | None = None
        self.wanted: Manifest | None = None
        self.moving: Mapping[str, Weight] | None = None
        self.told: Told | None = None
        self.shares: SharesInForce | None = None
        self.fading: Mapping[str, LocalMove] = {}
        self.damaged: str | None = None

    # -- starting ------------------------------------------------------------------------------------------------------

    async def prepare(self) -> bool:
        """Put the live files in order before Envoy starts; False when there is nothing to serve."""
        manifest = self._start_with or self.last_good()
        if manifest is None:
            return False
        self._prepared = True
        self.serving = manifest
        self.in_force = manifest.digest if self._start_with is None else None
        self._former.forget_taken()
        self._stored.show(manifest.digest)
        with self._files.locked():
            self._files.doubt()  # Envoy will read the disk, whatever is remembered here
            wanted, _ = self._target(manifest, self._kept.present())
            if not self._kept.has(wanted):
                self._kept.write(wanted)
            self.shares = self._shares_of(wanted)
        self._log_start = self._state.log_size()
        return True

    def last_good(self) -> Manifest | None:
        """The newest snapshot that served and is whole on disk, or None; a newer one that is not is pulled again."""
        found = self._stored.last_good()
        if found.damaged is not None:
            self.damaged = found.damaged
            self.wanted = self._stored.manifest_of(found.damaged)
        return found.manifest

    def manifest_of(self, digest: str) -> Manifest | None:
        """The manifest of a snapshot that is or was stored here, even when its folder is damaged; None when unknown."""
        return self._stored.manifest_of(digest)

    async def on_live(self) -> None:
        """Envoy answers: check what it took, or take over what an agent before this one left; then the weights."""
        self._flips.close()
        self._admin.close()
        try:
            if not self._prepared:
                await self._take_over()
            elif self._start_with is None:
                await confirm_start(self._admin, self._state, self._log_start)
                self._problems.mend("envoy")
        except (NodeFailed, OSError) as error:
            self._problems.note("envoy", f"Envoy started, but: {error}")
        await self.try_weights()

    async def _take_over(self) -> None:
        self._prepared = True
        digest = self._stored.live_digest()
        self.serving = self.manifest_of(digest)
        if self.serving is None:
            self._problems.note("envoy", "Envoy runs, but what it serves is not known here")
            return
        folder = self._state.snapshots / digest
        try:
            read_manifest(folder)
        except SnapshotDamaged as error:
            self.damaged = digest
            self._problems.note("snapshot", f"{error}; Envoy still serves it from memory")
            self.in_force = digest
            return
        if not self._stored.is_shown(digest):
            await self._switch(folder, folder).back()  # the agent before this one ended in the middle of a switch
        self._stored.remember(digest)
        self.in_force = digest

    # -- weights -------------------------------------------------------------------------------------------------------

    async def try_weights(self) -> bool:
        """Put the wanted weights in force as `put_weights` does; a failure is noted as a problem."""
        try:
            return await self.put_weights()
        except (NodeFailed, OSError) as error:
            self._problems.note("weights", str(error))
            return False

    async def put_weights(self) -> bool:
        """Put the wanted weights in force. Raises `NodeFailed` or `OSError`.

        Returns whether these are control's weights in full: False when a move made on this host holds one of them down,
        and while Envoy is not running.
        """
        async with self._turn:
            serving = self.serving
            if serving is None:
                return False
            began = time.perf_counter()
            with self._files.locked():
                present = self._kept.present()
                wanted, lowered = self._target(serving, present)
                stored = self._files.in_force() if self._kept.has(wanted) else self._kept.write(wanted)
            written = time.perf_counter()
            mark = (self._supervisor.generation, stored.number)
            parts = self._shares_of(wanted)
            if self._supervisor.state is not EnvoyState.RUNNING:
                self.shares = parts  # what Envoy will start with
                return False
            if mark != self._confirmed:
                # Durable and in force are reached side by side; both are needed before anybody is told.
                durable = asyncio.ensure_future(asyncio.to_thread(self._files.settle, stored.number))
                try:
                    await wait_until_in_force(self._flips, stored.number)
                except NodeFailed:
                    self._files.doubt()
                    raise
                over = time.perf_counter()
                self._measured(Flip(since_known_seconds=over - began, since_written_seconds=over - written))
                await durable
                self._confirmed = mark
            self.shares = parts
        self._problems.mend("weights")
        if self.moving is not None:
            self._problems.mend("weights file")
        return not lowered

    async def leave_lambda(self, *, actor: str, reason: str) -> int:
        """Move every route that is not there to legacy on this host, and write it down for control; how many moved.

        Raises `NodeFailed` or `OSError`.
        """
        if self.serving is None:
            return 0
        with self._files.locked():
            present = self._kept.present()
        weights = effective(self.serving, present.weights if present else {})
        shares = present.shares if present else NOT_TOLD
        moves = [
            local_move(name, weight, actor=actor, reason=reason)
            for name, weight in weights.items()
            if weight != LEGACY_ONLY or shares.has_cohort(name)
        ]
        if moves:
            self._moves.append(moves)
            await self.put_weights()
        return len(moves)

    def pending_moves(self) -> Mapping[str, LocalMove]:
        """The moves that this host made alone and that control has not acknowledged."""
        return self._moves.pending()

    def acknowledge(self, identifiers: tuple[str, ...]) -> None:
        """Note which local moves control has recorded. Raises `OSError`."""
        self._moves.acknowledge(identifiers)

    def _target(self, serving: Manifest, present: StoredWeights | None) -> tuple[Target, bool]:
        stored = present.weights if present else {}
        moving = stored if self.moving is None else self.moving
        weights = target(serving=serving, wanted=self.wanted, moving=moving, present=stored)
        limits: dict[str, int] = {}
        for move in (*self._moves.pending().values(), *self.fading.values()):
            limits[move.route] = min(move.to_parts, limits.get(move.route, move.to_parts))
        newest = self._next or serving
        known = {name: newest.routes.get(name) or serving.routes.get(name) for name in limits}
        limited = held(weights, limits, {name: keys.weight for name, keys in known.items() if keys is not None})
        lowered = limited != weights
        served = (serving,) if self._next is None else (serving, self._next)
        told = self.told.shares if self.told else None
        parts = shares(served=served, told=told, present=present.shares if present else NOT_TOLD)
        parts = parts.without_cohorts(name for name, limit in limits.items() if limit == LEGACY_ONLY.parts)
        if self._next is not None:
            new = target(serving=self._next, wanted=self._next, moving=moving, present=stored)
            return bridge(serving, self._next, {**new, **limited}, parts), lowered
        return Target(manifest=serving, weights=limited, shares=parts), lowered

    def _shares_of(self, wanted: Target) -> SharesInForce:
        return SharesInForce(version=self.told.version if self.told else None, shares=wanted.shares)

    # -- snapshots -----------------------------------------------------------------------------------------------------

    async def replace(self, manifest: Manifest) -> None:
        """Serve the stored, validated snapshot instead of the present one, which comes back when this fails.

        Raises `Rejection` when Envoy does not take it, `EnvoyGone` or `Unreachable` when Envoy failed meanwhile.
        """
        old = self.serving
        running = self._supervisor.state is EnvoyState.RUNNING
        ours = running and old is not None and (manifest.entry == old.entry or self._former.listens_at(manifest.entry))
        if not ours:
            check_entry(manifest.entry)
        with self._former.moving(old.digest if old else None, manifest.digest):
            await self._replace(old, manifest)
        self._stored.remember(manifest.digest)
        self.in_force = manifest.digest
        self.damaged = None
        self._problems.mend("snapshot")
        self._problems.mend("envoy")
        self._state.forget_snapshots(manifest.digest)

    async def _replace(self, old: Manifest | None, new: Manifest) -> None:
        running = self._supervisor.state is EnvoyState.RUNNING
        if old is not None and running and new.files[BOOTSTRAP] == self._supervisor.bootstrap:
            await self._in_place(old, new)
        elif old is not None and running and self._supervisor.can_hand_over:
            await self._by_hand_over(old, new)
        else:
            if running:
                self._renewal.say_stopped(f"snapshot {new.digest[:12]} has another bootstrap")
            await self._by_restart(new)

    async def _in_place(self, old: Manifest, new: Manifest) -> None:
        switch = self._switch(self._state.snapshots / old.digest, self._state.snapshots / new.digest)

        async def bridge_weights() -> None:
            self._next = new
            await self.put_weights()

        async def settle_weights() -> None:
            self._next = None
            self.serving = new
            await self.put_weights()

        try:
            await switch.forward(Weighing(bridge=bridge_weights, settle=settle_weights))
            self._stored.show_bootstrap(new.digest)
        except EnvoyGone:
            self._next = None  # the supervisor starts Envoy with the last good snapshot
            raise
        except (NodeFailed, OSError) as error:
            await self._go_back(switch, old)
            if isinstance(error, (Rejection, Unreachable)):
                raise
            raise Rejection(str(error)) from error

    async def _go_back(self, switch: Switch, old: Manifest) -> None:
        self._next = None
        self.serving = old
        try:
            await self.put_weights()
            await switch.back()
        except EnvoyGone:
            return
        except (NodeFailed, OSError) as error:
            self._problems.note("snapshot", f"going back to {old.digest[:12]} failed: {error}")

    async def _by_hand_over(self, old: Manifest, new: Manifest) -> None:
        """Replace the resources in the present Envoy and then Envoy, or, where it does not take them, after it."""
        try:
            await self._in_place(old, new)
        except Rejection:
            # They may need the new bootstrap: the whole was found valid before.
            await self._renewal.change_bootstrap(old, new)
            try:
                await self._in_place(old, new)
            except Rejection:
                await self._renewal.change_bootstrap(new, old)
                raise
            return
        try:
            await self._renewal.change_bootstrap(old, new)
        except Rejection:
            self._next = None
            await self._in_place(new, old)
            raise

    async def _by_restart(self, new: Manifest) -> None:
        self._start_with = new
        try:
            generation = self._supervisor.generation
            await self._supervisor.restart()
            await self._supervisor.live(beyond=generation, deadline_seconds=START_SECONDS)
            await confirm_start(self._admin, self._state, self._log_start)
        except (NodeFailed, OSError) as error:
            self._start_with = None
            self.serving = None
            await self._restart_with_last_good()
            raise Rejection(str(error)) from error
        finally:
            self._start_with = None

    async def _restart_with_last_good(self) -> None:
        generation = self._supervisor.generation
        await self._supervisor.restart()
        if self._state.good():
            with contextlib.suppress(EnvoyGone):  # the supervisor keeps trying, and says so
                await self._supervisor.live(beyond=generation, deadline_seconds=START_SECONDS)

    def has_stale_entry(self) -> bool:
        """Whether Envoy listens where the entry was before although the time for that is over."""
        return self._former.is_over() and self.serving is not None and self._supervisor.state is EnvoyState.RUNNING

    async def close_stale_entries(self) -> None:
        """Listen no more where the entry was, once the time for it is over. Raises `NodeFailed` or `OSError`."""
        if self.serving is not None and self.has_stale_entry():
            folder = self._state.snapshots / self.serving.digest
            await self._switch(folder, folder).listen()
            self._former.forget()

    async def renew(self, why: str) -> None:
        """Replace Envoy by a new one on the same files: for another binary or other settings. Raises `NodeFailed`."""
        await self._renewal.renew(why)

    def _switch(self, old: Path, new: Path) -> Switch:
        generation = self._supervisor.generation
        supervisor = self._supervisor

        def same_envoy() -> bool:
            return supervisor.generation == generation and supervisor.state is EnvoyState.RUNNING

        return Switch(
            state=self._state, admin=self._admin, old=old, new=new, former=self._former, same_envoy=same_envoy
        )
