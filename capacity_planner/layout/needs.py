"""From the demand to addresses: what the hub needs, what every spoke needs, and what a trust zone's functions need.

All of it is for the horizon (rates times growth), for durations at the 99th percentile, and for the AZs that are left
when some are lost; whichever is worse counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from ..arithmetic import up
from ..demand.network import Way
from ..demand.values import Demand, FunctionDemand
from ..interfaces import Model, addresses_for, hyperplane_enis, legacy_enis_exact
from ..limits.values import Limits
from ..path import evaluate
from ..spoke import environments_of, worst_az
from .building import Need
from .sets import spread
from .values import Purpose, Spot, Use


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneLoad:
    """What some functions of one trust zone need by AZ: ENIs (a lower bound), and addresses by both models.

    `set_of`: which set of security groups each function has.
    """

    zone: str
    sets: int
    set_of: Mapping[str, int]
    functions: int
    enis: Mapping[str, int]
    hyperplane: Mapping[str, int]
    legacy: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _FunctionLoad:
    """What one function puts on the network at the horizon, when all of it is slow."""

    azs: tuple[str, ...]
    connections: int
    legacy_enis: float


class Needs:
    """The demand as needs. `kept`: the sets of security groups that functions keep from a plan before."""

    def __init__(
        self, demand: Demand, limits: Limits, model: Model, kept: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        self.demand = demand
        self.kept = kept
        self.limits = limits
        self.model = model
        self._each = {one.name: self._of(one) for one in demand.functions}
        self._hub: tuple[Need, ...] | None = None
        self._proxies: dict[float, int] = {}

    def _of(self, function: FunctionDemand) -> _FunctionLoad:
        count = environments_of(function, self.limits, slow=True, factor=self.demand.growth.factor)
        return _FunctionLoad(
            azs=self.demand.azs_of(function),
            connections=count * function.connections,
            legacy_enis=legacy_enis_exact(count, function.memory_mb, self.limits),
        )

    def of_hub(self) -> tuple[Need, ...]:
        """What the hub needs in each AZ."""
        if self._hub is None:
            self._hub = tuple(need for az in self.demand.azs for need in self._of_hub(az))
        return self._hub

    def of_spoke(self, way: Way) -> tuple[Need, ...]:
        """What a spoke needs in each AZ beside its functions."""
        return tuple(need for az in self.demand.azs for need in self._of_spoke(way, az))

    def of_zone(self, load: ZoneLoad, way: Way) -> tuple[Need, ...]:
        """What a zone's functions need in a spoke."""
        addresses = load.hyperplane if self.model is Model.HYPERPLANE else load.legacy
        return tuple(
            _need(Purpose.FUNCTIONS, az, {"Lambda's ENIs": count}, is_routable=way is Way.DIRECT, zone=load.zone)
            for az, count in sorted(addresses.items())
        )

    def of_zone_legacy(self, load: ZoneLoad) -> tuple[Need, ...]:
        """What a zone's functions would have needed in 2019."""
        return tuple(
            _need(Purpose.FUNCTIONS, az, {"ENIs": count}, is_routable=True, zone=load.zone)
            for az, count in sorted(load.legacy.items())
        )

    def load(self, zone: str, functions: Sequence[FunctionDemand]) -> ZoneLoad:
        """What these functions of one trust zone put on its subnets, whichever zones are lost."""
        sets = self.demand.zone_of[zone].sets
        set_of = spread({one.name: self._each[one.name].connections for one in functions}, sets, self.kept)
        held: dict[int, dict[tuple[str, ...], float]] = {number: {} for number in range(1, sets + 1)}
        by_memory: dict[tuple[str, ...], float] = defaultdict(float)
        for function in functions:
            load = self._each[function.name]
            for carried in held.values():  # an empty set has an ENI in each subnet as soon as a function takes it
                carried.setdefault(load.azs, 0.0)
            held[set_of[function.name]][load.azs] += load.connections
            by_memory[load.azs] += load.legacy_enis
        enis: dict[str, int] = defaultdict(int)
        legacy: dict[str, int] = defaultdict(lambda: 1)
        for lost in {0, self.demand.account.lost_azs}:
            by_az: dict[str, int] = defaultdict(int)
            for carried in held.values():
                for az, connections in worst_az(carried, lost).items():
                    by_az[az] += hyperplane_enis(connections, self.limits)
            for az, count in by_az.items():
                enis[az] = max(enis[az], count)
            for az, exact in worst_az(by_memory, lost).items():
                legacy[az] = max(legacy[az], up(exact))
        return ZoneLoad(
            zone=zone,
            sets=sets,
            set_of=set_of,
            functions=len(functions),
            enis=dict(enis),
            hyperplane={az: addresses_for(count, self.limits) for az, count in enis.items()},
            legacy=dict(legacy),
        )

    def nau_of_spoke(self, way: Way, functions: int) -> int:
        """The network address units that a spoke takes with so many functions."""
        azs = len(self.demand.azs)
        units = functions * self.limits["nau_lambda_function"].whole
        units += len(self.demand.path.spoke.endpoints) * azs * self.limits["nau_endpoint"].whole
        if way is not Way.ENDPOINT:
            units += self.limits["nau_transit_gateway_attachment"].whole
        if way is Way.NAT:
            units += azs * self.limits["nau_nat_gateway"].whole
        return units

    def stock_of_hub(self) -> dict[str, int]:
        """How many of each thing stand in the hub, beside its interface endpoints."""
        path = self.demand.path
        found = {
            "router_hosts_per_az": path.hub.router_hosts_per_az,
            "resolver_addresses": path.resolver.addresses if path.resolver else 0,
            "attachments": int(path.hub.attachment),
        }
        if self._has_proxies():
            found |= {
                "load_balancers": path.hub.nlbs,
                "load_balancer_secondary_addresses": path.nlb.secondary_addresses,
                "proxies_per_az": self._proxies_at(1.0),
                "proxies_per_az_at_horizon": self._proxies_at(self.demand.growth.factor),
            }
        return {what: count for what, count in found.items() if count}

    def stock_of_spoke(self, way: Way) -> dict[str, int]:
        """How many of each thing stand in a spoke, beside its functions and interface endpoints."""
        nat = self.demand.path.nat
        found = {
            "attachments": int(way is not Way.ENDPOINT),
            "nat_addresses_per_az": (nat.addresses if nat else 1) if way is Way.NAT else 0,
        }
        return {what: count for what, count in found.items() if count}

    def _has_proxies(self) -> bool:
        return any(function.way is Way.ENDPOINT for function in self.demand.functions)

    def _of_hub(self, az: str) -> Iterator[Need]:
        path = self.demand.path
        rollout = self.limits["rollout_factor"].value
        if self._has_proxies():
            count = self._proxies_at(self.demand.growth.factor)
            yield _need(
                Purpose.PROXIES,
                az,
                {
                    "load balancers": self._load_balancers(),
                    "proxies, old and new": up(count * rollout) * path.proxies.addresses,
                },
            )
        if path.hub.router_hosts_per_az:
            yield _need(Purpose.ROUTERS, az, {"router hosts, old and new": up(path.hub.router_hosts_per_az * rollout)})
        resolver = up(path.resolver.addresses / len(self.demand.azs)) if path.resolver else 0
        if path.hub.endpoints or resolver:
            yield _need(Purpose.ENDPOINTS, az, {"interface endpoints": len(path.hub.endpoints), "resolver": resolver})
        if path.hub.attachment:
            yield self._attachment(az)

    def _of_spoke(self, way: Way, az: str) -> Iterator[Need]:
        path = self.demand.path
        if path.spoke.endpoints:
            uses = {"interface endpoints": len(path.spoke.endpoints)}
            yield _need(Purpose.ENDPOINTS, az, uses, is_routable=way is Way.DIRECT)
        if way is Way.NAT:
            yield _need(Purpose.NAT, az, {"NAT gateway": path.nat.addresses if path.nat else 1})
        if way is not Way.ENDPOINT:
            yield self._attachment(az)

    def _proxies_at(self, factor: float) -> int:
        """The proxies of each AZ at so many times today's demand; what the demand file says is today's count."""
        given = self.demand.path.proxies.per_az
        if given is not None:
            return up(given * factor)
        if factor not in self._proxies:
            needed = evaluate.needs(self.demand, self.limits, factor=factor)
            self._proxies[factor] = max(needed.proxies_per_az, needed.targets_per_az)
        return self._proxies[factor]

    def _load_balancers(self) -> int:
        """Each keeps its addresses; the last to be made must find so many free as AWS wants to choose from."""
        nlbs = self.demand.path.hub.nlbs
        own = 1 + self.demand.path.nlb.secondary_addresses
        return nlbs * own - 1 + self.limits["nlb_free_addresses"].whole if nlbs else 0

    def _attachment(self, az: str) -> Need:
        return Need(
            spot=Spot(purpose=Purpose.ATTACHMENTS, az=az),
            uses=(Use(what="Transit Gateway attachment", addresses=1),),
            is_routable=True,
            prefix=self.limits["transit_gateway_subnet_prefix"].whole,
        )


def _need(purpose: Purpose, az: str, uses: Mapping[str, int], *, is_routable: bool = True, zone: str = "") -> Need:
    return Need(
        spot=Spot(purpose=purpose, az=az, zone=zone),
        uses=tuple(Use(what=what, addresses=count) for what, count in uses.items() if count),
        is_routable=is_routable,
    )


def largest_first(needs: Iterable[Need]) -> list[Need]:
    """The needs in the order in which they pack without a gap."""
    return sorted(needs, key=lambda need: (-need.size, need.spot.order))
