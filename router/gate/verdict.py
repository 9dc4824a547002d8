"""A verdict: what the evidence says about a step, why, and what is still needed.

Whoever acts on it needs `outcome`, `restart` and `Reason.code` alone; the rest is for people and for the ledger.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, overload

from .values import Metric, Relation


class Outcome(enum.Enum):
    """What a ramp may do now."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    """Every limit is shown to be kept: the next step may begin."""
    FAIL = "fail"
    """A limit is shown to be broken: roll back."""
    INCONCLUSIVE = "inconclusive"
    """Not known yet: hold."""
    ERROR = "error"
    """The evidence cannot be used: hold, never promote."""


class Code(enum.Enum):
    """Why, for machines."""

    KEPT = "kept"
    BREAKER = "breaker"
    LIMIT = "limit"
    NO_EVIDENCE = "no_evidence"
    STALE = "stale"
    SPLIT = "split"
    PIN = "pin"
    NO_PARITY = "no_parity"
    VERSION_CHANGED = "version_changed"
    WARM_UP = "warm_up"
    FEW_REQUESTS = "few_requests"
    FEW_USERS = "few_users"
    NO_BASELINE = "no_baseline"
    UNDECIDED = "undecided"


class Baseline(enum.Enum):
    """What stood for legacy."""

    SAME_WINDOW = "legacy in the same window"
    HOLDBACK = "holdback"
    LAST = "last legacy baseline"
    NONE = "none"
    """Legacy has no evidence at all: absolute limits only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One sentence for people, and its code."""

    code: Code
    words: str


class Finding(NamedTuple):
    """What is known of one limit; a tuple, for every look makes one for each limit.

    `estimate` and its confidence bounds have the limit's unit (see `Limit`); a bound is None where nothing bounds it.
    `limit` is as it is eased at the step's weight. Over all looks `lower` holds at the ramp's error budget, and at the
    gate's alpha once that budget shows that there is harm; `upper` at the gate's beta: together they are no interval,
    each is the bound that its decision needs. `lambda_count` of `lambda_requests` are what was counted; for latency the
    count is the estimated quantile in milliseconds, for sizes the mean in bytes. `words` of `sentences` says it in one.
    """

    metric: Metric
    relation: Relation
    outcome: Outcome
    estimate: float | None
    lower: float | None
    upper: float | None
    limit: float
    tolerated: float
    lambda_count: float
    lambda_requests: int
    legacy_count: float
    legacy_requests: int


class Findings(Sequence[Finding]):
    """Findings that are worked out when somebody reads them: most looks are read by nobody."""

    __slots__ = ("_found", "_make")

    def __init__(self, make: Callable[[], tuple[Finding, ...]]) -> None:
        self._make = make
        self._found: tuple[Finding, ...] | None = None

    def _all(self) -> tuple[Finding, ...]:
        if self._found is None:
            self._found = self._make()
        return self._found

    @overload
    def __getitem__(self, place: int) -> Finding: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, place: int | slice) -> Finding | tuple[Finding, ...]:
        return self._all()[place]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """How much longer a verdict needs, if everything goes on as it did: an estimate, not a promise.

    None where it cannot be told: no traffic, or a difference that lies on the limit.
    """

    requests: int | None
    seconds: float | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of one look, with its reasons: the first is the one that decided.

    `restart` says that the step's evidence must begin anew, because another version of the function answers now.
    `needed` is None when the look decided. `diagnostics` are sentences about what was seen and decides nothing.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    baseline: Baseline
    findings: Sequence[Finding] = ()
    needed: Needed | None = None
    restart: bool = False
    diagnostics: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON values; `from_json` reads it back."""
        needed = self.needed
        return {
            "outcome": self.outcome.value,
            "reasons": [{"code": reason.code.value, "words": reason.words} for reason in self.reasons],
            "baseline": self.baseline.value,
            "findings": [_finding_json(finding) for finding in self.findings],
            "needed": needed and {"requests": needed.requests, "seconds": needed.seconds, "words": needed.words},
            "restart": self.restart,
            "diagnostics": list(self.diagnostics),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The verdict that `to_json` wrote. Raises `KeyError` or `ValueError` when it is none."""
        reasons = (Reason(code=Code(reason["code"]), words=reason["words"]) for reason in values["reasons"])
        return cls(
            outcome=Outcome(values["outcome"]),
            reasons=tuple(reasons),
            baseline=Baseline(values["baseline"]),
            findings=tuple(_finding(finding) for finding in values["findings"]),
            needed=values["needed"] and Needed(**values["needed"]),
            restart=values["restart"],
            diagnostics=tuple(values.get("diagnostics", ())),  # verdicts that were kept before there were any
        )


_PLAIN = ("estimate", "lower", "upper", "limit", "tolerated")
_COUNTED = ("lambda_count", "lambda_requests", "legacy_count", "legacy_requests")


def _finding_json(finding: Finding) -> dict[str, Any]:
    names = {"metric": finding.metric.value, "relation": finding.relation.value, "outcome": finding.outcome.value}
    return names | {name: getattr(finding, name) for name in (*_PLAIN, *_COUNTED)}


def _finding(values: dict[str, Any]) -> Finding:
    return Finding(
        metric=Metric(values["metric"]),
        relation=Relation(values["relation"]),
        outcome=Outcome(values["outcome"]),
        **{name: values[name] for name in (*_PLAIN, *_COUNTED)},
    )
