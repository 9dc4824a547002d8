"""What one comparison found, before it is compared with its limit."""

from math import inf
from typing import NamedTuple

from .values import Limit
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


Counted = tuple[float, int, float, int]
"""How often on Lambda, of how many requests; and the same of legacy."""


class Compared:
    """An estimate with the bounds that its two decisions need, in the limit's unit, and what was counted.

    A look needs no more than the bound that may decide, and most estimates are on one side of both numbers; so a bound
    is worked out when somebody asks. It is None where nothing bounds it. `at` is the estimate as the bounds bound it:
    how large the change is, where any is harm. `asked` has the limit as it is eased.
    """

    __slots__ = ("_lower", "_upper", "asked", "at", "counted", "estimate", "tolerated")

    def __init__(self, limit: Limit, asked: Asked, estimate: float, at: float, counted: Counted) -> None:
        self.tolerated, self.asked = limit.tolerated, asked
        self.estimate: float | None = estimate
        self.at, self.counted = at, counted
        self._lower: float | None = None
        self._upper: float | None = None

    @property
    def lower(self) -> float | None:
        """What it is more than, at the chance that a rollback may be wrong."""
        if self._lower is None:
            self._lower = self.find_lower()
        return self._lower if self._lower > -inf else None

    @property
    def upper(self) -> float | None:
        """What it is less than, at the chance that going on may be wrong."""
        if self._upper is None:
            self._upper = self.find_upper()
        return self._upper if self._upper < inf else None

    @property
    def growth(self) -> float | None:
        """How many times as much evidence would decide, None when that cannot be told."""
        raise NotImplementedError

    def find_lower(self) -> float:
        """Work out the lower bound: minus infinity when there is none. It is not above `at`."""
        raise NotImplementedError

    def find_upper(self) -> float:
        """Work out the upper bound: infinity when there is none. It is not below `at`."""
        raise NotImplementedError

    def outcome(self) -> Outcome:
        """Fail when shown beyond what is tolerated, pass when shown within the limit, else inconclusive."""
        if self.at > self.tolerated and self.lower is not None and self.lower > self.tolerated:
            return Outcome.FAIL
        if self.at < self.asked.limit and self.upper is not None and self.upper < self.asked.limit:
            return Outcome.PASS
        return Outcome.INCONCLUSIVE


class Never(Compared):
    """A comparison of what has never happened: it is nought, and known to be."""

    __slots__ = ()

    def __init__(self, limit: Limit, asked: Asked) -> None:
        super().__init__(limit, asked, 0.0, 0.0, (0.0, 0, 0.0, 0))
        self._lower = self._upper = 0.0

    @property
    def growth(self) -> None:
        """Nothing is missing."""


class Unknown(Compared):
    """A comparison of which nothing is known yet."""

    __slots__ = ()

    def __init__(self, limit: Limit, asked: Asked, counted: Counted) -> None:
        super().__init__(limit, asked, 0.0, 0.0, counted)
        self.estimate = None
        self._lower, self._upper = -inf, inf

    @property
    def growth(self) -> None:
        """It cannot be told."""


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
