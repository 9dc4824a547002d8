"""Whether legacy, with today's limits, can take everything back.

While traffic goes back, environments of functions are still alive and hold their database sessions: both are counted.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..arithmetic import exceeds
from ..demand.on_premises import Database, Legacy
from ..demand.values import Demand
from ..limits.values import Limits
from ..spoke import environments_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyLimit:
    """One limit of a legacy application: what would come back, and what it can take."""

    code: str
    subject: str
    unit: str
    load: float
    capacity: float
    source: str

    @property
    def utilisation(self) -> float:
        """Load over capacity."""
        return self.load / self.capacity if self.capacity else math.inf

    @property
    def holds(self) -> bool:
        """Whether it can take what would come back."""
        return not exceeds(self.load, self.capacity)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyVerdict:
    """One application, the functions whose traffic comes back to it, and its limits, the nearest first."""

    name: str
    functions: tuple[str, ...]
    limits: tuple[LegacyLimit, ...]

    @property
    def takes_all(self) -> bool:
        """Whether it can take everything back."""
        return all(one.holds for one in self.limits)

    @property
    def binding(self) -> LegacyLimit:
        """The limit that it comes nearest to."""
        return self.limits[0]


def judge_legacy(demand: Demand, limits: Limits) -> tuple[LegacyVerdict, ...]:
    """The verdict on each legacy application, in order of their names."""
    return tuple(
        LegacyVerdict(
            name=one.name,
            functions=one.functions,
            limits=tuple(sorted(_limits(one, demand, limits), key=lambda found: (-found.utilisation, found.code))),
        )
        for one in demand.legacy
    )


def without_legacy(demand: Demand) -> tuple[str, ...]:
    """The functions of which nobody said where their traffic would go back to."""
    named = {name for one in demand.legacy for name in one.functions}
    return tuple(one.name for one in demand.functions if one.name not in named)


def _limits(legacy: Legacy, demand: Demand, limits: Limits) -> Iterator[LegacyLimit]:
    mine = frozenset(legacy.functions)
    rate = sum(one.rate for one in demand.functions if one.name in mine)
    source = f"the demand file, legacy.{legacy.name}"
    if legacy.rate is not None:
        yield LegacyLimit(
            code="legacy-rate",
            subject=legacy.name,
            unit="requests/s",
            load=rate,
            capacity=legacy.rate,
            source=f"{source}.rate",
        )
    if legacy.concurrency is not None and legacy.duration is not None:
        yield LegacyLimit(
            code="legacy-concurrency",
            subject=legacy.name,
            unit="requests at once",
            load=rate * legacy.duration,
            capacity=legacy.concurrency,
            source=f"{source}.concurrency",
        )
    databases = {one.name: one for one in demand.databases}
    for name, sessions in legacy.sessions:
        yield _sessions(sessions, databases[name], demand, limits)


def _sessions(sessions: int, database: Database, demand: Demand, limits: Limits) -> LegacyLimit:
    """The sessions of one database while traffic goes back, against all that it allows."""
    held = sum(
        environments_of(function, limits, slow=False) * count
        for function in demand.functions
        for name, count in function.database_sessions
        if name == database.name
    )
    return LegacyLimit(
        code="legacy-sessions",
        subject=database.name,
        unit="sessions",
        load=sessions + min(held, database.budget) + database.others,
        capacity=database.sessions,
        source=f"the demand file, databases.{database.name}.sessions",
    )
