"""Demands for tests: built from values, with what does not matter left out."""

import dataclasses
from typing import Any

from capacity_planner.addresses.block import Block
from capacity_planner.demand.network import NetworkPath
from capacity_planner.demand.on_premises import Database, Service
from capacity_planner.demand.values import Account, Demand, Durations, FunctionDemand, Spaces, TrustZone
from capacity_planner.limits.catalogue import load
from capacity_planner.limits.values import Limits

AZS = ("az-a", "az-b", "az-c")
SPACES = Spaces(spoke=(Block.of("100.64.0.0/10"),), hub=(Block.of("10.20.0.0/16"),))
LIMITS = load()


def function(name: str = "books", *, rate: float = 100.0, p50: float = 0.1, **changes: Any) -> FunctionDemand:
    """A function; without `p99` and `timeout` it is never slow."""
    p99 = changes.pop("p99", p50)
    durations = Durations(p50=p50, p99=p99, timeout=changes.pop("timeout", p99))
    return FunctionDemand(
        name=name, rate=rate, durations=durations, memory_mb=512, **{"trust_zone": "shop", "connections": 1, **changes}
    )


def demand(
    *functions: FunctionDemand,
    azs: tuple[str, ...] = AZS,
    path: NetworkPath | None = None,
    databases: tuple[Database, ...] = (),
    services: tuple[Service, ...] = (),
    sets: int = 1,
    **changes: Any,
) -> Demand:
    """A demand of the functions, in an account with these zones."""
    zones = tuple(TrustZone(name=name, sets=sets) for name in sorted({one.trust_zone for one in functions}))
    lost = changes.pop("lost_azs", 1 if len(azs) > 1 else 0)
    return Demand(
        account=Account(azs=azs, concurrency=changes.pop("concurrency", None), lost_azs=lost),
        functions=tuple(sorted(functions, key=lambda one: one.name)),
        zones=zones,
        spaces=SPACES,
        path=path or NetworkPath(),
        databases=databases,
        services=services,
        **changes,
    )


def with_limits(**values: float) -> Limits:
    """The shipped limits with other values."""
    changed = {key: dataclasses.replace(LIMITS[key], value=value) for key, value in values.items()}
    return Limits({**LIMITS.by_key, **changed})
