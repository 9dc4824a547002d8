"""How many network interfaces (ENIs) functions need in their subnets, by both models.

`legacy-2019`: ENIs follow concurrency and memory; AWS's guide until 2019-09-10. `hyperplane`: one for each subnet and
set of security groups, shared by all functions that have both, and more above 65,000 connections. AWS prints no formula
for how it adds them, so what is computed here is a LOWER BOUND.
"""

import enum

from .arithmetic import up
from .limits.values import Limits

MB_PER_GB = 1_024


class Model(enum.Enum):
    """By which model interfaces are counted."""

    HYPERPLANE = "hyperplane"
    LEGACY_2019 = "legacy-2019"


def legacy_enis(environments: float, memory_mb: int, limits: Limits) -> int:
    """ENIs by the formula of 2019: peak concurrent executions x (memory in GB / 3 GB), rounded up."""
    return up(legacy_enis_exact(environments, memory_mb, limits))


def legacy_enis_exact(environments: float, memory_mb: int, limits: Limits) -> float:
    """The same before rounding, to be added up over functions that share subnets."""
    return environments * memory_mb / MB_PER_GB / limits["legacy_eni_gb"].value


def hyperplane_enis(connections: float, limits: Limits) -> int:
    """The fewest ENIs that one set of security groups needs in one subnet: one, or more above 65,000 connections."""
    return max(1, up(connections / connections_per_eni(limits)))


def connections_per_eni(limits: Limits) -> float:
    """How many connections an ENI holds before Lambda adds another, as far as is known."""
    return limits["eni_connections"].value * (limits["eni_fill"].value or 1.0)


def addresses_for(enis: int, limits: Limits) -> int:
    """Addresses for so many Hyperplane ENIs of a subnet, those included that stand beside them while AWS renews."""
    return up(enis * (1 + limits["turnover_headroom"].value))


def live(azs: int, lost: int) -> int:
    """How many of a function's zones still serve with `lost` gone; at least one, or there is nothing to size."""
    return max(1, azs - lost)
