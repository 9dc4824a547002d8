"""What one comparison found, before it is compared with its limit."""

from math import inf
from typing import NamedTuple

from .verdict import Outcome


class Asked(NamedTuple):
    """What must be shown, and the chances that a comparison may be wrong in the whole step, at all its looks.

    `alpha`: that sides which are equal are told apart, this limit's part of the ramp's budget. `edge`: that what is
    just tolerated is taken for more. `beta`: that what breaks the limit passes. A fail needs both of the first: proof
    that there is harm at all, and proof that it is more than is tolerated. `limit` is what must be shown to be kept,
    eased as it is at the step's weight.
    """

    limit: float

    alpha: float
    edge: float
    beta: float


class Bounds(NamedTuple):
    """An estimate with the bounds that its two decisions need, in the limit's unit, and what was counted.

    A bound is None where nothing bounds it. `growth` is how many times as much evidence would decide, None when that
    cannot be told.
    """

    estimate: float | None
    lower: float | None
    upper: float | None
    lambda_count: float
    lambda_requests: int
    legacy_count: float = 0.0
    legacy_requests: int = 0
    growth: float | None = None

    def outcome(self, tolerated: float, limit: float) -> Outcome:
        """Fail when shown beyond what is tolerated, pass when shown within the limit, else inconclusive."""
        if self.lower is not None and self.lower > tolerated:
            return Outcome.FAIL
        if self.upper is not None and self.upper < limit:
            return Outcome.PASS
        return Outcome.INCONCLUSIVE


def growth(distance: float, reach: float) -> float | None:
    """How many times as much evidence shrinks `reach` to `distance`: chance falls with the root of what was seen."""
    if distance <= 0:
        return None
    times = reach / distance
    grown = times * times
    return grown if grown < inf else None


def least(one: float | None, other: float | None) -> float | None:
    """The smaller growth, of those that are known."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
