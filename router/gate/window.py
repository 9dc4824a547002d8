"""A window: all that one look at a step sees."""

from dataclasses import dataclass, field

from ..weight import Weight
from .evidence import RouteEvidence, SideEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The evidence of one step so far, and where the step stands.

    `evidence` is what was counted since `weight` was in force (after the gate's warm-up, when it has one) on all nodes;
    None when a node that serves has sent nothing; `recent` then has what the others sent. `age_seconds` is how old its
    oldest node's newest reading is, `elapsed_seconds` how long the weight has been in force. `step` counts from 0 of
    `steps` that the ramp has. `counted_seconds` is how long `evidence` was counted, without warm-up and without what
    was lost to an outage; None where nobody knows, then all the time since the warm-up is taken for it.

    `recent` is the same over the last seconds, one entry for each look back (10 s and 2 minutes are good ones): what
    the breaker looks at, from the first second, and what sees a function that breaks late in a long step.

    `version` is the function's version that the step's evidence belongs to, None before any answer.
    `holdback` says that legacy's users are kept on purpose at a weight near 100 %. `baseline` is legacy's side of the
    last step that had enough of it.
    """

    evidence: RouteEvidence | None
    weight: Weight
    elapsed_seconds: float
    age_seconds: float = 0.0
    counted_seconds: float | None = None
    step: int = 0
    steps: int = 1
    recent: tuple[RouteEvidence, ...] = field(default=())
    version: str | None = None
    holdback: bool = False
    baseline: SideEvidence | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.step < self.steps:
            message = f"step {self.step} of {self.steps} does not exist; they count from 0"
            raise ValueError(message)
        if self.elapsed_seconds < 0 or self.age_seconds < 0:
            message = f"times are not below zero: {self.elapsed_seconds:g} s elapsed, {self.age_seconds:g} s old"
            raise ValueError(message)
