"""Moves that a ramp makes by itself: into a step, along a glide, out of a step, and back to legacy.

One rule: a move towards Lambda is made in an open window, with nobody's pause or freeze against it, and with no doubt
about what passed before. A move towards legacy asks nothing.
"""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from strangler_fig.units import format_seconds

from ..release.values import Ramp, Step, format_hold
from ..weight import LAMBDA_ONLY, LEGACY_ONLY, Weight
from .events import Action, Decision, Note, ReadyForRetirement, SetCohort, SetShadow, SetWeight, Warm
from .state import Phase, RampState

GLIDE_MOVES = 20
"""A glide is at most so many changes of weight: each is recorded, and each brings new users whom the gate must see."""


RESTARTED = "restarted"
"""What stands for the last verdict's outcome after evidence was thrown away."""


def go_on(ramp: Ramp, state: RampState, now: datetime) -> Decision:
    """What the ramp does by itself at this moment, as far as it gets."""
    actions: tuple[Action, ...] = ()
    while (following := _next(ramp, state, now)).state != state:
        state, actions = following.state, (*actions, *following.actions)
    return Decision(state=state, actions=actions)


def leave(ramp: Ramp, state: RampState, now: datetime) -> Decision:
    """The step is done: the next one is waited for, or the ramp is complete."""
    step = ramp.steps[state.step]
    if state.step + 1 < len(ramp.steps):
        following = ramp.steps[state.step + 1]
        after = replace(
            state, step=state.step + 1, phase=Phase.WAITING, since=now, is_readied=False, outcome="", reason=""
        )
        return Decision(state=after, actions=(Note(text=f"step {step.number} ({step}) is done; next is {following}"),))
    after = replace(state, phase=Phase.COMPLETED, since=now, shadow=0, cohort=None, reason="every step is done")
    retired = (ReadyForRetirement(routes=ramp.routes),) if state.weight == LAMBDA_ONLY else ()
    note = Note(text=f"completed at {state.weight}")
    return Decision(state=after, actions=(*_changes(ramp, state, after), note, *retired))


def roll_back(ramp: Ramp, state: RampState, reason: str, now: datetime) -> Decision:
    """Everybody back to legacy, at once and from anywhere; ordered again it gives the same."""
    after = replace(
        state,
        phase=Phase.ROLLED_BACK,
        weight=LEGACY_ONLY,
        since=now,
        moved_at=now,
        window=state.window + 1,
        evidence_since=None,
        shadow=0,
        cohort=None,
        doubt="",
        reason=reason,
    )
    return Decision(
        state=after, actions=(*wanted(ramp, after), Note(text=f"rolled back from {state.weight}: {reason}"))
    )


def restart(ramp: Ramp, state: RampState, reason: str, now: datetime) -> Decision:
    """The step's evidence and its hold begin again; between steps a pass at the present weight is needed first."""
    is_holding = state.phase is Phase.HOLDING
    is_doubtful = not is_holding and state.weight > LEGACY_ONLY
    after = replace(
        state,
        window=state.window + 1,
        evidence_since=now if state.evidence_since else None,
        since=now if is_holding else state.since,
        outcome=RESTARTED,
        doubt=reason if is_doubtful else state.doubt,
        reason=reason if is_holding else state.reason,
    )
    following = go_on(ramp, after, now)
    notes = () if state.outcome == RESTARTED else (Note(text=reason),)  # two versions that take turns are told once
    return Decision(state=following.state, actions=(*notes, *following.actions))


def wanted(ramp: Ramp, state: RampState) -> tuple[Action, ...]:
    """The actions that make the world what the state wants; carried out twice they change nothing.

    None of them needs a record first: the state that wants them is one.
    """
    step = ramp.steps[state.step]
    actions: tuple[Action, ...] = (
        SetWeight(routes=ramp.routes, weight=state.weight, is_upward=False),
        SetShadow(routes=ramp.routes, parts=state.shadow),
        SetCohort(routes=ramp.routes, cohort=state.cohort),
    )
    if state.phase is Phase.READYING and step.ready:
        actions += (Warm(routes=ramp.routes, ready=step.ready, weight=step.weight),)
    return actions


def blocked(ramp: Ramp, state: RampState, now: datetime) -> str:
    """Why no move towards Lambda may be made now; empty when it may."""
    if state.paused:
        return f"paused by {state.paused}"
    if state.frozen:
        return f"frozen by {state.frozen}"
    if state.doubt:
        return state.doubt
    if ramp.windows.is_open(now):
        return ""
    freeze = ramp.windows.freeze_at(now)
    why = f"change freeze{f' ({freeze.reason})' if freeze.reason else ''}" if freeze else "the window is closed"
    opening = ramp.windows.next_open(now)
    return f"{why}; it opens {opening:%Y-%m-%d %H:%M} UTC" if opening else f"{why} and opens no more"


def due(ramp: Ramp, state: RampState, now: datetime) -> datetime | None:
    """When the ramp next does something by itself at the earliest; None: it waits for a person, a node or a verdict."""
    step = ramp.steps[state.step]
    match state.phase:
        case Phase.WAITING:
            return None if state.stops or state.doubt else ramp.windows.next_open(now)
        case Phase.GLIDING:
            moving = max(now, state.moved_at + _glide_interval(ramp, state))
            return None if state.stops or state.doubt else ramp.windows.next_open(moving)
        case Phase.HOLDING:
            return hold_ends(step, state)
        case Phase.READYING | Phase.APPROVAL | Phase.HELD | Phase.ROLLED_BACK | Phase.ABORTED | Phase.COMPLETED:
            return None
        case _:
            assert_never(state.phase)


def hold_ends(step: Step, state: RampState) -> datetime | None:
    """When the step was held for its time; None while its weight is not in force."""
    return state.since + timedelta(seconds=step.hold_seconds) if state.evidence_since else None


def _next(ramp: Ramp, state: RampState, now: datetime) -> Decision:
    """The next move alone; the same state when there is none."""
    match state.phase:
        case Phase.WAITING:
            return _enter(ramp, state, now)
        case Phase.GLIDING:
            return _glide(ramp, state, now)
        case Phase.HOLDING:
            step = ramp.steps[state.step]
            ends = hold_ends(step, state)
            if step.needs_pass or ends is None or now < ends:
                return Decision(state=state)
            return leave(ramp, state, now)
        case Phase.READYING | Phase.APPROVAL | Phase.HELD | Phase.ROLLED_BACK | Phase.ABORTED | Phase.COMPLETED:
            return Decision(state=state)
        case _:
            assert_never(state.phase)


def _enter(ramp: Ramp, state: RampState, now: datetime) -> Decision:
    step = ramp.steps[state.step]
    if step.is_approval:
        after = replace(state, phase=Phase.APPROVAL, since=now, reason="a person must approve")
        return Decision(state=after, actions=(Note(text=f"step {step.number} waits for approval"),))
    if reason := blocked(ramp, state, now):
        return Decision(state=replace(state, reason=reason))
    if step.ready and not state.is_readied:
        after = replace(state, phase=Phase.READYING, since=now, reason="making ready")
        return Decision(state=after, actions=(Warm(routes=ramp.routes, ready=step.ready, weight=step.weight),))
    if step.glide_seconds and state.weight < step.weight:
        after = replace(
            state,
            phase=Phase.GLIDING,
            since=now,
            moved_at=now,
            shadow=step.shadow,
            cohort=step.cohort,
            reason=f"gliding to {step.weight} in {format_seconds(step.glide_seconds)}",
        )
        return Decision(state=after, actions=(*_changes(ramp, state, after), Note(text=after.reason)))
    return _hold(ramp, state, now)


def _hold(ramp: Ramp, state: RampState, now: datetime) -> Decision:
    """The step's own weight, held from when it is in force."""
    step = ramp.steps[state.step]
    is_moved = state.weight != step.weight
    after = replace(
        state,
        phase=Phase.HOLDING,
        weight=step.weight,
        since=now,
        moved_at=now if is_moved else state.moved_at,
        window=state.window + 1,
        evidence_since=None if is_moved else now,
        shadow=step.shadow,
        cohort=step.cohort,
        outcome="",
        reason=f"holding for {format_hold(step.hold_seconds)}",
    )
    note = Note(text=f"step {step.number}: {step}, held for {format_hold(step.hold_seconds)}")
    return Decision(state=after, actions=(*_changes(ramp, state, after), note))


def _glide(ramp: Ramp, state: RampState, now: datetime) -> Decision:
    """One move of the glide when it is due; never two at once, however late it is."""
    if reason := blocked(ramp, state, now):
        return Decision(state=replace(state, reason=reason))
    if state.moved_at + _glide_interval(ramp, state) > now or (state.moved_at > state.since and not _seen(state)):
        return Decision(state=state)
    step = ramp.steps[state.step]
    weight = Weight(min(step.weight.parts, state.weight.parts + _glide_parts(ramp, state)))
    if weight == step.weight:
        return _hold(ramp, state, now)
    after = replace(
        state,
        weight=weight,
        moved_at=now,
        window=state.window + 1,
        evidence_since=None,
        reason=f"gliding to {step.weight}",
    )
    return Decision(state=after, actions=_changes(ramp, state, after))


def _seen(state: RampState) -> bool:
    return state.evidence_since is not None


def _glide_parts(ramp: Ramp, state: RampState) -> int:
    return max(1, math.ceil(_glide_distance(ramp, state) / GLIDE_MOVES))


def _glide_interval(ramp: Ramp, state: RampState) -> timedelta:
    """How long a glide rests at each weight: so that it takes its time when every move is made when it is due."""
    distance = _glide_distance(ramp, state)
    seconds = ramp.steps[state.step].glide_seconds
    return timedelta(seconds=seconds * _glide_parts(ramp, state) / distance) if distance else timedelta()


def _glide_distance(ramp: Ramp, state: RampState) -> int:
    """Parts from the step before to this one."""
    before = ramp.steps[state.step - 1].weight if state.step else ramp.start
    return ramp.steps[state.step].weight.parts - before.parts


def _changes(ramp: Ramp, before: RampState, after: RampState) -> tuple[Action, ...]:
    """The actions for what the new state wants otherwise than the old one."""
    actions: list[Action] = []
    if after.weight != before.weight:
        actions.append(SetWeight(routes=ramp.routes, weight=after.weight, is_upward=after.weight > before.weight))
    if after.shadow != before.shadow:
        actions.append(SetShadow(routes=ramp.routes, parts=after.shadow))
    if after.cohort != before.cohort:
        actions.append(SetCohort(routes=ramp.routes, cohort=after.cohort))
    return tuple(actions)
