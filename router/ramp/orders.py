"""What people order a ramp to do, and when an order makes no sense.

Every order is accepted in any phase: one that changes nothing gives the same state. `refusal` is for whoever answers
the person.
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from ..release.values import Ramp
from ..weight import LEGACY_ONLY
from .events import Command, Decision, Note, Order, Shifted
from .moving import go_on, leave, roll_back, wanted
from .state import Phase, RampState


def ordered(ramp: Ramp, state: RampState, order: Order, now: datetime) -> Decision:  # noqa: PLR0911 - an order each
    """What the ramp does at a person's order."""
    if order.command is Command.ROLLBACK:
        return roll_back(ramp, state, f"ordered by {order}", now)
    if state.is_over:
        return Decision(state=state)
    match order.command:
        case Command.APPROVE:
            return _approved(ramp, state, order, now)
        case Command.PAUSE:
            return _noted(replace(state, paused=str(order)), f"paused by {order}", state)
        case Command.RESUME:
            return _resumed(ramp, state, order, now)
        case Command.FREEZE:
            return _noted(replace(state, frozen=str(order)), f"frozen by {order}", state)
        case Command.THAW:
            if not state.frozen:
                return Decision(state=state)
            thawed = replace(state, frozen="")
            return _then(_noted(thawed, f"thawed by {order}", state), go_on(ramp, thawed, now))
        case Command.ABORT:
            return _ended(ramp, state, f"aborted by {order}", now)
        case _:
            assert_never(order.command)


def shifted(ramp: Ramp, state: RampState, event: Shifted, now: datetime) -> Decision:
    """The ramp ends where somebody moved the weight to, with all its routes; a shift upwards is not followed."""
    weight = min(state.weight, event.weight)
    if state.is_over:
        after = replace(state, weight=weight)
        return Decision(state=after)
    by = f"{event.actor}: {event.reason}" if event.reason else event.actor
    return _ended(ramp, replace(state, weight=weight, moved_at=now), f"shifted to {weight} by {by}", now)


def refusal(state: RampState, command: Command) -> str:
    """Why the order makes no sense now, in a sentence; empty when it does."""
    if command is not Command.ROLLBACK and state.is_over:
        return f"the ramp is {state.phase.value} since {state.since:%Y-%m-%d %H:%M} UTC"
    if command is Command.APPROVE and state.phase is not Phase.APPROVAL:
        return f"nothing waits for approval: the ramp is {state.phase.value}"
    if command is Command.RESUME and not state.paused and state.phase is not Phase.HELD:
        return "it is neither paused nor held" + (": it is frozen, use thaw" if state.frozen else "")
    return ""


def _approved(ramp: Ramp, state: RampState, order: Order, now: datetime) -> Decision:
    if state.phase is not Phase.APPROVAL:
        return Decision(state=state)
    left = leave(ramp, state, now)
    note = Note(text=f"approved by {order}")
    following = go_on(ramp, left.state, now)
    return Decision(state=following.state, actions=(note, *left.actions, *following.actions))


def _resumed(ramp: Ramp, state: RampState, order: Order, now: datetime) -> Decision:
    """The pause ends; a ramp that was held after a breach gathers new evidence before it moves."""
    if not state.paused and state.phase is not Phase.HELD:
        return Decision(state=state)
    after = replace(state, paused="")
    if state.phase is Phase.HELD:
        step = ramp.steps[state.step]
        is_there = state.weight == step.weight and not step.is_approval
        needs_proof = not is_there and state.weight > LEGACY_ONLY
        after = replace(
            after,
            phase=Phase.HOLDING if is_there else Phase.WAITING,
            since=now,
            window=state.window + 1,
            evidence_since=now if state.evidence_since else None,
            doubt="resumed after a breach: a pass at the present weight is needed first" if needs_proof else "",
            outcome="",
            reason="resumed",
        )
    return _then(_noted(after, f"resumed by {order}", state), go_on(ramp, after, now))


def _ended(ramp: Ramp, state: RampState, reason: str, now: datetime) -> Decision:
    """The ramp is over at the weight it has; shadow and cohort end with it."""
    after = replace(state, phase=Phase.ABORTED, since=now, shadow=0, cohort=None, doubt="", paused="", reason=reason)
    return Decision(state=after, actions=(*wanted(ramp, after), Note(text=f"{reason}; it stays at {after.weight}")))


def _noted(after: RampState, text: str, before: RampState) -> Decision:
    return Decision(state=after, actions=(Note(text=text),) if after != before else ())


def _then(first: Decision, second: Decision) -> Decision:
    return Decision(state=second.state, actions=(*first.actions, *second.actions))
