"""Runs the ramps of all releases: each second, and whenever evidence arrives, every ramp is looked at.

A look is quick and waits for nothing: it judges, decides, and lowers weights at once. What moves towards Lambda is
recorded in a task of its own, one for each ramp, so that a slow disk never keeps another ramp's breaker from acting.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import LedgerFailed
from ..ledger.records import Kind, RampKey, Step
from ..ramp.events import Action, Decision, Event, InForce, Shifted, Tick, Versions, Warmed
from ..ramp.machine import decide
from ..ramp.state import Phase
from .deciding import Decided, Deciding, Wanted
from .evidence import Evidence
from .evidence_keeping import EvidenceKeeping
from .judging import Judging, Look, window_key
from .keeper import Keeper
from .nodes import Nodes, runs
from .ramp_steps import Cause
from .running import Live, Running
from .state import weight_of
from .warming import Warming

_RECALLED = 500
"""How many of a release's last entries are looked through for a baseline."""

_LONGEST_REST_SECONDS = 1.0
"""The breaker acts within two seconds of the first failures' evidence, also when it came just after a long look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the loop asks."""

    keeper: Keeper
    nodes: Nodes
    evidence: Evidence
    judging: Judging
    running: Running
    deciding: Deciding
    warming: Warming
    keeping: EvidenceKeeping


@dataclass(slots=True)
class Ramping:
    """The loop. `now` is the wall clock; `looks` has what the last look at each ramp found, for those who ask."""

    parts: Parts
    now: Callable[[], datetime]
    every_seconds: float = 1.0
    looks: dict[RampKey, Look] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _recording: dict[RampKey, asyncio.Task[None]] = field(default_factory=dict)
    _writing: set[asyncio.Task[None]] = field(default_factory=set)

    def wake(self) -> None:
        """Look again at once: evidence came, or somebody decided."""
        self._heard.set()

    async def run(self) -> None:
        """Look at every ramp for as long as the process runs."""
        try:
            await asyncio.to_thread(self.recall)
        except LedgerFailed as error:  # without a baseline some verdicts are inconclusive; the breaker needs none
            sys.stderr.write(f"control: {error}\n")
        try:
            while True:
                await asyncio.sleep(await self._look_around())
                try:
                    async with asyncio.timeout(self.every_seconds):
                        await self._heard.wait()
                except TimeoutError:  # time alone ends holds and opens windows
                    pass
                self._heard.clear()
        finally:
            for task in (*self._recording.values(), *self._writing):
                task.cancel()

    def recall(self) -> None:
        """Find in the ledger what each ramp's window had counted, and legacy's last baseline, after a restart; blocks.

        Raises `LedgerFailed`.
        """
        ledger = self.parts.keeper.ledger
        lives = list(self.parts.running.live(self.parts.keeper.desired))
        self.parts.keeping.recall(lives)
        for live in lives:
            entries = ledger.history(release=live.release.name, limit=_RECALLED)
            for route in live.ramp.routes:
                named = (one.evidence for one in entries if one.kind is Kind.STEP and one.route == route)
                texts = (ledger.document(digest) for digest in named if digest is not None)
                next((text for text in texts if text and self.parts.judging.remember(live, route, text)), None)

    def keep_evidence(self) -> None:
        """Keep what was counted, because this process ends; blocks."""
        self.parts.keeping.write(self.parts.keeping.now(self.parts.running.live(self.parts.keeper.desired)))

    async def settled(self) -> None:
        """Return when what was decided is written."""
        while tasks := (*self._recording.values(), *self._writing):
            await asyncio.gather(*tasks)

    def told_problems(self) -> tuple[str, ...]:
        """What is wrong with running releases, in words."""
        unread = (one.problem for one in self.parts.running.unread(self.parts.keeper.desired))
        return (*self.problems, *dict.fromkeys(unread), *self.parts.judging.problems.values())

    def look(self) -> None:
        """Look at every ramp once."""
        for key in self._begin():
            self._look(key)

    async def _look_around(self) -> float:
        """The same, and between two ramps let those be served who wait; for how many seconds not to look again.

        Every node's report asks for a look. With many nodes and ramps looks would be all that control does: the rest
        is as long as the look was.
        """
        began = time.monotonic()
        for key in self._begin():
            self._look(key)
            await asyncio.sleep(0)
        return min(time.monotonic() - began, _LONGEST_REST_SECONDS)

    def _begin(self) -> list[RampKey]:
        """The ramps to look at; what is known of others is dropped."""
        lives = list(self.parts.running.live(self.parts.keeper.desired))
        self.parts.evidence.close(window_key(live) for live in lives)
        if (counted := self.parts.keeping.due(lives)) is not None:
            self._later(asyncio.to_thread(self.parts.keeping.write, counted))
        self.looks = {key: look for key, look in self.looks.items() if key in {live.key for live in lives}}
        return [live.key for live in lives if not live.state.is_over]

    def _look(self, key: RampKey) -> None:
        now, parts = self.now(), self.parts
        live = parts.running.one(parts.keeper.desired, key)
        if live is None or live.state.is_over:
            return
        parts.judging.open(live, now)
        look = parts.judging.look(live, self._serving(), now)
        if look is not None:
            self.looks[live.key] = look
        if live.state.phase is Phase.READYING:
            parts.warming.begin(live, self.wake)
        decided = Decided(live=live, decision=self._decision(live, look, now))
        if parts.deciding.only_words(decided):
            return
        document = look.document() if look else None
        wanted = Wanted(decided=(decided,), cause=Cause(at=now, evidence=document))
        if parts.deciding.is_lowering(decided):
            self._later(self._write(parts.deciding.adopt(wanted)))
        elif live.key not in self._recording:
            task = asyncio.create_task(self._record(live.key, wanted))
            self._recording[live.key] = task

    def _decision(self, live: Live, look: Look | None, now: datetime) -> Decision:
        """What all that happened makes of the ramp, one event after the other."""
        state, actions = live.state, list[Action]()
        for event in self._events(live, look):
            decision = decide(live.ramp, state, event, now)
            state = decision.state
            actions += decision.actions
        return Decision(state=state, actions=tuple(actions))

    def _events(self, live: Live, look: Look | None) -> list[Event]:
        events: list[Event] = []
        desired, state = self.parts.keeper.desired, live.state
        lowest = min((weight_of(desired, route), route) for route in live.ramp.routes)
        if lowest[0] < state.weight:
            held = desired.weights.get(lowest[1])
            return [Shifted(weight=lowest[0], actor=held.by if held else "a publish")]
        if look is not None:
            events.append(look.judged)
            if look.versions is not None:
                events.append(Versions(versions=look.versions.versions))
        if state.phase is Phase.READYING and self.parts.warming.is_done(live):
            events.append(Warmed())
        if state.evidence_since is None and self._is_in_force():
            events.append(InForce(weight=state.weight))
        return [*events, Tick()]

    def _is_in_force(self) -> bool:
        """Whether every node that may serve has the present weights."""
        nodes, desired = self.parts.nodes, self.parts.keeper.desired
        live = nodes.live()
        version, snapshot = desired.weights_version, desired.snapshot
        if not live or nodes.missed() or nodes.awaited():
            return False
        return all(runs(seen, snapshot=snapshot, weights_version=version) for seen in live)

    def _serving(self) -> tuple[str, ...]:
        nodes = self.parts.nodes
        return (*(seen.name for seen in nodes.live()), *nodes.missed())

    async def _record(self, key: RampKey, wanted: Wanted) -> None:
        try:
            if await self.parts.deciding.record_first(wanted):
                self.wake()  # the machine may go on from here
        except LedgerFailed as error:  # nothing moved; the next look tries again
            sys.stderr.write(f"control: {error}\n")
        finally:
            self._recording.pop(key, None)

    async def _write(self, step: Step) -> None:
        await self.parts.keeper.write_adopted(step)
        self.wake()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
