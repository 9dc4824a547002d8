"""The agent's loops: poll control, apply what it wants, report.

Each loop lives through every failure of the world: control may be gone for days, and Envoy serves on. A weight is
applied in the very turn in which control's answer is read; a snapshot, which takes seconds, in a loop of its own, so
that it never delays a weight.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable

from ..errors import RouterFailed, SnapshotDamaged
from ..snapshot.directory import read_manifest, write
from ..snapshot.manifest import Manifest
from . import validation
from .admin import Admin
from .backoff import Backoff
from .control import Address, Control, Desired
from .credentials_watch import AwsWatch
from .envoy_process import EnvoySettings
from .errors import EnvoyGone, NodeFailed, Rejection, Unreachable
from .identity_watch import IdentityWatch
from .notify import Notifier
from .pressure import PressureWatch
from .report import Problems, Refusal
from .reporting import Reporting, Told
from .serving import Serving
from .shares_watch import SharesWatch
from .state_directory import StateDirectory
from .supervisor import EnvoyState, Supervisor
from .tls_watch import TlsWatch
from .watch import Watch

_POLL_SECONDS = 25.0
_TICK_SECONDS = 1.0
_TRIES = 2
_FROM_THE_START = -1


class Agent:
    """One node's loops. `find_control` is asked before every connection: control may come back at another address."""

    def __init__(  # noqa: PLR0913 - app.py wires it, once
        self,
        *,
        settings: EnvoySettings,
        state: StateDirectory,
        supervisor: Supervisor,
        serving: Serving,
        problems: Problems,
        aws: AwsWatch,
        identities: IdentityWatch,
        tls: TlsWatch,
        check_clock: bool,
        find_control: Callable[[], Address | None],
        say: Callable[[str], None],
        notifier: Notifier,
        frozen_after_seconds: float,
    ) -> None:
        self._settings = settings
        self._state = state
        self._supervisor = supervisor
        self._serving = serving
        self._problems = problems
        self._aws = aws
        self._identities = identities
        self._tls = tls
        self._check_clock = check_clock
        self._find_control = find_control
        self._say = say
        self._notifier = notifier
        self._watch = Watch(state.admin_socket, limit_seconds=frozen_after_seconds)
        self._admin = Admin(state.admin_socket)
        self._shares = SharesWatch(self._admin, serving, supervisor)
        self._pressure = PressureWatch(admin=self._admin, problems=problems, leave_lambda=self._leave_lambda)
        told = Told(serving=serving, supervisor=supervisor, problems=problems, aws=aws, tls=tls, shares=self._shares)
        self._reporting = Reporting(
            node=settings.node, state=state, admin=Admin(state.admin_socket), told=told, find_control=find_control
        )
        self._desired: Desired | None = None
        self._tries: dict[str, int] = {}
        self._snapshot_due = asyncio.Event()
        self._waiting_said = False
        self._start_failed = False
        self._renewal_due: str | None = None
        self._refreshed = False

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._supervisor.run(self._prepare, self._on_live))
            tasks.create_task(self._poll())
            tasks.create_task(self._replace_snapshots())
            tasks.create_task(self._reporting.run())
            tasks.create_task(self._tick())
            tasks.create_task(self._look_for_failures())
            tasks.create_task(self._aws.run(self._envoy_runs, check_clock=self._check_clock))
            tasks.create_task(self._identities.run(self._envoy_runs))
            tasks.create_task(self._tls.run())
            tasks.create_task(self._see_that_envoy_answers())

    def renew(self, why: str) -> None:
        """Replace Envoy as soon as no snapshot is being switched; whoever asked hears of it from `envoy.pid`."""
        self._renewal_due = why
        self._snapshot_due.set()

    # -- Envoy's life --------------------------------------------------------------------------------------------------

    async def _prepare(self) -> bool:
        try:
            ready = await self._serving.prepare()
            serving = self._serving.serving
            digest = serving.digest if serving else None
            await self._aws.ready(digest, envoy_runs=False)
            await self._identities.ready(digest)
            await self._ready_for_tls(serving)
        except (NodeFailed, OSError) as error:
            self._problems.note("envoy", f"Envoy cannot be started: {error}")
            self._start_failed = True
            return False
        if not ready and not self._waiting_said:
            self._waiting_said = True
            text = f"no snapshot is stored in {self._state.root}: waiting for control"
            self._say(text)
            self._notifier.status(text)
        self._reporting.poke()
        return ready

    async def _ready_for_tls(self, serving: Manifest | None) -> None:
        try:
            await self._tls.ready(serving.digest if serving else "")
            self._problems.mend("tls")
        except Rejection as error:
            self._problems.note("tls", str(error))  # what does not need it is served

    def _envoy_runs(self) -> bool:
        return self._supervisor.pid is not None

    async def _on_live(self) -> None:
        self._admin.close()
        self._reporting.admin.close()
        await self._serving.on_live()
        serving = self._serving.serving
        if serving is not None:
            self._say_served(serving)
        await self._weigh()
        if not self._refreshed and self._supervisor.is_outdated:
            self._renewal_due = "this agent would start another version of Envoy, or with other settings"
        self._refreshed = True
        self._snapshot_due.set()

    def _say_served(self, serving: Manifest) -> None:
        text = (
            f"Envoy {self._supervisor.version} (pid {self._supervisor.pid}) serves snapshot "
            f"{serving.digest[:12]} on {serving.entry}"
        )
        self._say(text)
        self._notifier.ready(text)

    async def _see_that_envoy_answers(self) -> None:
        backoff = Backoff(draw=random.random, first=_TICK_SECONDS, low=5.0, high=60.0)
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            supervisor = self._supervisor
            if supervisor.state is not EnvoyState.RUNNING or supervisor.is_handing_over:
                continue
            if await self._watch.is_frozen(supervisor.generation):
                text = f"Envoy (pid {supervisor.pid}) ran but did not answer: it was killed and started again"
                self._say(text)
                self._problems.note("frozen", text)
                self._problems.mend("frozen")
                supervisor.kill()
            elif await self._watch.is_closed() and supervisor.state is EnvoyState.RUNNING:
                if supervisor.can_hand_over and not supervisor.is_handing_over:
                    self.renew("it had no admin interface any more")
                await asyncio.sleep(backoff.next_delay())
            else:
                backoff.reset()

    # -- control's wishes ----------------------------------------------------------------------------------------------

    async def _poll(self) -> None:
        backoff = Backoff(draw=random.random, first=0.05, low=0.1, high=2.0)
        silent = False
        while True:
            address = self._find_control()
            if address is None:
                await asyncio.sleep(backoff.next_delay())
                continue
            control = Control(address)
            try:
                after = _FROM_THE_START
                while True:
                    told = self._serving.told
                    desired = await control.desired(
                        node=self._settings.node,
                        after=after,
                        shares=told.version if told else "",
                        wait_seconds=0 if after < 0 else _POLL_SECONDS,
                    )
                    if silent:
                        self._say(f"control answers again ({address.url})")
                        silent = False
                    backoff.reset()
                    after = desired.revision
                    await self._want(desired)
            except RouterFailed as error:
                if not silent:
                    self._say(f"{error}; serving what is stored")
                silent = True
            finally:
                control.close()
            await asyncio.sleep(backoff.next_delay())

    async def _want(self, desired: Desired) -> None:
        before = self._desired
        self._desired = desired
        self._reporting.revision = desired.revision
        if before is None or before.snapshot != desired.snapshot:
            self._reporting.refusal = None
            self._tries.clear()
        self._reporting.fade(desired.revision)
        self._serving.moving = desired.weights
        self._serving.told = desired.told or self._serving.told
        self._serving.wanted = self._known(desired.snapshot)
        await self._weigh()
        self._snapshot_due.set()

    def _known(self, digest: str | None) -> Manifest | None:
        for manifest in (self._serving.serving, self._serving.wanted):
            if manifest is not None and manifest.digest == digest:
                return manifest
        return self._serving.manifest_of(digest) if digest else None

    async def _weigh(self) -> None:
        desired = self._desired
        in_full = await self._serving.try_weights()
        if in_full and desired is not None:
            self._reporting.weights_version = desired.version
        await self._shares.look_at_news()
        self._reporting.poke()

    async def _replace_snapshots(self) -> None:
        backoff = Backoff(draw=random.random, first=0.1, low=0.2, high=2.0)
        while True:
            await self._snapshot_due.wait()
            self._snapshot_due.clear()
            await self._renew_if_due()
            await self._close_stale_entries()
            digest = self._desired.snapshot if self._desired else None
            if digest is None or not self._is_due(digest):
                continue
            try:
                await self._replace(digest)
                backoff.reset()
            except Rejection as error:
                self._refuse(digest, str(error))
            except (EnvoyGone, Unreachable) as error:
                self._failed_once(digest, str(error))
            except (RouterFailed, OSError) as error:
                self._problems.note("pull", f"snapshot {digest[:12]}: {error}")
                self._reporting.poke()
                await asyncio.sleep(backoff.next_delay())
                self._snapshot_due.set()

    async def _renew_if_due(self) -> None:
        why, self._renewal_due = self._renewal_due, None
        if why is None:
            return
        self._notifier.reloading(f"replacing Envoy: {why}")
        try:
            await self._serving.renew(why)
            self._problems.mend("renewal")
        except NodeFailed as error:
            self._say(f"Envoy was not replaced: {error}")
            self._problems.note("renewal", f"Envoy was not replaced: {error}")
            if self._serving.serving is not None and self._supervisor.state is EnvoyState.RUNNING:
                self._say_served(self._serving.serving)

    async def _close_stale_entries(self) -> None:
        try:
            await self._serving.close_stale_entries()
        except (NodeFailed, OSError) as error:
            self._say(f"where the entry was before, Envoy may still listen: {error}")

    def _is_due(self, digest: str) -> bool:
        serving = self._serving.serving
        if self._reporting.refusal is not None and self._reporting.refusal.snapshot == digest:
            return False
        return serving is None or serving.digest != digest or self._serving.damaged == digest

    async def _replace(self, digest: str) -> None:
        manifest = await self._pull(digest)
        self._problems.mend("pull")
        if self._serving.serving is not None and self._serving.serving.digest == digest:
            self._serving.damaged = None  # it was served all the time; its files are whole again
            self._problems.mend("snapshot")
            self._reporting.poke()
            return
        self._serving.wanted = manifest
        await self._weigh()
        await self._tls.ready(digest)
        found = await validation.problems(self._state.snapshots / digest, self._settings.binary)
        if found:
            raise Rejection("; ".join(found))
        if self._desired is None or self._desired.snapshot != digest:
            return  # control wants another by now
        await self._aws.ready(digest, envoy_runs=self._envoy_runs())
        await self._identities.ready(digest)
        await self._serving.replace(manifest)
        self._reporting.refusal = None
        self._say(f"snapshot {digest[:12]} is in force on {manifest.entry}")
        await self._weigh()

    async def _pull(self, digest: str) -> Manifest:
        folder = self._state.snapshots / digest
        try:
            return read_manifest(folder)
        except SnapshotDamaged:
            address = self._find_control()
            if address is None:
                message = "control cannot be found any more"
                raise Unreachable(message) from None
        control = Control(address)
        try:
            snapshot = await control.snapshot(digest)
        finally:
            control.close()
        return read_manifest(await asyncio.to_thread(write, snapshot, self._state.snapshots))

    def _refuse(self, digest: str, reason: str) -> None:
        self._reporting.refusal = Refusal(snapshot=digest, reason=reason)
        self._say(f"snapshot {digest[:12]} is rejected: {reason}")
        self._reporting.poke()

    def _failed_once(self, digest: str, reason: str) -> None:
        self._tries[digest] = self._tries.get(digest, 0) + 1
        if self._tries[digest] >= _TRIES:
            self._refuse(digest, reason)
        elif self._supervisor.state is EnvoyState.RUNNING:
            self._snapshot_due.set()  # else it is due when Envoy is live again

    # -- each second ---------------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        """Each second: read the traffic, see what a rollback on this host did, and try again what failed."""
        while True:
            started = time.monotonic()
            self._notifier.alive()
            await self._shares.look()
            if self._supervisor.state is EnvoyState.RUNNING:
                await self._pressure.look()
            if self._start_failed:
                self._start_failed = False
                self._supervisor.want()
            if self._serving.has_stale_entry():
                self._snapshot_due.set()
            if self._supervisor.state is EnvoyState.RUNNING:
                try:
                    await self._reporting.read()
                except Unreachable:
                    self._reporting.forget_traffic()  # Envoy ended; the supervisor says so
            self._reporting.poke()  # a report each second, however long the weights take
            await self._weigh()
            await asyncio.sleep(max(0.0, started + _TICK_SECONDS - time.monotonic()))

    async def _look_for_failures(self) -> None:
        """Between two reports see whether Lambda fails, where weights move: a gate's breaker need not wait a second."""
        while True:
            pause = _TICK_SECONDS
            if self._serving.moving and self._supervisor.state is EnvoyState.RUNNING:
                with contextlib.suppress(Unreachable):  # Envoy ended; the supervisor says so
                    pause = await self._reporting.read_failures()
            await asyncio.sleep(pause)

    async def say_goodbye(self) -> None:
        """Tell control that this node's Envoy has ended on purpose; what it does not hear, it finds out later."""
        await self._reporting.say_goodbye()

    async def _leave_lambda(self, reason: str) -> int:
        moved = await self._serving.leave_lambda(actor=f"fig node {self._settings.node}", reason=reason)
        if moved:
            self._say(f"{reason}: {moved} routes were moved to legacy")
            self._reporting.poke()
        return moved
