"""One Envoy instead of another on the same live files: for another bootstrap, another binary, other settings.

The new one must answer and must have taken every file; else the old one serves on, or comes back with what it had.
"""

from ..snapshot.directory import BOOTSTRAP
from ..snapshot.manifest import Manifest
from .admin import Admin
from .errors import NodeFailed, Rejection
from .report import Problems
from .state_directory import StateDirectory, point
from .supervisor import EnvoyState, Supervisor
from .switch import confirm_start

START_SECONDS = 60.0


class Renewal:
    """Replaces the running Envoy by hand-over; by a stop and a start only where nothing else is possible."""

    def __init__(self, *, state: StateDirectory, supervisor: Supervisor, problems: Problems) -> None:
        self._state = state
        self._supervisor = supervisor
        self._problems = problems
        self._admin = Admin(state.admin_socket)

    async def renew(self, why: str) -> None:
        """Replace Envoy, with the bootstrap that is linked. Raises `NodeFailed`; then there is still an Envoy."""
        if self._supervisor.state is not EnvoyState.RUNNING:
            return
        if not self._supervisor.can_hand_over:
            generation = self._supervisor.generation
            await self._supervisor.restart()
            await self._supervisor.live(beyond=generation, deadline_seconds=START_SECONDS)
            self.say_stopped(why)
            return
        try:
            await self._hand_over()
        except NodeFailed:
            await self.regain()
            raise
        self._note(f"Envoy handed over to a new one: {why}")

    async def change_bootstrap(self, old: Manifest, new: Manifest) -> None:
        """Let a new Envoy take over with the bootstrap of `new`, or, when it fails, again with `old`'s.

        Raises `Rejection`.
        """
        point(self._state.bootstrap, self._state.snapshots / new.digest / BOOTSTRAP)
        try:
            await self._hand_over()
        except NodeFailed as error:
            point(self._state.bootstrap, self._state.snapshots / old.digest / BOOTSTRAP)
            await self.regain(bootstrap=old.files[BOOTSTRAP])
            raise Rejection(str(error)) from error
        self._note(f"Envoy handed over to a new one: snapshot {new.digest[:12]} has another bootstrap")

    async def regain(self, *, bootstrap: str | None = None) -> None:
        """Have an Envoy that answers again, with that bootstrap: a hand-over that failed may have closed its admin."""
        generation = self._supervisor.generation
        fits = bootstrap in {None, self._supervisor.bootstrap}
        if self._supervisor.state is EnvoyState.RUNNING and fits and not await self._admin.is_closed():
            return
        try:
            if self._supervisor.pid is not None:
                await self._supervisor.hand_over()
            else:
                await self._supervisor.live(beyond=generation, deadline_seconds=START_SECONDS)
            self._problems.mend("admin")
        except NodeFailed as error:
            self._problems.note("admin", f"Envoy serves on, but does not answer its agent any more: {error}")

    def say_stopped(self, why: str) -> None:
        """Say that requests may have been lost."""
        self._note(f"Envoy was stopped and started: {why}")

    async def _hand_over(self) -> None:
        log_start = self._state.log_size()
        await self._supervisor.hand_over()
        self._admin.close()
        await confirm_start(self._admin, self._state, log_start)

    def _note(self, text: str) -> None:
        self._problems.note("restart", text)
        self._problems.mend("restart")
