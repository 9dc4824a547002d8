"""What is compared: a load with a capacity, of one kind of limit at one place."""

import enum
import math
from dataclasses import dataclass

from ..limits.values import Limit


class Basis(enum.Enum):
    """What a load follows: how many environments there are, the rate of requests, both, or neither (it stays)."""

    CONCURRENCY = "concurrency"
    RATE = "rate"
    BOTH = "both"
    FIXED = "fixed"


class Over(enum.Enum):
    """Whose load a hop carries: that of all functions, or of those that share something."""

    ALL = "all"
    FUNCTION = "function"
    TRUST_ZONE = "trust zone"
    WAY = "way"
    DESTINATION = "destination"
    DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of limit: its code, the hop it belongs to, what it is called, its unit, and what its load follows.

    `refuses` False: going beyond it does not break anything for certain, because it is assumed, or costs time only.
    """

    code: str
    hop: str
    title: str
    unit: str
    basis: Basis
    over: Over
    refuses: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A load and its capacity at one place in one case. `limit`: the figure that the capacity rests on.

    `subject` names the place where there are several of a kind: a trust zone, database, function, way or destination.
    `load_of` and `capacity_of` say how the two came about.
    """

    kind: Kind
    subject: str
    load: float
    capacity: float
    limit: Limit
    load_of: str = ""
    capacity_of: str = ""

    @property
    def utilisation(self) -> float:
        """Load over capacity; infinite where there is a load and no capacity."""
        if self.load <= 0:
            return 0.0
        return self.load / self.capacity if self.capacity > 0 else math.inf
