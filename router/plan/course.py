"""When each step can come at the earliest: the machine runs through its steps with a gate that passes in time.

It is the machine that control runs, so windows, holds, glides and clock changes count as they will; only people's
approvals take no time, because nobody knows theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..gate.verdict import Baseline, Code, Outcome, Reason, Verdict
from ..ramp.events import Command, Event, InForce, Judged, Order, RouteVerdict, Tick, Warmed
from ..ramp.machine import begin, decide, due
from ..ramp.state import Phase, RampState
from ..release.values import Ramp
from ..weight import LEGACY_ONLY

_MOST_EVENTS = 10_000
_PASS = Verdict(outcome=Outcome.PASS, reasons=(Reason(code=Code.KEPT, words="assumed"),), baseline=Baseline.SAME_WINDOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a step is in force (for an approval: asked for), and after how many approvals whose time nobody knows.

    `is_least`: it comes no sooner, and perhaps never, because a gate before it may not decide.
    """

    at: datetime
    approvals: int
    is_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When each step comes, by its index; one that never comes is not in it. `ends`: when all is done, if ever."""

    arrivals: Mapping[int, Arrival]
    ends: Arrival | None


def course(ramp: Ramp, begins: datetime, verdict_seconds: Mapping[int, float | None], longest_seconds: float) -> Course:
    """The earliest course. `verdict_seconds` by the step's index: how long its verdict needs.

    None: it does not come within `longest_seconds`; what follows comes no sooner then, if ever.
    """
    arrivals: dict[int, Arrival] = {}
    needs = {index: longest_seconds if one is None else one for index, one in verdict_seconds.items()}
    last = min((index for index, one in verdict_seconds.items() if one is None), default=len(ramp.steps))
    state, now, approvals = begin(ramp, begins).state, begins, 0
    for _event in range(_MOST_EVENTS):
        here = Arrival(
            at=now, approvals=approvals, is_least=state.step > last or (state.is_over and state.step >= last)
        )
        if state.phase in {Phase.HOLDING, Phase.APPROVAL}:
            arrivals.setdefault(state.step, here)
        if state.is_over:
            return Course(arrivals=arrivals, ends=here)
        approvals += state.phase is Phase.APPROVAL
        found = _next(ramp, state, now, needs)
        if found is None:
            break
        now, event = found
        state = decide(ramp, state, event, now).state
    return Course(arrivals=arrivals, ends=None)


def _next(
    ramp: Ramp, state: RampState, now: datetime, verdict_seconds: Mapping[int, float]
) -> tuple[datetime, Event] | None:
    """What happens next, and when; None: nothing ever does."""
    if state.evidence_since is None and state.weight > LEGACY_ONLY:
        return now, InForce(weight=state.weight)
    if state.phase is Phase.READYING:
        return now, Warmed()
    if state.phase is Phase.APPROVAL:
        return now, Order(command=Command.APPROVE, actor="assumed")
    step = ramp.steps[state.step]
    if state.phase is Phase.HOLDING and step.needs_pass:
        needs = 0.0 if ramp.gate.dry_run else verdict_seconds.get(state.step, 0.0)  # only looked at, time promotes
        verdicts = tuple(RouteVerdict(route=route, verdict=_PASS) for route in ramp.routes)
        then = state.since + timedelta(seconds=max(step.hold_seconds, needs))
        return max(now, then), Judged(window=state.window, verdicts=verdicts)
    then_or_never = due(ramp, state, now)
    return None if then_or_never is None else (max(now, then_or_never), Tick())
