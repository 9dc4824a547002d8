"""The decision: (ramp, state, event, now) to a new state and the actions that make it true. Pure and deterministic.

            begin
              │
           waiting ──► readying ──► gliding ──► holding ──► waiting for the next step ... ──► completed
              ▲  └──► awaiting approval ──┐        │ fail
              └───────────────────────────┘        ├──► held (freeze, step back) ──► resume
                                                   └──► rolled back
   A rollback is possible from everywhere, an abort until the ramp is over.

Whoever runs it records the state before an upward action and carries actions out as often as it likes; after a crash
it reads the state back and carries out `wanted`. A judged step is left on a verdict only, never by time.
"""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from ..release.values import Ramp
from ..weight import LEGACY_ONLY
from .events import Decision, Event, InForce, Judged, Order, Shifted, Tick, Versions, Warmed
from .judging import judged
from .moving import due, go_on, restart, wanted
from .orders import ordered, refusal, shifted
from .state import Phase, RampState

__all__ = ["begin", "decide", "due", "refusal", "wanted"]


def begin(ramp: Ramp, now: datetime, *, frozen: str = "") -> Decision:
    """The first state of a ramp and what it does at once. `frozen`: who froze all movement, and why."""
    state = RampState(
        step=0,
        phase=Phase.WAITING,
        weight=ramp.start,
        since=now,
        moved_at=now,
        evidence_since=now if ramp.start > LEGACY_ONLY else None,
        frozen=frozen,
    )
    return go_on(ramp, state, now)


def decide(ramp: Ramp, state: RampState, event: Event, now: datetime) -> Decision:  # noqa: PLR0911 - one line each
    """The new state after the event, and the actions that make it true; the same state when nothing follows."""
    match event:
        case Tick():
            return go_on(ramp, state, now)
        case Judged():
            return judged(ramp, state, event, now)
        case InForce():
            return _in_force(ramp, state, event, now)
        case Warmed():
            return _warmed(ramp, state, now)
        case Versions():
            return _versions(ramp, state, event, now)
        case Order():
            return ordered(ramp, state, event, now)
        case Shifted():
            return shifted(ramp, state, event, now)
        case _:
            assert_never(event)


def _in_force(ramp: Ramp, state: RampState, event: InForce, now: datetime) -> Decision:
    """The evidence of a weight begins when every live node has it; told twice, the first time counts."""
    if state.is_over or event.weight != state.weight or state.evidence_since is not None:
        return Decision(state=state)
    since = now if state.phase is Phase.HOLDING else state.since
    return go_on(ramp, replace(state, evidence_since=now, since=since, window=state.window + 1), now)


def _warmed(ramp: Ramp, state: RampState, now: datetime) -> Decision:
    if state.phase is not Phase.READYING:
        return Decision(state=state)
    return go_on(ramp, replace(state, phase=Phase.WAITING, since=now, is_readied=True, reason=""), now)


def _versions(ramp: Ramp, state: RampState, event: Versions, now: datetime) -> Decision:
    """A function version that was not judged: what it replaces proves nothing for it."""
    known, told = dict(state.versions), dict(event.versions)
    versions = tuple(sorted((known | {route: told[route] for route in ramp.routes if route in told}).items()))
    changed = [
        f"{route} from {known[route]} to {told[route]}"
        for route in known
        if told.get(route, known[route]) != known[route]
    ]
    after = replace(state, versions=versions)
    if not changed or state.is_over:
        return Decision(state=after)
    return restart(
        ramp, after, f"the function's version changed on {', '.join(changed)}: the evidence begins again", now
    )
