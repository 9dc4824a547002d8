"""What the workloads demand, as frozen values: what every later stage takes and may trust.

Rates are per second at peak, durations in seconds, sizes in bytes, memory in MB of 1,024 KB as Lambda counts it.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..addresses.block import Block
from .network import NetworkPath, Way
from .on_premises import Database, Legacy, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long one invocation takes: at the median, at the 99th percentile, and at most (the function's timeout)."""

    p50: float
    p99: float
    timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Bytes of one request and of its response, on one leg of the path."""

    request: int
    response: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDemand:
    """One function, by the estate's name.

    `trust_zone` names its security-group set: functions of one zone share one. `connections` per environment, held at
    once (at most 1,024, as an environment has so many sockets). `new_connections_per_request`: how many connections
    to on-premises a request opens (0 where environments keep theirs). `azs` empty: all of the demand's.
    `database_sessions`: (database, sessions per environment). `reserved` None: no reserved concurrency. `ingress`: what
    a request and its answer weigh between VIP and Lambda API; `egress`: what it exchanges with on-premises. `services`:
    what it calls there beside databases; `way`: how it gets there.
    """

    name: str
    rate: float
    durations: Durations
    memory_mb: int
    trust_zone: str
    connections: int = 1
    new_connections_per_request: float = 0.0
    lookups_per_request: float = 0.0
    lookup_cache_share: float = 0.0
    ingress: Payload = Payload(request=0, response=0)
    egress: Payload = Payload(request=0, response=0)
    azs: tuple[str, ...] = ()
    reserved: int | None = None
    database_sessions: tuple[tuple[str, int], ...] = ()
    services: tuple[str, ...] = ()
    way: Way = Way.ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """By which factor demand grows until the horizon: `rate_per_year` 0.3 is 30 %, compounded over `years`."""

    rate_per_year: float = 0.0
    years: float = 0.0

    @property
    def factor(self) -> float:
        """What today's demand is multiplied by."""
        return float((1.0 + self.rate_per_year) ** self.years)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spaces:
    """Where blocks may come from: parents of the spoke VPCs (not routable, reusable) and of the hub VPC (routable).

    `ipv6` True: dual-stack, a /56 for each VPC and a /64 for each subnet out of `ipv6_parent`.
    """

    spoke: tuple[Block, ...]
    hub: tuple[Block, ...]
    ipv6: bool = False
    ipv6_parent: Block | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustZone:
    """Functions that share security groups. `sets` > 1: the functions are spread over so many sets of them.

    `security_groups`: how many are in a set.
    """

    name: str
    sets: int = 1
    security_groups: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where it runs. `concurrency` None: the limit of the catalogue. `lost_azs`: how many zones may fail at once."""

    azs: tuple[str, ...]
    region: str | None = None
    concurrency: int | None = None
    lost_azs: int = 1


@dataclass(frozen=True, kw_only=True)
class Demand:
    """All that a demand file says, in order of names, whose references have been checked."""

    account: Account
    functions: tuple[FunctionDemand, ...]
    zones: tuple[TrustZone, ...]
    spaces: Spaces
    growth: Growth = field(default_factory=Growth)
    path: NetworkPath = field(default_factory=NetworkPath)
    databases: tuple[Database, ...] = ()
    services: tuple[Service, ...] = ()
    legacy: tuple[Legacy, ...] = ()

    @property
    def azs(self) -> tuple[str, ...]:
        """The Availability Zones that subnets are made in."""
        return self.account.azs

    @functools.cached_property
    def zone_of(self) -> Mapping[str, TrustZone]:
        """The trust zones by name."""
        return {zone.name: zone for zone in self.zones}

    def azs_of(self, function: FunctionDemand) -> tuple[str, ...]:
        """The zones that a function has subnets in."""
        return function.azs or self.account.azs
