"""Ramps, verdicts and a world that carries actions out, for tests of the machine."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from router.gate.values import Gate
from router.gate.verdict import Baseline, Code, Outcome, Reason, Verdict
from router.ramp.events import (
    Action,
    Command,
    Decision,
    Event,
    InForce,
    Judged,
    Note,
    Order,
    ReadyForRetirement,
    RouteVerdict,
    SetCohort,
    SetShadow,
    SetWeight,
    Tick,
    Warm,
)
from router.ramp.machine import begin, decide
from router.ramp.state import RampState
from router.release.values import Cohort, Ramp, Step, StepKind
from router.weight import Weight

MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR = 3600.0


def at_share(number: int, parts: int, hold: float = HOUR, **more: Any) -> Step:
    """A step that sends a share to Lambda."""
    return Step(number=number, kind=StepKind.LAMBDA, weight=Weight(parts), hold_seconds=hold, **more)


def ramp_of(*steps: Step, routes: tuple[str, ...] = ("books",), **more: Any) -> Ramp:
    """A ramp with these steps."""
    return Ramp(name=routes[0], routes=routes, is_group=len(routes) > 1, steps=steps, **({"gate": Gate()} | more))


def verdict(outcome: Outcome, *, disaster: bool = False, restart: bool = False) -> Verdict:
    """A verdict of that outcome."""
    reason = Reason(code=Code.BREAKER if disaster else Code.LIMIT, words=f"the gate says {outcome.value}")
    return Verdict(outcome=outcome, reasons=(reason,), baseline=Baseline.SAME_WINDOW, restart=restart)


PILOTS = Cohort(header="x-pilot", values=("alice",))


@dataclass(slots=True)
class World:
    """A ramp that runs: time that tests move, and what the actions made of the routes."""

    ramp: Ramp
    now: datetime = MONDAY
    weights: dict[str, int] = field(default_factory=dict)
    shadow: int = 0
    cohort: Cohort | None = None
    notes: list[str] = field(default_factory=list)
    warmed: int = 0
    retired: int = 0
    state: RampState = field(init=False)

    def __post_init__(self) -> None:
        self.weights = dict.fromkeys(self.ramp.routes, self.ramp.start.parts)
        self._take(begin(self.ramp, self.now))

    def tell(self, event: Event) -> Decision:
        """Let the event happen."""
        decision = decide(self.ramp, self.state, event, self.now)
        self._take(decision)
        return decision

    def wait(self, seconds: float) -> Decision:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self.tell(Tick())

    def in_force(self) -> Decision:
        """Let the wanted weight come into force."""
        return self.tell(InForce(weight=self.state.weight))

    def judge(self, outcome: Outcome, **more: bool) -> Decision:
        """Let the gate say the same of every route."""
        verdicts = tuple(RouteVerdict(route=route, verdict=verdict(outcome, **more)) for route in self.ramp.routes)
        return self.tell(Judged(window=self.state.window, verdicts=verdicts))

    def order(self, command: Command, reason: str = "because") -> Decision:
        """Let a person order something."""
        return self.tell(Order(command=command, actor="ann", reason=reason))

    def pass_step(self) -> None:
        """Bring the wanted weight into force, hold it for its time and pass."""
        self.in_force()
        self.wait(self.ramp.steps[self.state.step].hold_seconds)
        self.judge(Outcome.PASS)

    def carry_out(self, action: Action) -> None:
        """Make the world what the action says."""
        match action:
            case SetWeight():
                self.weights |= dict.fromkeys(action.routes, action.weight.parts)
            case SetShadow():
                self.shadow = action.parts
            case SetCohort():
                self.cohort = action.cohort
            case Warm():
                self.warmed += 1
            case Note():
                self.notes.append(action.text)
            case ReadyForRetirement():
                self.retired += 1

    def _take(self, decision: Decision) -> None:
        self.state = decision.state
        for action in decision.actions:
            self.carry_out(action)


def without_words(state: RampState) -> RampState:
    """The state but for what it says to people."""
    return replace(state, reason="", outcome="")
