"""What all functions of a demand need together in the subnets of their spoke: environments, ENIs, addresses.

Functions of one trust zone share ENIs; a group of zones carries its functions evenly, also when zones are lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .concurrency import concurrency
from .demand.values import Demand, FunctionDemand
from .interfaces import addresses_for, hyperplane_enis, live
from .limits.values import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetLoad:
    """What the functions of one trust zone put on their ENIs in one Availability Zone.

    `connections` held at once, in all; `enis` in that subnet, all sets of security groups together (a lower bound).
    """

    az: str
    trust_zone: str
    sets: int
    connections: float
    enis: int


def environments_of(function: FunctionDemand, limits: Limits, *, slow: bool, factor: float = 1.0) -> int:
    """The environments of a function: what it needs, at its median or `slow`, or its reserved concurrency if less.

    `slow`: every request takes the 99th percentile. `factor` multiplies its rate.
    """
    duration = function.durations.p99 if slow else function.durations.p50
    needed = concurrency(function.rate * factor, duration, limits).environments
    return needed if function.reserved is None else min(needed, function.reserved)


def worst_az(by_azs: Mapping[tuple[str, ...], float], lost: int) -> dict[str, float]:
    """The most that each zone carries of loads that spread evenly over groups of zones, with `lost` zones gone.

    An upper bound where groups differ: each group is taken to lose its own zones.
    """
    found: dict[str, float] = defaultdict(float)
    for azs, load in by_azs.items():
        share = load / live(len(azs), lost)
        for az in azs:
            found[az] += share
    return found


def subnet_loads(
    demand: Demand, environments: Iterable[tuple[FunctionDemand, int]], lost: int, limits: Limits
) -> tuple[SubnetLoad, ...]:
    """What each trust zone puts on each Availability Zone, with `lost` zones gone; in order of their names."""
    grouped: dict[str, dict[tuple[str, ...], float]] = {}
    for function, count in environments:
        zone = grouped.setdefault(function.trust_zone, defaultdict(float))
        zone[demand.azs_of(function)] += count * function.connections
    return subnet_loads_of(grouped, demand, lost, limits)


def subnet_loads_of(
    connections: Mapping[str, Mapping[tuple[str, ...], float]], demand: Demand, lost: int, limits: Limits
) -> tuple[SubnetLoad, ...]:
    """The same of connections that are added up already, by trust zone and group of Availability Zones."""
    return tuple(
        _subnet_load(az, name, demand.zone_of[name].sets, held, limits)
        for name, by_azs in sorted(connections.items())
        for az, held in sorted(worst_az(by_azs, lost).items())
    )


def _subnet_load(az: str, trust_zone: str, sets: int, connections: float, limits: Limits) -> SubnetLoad:
    enis = sets * hyperplane_enis(connections / sets, limits)
    return SubnetLoad(az=az, trust_zone=trust_zone, sets=sets, connections=connections, enis=enis)


def enis_by_az(loads: Iterable[SubnetLoad]) -> dict[str, int]:
    """The ENIs in each Availability Zone, all trust zones together."""
    found: dict[str, int] = defaultdict(int)
    for one in loads:
        found[one.az] += one.enis
    return dict(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetNeed:
    """What the functions need in one Availability Zone: ENIs (a lower bound) and addresses for them."""

    az: str
    enis: int
    addresses: int


def spoke_needs(demand: Demand, limits: Limits, *, factor: float = 1.0) -> tuple[SubnetNeed, ...]:
    """What all functions of a demand need in each zone, with its worst losses, when all is as slow as its tail.

    `factor` multiplies the rates: `demand.growth.factor` sizes for the horizon.
    """
    environments = [(one, environments_of(one, limits, slow=True, factor=factor)) for one in demand.functions]
    worst = _larger(
        enis_by_az(subnet_loads(demand, environments, lost, limits)) for lost in (0, demand.account.lost_azs)
    )
    return tuple(SubnetNeed(az=az, enis=enis, addresses=addresses_for(enis, limits)) for az, enis in worst.items())


def _larger(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in counts:
        for az, count in one.items():
            found[az] = max(count, found.get(az, 0))
    return dict(sorted(found.items()))
