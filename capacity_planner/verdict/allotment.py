"""How much of the way each function may use.

Every limit is shared in proportion to what functions demand of it, at their median and with one lost, so that no limit
breaks even when every function uses all that it may.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..arithmetic import down, exceeds
from ..concurrency import concurrency
from ..demand.network import Way
from ..demand.values import Demand, FunctionDemand
from ..limits.values import Limits
from ..path.case import Case
from ..path.evaluate import Evaluation, evaluate
from ..path.functions import ACCOUNT
from ..path.loads import ELSEWHERE, uses_on_premises
from ..path.measure import Basis, Measure, Over
from ..path.nat import HOP as NAT_HOP
from ..path.network import Network
from ..path.reservations import Reservation, reservations


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """What one function may have: environments, and requests per second at its median duration.

    `reserved` is the reserved concurrency that keeps its databases safe, None where nothing it does can exhaust them.
    `binding` is the limit that allows no more.
    """

    function: str
    max_concurrency: int
    max_rate: float
    reserved: int | None
    binding: Measure


def allotments(demand: Demand, limits: Limits) -> tuple[Allotment, ...]:
    """What each function may have, in order of their names."""
    return allotted(evaluate(demand, limits))


def allotted(evaluation: Evaluation) -> tuple[Allotment, ...]:
    """What each function may have of what was evaluated."""
    network = evaluation.network
    found = _Found([one for one in evaluation.measures(Case.MEDIAN_LOST) if one.kind.refuses])
    protect = _by_function(reservations(network.demand, network.limits))
    idle = next(one for one in evaluation.measures(Case.MEDIAN) if one.kind is ACCOUNT)
    return tuple(_allotment(function, found, protect, (network, idle)) for function in network.demand.functions)


class _Found:
    """The measures that bear on functions, by what they run over: the nearest to its limit of each."""

    def __init__(self, found: list[Measure]) -> None:
        self._shared: dict[tuple[Over, str, bool], Measure] = {}
        self._impossible = [one for one in found if one.kind.basis is Basis.FIXED and exceeds(one.load, one.capacity)]
        for one in found:
            if one.kind.basis is Basis.FIXED or one.load <= 0:
                continue
            subject = f"{one.kind.hop == NAT_HOP}{one.subject}" if one.kind.over is Over.DESTINATION else one.subject
            for of_rate in (False, True):
                if one.kind.basis in ((Basis.RATE, Basis.BOTH) if of_rate else (Basis.CONCURRENCY, Basis.BOTH)):
                    key = (one.kind.over, subject, of_rate)
                    self._shared[key] = max(self._shared.get(key, one), one, key=lambda each: each.utilisation)

    def impossible(self, function: FunctionDemand) -> Measure | None:
        """What cannot be built as the demand file describes it, and bears on a function."""
        own = (one for one in self._impossible if one.kind.over is not Over.FUNCTION or one.subject == function.name)
        return max(own, key=lambda one: one.utilisation, default=None)

    def nearest(self, function: FunctionDemand, *, of_rate: bool) -> Measure | None:
        """The measure that leaves a function least room; None where nothing limits it."""
        keys = ((over, subject, of_rate) for over, subject in _runs_over(function))
        found = [self._shared[key] for key in keys if key in self._shared]
        if function.reserved is not None:
            found = [one for one in found if one.kind is not ACCOUNT]
        return max(found, key=lambda one: one.utilisation, default=None)


def _runs_over(function: FunctionDemand) -> list[tuple[Over, str]]:
    """All that a function's load is part of."""
    over = [(Over.ALL, ""), (Over.FUNCTION, function.name), (Over.TRUST_ZONE, function.trust_zone), (Over.ALL, "hub")]
    if not uses_on_premises(function):
        return over
    databases = [name for name, _sessions in function.database_sessions]
    through_nat = function.way is Way.NAT
    targets = [*databases, *function.services] or [ELSEWHERE]
    return [
        *over,
        (Over.WAY, function.way.value),
        *((Over.ALL, "spoke") for _ in range(function.way is not Way.ENDPOINT)),
        *((Over.DATABASE, name) for name in databases),
        *((Over.DESTINATION, f"{through_nat}{name}") for name in targets),
    ]


def _by_function(found: tuple[Reservation, ...]) -> dict[str, int]:
    """The least that any of its databases leaves each function."""
    least: dict[str, int] = {}
    for one in found:
        least[one.function] = min(one.reserved, least.get(one.function, one.reserved))
    return least


def _allotment(
    function: FunctionDemand, found: _Found, protect: Mapping[str, int], where: tuple[Network, Measure]
) -> Allotment:
    """What one function may have; `where` is the network, and what to name where nothing runs."""
    network, idle = where
    impossible = found.impossible(function)
    if impossible is not None:
        return Allotment(function=function.name, max_concurrency=0, max_rate=0.0, reserved=None, binding=impossible)
    needed = concurrency(function.rate, function.durations.p50, network.limits).environments
    held, asked = found.nearest(function, of_rate=False), found.nearest(function, of_rate=True)
    by_rate = _room(function.rate, asked)
    reserved = protect.get(function.name)
    caps = [_room(needed, held), *(one for one in (reserved, function.reserved) if one is not None)]
    most = down(min(caps))
    per_environment = min(1 / function.durations.p50, network.limit("lambda_requests_per_environment"))
    binding = asked if asked is not None and by_rate < most * per_environment else held
    return Allotment(
        function=function.name,
        max_concurrency=most,
        max_rate=min(by_rate, most * per_environment),
        reserved=None if reserved is None else min(reserved, most),
        binding=binding or asked or idle,
    )


def _room(demanded: float, nearest: Measure | None) -> float:
    """What a function may have of a limit: its demand, times how often the whole load fits; infinite without limit."""
    if demanded <= 0:
        return 0.0
    if nearest is None:
        return math.inf
    return demanded / nearest.utilisation
