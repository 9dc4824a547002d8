"""Lets a release run: the machine decides, the judge judges, and time passes as fast as nothing happens.

The gate looks once a second at first, then ever more seldom, as its evidence grows: what it says hangs together over
looks anyway, and nothing but time is saved by it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from ..gate.evidence import RouteEvidence, SideEvidence
from ..gate.judge import judge
from ..gate.verdict import Verdict
from ..gate.window import Window
from ..ramp.events import Command, Decision, Event, InForce, Judged, Note, Order, RouteVerdict, SetWeight, Tick, Warmed
from ..ramp.machine import begin, decide, due
from ..ramp.state import Phase, RampState
from ..release.values import Ramp, Release
from ..weight import LEGACY_ONLY, Weight
from .counting import VERSION, Counting, RouteCounts
from .crowd import crowd
from .outcome import Ending, Look, Moment, RouteRun, Simulation
from .traffic import Traffic

_WARMING_SECONDS = 5.0
_RECENT_SECONDS = (10.0, 120.0)
_LOOKS_GROW = 0.12
_ENDINGS = {Phase.COMPLETED: Ending.COMPLETED, Phase.ROLLED_BACK: Ending.ROLLED_BACK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a simulation goes about: when it begins, when approvals come (None: never), and when it is given up.

    `salts` by route, as the estate has them; a route that is not in it is split by its name.
    """

    begins: datetime
    approves_after_seconds: float | None = 0.0
    patience_seconds: float = 30 * 86_400.0
    salts: tuple[tuple[str, str], ...] = ()


Progress = Callable[[str], None]


def simulate(release: Release, traffic: Traffic, course: Course, progress: Progress = lambda _text: None) -> Simulation:
    """What the release would do. `progress` is told of each moment as it happens."""
    runs = tuple(run for ramp in release.ramps for run in _Run(ramp, traffic, course, progress).to_its_end())
    return Simulation(release=release.name, traffic=traffic, runs=runs)


@dataclass(slots=True)
class _Seen:
    """What is known of one route: what counts for the step, what was counted lately, and legacy's last good side.

    Times are seconds since the weight is in force.
    """

    counting: Counting
    counts: RouteCounts = field(default_factory=RouteCounts)
    lately: list[tuple[float, RouteCounts]] = field(default_factory=list)
    latest: SideEvidence | None = None
    baseline: SideEvidence | None = None
    looks: list[Look] = field(default_factory=list)

    def begin(self) -> None:
        """Forget the step's evidence; legacy's side of it stays as the baseline."""
        self.baseline = self.latest or self.baseline
        self.counts, self.lately, self.latest = RouteCounts(), [], None

    def go_on(self, weight: Weight, begun: float, ends: float, warm_up: float) -> None:
        """Let the users do what they do between two looks; what was done lately is kept apart."""
        cuts = sorted({begun, ends, *(cut for cut in self._cuts(ends, warm_up) if begun < cut < ends)})
        for start, end in pairwise(cuts):
            part = self.counting.count(weight, end - start)
            self.lately.append((start, part))
            if start >= warm_up:
                self.counts.add(part)
        self.lately = [one for one in self.lately if one[0] >= ends - max(_RECENT_SECONDS)]

    def recent(self, now: float) -> tuple[RouteEvidence, ...]:
        """What was counted in the last seconds, for each length that the breaker looks back; it asks no latencies."""
        found = []
        for length in _RECENT_SECONDS:
            whole = RouteCounts()
            for start, part in self.lately:
                if start >= now - length:
                    whole.add_requests(part)
            found.append(whole.evidence())
        return tuple(found)

    def _cuts(self, ends: float, warm_up: float) -> tuple[float, ...]:
        return (warm_up, *(ends - length for length in _RECENT_SECONDS))


class _Run:
    """One ramp from its beginning to its end."""

    def __init__(self, ramp: Ramp, traffic: Traffic, course: Course, progress: Progress) -> None:
        self._ramp, self._course, self._progress = ramp, course, progress
        salts = dict(course.salts)
        together = ramp.name if ramp.is_group else None
        self._seen = {
            route: _Seen(Counting(crowd(traffic, salts.get(route, together or route)), traffic, route))
            for route in ramp.routes
        }
        self._now = course.begins
        self._window = -1
        self._moved = course.begins
        self._moments: list[Moment] = []
        self._highest = self._weight = ramp.start
        self._state = self._taken(begin(ramp, self._now))

    def to_its_end(self) -> tuple[RouteRun, ...]:
        """The runs of the ramp's routes."""
        while not self._is_over():
            self._go_on()
        state = self._state
        ending = _ENDINGS.get(state.phase, Ending.HELD)
        return tuple(
            RouteRun(
                route=route,
                ramp=self._ramp.name,
                ending=ending,
                seconds=self._seconds(),
                highest=self._highest,
                reason=state.reason,
                moments=tuple(self._moments),
                looks=tuple(self._seen[route].looks),
            )
            for route in self._ramp.routes
        )

    def _is_over(self) -> bool:
        state = self._state
        nobody = state.phase is Phase.APPROVAL and self._course.approves_after_seconds is None
        impatient = self._now - self._moved > timedelta(seconds=self._course.patience_seconds)
        return state.is_over or state.phase is Phase.HELD or nobody or impatient

    def _go_on(self) -> None:
        state = self._state
        if state.evidence_since is None and state.weight > LEGACY_ONLY:
            self._tell(InForce(weight=state.weight))
            return
        wakes = self._wakes(state)
        look = self._next_look(state)
        then = min((one for one in (wakes, look) if one is not None), default=None)
        if then is None:
            self._now += timedelta(seconds=self._course.patience_seconds + 1)
            return
        self._count(state, (then - self._now).total_seconds())
        self._now = then
        if then == look:
            self._look(state)
        if self._state == state and then == wakes:
            self._tell(self._woken(state))

    def _wakes(self, state: RampState) -> datetime | None:
        """When something other than a look is next."""
        match state.phase:
            case Phase.READYING:
                return state.since + timedelta(seconds=_WARMING_SECONDS)
            case Phase.APPROVAL:
                return state.since + timedelta(seconds=self._course.approves_after_seconds or 0.0)
            case _:
                then = due(self._ramp, state, self._now)
                return then if then is not None and (then > self._now or not self._judges(state)) else None

    def _woken(self, state: RampState) -> Event:
        match state.phase:
            case Phase.READYING:
                return Warmed()
            case Phase.APPROVAL:
                return Order(command=Command.APPROVE, actor="simulated", reason="after the time that was asked for")
            case _:
                return Tick()

    def _judges(self, state: RampState) -> bool:
        return state.weight > LEGACY_ONLY and state.evidence_since is not None

    def _next_look(self, state: RampState) -> datetime | None:
        if not self._judges(state) or state.evidence_since is None:
            return None
        elapsed = (self._now - state.evidence_since).total_seconds()
        warm_up = self._ramp.gate.warm_up_seconds
        later = elapsed + max(1.0, elapsed * _LOOKS_GROW)
        hold = self._ramp.steps[state.step].hold_seconds
        stops = [one for one in (warm_up, hold) if elapsed < one < later]
        return state.evidence_since + timedelta(seconds=min([later, *stops]))

    def _count(self, state: RampState, seconds: float) -> None:
        """Let the users do what they do until then; what counts as recent is counted apart."""
        if not self._judges(state) or state.evidence_since is None:
            return
        if state.window != self._window:
            self._window = state.window
            for seen in self._seen.values():
                seen.begin()
        begun = (self._now - state.evidence_since).total_seconds()
        for seen in self._seen.values():
            seen.go_on(state.weight, begun, begun + seconds, self._ramp.gate.warm_up_seconds)

    def _look(self, state: RampState) -> None:
        verdicts = tuple(RouteVerdict(route=route, verdict=self._verdict(route, state)) for route in self._ramp.routes)
        self._tell(Judged(window=state.window, verdicts=verdicts))

    def _verdict(self, route: str, state: RampState) -> Verdict:
        seen, gate = self._seen[route], self._ramp.gate
        evidence = seen.counts.evidence()
        elapsed = (self._now - (state.evidence_since or self._now)).total_seconds()
        legacy = evidence.legacy
        if legacy.requests >= gate.minimum_requests and legacy.buckets_seen >= gate.minimum_users:
            seen.latest = legacy
        window = Window(
            evidence=evidence,
            weight=state.weight,
            elapsed_seconds=elapsed,
            step=state.step,
            steps=len(self._ramp.steps),
            recent=seen.recent(elapsed),
            version=VERSION,
            holdback=state.phase is Phase.HOLDING and self._ramp.steps[state.step].holdback > 0,
            baseline=seen.baseline,
        )
        verdict = judge(gate, window)
        look = Look(
            seconds=self._seconds(),
            step=state.step,
            elapsed_seconds=elapsed,
            weight=state.weight,
            verdict=verdict,
        )
        seen.looks.append(look)
        return verdict

    def _tell(self, event: Event) -> None:
        self._state = self._taken(decide(self._ramp, self._state, event, self._now))

    def _taken(self, decision: Decision) -> RampState:
        state = decision.state
        for action in decision.actions:
            if isinstance(action, SetWeight) and action.weight != self._weight:
                self._weight, self._moved = action.weight, self._now
            if isinstance(action, Note):
                self._tell_of(action.text)
        if self._moments and self._moments[-1].weight != self._weight:
            self._tell_of(state.reason)
        self._highest = max(self._highest, state.weight)
        return state

    def _tell_of(self, text: str) -> None:
        self._moments.append(Moment(seconds=self._seconds(), weight=self._weight, text=text))
        self._progress(text)

    def _seconds(self) -> float:
        return (self._now - self._course.begins).total_seconds()
