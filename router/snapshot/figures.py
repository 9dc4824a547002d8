"""The figures that the fleet shares: what one service or candidate may be given at once, and each node's part of it.

A figure is the whole fleet's. What a node may use of it, its share, is a runtime key of Envoy: it travels with the
weights and needs no other snapshot. Until a node is told its share, what is built into its clusters holds.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from ..estate import Candidate, Estate, LegacyService
from . import names
from .proto import Json

UNTOLD_NODES = 4
"""By how many nodes a figure is divided on a node that was never told how many there are."""
NODES_KEY = "fleet.nodes"
"""The runtime key of the number of nodes that requests are spread over; `limit.lua` reads it."""
SHARE_PREFIX = "circuit_breakers."
_PREFIXES = (SHARE_PREFIX, names.SHADOW_PREFIX, names.COHORT_PREFIX)


class Resource(enum.Enum):
    """What is counted of a service or candidate: Envoy's threshold, its gauge of use, its counter of overflows.

    Source: Envoy documentation, "Circuit breaking" and cluster statistics (1.40); requests over the threshold count as
    `active_overflow` since 1.38.
    """

    CONNECTIONS = ("connections", "max_connections", "upstream_cx_active", "upstream_cx_overflow")
    REQUESTS = ("requests", "max_requests", "upstream_rq_active", "upstream_rq_active_overflow")
    PENDING = ("pending", "max_pending_requests", "upstream_rq_pending_active", "upstream_rq_pending_overflow")

    def __init__(self, word: str, threshold: str, in_use: str, overflows: str) -> None:
        self.word = word
        self.threshold = threshold
        self.in_use = in_use
        self.overflows = overflows


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What the fleet may give to one cluster at once. `of` says whose it is: `legacy shop`, `lambda books`."""

    of: str
    cluster: str
    resource: Resource
    most: int

    @property
    def key(self) -> str:
        """The runtime key of a node's share. Source: Envoy documentation, "Circuit breakers", "Runtime" (1.40)."""
        return f"{SHARE_PREFIX}{self.cluster}.default.{self.resource.threshold}"

    def to_json(self) -> dict[str, Any]:
        """The figure as the manifest has it."""
        return {"of": self.of, "cluster": self.cluster, "resource": self.resource.word, "most": self.most}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The figure that the manifest has. Raises `KeyError`, `ValueError` or `TypeError` when it is not one."""
        word = content["resource"]
        resource = next((one for one in Resource if one.word == word), None)
        if resource is None:
            message = f"{word!r} is nothing that is counted"
            raise ValueError(message)
        return cls(of=content["of"], cluster=content["cluster"], resource=resource, most=int(content["most"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What a node may use of the fleet's figures, by runtime key, and of how many nodes it is one.

    None: it was never told. The keys of routes' shadows and cohorts travel with them: no weights, and nothing waits
    for them.
    """

    nodes: int | None = None
    of: Mapping[str, int] = field(default_factory=dict)

    def values(self) -> dict[str, int]:
        """The runtime keys and values."""
        return {**self.of, **({NODES_KEY: self.nodes} if self.nodes is not None else {})}

    @classmethod
    def among(cls, values: Mapping[str, int]) -> Self:
        """The shares among these runtime keys and values."""
        of = {key: value for key, value in values.items() if key.startswith(_PREFIXES)}
        return cls(nodes=values.get(NODES_KEY), of=of)

    def has_cohort(self, route: str) -> bool:
        """Whether the route's named users are sent to Lambda."""
        return names.cohort_key(route) in self.of

    def without_cohorts(self, routes: Iterable[str]) -> Self:
        """The same, but for these routes' named users, who are where everybody is."""
        gone = {names.cohort_key(route) for route in routes}
        return replace(self, of={key: value for key, value in self.of.items() if key not in gone})


def figures(estate: Estate) -> tuple[Figure, ...]:
    """Every figure of the estate, by whose it is."""
    legacy = (one for service in estate.legacy for one in of_service(service))
    return (*legacy, *(one for candidate in estate.candidates for one in of_candidate(candidate)))


def of_service(service: LegacyService) -> list[Figure]:
    """The figures of one legacy service."""
    protect, cluster = service.protect, names.legacy_cluster(service.name)
    given = {
        Resource.CONNECTIONS: protect.connections,
        Resource.REQUESTS: protect.requests,
        Resource.PENDING: protect.pending,
    }
    return [
        _figure(f"legacy {service.name}", cluster, resource, most)
        for resource, most in given.items()
        if most is not None
    ]


def of_candidate(candidate: Candidate) -> list[Figure]:
    """The figures of one candidate: a list of one, or empty."""
    if candidate.max_concurrency is None:
        return []
    cluster = names.upstream_cluster(candidate.name)
    return [_figure(f"lambda {candidate.name}", cluster, Resource.REQUESTS, candidate.max_concurrency)]


def built_in(found: Iterable[Figure]) -> Json:
    """The thresholds of a cluster that hold until its node is told a share."""
    return {one.resource.threshold: untold_share(one.most) for one in found}


def untold_share(most: int) -> int:
    """What a node uses of a figure when it was never told its share."""
    return max(1, most // UNTOLD_NODES)


def _figure(of: str, cluster: str, resource: Resource, most: int) -> Figure:
    return Figure(of=of, cluster=cluster, resource=resource, most=most)
