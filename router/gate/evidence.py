"""Evidence: what the router counted of a route, exactly and for everybody, kept apart by who was *meant* to answer.

The one rule: users are drawn, not requests, so counts stay in *buckets of users* (64, hashed with another salt than the
split). Everything that is said about chance later is said about buckets. Latencies come by *fold* (bucket modulo 8):
still whole users, without 64 histograms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import lt
from typing import Final, cast

from .counts import BUCKETS, Columns, Counts

__all__ = ["BUCKETS", "FOLDS", "Columns", "Counts", "Histogram", "Parity", "Reading", "RouteEvidence", "SideEvidence"]
FOLDS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How many values lay at or below each of `bounds` (milliseconds, growing) and above the one before.

    `counts` has one entry more than `bounds`: what lay above the last. Raises `ValueError` when it has not.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.bounds) + 1:
            message = f"{len(self.bounds)} bounds need {len(self.bounds) + 1} counts, not {len(self.counts)}"
            raise ValueError(message)
        if not all(map(lt, self.bounds, self.bounds[1:])):
            message = f"bounds grow: {self.bounds}"
            raise ValueError(message)
        if min(self.counts) < 0:
            message = f"counts are never below zero: {self.counts}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How many pairs of answers were compared, and how many of them differ after masking."""

    compared: int = 0
    different: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.different <= self.compared:
            message = f"{self.different} of {self.compared} compared answers cannot differ"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEvidence:
    """What the users who were assigned to one side saw.

    `buckets` by bucket (0 to 63; a bucket without requests may be absent), `latency` and `cold_latency` by fold (0 to
    7), milliseconds; `cold_latency` holds the requests that started an environment, which are then not in `latency`.
    `executed_versions` counts answers by the version of the function. `parity` is None where nothing is compared.
    """

    buckets: Mapping[int, Counts] = field(default_factory=dict)
    latency: Mapping[int, Histogram] = field(default_factory=dict)
    cold_latency: Mapping[int, Histogram] = field(default_factory=dict)
    executed_versions: Mapping[str, int] = field(default_factory=dict)
    parity: Parity | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "buckets", Columns.of(self.buckets))
        if any(fold not in range(FOLDS) for fold in (*self.latency, *self.cold_latency)):
            message = f"folds are 0 to {FOLDS - 1}: {sorted((*self.latency, *self.cold_latency))}"
            raise ValueError(message)

    @property
    def columns(self) -> Columns:
        """The buckets, as they are kept."""
        return cast("Columns", self.buckets)

    @property
    def requests(self) -> int:
        """All requests of the side."""
        return sum(self.columns.requests)

    @property
    def buckets_seen(self) -> int:
        """How many buckets of users sent anything."""
        return len(self.buckets) - self.columns.requests.count(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEvidence:
    """Both sides of a route over the same time, by the side that the user was *assigned* to."""

    legacy: SideEvidence = field(default_factory=SideEvidence)
    lambda_: SideEvidence = field(default_factory=SideEvidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a node had counted of each moving route at `at` (Unix seconds), since its `epoch` began.

    The epoch changes when Envoy's counters start again at zero. `weights_version` was in force when it was read.
    """

    node: str
    epoch: str
    weights_version: int
    at: float
    routes: Mapping[str, RouteEvidence] = field(default_factory=dict)
