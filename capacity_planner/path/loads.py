"""What all functions together put on each part of the way, in one case.

Every sum is kept by what it runs over: trust zone, way, destination, database, and the group of zones that a function
is in. Rates are per second, bytes are those of the payload, without the wire's overhead.
"""

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


@dataclass(slots=True)
class Loads:
    """All loads of one case. `environments`: each function with its concurrency, capped where it is reserved."""

    case: Case
    lost: int
    environments: list[tuple[FunctionDemand, int]]
    zones: Mapping[str, ZoneLoad]
    ways: Mapping[Way, WayLoad]
    destinations: Mapping[tuple[Way, str], DestinationLoad]
    sessions: Mapping[str, int]
    ingress: IngressLoad
    queries: float


def loads_of(demand: Demand, limits: Limits, case: Case, *, factor: float = 1.0) -> Loads:
    """The loads of a demand whose rates are multiplied by `factor`."""
    gathered = _Gathered(demand, limits, factor)
    environments = [(one, environments_of(one, limits, slow=case.slow, factor=factor)) for one in demand.functions]
    for function, count in environments:
        gathered.add(function, count)
    return Loads(
        case=case,
        lost=demand.account.lost_azs if case.lost else 0,
        environments=environments,
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
        self._base64 = demand.path.ingress.base64_share
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
        one = self.ingress
        one.plain_request += rate * request
        one.plain_response += rate * response
        one.event_request += rate * (base64_bytes(request, self._base64) + self._event)
        one.event_response += rate * base64_bytes(response, self._base64)
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
        databases = [name for name, _sessions in function.database_sessions]
        targets = [*databases, *function.services] or [ELSEWHERE]
        rest = function.connections - sum(sessions for _name, sessions in function.database_sessions)
        takers = list(function.services) or databases or [ELSEWHERE]
        for name, sessions in function.database_sessions:
            self.sessions[name] += alive * sessions
            self.destinations[function.way, name].connections[azs] += alive * sessions
        for name in takers:
            self.destinations[function.way, name].connections[azs] += alive * rest / len(takers)
        for name in targets:
            self.destinations[function.way, name].new_connections[azs] += opened / len(targets)

    def _packets(self, request: int, response: int) -> float:
        return -(-request // self._payload) + -(-response // self._payload) + self._exchange
