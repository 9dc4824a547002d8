"""What decisions about ramps do to the desired state: weights, states, history and outcomes, as one step. Pure.

However many ramps a step is about, it is one change of the weights: a release goes back at one stroke.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..ledger.chain import text_digest
from ..ledger.records import Desired, Kind, NewEntry, RampKey, RampRecord, ReleaseRecord, Step
from ..ramp.events import Command, Decision, Note, ReadyForRetirement
from ..ramp.state import Phase, RampState
from ..release.values import Ramp
from ..weight import Weight
from .state import kept_moving, weight_of, with_weights

CONTROL = "control"
_OUTCOMES = (Phase.ROLLED_BACK, Phase.ABORTED, Phase.COMPLETED)
_ENDS = {Phase.ROLLED_BACK: Kind.ROLLBACK, Phase.ABORTED: Kind.ABORT, Phase.COMPLETED: Kind.COMPLETED}
_ORDERED = {
    Command.APPROVE: Kind.APPROVE,
    Command.PAUSE: Kind.PAUSE,
    Command.RESUME: Kind.RESUME,
    Command.ABORT: Kind.ABORT,
    Command.ROLLBACK: Kind.ROLLBACK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who or what made ramps move. `command` is a person's; `evidence` is the document that was judged."""

    at: datetime
    actor: str = CONTROL
    reason: str = ""
    command: Command | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One ramp's decision. `before` is None where the ramp begins."""

    release: ReleaseRecord
    ramp: Ramp
    before: RampState | None
    decision: Decision

    @property
    def key(self) -> RampKey:
        """The ramp's key in the ledger."""
        return self.release.id, self.ramp.name

    @property
    def after(self) -> RampState:
        """The state that was decided."""
        return self.decision.state

    @property
    def notes(self) -> tuple[str, ...]:
        """What the machine says about it."""
        return tuple(action.text for action in self.decision.actions if isinstance(action, Note))

    @property
    def is_material(self) -> bool:
        """Whether anything is to be kept: not when the words about a verdict changed alone."""
        if self.before is None or self.notes:
            return True
        return replace(self.before, reason=self.after.reason, outcome=self.after.outcome) != self.after


def moves(desired: Desired, change: Change) -> dict[str, Weight]:
    """The weights that the change sets. A ramp that is over only lowers what is higher."""
    to = change.after.weight
    weights = {route: weight_of(desired, route) for route in change.ramp.routes}
    return {route: to for route, now in weights.items() if now != to and not (change.after.is_over and now < to)}


def is_upward(desired: Desired, changes: Sequence[Change]) -> bool:
    """Whether any of the changes sends more to Lambda."""
    return any(to > weight_of(desired, route) for one in changes for route, to in moves(desired, one).items())


def stepped(desired: Desired, changes: Sequence[Change], cause: Cause, entries: Sequence[NewEntry] = ()) -> Step:
    """The step that makes all the changes; `entries` stand in the history before those of the ramps."""
    weights: dict[str, Weight] = {}
    for change in changes:
        weights |= moves(desired, change)
    by = f"release {changes[0].release.name}" if len({one.release.id for one in changes}) == 1 else CONTROL
    after = with_weights(desired, weights, at=cause.at, by=by if cause.command is None else cause.actor)
    own = tuple(entry for change in changes for entry in _entries(desired, change, cause))
    releases = {change.release.id: change.release for change in changes}
    ramps = {change.key: _record(change, cause.at) for change in changes}
    after = kept_moving(with_states(after, releases, ramps, cause.at))
    if any(one.before and one.before.cohort and not one.after.cohort for one in changes):
        # Whoever waits until it is in force waits for this version: named users go back without any weight that moves.
        after = replace(after, weights_version=max(after.weights_version, desired.weights_version + 1))
    documents = (cause.evidence,) if cause.evidence else ()
    return Step(
        before=desired,
        after=replace(after, revision=desired.revision + 1),
        entries=(*entries, *own),
        documents=documents,
    )


def with_states(
    desired: Desired, changed: Mapping[str, ReleaseRecord], moved: Mapping[RampKey, RampRecord], at: datetime
) -> Desired:
    """With these ramps' states, and the outcomes of releases that ended; those that had ended before are left out."""
    releases = {key: one for key, one in desired.releases.items() if one.outcome is None} | dict(changed)
    ramps = {key: one for key, one in desired.ramps.items() if key[0] in releases} | dict(moved)
    for release in changed.values():
        phases = {phase_of(one) for key, one in ramps.items() if key[0] == release.id}
        outcome = next((phase for phase in _OUTCOMES if phase in phases), None)
        if outcome is not None and all(phase is not None and phase.is_over for phase in phases):
            releases[release.id] = replace(release, outcome=outcome.value, ended_at=at)
    return replace(desired, releases=releases, ramps=ramps)


def phase_of(record: RampRecord) -> Phase | None:
    """The phase that a kept state has; None where it cannot be read."""
    try:
        return Phase(json.loads(record.state)["phase"])
    except (ValueError, KeyError, TypeError):
        return None


def _record(change: Change, at: datetime) -> RampRecord:
    return RampRecord(routes=change.ramp.routes, state=json.dumps(change.after.to_json()), at=at)


def _entries(desired: Desired, change: Change, cause: Cause) -> Iterator[NewEntry]:
    """One entry for each route of the ramp, so that a route's history is whole. A freeze has an entry of its own."""
    kind = _kind(change, cause)
    if kind is None:
        return
    moved = moves(desired, change)
    reason = cause.reason or "; ".join(change.notes) or change.after.reason
    for route in change.ramp.routes:
        before = weight_of(desired, route)
        yield NewEntry(
            at=cause.at,
            kind=kind,
            actor=cause.actor,
            reason=reason,
            route=route,
            before=before,
            after=moved.get(route, before),
            release=change.release.name,
            step=change.ramp.steps[change.after.step].number,
            evidence=text_digest(cause.evidence) if cause.evidence else None,
            details=json.dumps(_details(change)),
        )


def _kind(change: Change, cause: Cause) -> Kind | None:
    before, after = change.before, change.after
    if cause.command in _ORDERED:
        return _ORDERED[cause.command]
    if before is not None and after.phase is not before.phase and after.phase in _ENDS:
        return _ENDS[after.phase]
    if before is None or (after.step, after.weight, after.phase) != (before.step, before.weight, before.phase):
        return Kind.STEP
    return Kind.VERDICT if change.notes and cause.command is None else None


def _details(change: Change) -> Mapping[str, Any]:
    retired = any(isinstance(action, ReadyForRetirement) for action in change.decision.actions)
    after = change.after
    said: dict[str, Any] = {
        "ramp": change.ramp.name,
        "phase": after.phase.value,
        "notes": list(change.notes),
        "verdict": after.outcome,
    }
    said |= {"index": after.step}  # two steps may have one number; `fig history --verify` compares it
    return said | ({"ready_for_retirement": True} if retired else {})
