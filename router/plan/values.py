"""A plan as values: what each step would do, what speaks against it, and what could not be seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Severity

from ..release.values import Ramp, Release, Step
from .course import Arrival
from .load import FunctionLoad, Scaling
from .present import Attempt, Users

LIMITS = frozenset({"PL201", "PL202", "PL210"})
"""Codes of refusals by a limit, not by the input: the command exits 4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step. `arrives` None: it never comes. `users`, `requests_per_second` None: not known.

    `verdict_seconds`: how long the gate will need; None: it is not asked, or will not decide (`is_undecidable`), or
    nothing is known (`is_unknown`). `undecided`: the metrics that it will not decide on. `minimum_seconds`: how long
    the least requests take that it asks for. `is_doubtful`: it may be that there is never a verdict.
    """

    step: Step
    arrives: Arrival | None
    users: Users | None
    requests_per_second: float | None
    verdict_seconds: float | None
    is_undecidable: bool
    is_unknown: bool
    undecided: tuple[str, ...]
    minimum_seconds: float
    is_doubtful: bool
    loads: tuple[FunctionLoad, ...]
    scaling: tuple[Scaling, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRamp:
    """One ramp: from the weight that each route has now (None: not known), step by step, to its end."""

    ramp: Ramp
    now: Mapping[str, int | None]
    steps: tuple[PlannedStep, ...]
    ends: Arrival | None
    attempts: Mapping[str, Attempt]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Digests of what the plan was made on; None: it was not seen. `basis` is that of all that control told.

    `seen` is what of it concerns this release, as JSON values: by that control finds the plan stale.
    """

    release: str
    estate: str
    ledger: str | None
    basis: str | None
    capacity: str | None
    seen: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePlan:
    """The plan of a release. `text` is the release file's; `legacy`: whether it can take everything back, in words."""

    release: Release
    text: str
    made_at: datetime
    inputs: Inputs
    ramps: tuple[PlannedRamp, ...]
    problems: tuple[Diagnostic, ...]
    unseen: tuple[str, ...]
    legacy: str
    traffic: tuple[str, ...] = ()
    """What it counts with of each route, and whence that is, in words."""

    @property
    def is_applicable(self) -> bool:
        """Whether nothing is refused."""
        return not any(one.severity is Severity.ERROR for one in self.problems)

    @property
    def is_refused_by_limit(self) -> bool:
        """Whether everything that is refused is refused by a limit."""
        errors = [one for one in self.problems if one.severity is Severity.ERROR]
        return bool(errors) and all(one.code in LIMITS for one in errors)
