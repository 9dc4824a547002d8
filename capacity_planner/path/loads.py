"""What all functions together put on each part of the way, in one case.

Every sum is kept by what it runs over: trust zone, way, destination, database, and the group of zones that a function
is in. Rates are per second, bytes are those of the payload, without the wire's overhead.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..demand.network import Way
from ..demand.values import Demand, FunctionDemand
from ..limits.values import Limits
from ..spoke import environments_of
from .case import Case

ELSEWHERE = "on-premises"
"""The destination of functions that name neither database nor service."""
_ELSEWHERE = (ELSEWHERE,)

Azs = tuple[str, ...]
Groups = dict[Azs, float]


def _groups() -> Groups:
    return defaultdict(float)


@dataclass(slots=True)
class ZoneLoad:
    """What a trust zone's functions put on their ENIs, by group of zones. `burst`: the most that one function adds."""

    connections: Groups = field(default_factory=_groups)
    new_connections: Groups = field(default_factory=_groups)
    dns_packets: Groups = field(default_factory=_groups)
    burst: float = 0.0


@dataclass(slots=True)
class WayLoad:
    """What goes one way: connections, requests and bytes, by group of zones where that matters."""

    connections: Groups = field(default_factory=_groups)
    new_connections: Groups = field(default_factory=_groups)
    request_bytes: Groups = field(default_factory=_groups)
    response_bytes: Groups = field(default_factory=_groups)
    packets: Groups = field(default_factory=_groups)


@dataclass(slots=True)
class DestinationLoad:
    """What reaches one destination: connections held, and new ones per second, by group of zones."""

    connections: Groups = field(default_factory=_groups)
    new_connections: Groups = field(default_factory=_groups)


@dataclass(slots=True)
class IngressLoad:
    """What the leg from the VIP carries: bytes as clients send them, and as they are inside the Lambda API's events."""

    plain_request: float = 0.0
    plain_response: float = 0.0
    event_request: float = 0.0
    event_response: float = 0.0
    packets: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """All loads of one case. `environments`: each function with its concurrency, capped where it is reserved.

    `needed`: what functions that are capped would need.
    """

    slow: bool
    lost: int
    environments: list[tuple[FunctionDemand, int]]
    needed: Mapping[str, int]
    zones: Mapping[str, ZoneLoad]
    ways: Mapping[Way, WayLoad]
    destinations: Mapping[tuple[Way, str], DestinationLoad]
    sessions: Mapping[str, int]
    ingress: IngressLoad
    queries: float


class LoadBook:
    """The loads of a demand whose rates are multiplied by `factor`, added up once for each of the two durations."""

    def __init__(self, demand: Demand, limits: Limits, factor: float = 1.0) -> None:
        self.demand = demand
        self.limits = limits
        self.factor = factor
        self._known: dict[bool, Loads] = {}

    def of(self, case: Case) -> Loads:
        """The loads of a case."""
        if case.slow not in self._known:
            self._known[case.slow] = self._gather(slow=case.slow)
        lost = self.demand.account.lost_azs if case.lost else 0
        return dataclasses.replace(self._known[case.slow], lost=lost)

    def _gather(self, *, slow: bool) -> Loads:
        gathered = _Gathered(self.demand, self.limits, self.factor)
        environments = [
            (one, environments_of(one, self.limits, slow=slow, factor=self.factor)) for one in self.demand.functions
        ]
        for function, count in environments:
            gathered.add(function, count)
        uncapped = [dataclasses.replace(one, reserved=None) for one, _count in environments if one.reserved is not None]
        return Loads(
            slow=slow,
            lost=0,
            environments=environments,
            needed={one.name: environments_of(one, self.limits, slow=slow, factor=self.factor) for one in uncapped},
            zones=gathered.zones,
            ways=gathered.ways,
            destinations=gathered.destinations,
            sessions=gathered.sessions,
            ingress=gathered.ingress,
            queries=gathered.queries,
        )


def uses_on_premises(function: FunctionDemand) -> bool:
    """Whether a function reaches on-premises at all."""
    return bool(
        function.database_sessions
        or function.services
        or function.new_connections_per_request
        or function.egress.request
        or function.egress.response
    )


def base64_bytes(plain: float, share: float) -> float:
    """The size of a body of which `share` is binary: three bytes become four characters (RFC 4648, section 4)."""
    return plain * (1 - share) + plain * share * 4 / 3


class _Gathered:
    """Adds up one function after the other."""

    def __init__(self, demand: Demand, limits: Limits, factor: float) -> None:
        self._demand = demand
        self._factor = factor
        self._growth = base64_bytes(1.0, demand.path.ingress.base64_share)
        self._event = limits["event_overhead_bytes"].value
        self._payload = limits["packet_payload_bytes"].value
        self._exchange = limits["packets_per_exchange"].value
        self._dns_packets = limits["dns_packets_per_lookup"].value
        self._warm = limits["warm_environments"].value
        self._per_second = limits["lambda_scaling_environments"].value / 10
        self.zones: dict[str, ZoneLoad] = defaultdict(ZoneLoad)
        self.ways: dict[Way, WayLoad] = defaultdict(WayLoad)
        self.destinations: dict[tuple[Way, str], DestinationLoad] = defaultdict(DestinationLoad)
        self.sessions: dict[str, int] = defaultdict(int)
        self.ingress = IngressLoad()
        self.queries = 0.0

    def add(self, function: FunctionDemand, environments: int) -> None:
        """Add what a function with so many environments puts on the way."""
        rate = function.rate * self._factor
        azs = function.azs or self._demand.account.azs
        alive = int(environments * self._warm)
        held, opened = alive * function.connections, rate * function.new_connections_per_request
        lookups = rate * function.lookups_per_request * (1 - function.lookup_cache_share)
        zone = self.zones[function.trust_zone]
        zone.connections[azs] += held
        zone.new_connections[azs] += opened
        zone.dns_packets[azs] += lookups * self._dns_packets
        zone.burst = max(zone.burst, min(environments, self._per_second) * function.connections / len(azs))
        self.queries += lookups * self._dns_packets
        self._add_ingress(function, rate)
        if uses_on_premises(function):
            self._add_egress(function, rate, azs, held, opened)
            self._add_targets(function, azs, alive, opened)

    def _add_ingress(self, function: FunctionDemand, rate: float) -> None:
        request, response = function.ingress.request, function.ingress.response
        growth, one = self._growth, self.ingress
        one.plain_request += rate * request
        one.plain_response += rate * response
        one.event_request += rate * (request * growth + self._event)
        one.event_response += rate * response * growth
        one.packets += rate * self._packets(request, response)

    def _add_egress(self, function: FunctionDemand, rate: float, azs: Azs, held: float, opened: float) -> None:
        request, response = function.egress.request, function.egress.response
        way = self.ways[function.way]
        way.connections[azs] += held
        way.new_connections[azs] += opened
        way.request_bytes[azs] += rate * request
        way.response_bytes[azs] += rate * response
        way.packets[azs] += rate * self._packets(request, response)

    def _add_targets(self, function: FunctionDemand, azs: Azs, alive: int, opened: float) -> None:
        """Spread a function's connections over what it calls: sessions as stated, the rest evenly over the others."""
        sessions, services, way = function.database_sessions, function.services, function.way
        rest = function.connections
        for name, count in sessions:
            rest -= count
            self.sessions[name] += alive * count
            self.destinations[way, name].connections[azs] += alive * count
        databases = tuple(name for name, _count in sessions)
        takers = services or databases or _ELSEWHERE
        for name in takers:
            self.destinations[way, name].connections[azs] += alive * rest / len(takers)
        if opened:
            targets = databases + services or _ELSEWHERE
            for name in targets:
                self.destinations[way, name].new_connections[azs] += opened / len(targets)

    def _packets(self, request: int, response: int) -> float:
        return -(-request // self._payload) + -(-response // self._payload) + self._exchange
