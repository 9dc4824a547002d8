"""What this node tells control: at once after every change, and each second; and what control acknowledges.

`Agent` notes here what changed; a failed report is told again, and never holds up what is served.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..errors import RouterFailed
from .admin import Admin
from .backoff import Backoff
from .control import Address, Control, say_goodbye
from .counters import Counters
from .credentials_watch import AwsWatch
from .local_moves import LocalMove
from .report import InForce, Problems, Refusal, render
from .serving import Serving
from .shares_watch import SharesWatch
from .state_directory import StateDirectory
from .supervisor import EnvoyState, Supervisor
from .tls_watch import TlsWatch
from .traffic import Traffic, fails_badly, has_failed_again, read_traffic

_SOONEST_SECONDS = 0.25
_REST = 20.0
"""For how many times its length no other reading follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whose words the report repeats."""

    serving: Serving
    supervisor: Supervisor
    problems: Problems
    aws: AwsWatch
    tls: TlsWatch
    shares: SharesWatch


@dataclass(slots=True, kw_only=True)
class Reporting:
    """The reports of one node.

    `revision` is the last one that control told, `weights_version` the one whose weights are in force in full.
    """

    node: str
    state: StateDirectory
    admin: Admin
    told: Told
    find_control: Callable[[], Address | None]
    revision: int = 0
    weights_version: int = 0
    refusal: Refusal | None = None
    _traffic: Traffic | None = None
    _is_told_early: bool = False
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    """A reading that began earlier must never replace a later one: counters that fall are taken for forgotten ones."""
    _counters: Counters = field(default_factory=Counters)
    _fading: dict[str, tuple[LocalMove, int]] = field(default_factory=dict)
    _poked: asyncio.Event = field(default_factory=asyncio.Event)

    def poke(self) -> None:
        """Tell control soon: something changed."""
        self._poked.set()

    async def read(self) -> None:
        """Read what Envoy counted. Raises `Unreachable`."""
        async with self._reading:
            await self._counters.read(self.admin)
            self._traffic = await read_traffic(self.admin, self.told.serving.serving)
            self._is_told_early = False

    async def read_failures(self) -> float:
        """Read it between two reports, and tell at once when Lambda failed again; for how long not to read, in seconds.

        A gate's breaker waits for that. Once between two reports is enough, unless it may be a disaster, and a reading
        that takes long comes seldom: Envoy's main thread is held by it. Raises `Unreachable`.
        """
        began = time.monotonic()
        async with self._reading:
            now = await read_traffic(self.admin, self.told.serving.serving)
            is_bad = fails_badly(self._traffic, now)
            if is_bad or (not self._is_told_early and has_failed_again(self._traffic, now)):
                self._traffic, self._is_told_early = now, True
                self.poke()
        return max(_SOONEST_SECONDS, _REST * (time.monotonic() - began))

    def forget_traffic(self) -> None:
        """Envoy has ended: what it counted is not told again."""
        self._traffic = None

    def fade(self, revision: int) -> None:
        """Control told this revision: local moves that it knew by then hold no weight down any more."""
        self._fading = {name: one for name, one in self._fading.items() if revision <= one[1]}
        self._show_fading()

    async def run(self) -> None:
        """Report until cancelled."""
        backoff = Backoff(draw=random.random, first=0.1, low=0.2, high=2.0)
        control: Control | None = None
        while True:
            await self._poked.wait()
            self._poked.clear()
            if control is None:
                address = self.find_control()
                control = Control(address) if address else None
            if control is None:
                continue
            try:
                content = self._content()
                acknowledged = await control.report(self.node, content)
                self._counters.told(content["counters"])
                self._acknowledge(acknowledged)
                backoff.reset()
            except RouterFailed as error:
                self.told.problems.note("report", f"a report did not reach control: {error}")
                control.close()
                control = None
                await asyncio.sleep(backoff.next_delay())
                self.poke()
            else:
                self.told.problems.mend("report")

    async def say_goodbye(self) -> None:
        """Tell control that this node's Envoy has ended on purpose; what it does not hear, it finds out later."""
        address = self.find_control()
        if address is not None:
            await say_goodbye(address, self.node, self._content())

    def _acknowledge(self, identifiers: tuple[str, ...]) -> None:
        if not identifiers:
            return
        pending = self.told.serving.pending_moves()
        self._fading |= {one: (pending[one], self.revision) for one in identifiers if one in pending}
        self._show_fading()
        try:
            self.told.serving.acknowledge(identifiers)
        except OSError as error:
            self.told.problems.note("journal", f"{self.state.local_moves}: {error}")

    def _show_fading(self) -> None:
        self.told.serving.fading = {name: move for name, (move, _) in self._fading.items()}

    def _content(self) -> dict[str, Any]:
        told = self.told
        serving = told.serving.serving
        digest = told.serving.in_force if told.supervisor.state is EnvoyState.RUNNING else None
        return render(
            node=self.node,
            revision=self.revision,
            in_force=InForce(
                snapshot=digest,
                weights_version=self.weights_version if digest else 0,
                entry=str(serving.entry) if serving else None,
            ),
            supervisor=told.supervisor,
            problems=told.problems,
            refusal=self.refusal,
            local_moves=told.serving.pending_moves().values(),
            traffic=self._traffic,
            counters=self._counters.untold(),
            aws=told.aws.report(),
            shares=told.shares.report(),
            certificates=told.tls.report(),
            at=datetime.now(UTC).isoformat(),
        )
