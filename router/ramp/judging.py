"""What a verdict does to a ramp: a pass lets it go on, a fail acts by the policy, all else holds and says why.

A group is judged as one: it passes when every route of it passes, and fails when one fails.
"""

from dataclasses import replace
from datetime import datetime

from ..gate.verdict import Baseline, Code, Outcome, Reason, Verdict
from ..release.values import OnBreach, Ramp
from ..weight import LEGACY_ONLY
from .events import Decision, Judged, Note, RouteVerdict
from .moving import go_on, hold_ends, leave, restart, roll_back, wanted
from .state import Phase, RampState

_WORST_FIRST = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.PASS)
_IN_DOUBT = "what passed is in doubt"
_MOVING = frozenset({Phase.WAITING, Phase.READYING, Phase.GLIDING, Phase.APPROVAL})


def judged(ramp: Ramp, state: RampState, event: Judged, now: datetime) -> Decision:
    """What the ramp does when it was judged; a verdict on an evidence window that is over is not heard."""
    if state.is_over or event.window != state.window:
        return Decision(state=state)
    verdict = worst(ramp, event.verdicts)
    if ramp.gate.dry_run:
        return _dry(ramp, state, event.verdicts, now)
    if verdict.outcome is Outcome.FAIL:
        return _breach(ramp, state, verdict, now)
    if verdict.verdict.restart:
        return restart(ramp, state, verdict.reason, now)
    told = _told(state, verdict, _said(ramp, verdict, event.verdicts))
    if verdict.outcome is Outcome.PASS:
        return _passed(ramp, told.state, now, told)
    return _then(told, go_on(ramp, replace(told.state, doubt=_doubt(state, verdict)), now))


def _doubt(state: RampState, verdict: RouteVerdict) -> str:
    """Why what passed is not trusted now; one that was there stays until a pass, and says what is missing for it."""
    if verdict.outcome is Outcome.ERROR and state.phase in _MOVING and state.weight > LEGACY_ONLY:
        return f"{_IN_DOUBT}: {verdict.reason}"
    if state.doubt.startswith(_IN_DOUBT):
        return f"{_IN_DOUBT}, a new pass is needed: {verdict.reason}"
    return state.doubt


def worst(ramp: Ramp, verdicts: tuple[RouteVerdict, ...]) -> RouteVerdict:
    """The verdict that decides for all routes of the ramp; a route without one is an error."""
    by_route = {one.route: one for one in verdicts}
    own = [by_route.get(route) or RouteVerdict(route=route, verdict=_missing(route)) for route in ramp.routes]
    return min(own, key=lambda one: (not one.is_disaster, _WORST_FIRST.index(one.outcome)))


def _missing(route: str) -> Verdict:
    reason = Reason(code=Code.NO_EVIDENCE, words=f"there is no verdict on route {route}")
    return Verdict(outcome=Outcome.ERROR, reasons=(reason,), baseline=Baseline.NONE)


def _said(ramp: Ramp, worst_one: RouteVerdict, verdicts: tuple[RouteVerdict, ...]) -> str:
    """Why, in a sentence: of a group the route that decides, and how many pass; or why all of them do."""
    if not ramp.is_group:
        return worst_one.reason
    if worst_one.outcome is Outcome.PASS:
        routes: dict[str, list[str]] = {}
        for one in verdicts:
            routes.setdefault(one.reason, []).append(one.route)
        if len(routes) == 1:
            return f"each of {len(ramp.routes)} routes: {worst_one.reason}"
        return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in routes.items())
    passing = sum(one.outcome is Outcome.PASS for one in verdicts)
    rest = f"; {passing} of {len(ramp.routes)} routes pass" if passing else ""
    return f"route {worst_one.route}: {worst_one.reason}{rest}"


def _told(state: RampState, verdict: RouteVerdict, said: str) -> Decision:
    """The state that says what the verdict was; a change of outcome is noted once."""
    reason = said if state.phase is Phase.HOLDING else state.reason
    after = replace(state, outcome=verdict.outcome.value, reason=reason)
    if after.outcome == state.outcome:
        return Decision(state=after)
    return Decision(state=after, actions=(Note(text=f"{verdict.outcome.value}: {said}"),))


def _passed(ramp: Ramp, state: RampState, now: datetime, told: Decision) -> Decision:
    state = replace(state, doubt="")
    step = ramp.steps[state.step]
    ends = hold_ends(step, state)
    if state.phase is Phase.HOLDING and step.needs_pass and ends is not None and now >= ends:
        left = leave(ramp, state, now)
        return _then(told, _then(left, go_on(ramp, left.state, now)))
    return _then(told, go_on(ramp, state, now))


def _dry(ramp: Ramp, state: RampState, verdicts: tuple[RouteVerdict, ...], now: datetime) -> Decision:
    """A gate that only looks: it says what it would have done, and the ramp goes on by time."""
    verdict = worst(ramp, verdicts)
    would = ""
    if verdict.outcome is Outcome.FAIL:
        act = OnBreach.ROLLBACK if verdict.is_disaster else ramp.on_breach
        would = f"the breach policy ({act.value}) would have acted: "
    told = _told(state, verdict, f"dry run: {would}{_said(ramp, verdict, verdicts)}")
    return _passed(ramp, told.state, now, told)


def _breach(ramp: Ramp, state: RampState, verdict: RouteVerdict, now: datetime) -> Decision:
    reason = f"route {verdict.route}: {verdict.reason}" if ramp.is_group else verdict.reason
    state = replace(state, outcome=Outcome.FAIL.value)
    if verdict.is_disaster or ramp.on_breach is OnBreach.ROLLBACK:
        return roll_back(ramp, state, reason, now)
    if ramp.on_breach is OnBreach.STEP_BACK:
        return _step_back(ramp, state, reason, now)
    if state.phase is Phase.HELD:
        return Decision(state=replace(state, reason=reason))
    after = replace(state, phase=Phase.HELD, since=now, reason=reason)
    return Decision(state=after, actions=(Note(text=f"held at {state.weight}: {reason}"),))


def _step_back(ramp: Ramp, state: RampState, reason: str, now: datetime) -> Decision:
    """The last step with a lower weight (else where the ramp began), held until a person resumes; else legacy."""
    lower = [
        index
        for index, step in enumerate(ramp.steps[: state.step + 1])
        if step.needs_pass and LEGACY_ONLY < step.weight < state.weight
    ]
    if not lower and not LEGACY_ONLY < ramp.start < state.weight:
        return roll_back(ramp, state, reason, now)
    index = lower[-1] if lower else 0
    step = ramp.steps[index]
    weight = step.weight if lower else ramp.start
    after = replace(
        state,
        step=index,
        phase=Phase.HELD,
        weight=weight,
        since=now,
        moved_at=now,
        window=state.window + 1,
        evidence_since=None,
        shadow=step.shadow if lower else 0,
        cohort=step.cohort if lower else None,
        doubt="",
        reason=reason,
    )
    back_to = f"step {step.number} ({step})" if lower else f"where it began ({weight})"
    note = Note(text=f"back from {state.weight} to {back_to}: {reason}")
    return Decision(state=after, actions=(*wanted(ramp, after), note))


def _then(first: Decision, second: Decision) -> Decision:
    return Decision(state=second.state, actions=(*first.actions, *second.actions))
