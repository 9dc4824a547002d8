"""What is used of a limit, and the verdict: every one names the limit, its value, its date and its source."""

import enum
from dataclasses import dataclass

from strangler_fig.diagnostics import Diagnostic, Position, Severity

from ..limits.values import Limit
from . import codes


class Outcome(enum.Enum):
    """Kept; tight (above the share of the limit that the catalogue calls tight); or broken."""

    KEPT = "kept"
    TIGHT = "tight"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A limit, whose it is (`scope`: a VPC, a route table), and what is used of it.

    `is_lower_bound`: more may be there than is known. `exists`: all that is used is deployed, so AWS allows it.
    """

    limit: Limit
    scope: str
    used: float
    tight_share: float
    is_lower_bound: bool = False
    exists: bool = False
    position: Position | None = None

    @property
    def outcome(self) -> Outcome:
        """The verdict."""
        if self.used > self.limit.value:
            return Outcome.BROKEN
        return Outcome.TIGHT if self.used > self.limit.value * self.tight_share else Outcome.KEPT

    @property
    def is_refused(self) -> bool:
        """Whether AWS would refuse it. What exists beyond a default has a quota of its own: that is no refusal."""
        return self.outcome is Outcome.BROKEN and not (self.exists and not self.limit.overridden)

    @property
    def finding(self) -> Diagnostic | None:
        """What to say about it; None where it is kept."""
        if self.outcome is Outcome.KEPT:
            return None
        limit = self.limit
        least = "at least " if self.is_lower_bound else ""
        message = f"{self.scope}: {least}{self.used:,.0f} of {limit.value:,.0f} {limit.unit} ({limit.key})"
        raised = f"; AWS raises it to {limit.adjustable_to}" if limit.adjustable_to else "; AWS does not raise it"
        if self.outcome is Outcome.BROKEN and not self.is_refused:
            raised = "; they exist, so the account has a quota of its own: give it with --limits"
        return Diagnostic(
            code=codes.BY_LIMIT[limit.key],
            severity=Severity.ERROR if self.is_refused else Severity.WARNING,
            message=message,
            position=self.position,
            hint=f"as of {limit.as_of}: {limit.source}{raised}",
        )

    def to_json(self) -> dict[str, object]:
        """The verdict as JSON values."""
        return {
            "limit": self.limit.key,
            "scope": self.scope,
            "used": self.used,
            "value": self.limit.value,
            "unit": self.limit.unit,
            "outcome": self.outcome.value,
            "refused": self.is_refused,
            "lower_bound": self.is_lower_bound,
            "as_of": self.limit.as_of,
            "source": self.limit.source,
            "overridden": self.limit.overridden,
        }
