"""Ramps that run and cannot be read any more, as after an upgrade whose rules are stricter, or without their text.

Nobody judges them, so nothing moves them upwards: not they themselves, no shift, no other release. Towards legacy and
to their end they can be moved all the same: that needs their routes and weights alone, which the ledger has. Their
shadows and named users are on legacy meanwhile.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..ledger.records import Desired, Kind, NewEntry, RampKey, RampRecord, ReleaseRecord, Step
from ..ramp.events import Command
from ..ramp.state import Phase
from ..weight import LEGACY_ONLY, Weight
from .ramp_steps import Cause, with_states
from .state import kept_moving, weight_of, with_weights

_ENDS = {Command.ROLLBACK: (Phase.ROLLED_BACK, Kind.ROLLBACK), Command.ABORT: (Phase.ABORTED, Kind.ABORT)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """One such ramp, and why nobody can read it."""

    release: ReleaseRecord
    key: RampKey
    record: RampRecord
    why: str

    @property
    def problem(self) -> str:
        """The same in a sentence, with what can be done."""
        name = self.release.name
        text = f"the release {name} cannot be read, nobody judges it, and nothing moves its routes towards Lambda"
        return f"{text}: {self.why}; fig rollback {name} or fig abort {name} ends it"

    def to_json(self, desired: Desired) -> dict[str, Any]:
        """What `fig status` shows of it."""
        weights = {route: weight_of(desired, route).parts for route in self.record.routes}
        highest = max(weights.values(), default=0)
        return {
            "ramp": self.key[1],
            "routes": [
                {"route": route, "weight": parts, "evidence": None, "verdict": None} for route, parts in weights.items()
            ],
            "step": None,
            "steps": None,
            "doing": None,
            "phase": "unreadable",
            "weight": highest,
            "weight_text": str(Weight(highest)),
            "shadow": 0,
            "in_force": True,
            "since": self.record.at.isoformat(),
            "seconds_left": None,
            "verdict": None,
            "reason": self.problem,
            "paused": None,
            "dry_run": False,
        }


def on_route(unread: Iterable[Unread], route: str) -> Unread | None:
    """The one that has the route, or None."""
    return next((one for one in unread if route in one.record.routes), None)


def ended(desired: Desired, unread: Sequence[Unread], cause: Cause, to: Weight | None = None) -> Step:
    """The step that ends these ramps: rolled back, or aborted where they are, or at `to` where that is less."""
    command = cause.command or Command.ABORT
    phase, kind = _ENDS[command]
    most = LEGACY_ONLY if command is Command.ROLLBACK else to
    weights, entries = dict[str, Weight](), list[NewEntry]()
    for one in unread:
        for route in one.record.routes:
            before = weight_of(desired, route)
            lower = before if most is None else min(before, most)
            if lower != before:
                weights[route] = lower
            entries.append(
                NewEntry(
                    at=cause.at,
                    kind=kind,
                    actor=cause.actor,
                    reason=cause.reason,
                    route=route,
                    before=before,
                    after=lower,
                    release=one.release.name,
                    details=json.dumps({"ramp": one.key[1], "phase": phase.value, "unreadable": one.why}),
                )
            )
    moved = with_weights(desired, weights, at=cause.at, by=cause.actor)
    ramps = {one.key: replace(one.record, state=_state(one.record, phase, most), at=cause.at) for one in unread}
    releases = {one.release.id: one.release for one in unread}
    after = kept_moving(with_states(moved, releases, ramps, cause.at))
    return Step(before=desired, after=replace(after, revision=desired.revision + 1), entries=tuple(entries))


def _state(record: RampRecord, phase: Phase, to: Weight | None) -> str:
    """The ramp's state as it was, but over: what of it cannot be read stays for who can."""
    try:
        known = json.loads(record.state)
    except ValueError:
        known = {}
    state: dict[str, Any] = known if isinstance(known, dict) else {}
    weight = state.get("weight") if to is None else to.parts
    return json.dumps({**state, "phase": phase.value, "weight": weight, "shadow": 0, "cohort": None})
