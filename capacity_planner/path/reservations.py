"""The reserved concurrency that keeps functions within what they may hold of a database.

A database's sessions are shared in proportion to what functions hold at their median; what division leaves over goes to
those that lost most by rounding, so that the shares of all functions together never exceed the budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..concurrency import concurrency
from ..demand.on_premises import Database
from ..demand.values import Demand
from ..limits.values import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What one function may have so that one database is safe.

    `needed` environments at the median and `worst` at the timeout, `sessions` that each holds, `reserved` that fit.
    """

    function: str
    database: str
    sessions: int
    needed: int
    worst: int
    reserved: int

    @property
    def suffices(self) -> bool:
        """Whether the function's median fits."""
        return self.needed <= self.reserved


def reservations(demand: Demand, limits: Limits) -> tuple[Reservation, ...]:
    """For each database that could be exhausted at the timeout, what each of its functions may have; by name."""
    holders = _holders(demand, limits)
    return tuple(one for database in demand.databases for one in _shared(database, holders.get(database.name, ())))


@dataclass(frozen=True, slots=True)
class _Holder:
    """A function that holds sessions: how many each environment, and its environments at median and timeout."""

    name: str
    sessions: int
    needed: int
    worst: int


def _holders(demand: Demand, limits: Limits) -> dict[str, list[_Holder]]:
    found: dict[str, list[_Holder]] = {}
    for function in demand.functions:
        if not function.database_sessions:
            continue
        needed = concurrency(function.rate, function.durations.p50, limits).environments
        worst = concurrency(function.rate, function.durations.timeout, limits).environments
        for name, sessions in function.database_sessions:
            found.setdefault(name, []).append(_Holder(function.name, sessions, needed, worst))
    return found


def _shared(database: Database, holders: Sequence[_Holder]) -> list[Reservation]:
    if sum(one.worst * one.sessions for one in holders) <= database.budget:
        return []  # nothing can exhaust it
    shares = split(database.budget, [(one.needed, one.sessions) for one in holders])
    return [
        Reservation(
            function=one.name,
            database=database.name,
            sessions=one.sessions,
            needed=one.needed,
            worst=one.worst,
            reserved=share,
        )
        for one, share in zip(holders, shares, strict=True)
    ]


def split(budget: int, holders: Sequence[tuple[int, int]]) -> list[int]:
    """How many environments each of the holders (environments needed, sessions of each) may have of a budget."""
    total = sum(needed * sessions for needed, sessions in holders)
    if total == 0:
        return [0 for _ in holders]
    shares = [budget * needed // total for needed, _sessions in holders]
    left = budget - sum(share * sessions for share, (_needed, sessions) in zip(shares, holders, strict=True))
    by_remainder = sorted(range(len(holders)), key=lambda index: (-(budget * holders[index][0] % total), index))
    for index in by_remainder:
        needed, sessions = holders[index]
        if needed and sessions <= left:
            shares[index] += 1
            left -= sessions
    return shares
