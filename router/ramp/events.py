"""What happens to a ramp, and what follows from it.

Events are facts and orders. Actions say how things should be, not by how much to change them: whoever carries them out
may do so twice, and after a crash `machine.wanted` gives those of the present state again.
"""

import enum
from dataclasses import dataclass

from ..gate.verdict import Code, Outcome, Verdict
from ..release.values import Cohort, Ready
from ..weight import Weight
from .state import RampState


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteVerdict:
    """One route's verdict."""

    route: str
    verdict: Verdict

    @property
    def outcome(self) -> Outcome:
        """What the gate says."""
        return self.verdict.outcome

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        return self.verdict.reasons[0].words if self.verdict.reasons else self.verdict.outcome.value

    @property
    def is_disaster(self) -> bool:
        """Whether the breaker tripped: legacy must serve at once, whatever the release says about breaches."""
        return any(one.code is Code.BREAKER for one in self.verdict.reasons) and self.outcome is Outcome.FAIL


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The gate judged every route of the ramp over the evidence window of that number."""

    window: int
    verdicts: tuple[RouteVerdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Every live node has this weight in force."""

    weight: Weight


@dataclass(frozen=True, slots=True)
class Warmed:
    """What the step needs ready is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """These function versions answered last, by route."""

    versions: tuple[tuple[str, str], ...]


class Command(enum.Enum):
    """What a person orders. Freeze and thaw are for all ramps at once; whoever runs the ramps tells each."""

    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    ROLLBACK = "rollback"
    FREEZE = "freeze"
    THAW = "thaw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A person's order, by whom and why."""

    command: Command
    actor: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.actor}: {self.reason}" if self.reason else self.actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted:
    """Somebody, or a node on its own, moved the weight to here beside the ramp: the ramp is over."""

    weight: Weight
    actor: str
    reason: str = ""


Event = Tick | Judged | InForce | Warmed | Versions | Order | Shifted


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWeight:
    """All these routes at this weight. `is_upward`: towards Lambda, so it is recorded before any node hears of it."""

    routes: tuple[str, ...]
    weight: Weight
    is_upward: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetShadow:
    """This share of requests, in parts per 10,000, is shown to the side that does not serve."""

    routes: tuple[str, ...]
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCohort:
    """These users go to Lambda whatever the weight; None: nobody does."""

    routes: tuple[str, ...]
    cohort: Cohort | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """Make this ready for the weight that comes; answer with `Warmed`."""

    routes: tuple[str, ...]
    ready: Ready
    weight: Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A line for the history."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyForRetirement:
    """These routes held 100 % for their time: legacy's part can be retired after its last request."""

    routes: tuple[str, ...]


Action = SetWeight | SetShadow | SetCohort | Warm | Note | ReadyForRetirement


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The new state, to be recorded first where an action is upward, and the actions that make it true."""

    state: RampState
    actions: tuple[Action, ...] = ()
