"""The whole layout: demand, existing allocations and the plan before become the plan.

The rule: what the plan before has stays, wherever it is and however small it got. Everything else follows from the
input alone, so the same input gives the same plan, and a plan made again from itself is itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..addresses.block import Block
from ..addresses.pool import Pool
from ..demand.values import Demand
from ..interfaces import Model
from ..limits.values import Limits
from .building import Building, range_prefix
from .grounds import Grounds, Shortfall
from .needs import Needs
from .placing import Placed, Spoke, place_functions, provide, zones_of
from .sets import kept_sets
from .values import Figure, Kind, Plan, Range, Savings, Vpc, reserve_name

_FIGURES = (
    "lambda_requests_per_environment",
    "eni_connections",
    "eni_per_vpc",
    "legacy_eni_gb",
    "subnet_reserved_addresses",
    "subnet_prefix_shortest",
    "subnet_prefix_longest",
    "cidrs_per_vpc",
    "subnets_per_vpc",
    "nau_per_vpc",
    "nau_lambda_function",
    "nau_endpoint",
    "nlb_free_addresses",
    "transit_gateway_subnet_prefix",
    "turnover_headroom",
    "eni_fill",
    "eni_other_consumers",
    "rollout_factor",
)
"""The limits and assumptions that the layout rests on: they stand in the plan as they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """A block that is in use already.

    `row` is its place in the list that it comes from, `vpc` and `name` say whose it is, where known.
    """

    block: Block
    row: int = 0
    name: str = ""
    vpc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a plan is made from. `as_of` is the plan's date; `inputs` the digests of the files it comes from."""

    demand: Demand
    limits: Limits
    as_of: str
    existing: tuple[Existing, ...] = ()
    model: Model = Model.HYPERPLANE
    previous: Plan | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """An existing block that stands where the plan before has one of its own: neither can move."""

    existing: Existing
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The plan, or what stands against it.

    `plan` is None exactly when there are shortfalls or conflicts. `reasons` say why, by the name of a VPC or of a
    segment (`hub/proxies/eu-west-1a`): why a further VPC was opened, why a block could not grow in place.
    """

    plan: Plan | None
    shortfalls: tuple[Shortfall, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    warnings: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)


def lay_out(request: Request) -> Outcome:
    """The plan that a request asks for, or everything that stands against it."""
    return _Layout(request).outcome()


class _Layout:
    """One request on its way to a plan."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.demand = request.demand
        self.before = request.previous.vpcs if request.previous else ()
        kept = kept_sets(request.previous, request.demand)
        self.needs = Needs(request.demand, request.limits, request.model, kept)
        own = _own_blocks(self.before)
        self.others = [one for one in request.existing if one.block not in own and not _is_named_for(self.before, one)]
        self.reasons: dict[str, str] = {}

    def outcome(self) -> Outcome:
        conflicts = tuple(self._conflicts())
        if conflicts:
            return Outcome(plan=None, conflicts=conflicts)
        limits = self.request.limits
        buildings = [self._building(vpc) for vpc in self.before]
        grounds = Grounds(
            self.demand.spaces,
            [one.block for one in self.others],
            [one for building in buildings for one in building.ranges],
            most_cidrs=limits["cidrs_per_vpc"].whole,
        )
        hub = next((one for one in buildings if one.kind is Kind.HUB), None) or self._new_hub()
        shortfall = provide(hub, self.needs.of_hub(), grounds)
        hubs = [hub] if hub.ranges else []
        spokes = [one for one in buildings if one.kind is Kind.SPOKE]
        before = {one.name: one for one in self.request.previous.functions} if self.request.previous else {}
        placed = place_functions(self.needs, grounds, spokes, before)
        shortfalls = (*([shortfall] if shortfall else []), *placed.shortfalls)
        buildings_now = [*hubs, *(spoke.building for spoke in placed.spokes)]
        shortfalls = (*shortfalls, *self._give_ipv6(buildings_now))
        if shortfalls:
            return Outcome(plan=None, shortfalls=shortfalls)
        return Outcome(
            plan=self._plan(buildings_now, placed, grounds),
            warnings=(*self._outside(), *placed.warnings),
            reasons={**self.reasons, **placed.reasons},
        )

    def _conflicts(self) -> Iterable[Conflict]:
        """Existing blocks that meet a routable block of the plan before, and are not its own."""
        for one in self.others:
            for vpc in self.before:
                what = _met(vpc, one)
                if what:
                    yield Conflict(existing=one, what=what)
                    break

    def _building(self, vpc: Vpc) -> Building:
        """The building that a VPC of the plan before is; a reserve in which somebody else stands now is lost."""
        ranges = [self._without_others(vpc, one) for one in vpc.ranges]
        strangers = [
            one.block
            for one in self.others
            if any(cidr.holds(one.block) for cidr in vpc.cidrs)
            and (vpc.is_routable(one.block) or one.vpc in ("", vpc.name))
        ]
        building = Building.of(replace(vpc, ranges=tuple(ranges)), strangers)
        building.most_subnets = self.request.limits["subnets_per_vpc"].whole
        for spot, stranger in building.lost:
            self.reasons[f"{vpc.name}/{spot}"] = f"{stranger} stands in its reserve"
        return building

    def _without_others(self, vpc: Vpc, held: Range) -> Range:
        extent = held.extent
        for one in self.others:
            if extent.reserve and extent.reserve.overlaps(one.block):
                self.reasons[vpc.name] = f"{one.block} stands in the reserve {extent.reserve}"
                return replace(held, extent=replace(extent, reserve=None))
        return held

    def _outside(self) -> Iterable[str]:
        """Blocks of the plan before that lie in none of the parents that the demand names now."""
        spaces = self.demand.spaces
        for vpc in self.before:
            for one in vpc.ranges:
                kind, parents = ("hub", spaces.hub) if one.is_routable else ("spoke", spaces.spoke)
                if not any(parent.holds(one.extent.block) for parent in parents):
                    yield f"{vpc.name} keeps {one.extent.block}, which lies in no parent of spaces.{kind}"

    def _new_hub(self) -> Building:
        hub = Building("hub", Kind.HUB)
        hub.most_subnets = self.request.limits["subnets_per_vpc"].whole
        return hub

    def _plan(self, buildings: Iterable[Building], placed: Placed, grounds: Grounds) -> Plan:
        for spoke in placed.spokes:
            if spoke.members:
                spoke.building.zones = zones_of(self.needs, spoke)
                spoke.building.endpoints = self.demand.path.spoke.endpoints
                spoke.building.stock = self.needs.stock_of_spoke(spoke.way)
        for building in buildings:
            if building.kind is Kind.HUB:
                building.endpoints = self.demand.path.hub.endpoints
                building.stock = self.needs.stock_of_hub()
            building.settle()
            grounds.settle(building)
        vpcs = tuple(building.freeze(dual_stack=self.demand.spaces.ipv6) for building in buildings)
        demand, growth = self.demand, self.demand.growth
        return Plan(
            as_of=self.request.as_of,
            model=self.request.model,
            region=demand.account.region or "",
            azs=demand.azs,
            growth=round(growth.factor, 6),
            years=float(growth.years),
            vpcs=vpcs,
            functions=placed.functions(self.needs),
            spaces=grounds.spaces([one for vpc in vpcs for one in vpc.ranges]),
            savings=self._savings(vpcs, placed.spokes),
            figures=tuple(self._figures()),
            inputs=self.request.inputs,
        )

    def _give_ipv6(self, buildings: Iterable[Building]) -> Iterable[Shortfall]:
        """Give each VPC an IPv6 block where there is a parent for it; Amazon gives one where there is none."""
        spaces = self.demand.spaces
        if not spaces.ipv6 or spaces.ipv6_parent is None:
            return
        taken = [one.block for one in self.others] + [vpc.ipv6 for vpc in self.before if vpc.ipv6]
        pool = Pool.of((spaces.ipv6_parent,), taken)
        prefix = self.request.limits["vpc_prefix_ipv6"].whole
        for building in buildings:
            building.ipv6 = building.ipv6 or pool.allocate(prefix)
            if building.ipv6 is None:
                message = f"{building.name} needs a /{prefix}, and {spaces.ipv6_parent} has none free"
                yield Shortfall(vpc=building.name, is_routable=True, message=message, is_ipv6=True)

    def _savings(self, vpcs: Iterable[Vpc], spokes: Iterable[Spoke]) -> Savings:
        ranges = [one.extent for vpc in vpcs for one in vpc.ranges if one.is_routable]
        fixed = [*self.needs.of_hub(), *(need for spoke in spokes for need in self.needs.of_spoke(spoke.way))]
        loads = [(load, spoke.way) for spoke in spokes for load in spoke.loads.values()]
        functions = [need for load, way in loads for need in self.needs.of_zone(load, way)]
        legacy = [need for load, _way in loads for need in self.needs.of_zone_legacy(load)]
        return Savings(
            used=sum(extent.block.size for extent in ranges),
            reserved=sum(extent.reserve.size for extent in ranges if extent.reserve),
            one_vpc=1 << (32 - range_prefix([*fixed, *functions])),
            one_vpc_legacy=1 << (32 - range_prefix([*fixed, *legacy])),
        )

    def _figures(self) -> Iterable[Figure]:
        for key in _FIGURES:
            limit = self.request.limits[key]
            yield Figure(
                key=key,
                value=limit.value,
                unit=limit.unit,
                kind=limit.kind.value,
                as_of=limit.as_of,
                source=limit.source,
            )


def _own_blocks(vpcs: Iterable[Vpc]) -> set[Block]:
    """The blocks of a plan: an existing block equal to one of them is the plan's own, deployed."""
    own: set[Block] = set()
    for vpc in vpcs:
        own |= {vpc.ipv6} if vpc.ipv6 else set()
        for extent in [*(one.extent for one in vpc.ranges), *(segment.extent for segment in vpc.segments)]:
            own |= {extent.block, *extent.parts}
        own |= {subnet.ipv6 for _segment, subnet in vpc.subnets() if subnet.ipv6}
    return own


def _is_named_for(vpcs: Iterable[Vpc], one: Existing) -> bool:
    """Whether a register keeps an existing block for a VPC of the plan, as it should do with reserves.

    Without the name it is somebody else's: a reserve is the very block that the next one who asks is given.
    """
    kept = [vpc for vpc in vpcs if vpc.name in (one.vpc, one.name) or one.name == reserve_name(vpc)]
    wholes = (extent.whole for vpc in kept for extent in (held.extent for held in vpc.ranges))
    return any(whole.holds(one.block) and not _inside(kept, one.block) for whole in wholes)


def _inside(vpcs: Iterable[Vpc], block: Block) -> bool:
    return any(cidr.holds(block) for vpc in vpcs for cidr in vpc.cidrs)


def _met(vpc: Vpc, one: Existing) -> str:
    """What of a VPC an existing block stands in or around, in words; empty where they do not meet, or may.

    Inside the VPC somebody may have made a subnet by hand; it may stand where no segment is. What is not routable may
    be used by others, too.
    """
    if vpc.ipv6 and vpc.ipv6.overlaps(one.block) and not vpc.ipv6.holds(one.block):
        return f"{vpc.ipv6} of {vpc.name}"
    for held in vpc.ranges:
        if not held.is_routable or not held.extent.block.overlaps(one.block):
            continue
        if not held.extent.block.holds(one.block):
            return f"{held.extent.block} of {vpc.name}"
        return _segment_met(vpc, one.block)
    return ""


def _segment_met(vpc: Vpc, block: Block) -> str:
    for segment in vpc.segments:
        if segment.extent.block.overlaps(block):
            return f"{segment.extent.block} of {vpc.name}/{segment.spot}"
    return ""
