"""A release as frozen values: what each route or group does step by step, and what it must keep.

`load` builds them from text; `ramp` runs them. A step says all that is in force while it lasts, so that entering it
twice changes nothing.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from strangler_fig.units import FULL_SHARE, format_seconds

from ..gate.values import Gate
from ..weight import LAMBDA_ONLY, LEGACY_ONLY, Weight
from .windows import ALWAYS, Windows

_DAY_SECONDS = 86_400.0


def format_hold(seconds: float) -> str:
    """How long something is held, as a release file says it: `7d`, not 168 hours."""
    days, rest = divmod(seconds, _DAY_SECONDS)
    return f"{days:.0f}d" if days and not rest else format_seconds(seconds)


class StepKind(enum.Enum):
    """What a step is for.

    Shadow: Lambda is shown requests that legacy serves. Cohort: named users go to Lambda. Lambda: a share of all users
    does. Approval: a person must agree. Finish: the holdback ends.
    """

    SHADOW = "shadow"
    COHORT = "cohort"
    LAMBDA = "lambda"
    APPROVAL = "approval"
    FINISH = "finish"


class OnBreach(enum.Enum):
    """What a failed gate does: all users back to legacy, back to the step before, or stay and move no further."""

    ROLLBACK = "rollback"
    STEP_BACK = "step back"
    FREEZE = "freeze"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Users whose request has one of these values in a header; they go to Lambda whatever the weight."""

    header: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What is made ready before a step: so many warm calls at once, or so much provisioned concurrency; one of them."""

    warm_calls: int = 0
    provisioned_concurrency: int = 0

    def __post_init__(self) -> None:
        if (self.warm_calls > 0) == (self.provisioned_concurrency > 0):
            message = "exactly one of warm calls and provisioned concurrency is made ready"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Everything that is in force while a step lasts, and for how long it must be held.

    `number` is its item's place in the file, from 1: what prepares a share is an item too, and has no step of its own.
    `shadow` in parts per 10,000. `cohort` stays once it was set. `glide_seconds`: how long it takes to get here.
    `holdback`: the parts that stay on legacy at 100 %.
    """

    number: int
    kind: StepKind
    weight: Weight
    hold_seconds: float = 0.0
    shadow: int = 0
    cohort: Cohort | None = None
    glide_seconds: float = 0.0
    ready: Ready | None = None
    holdback: int = 0

    @property
    def needs_pass(self) -> bool:
        """Whether the gate must have passed before the ramp goes on: where a share of all users is on Lambda."""
        return self.kind is StepKind.LAMBDA

    @property
    def sent_share(self) -> float:
        """The share of a route's requests that reach Lambda: its users', and the shadow of the others; 0 to 1."""
        weight = self.weight.parts / FULL_SHARE
        return weight + (1 - weight) * self.shadow / FULL_SHARE

    @property
    def is_approval(self) -> bool:
        """Whether a person must agree before the ramp goes on."""
        return self.kind is StepKind.APPROVAL

    def __str__(self) -> str:
        match self.kind:
            case StepKind.SHADOW:
                return f"shadow {Weight(self.shadow)}"
            case StepKind.COHORT:
                return f"cohort {self.cohort.header if self.cohort else ''}".rstrip()
            case StepKind.APPROVAL:
                return "approval"
            case StepKind.FINISH:
                return f"the holdback's end, {self.weight}"
            case StepKind.LAMBDA:
                return f"lambda {LAMBDA_ONLY if self.holdback else self.weight}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """The steps of one route, or of a group's routes, which are always at one weight.

    `name` is the route's or the group's. `start`: the weight that it begins at.
    """

    name: str
    routes: tuple[str, ...]
    is_group: bool
    steps: tuple[Step, ...]
    gate: Gate
    on_breach: OnBreach = OnBreach.ROLLBACK
    windows: Windows = ALWAYS
    start: Weight = LEGACY_ONLY

    @property
    def last_number(self) -> int:
        """The number of the last item in the file: numbers of steps run from 1 to it."""
        return self.steps[-1].number

    @property
    def highest(self) -> Weight:
        """The highest weight that any step has."""
        return max(step.weight for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One reviewed file: ramps that run side by side, sorted by name, each on routes of its own."""

    name: str
    ticket: str
    ramps: tuple[Ramp, ...]

    @property
    def routes(self) -> Mapping[str, Ramp]:
        """The ramp of each route."""
        return {route: ramp for ramp in self.ramps for route in ramp.routes}

    def ramp(self, name: str) -> Ramp | None:
        """The ramp of that name, or None."""
        return next((one for one in self.ramps if one.name == name), None)
