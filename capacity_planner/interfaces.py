"""How many network interfaces (ENIs) functions need in their subnets, by both models.

`legacy-2019`: ENIs follow concurrency and memory; AWS's guide until 2019-09-10. `hyperplane`: one for each subnet and set
of security groups, shared by all functions that have both, and more above 65,000 connections. AWS prints no formula for
how it adds them, so what is computed here is a LOWER BOUND.
"""

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .arithmetic import up
from .demand.values import Demand, FunctionDemand
from .limits.values import Limits

MB_PER_GB = 1_024


class Model(enum.Enum):
    """By which model interfaces are counted."""

    HYPERPLANE = "hyperplane"
    LEGACY_2019 = "legacy-2019"


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


def legacy_enis(environments: float, memory_mb: int, limits: Limits) -> int:
    """ENIs by the formula of 2019: peak concurrent executions x (memory in GB / 3 GB), rounded up."""
    return up(legacy_enis_exact(environments, memory_mb, limits))


def legacy_enis_exact(environments: float, memory_mb: int, limits: Limits) -> float:
    """The same before rounding, to be added up over functions that share subnets."""
    return environments * memory_mb / MB_PER_GB / limits["legacy_eni_gb"].value


def hyperplane_enis(connections: float, limits: Limits) -> int:
    """The fewest ENIs that one set of security groups needs in one subnet: one, or more above 65,000 connections."""
    per_eni = limits["eni_connections"].value * (limits["eni_fill"].value or 1.0)
    return max(1, up(connections / per_eni))


def addresses_for(enis: int, limits: Limits) -> int:
    """Addresses for so many Hyperplane ENIs of a subnet, those included that stand beside them while AWS renews."""
    return up(enis * (1 + limits["turnover_headroom"].value))


def live(azs: int, lost: int) -> int:
    """How many of a function's zones still serve with `lost` gone; at least one, or there is nothing to size."""
    return max(1, azs - lost)


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
    return tuple(
        _subnet_load(az, name, demand.zone_of[name].sets, connections, limits)
        for name, by_azs in sorted(grouped.items())
        for az, connections in sorted(worst_az(by_azs, lost).items())
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
