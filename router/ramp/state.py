"""Where a ramp stands: all that the ledger must keep so that the ramp goes on from the same step after a crash.

A state says what is wanted (weight, shadow, cohort), never what is still to be done: done twice it changes nothing.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from ..release.values import Cohort
from ..weight import Weight


class Phase(enum.Enum):
    """What a ramp is doing. Waiting: to move towards Lambda, for a window, a thaw or a person. Held: after a breach."""

    WAITING = "waiting"
    READYING = "readying"
    GLIDING = "gliding"
    HOLDING = "holding"
    APPROVAL = "awaiting approval"
    HELD = "held"
    ROLLED_BACK = "rolled back"
    ABORTED = "aborted"
    COMPLETED = "completed"

    @property
    def is_over(self) -> bool:
        """Whether the ramp moves no more by itself."""
        return self in {Phase.ROLLED_BACK, Phase.ABORTED, Phase.COMPLETED}


class Stop(enum.Enum):
    """What keeps a ramp from moving towards Lambda at a person's wish."""

    PAUSED = "paused"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class RampState:
    """One ramp's state. Times have a time zone (UTC).

    `step`: index of the step that is in force, or being entered (waiting, readying, gliding, approval).
    `since`: when the phase began; while holding, when the step's evidence and its hold began.
    `window`: number of the evidence window, which only grows; a verdict on another window is not heard.
    `evidence_since`: when the wanted weight came into force; None: it is not in force everywhere yet.
    `moved_at`: when the weight was last changed. `is_readied`: what the step needs ready is ready.
    `shadow` in parts per 10,000; `cohort`: the named users who are sent to Lambda.
    `versions`: the function version that last answered, by route. `outcome`: the last verdict's, for people.
    `doubt`: why what passed before is not trusted now, empty when it is. `reason`: why the ramp stands where it stands.
    `paused`, `frozen`: who and why; empty when it is not.
    """

    step: int
    phase: Phase
    weight: Weight
    since: datetime
    moved_at: datetime
    window: int = 0
    evidence_since: datetime | None = None
    shadow: int = 0
    cohort: Cohort | None = None
    is_readied: bool = False
    versions: tuple[tuple[str, str], ...] = ()
    outcome: str = ""
    doubt: str = ""
    reason: str = ""
    paused: str = ""
    frozen: str = ""

    @property
    def stops(self) -> tuple[Stop, ...]:
        """What a person stopped it by."""
        return tuple(
            stop for stop, why in ((Stop.PAUSED, self.paused), (Stop.FROZEN, self.frozen)) if why and not self.is_over
        )

    @property
    def is_over(self) -> bool:
        """Whether the ramp moves no more by itself."""
        return self.phase.is_over

    def to_json(self) -> dict[str, Any]:
        """The state as JSON values; `from_json` gives the same state back."""
        plain: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return plain | {
            "phase": self.phase.value,
            "weight": self.weight.parts,
            "since": self.since.isoformat(),
            "moved_at": self.moved_at.isoformat(),
            "evidence_since": self.evidence_since.isoformat() if self.evidence_since else None,
            "cohort": {"header": self.cohort.header, "values": list(self.cohort.values)} if self.cohort else None,
            "versions": [list(pair) for pair in self.versions],
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """The state that `to_json` wrote."""
        evidence_since, cohort = plain["evidence_since"], plain["cohort"]
        changed: dict[str, Any] = {
            "phase": Phase(plain["phase"]),
            "weight": Weight(plain["weight"]),
            "since": datetime.fromisoformat(plain["since"]),
            "moved_at": datetime.fromisoformat(plain["moved_at"]),
            "evidence_since": datetime.fromisoformat(evidence_since) if evidence_since else None,
            "cohort": Cohort(header=cohort["header"], values=tuple(cohort["values"])) if cohort else None,
            "versions": tuple((route, version) for route, version in plain["versions"]),
        }
        return cls(**{**plain, **changed})
