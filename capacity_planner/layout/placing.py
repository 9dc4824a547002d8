"""Which function in which spoke: a function stays where it is, and a trust zone stays together where it fits.

A further spoke is opened when the others are full: by addresses, by ENIs, by network address units or by subnets.
Spokes of one way to on-premises are a family; families share nothing.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..arithmetic import up
from ..demand.network import Way
from ..demand.values import FunctionDemand
from ..interfaces import Model
from .building import Building, Need
from .grounds import Grounds, Shortfall
from .needs import Needs, ZoneLoad, largest_first
from .values import FunctionPlace, Kind, Zone

_STEMS = {Way.ENDPOINT: "spoke", Way.NAT: "spoke-nat", Way.DIRECT: "spoke-direct"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoke:
    """A spoke in the making: its building, the functions of each zone that are in it, and what they put on it."""

    building: Building
    way: Way
    members: Mapping[str, tuple[FunctionDemand, ...]] = field(default_factory=dict)
    loads: Mapping[str, ZoneLoad] = field(default_factory=dict)

    @property
    def functions(self) -> int:
        """How many functions are in it."""
        return sum(len(members) for members in self.members.values())


@dataclass(slots=True, kw_only=True)
class Placed:
    """What came out: the spokes, why further ones were opened (by name), and what has no place."""

    spokes: list[Spoke] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    shortfalls: list[Shortfall] = field(default_factory=list)

    def functions(self, needs: Needs) -> tuple[FunctionPlace, ...]:
        """Where each function is, by name."""
        found = (
            FunctionPlace(
                name=one.name,
                vpc=spoke.building.name,
                zone=zone,
                azs=tuple(sorted(needs.demand.azs_of(one))),
                set_number=spoke.loads[zone].set_of[one.name],
            )
            for spoke in self.spokes
            for zone, members in spoke.members.items()
            for one in members
        )
        return tuple(sorted(found, key=lambda place: place.name))


def place_functions(
    needs: Needs, grounds: Grounds, buildings: Sequence[Building], before: Mapping[str, FunctionPlace]
) -> Placed:
    """All functions in spokes. `buildings` are the spokes that exist, `before` says where functions were."""
    placed = Placed()
    for way in Way:
        ours = [one for one in needs.demand.functions if one.way is way]
        existing = [building for building in buildings if building.way == way.value]
        if ours or existing:
            _Family(needs, grounds, way, placed).place(ours, existing, before)
    return placed


class _Family:
    """The spokes of one way."""

    def __init__(self, needs: Needs, grounds: Grounds, way: Way, placed: Placed) -> None:
        self.needs = needs
        self.grounds = grounds
        self.way = way
        self.placed = placed
        self.spokes: list[Spoke] = []
        self.full = ""
        self.pending: dict[str, list[FunctionDemand]] = {}

    def place(
        self, functions: Sequence[FunctionDemand], existing: Sequence[Building], before: Mapping[str, FunctionPlace]
    ) -> None:
        """Keep what is there, then find a place for what is new, zone by zone."""
        kept: dict[str, dict[str, list[FunctionDemand]]] = {building.name: {} for building in existing}
        for function in sorted(functions, key=lambda one: one.name):
            was = before.get(function.name)
            stays = was is not None and was.vpc in kept and was.zone == function.trust_zone
            target = kept[was.vpc] if was is not None and stays else self.pending
            target.setdefault(function.trust_zone, []).append(function)
        for building in existing:
            self._keep(building, kept[building.name])
        for zone in sorted(self.pending):
            self._add_zone(zone, self.pending[zone])
            del self.pending[zone]
        self.placed.spokes += self.spokes

    def _keep(self, building: Building, members: Mapping[str, Sequence[FunctionDemand]]) -> None:
        """Place again what a spoke already holds; it may take a further block for that, since nothing may leave."""
        spoke = Spoke(
            building=building,
            way=self.way,
            members={zone: tuple(ones) for zone, ones in members.items()},
            loads={zone: self.needs.load(zone, ones) for zone, ones in members.items()},
        )
        if members:
            shortfall = provide(building, self._needs_of(spoke.loads.values()), self.grounds)
            if shortfall:
                self.placed.shortfalls.append(shortfall)
            over = self._over_quota(spoke)
            if over:
                self.placed.warnings.append(f"{over}, and functions that are there stay: raise the quota")
        self.spokes.append(spoke)

    def _add_zone(self, zone: str, members: Sequence[FunctionDemand]) -> None:
        """Place a zone's new functions: together in one spoke where they fit, else in as few further ones as may be."""
        hosting = sorted(range(len(self.spokes)), key=lambda place: zone not in self.spokes[place].members)
        for place in hosting:
            tried = self._try(self.spokes[place], zone, members)
            if isinstance(tried, Spoke):
                self.spokes[place] = tried
                return
            self.full = tried
        rest = tuple(members)
        while rest:
            fits = self._open(zone, rest)
            if fits == 0:
                return
            rest = rest[fits:]

    def _open(self, zone: str, members: Sequence[FunctionDemand]) -> int:
        """Open a spoke for as many of these functions as it takes; how many: 0 means that a finding says why."""
        name = self._free_name()
        building = Building(name, Kind.SPOKE, self.way.value)
        building.most_subnets = self.needs.limits["subnets_per_vpc"].whole
        pending = {**self.pending, zone: members}
        for needs in _by_routability(self._needs_of(self.needs.load(one, ones) for one, ones in pending.items())):
            shortfall = self.grounds.open(building, needs)
            if shortfall:
                self.placed.shortfalls.append(shortfall)
                return 0
        best, fits, reason = self._most(Spoke(building=building, way=self.way), zone, members)
        if fits == 0:
            message = f"{members[0].name} alone needs more than a VPC has: {reason}"
            short = Shortfall(vpc=name, is_routable=self.way is Way.DIRECT, message=message, function=members[0].name)
            self.placed.shortfalls.append(short)
            return 0
        if self.spokes and self.full:
            self.placed.reasons[name] = self.full
        self.full = reason
        self.spokes.append(best)
        return fits

    def _free_name(self) -> str:
        taken = {spoke.building.name for spoke in self.spokes}
        numbers = itertools.count(len(taken) + 1)
        return next(name for number in numbers if (name := f"{_STEMS[self.way]}-{number}") not in taken)

    def _most(self, spoke: Spoke, zone: str, members: Sequence[FunctionDemand]) -> tuple[Spoke, int, str]:
        """The spoke with as many of these functions as it takes, how many these are, and why it takes no more."""
        best, fits, reason = spoke, 0, ""
        low, high = 1, len(members)
        count = high  # all of them first: that is what nearly always fits
        while low <= high:
            tried = self._try(spoke, zone, members[:count])
            if isinstance(tried, Spoke):
                best, fits, low = tried, count, count + 1
            else:
                reason, high = tried, count - 1
            count = (low + high) // 2
        return best, fits, reason

    def _try(self, spoke: Spoke, zone: str, members: Sequence[FunctionDemand]) -> Spoke | str:
        """The spoke with these functions in it too, or why it cannot take them."""
        together = tuple(sorted((*spoke.members.get(zone, ()), *members), key=lambda one: one.name))
        load = self.needs.load(zone, together)
        tried = replace(
            spoke,
            building=spoke.building.copy(),
            members={**spoke.members, zone: together},
            loads={**spoke.loads, zone: load},
        )
        over = self._over_quota(tried)
        if over:
            return over
        for need in largest_first(self._needs_of([load])):
            unplaced = tried.building.place(need)
            if unplaced:
                return unplaced.reason
        return tried

    def _needs_of(self, loads: Iterable[ZoneLoad]) -> list[Need]:
        """What these zones need in a spoke, and what the spoke needs by itself."""
        zones = (need for load in loads for need in self.needs.of_zone(load, self.way))
        return [*self.needs.of_spoke(self.way), *zones]

    def _over_quota(self, spoke: Spoke) -> str:
        """Which quota of a VPC the functions in a spoke exceed, in words; empty: none."""
        limits = self.needs.limits
        nau = self.needs.nau_of_spoke(spoke.way, spoke.functions)
        if nau > limits["nau_per_vpc"].whole:
            return f"{spoke.building.name} would take {nau:,} of {limits['nau_per_vpc'].whole:,} NAU"
        if self.needs.model is Model.LEGACY_2019:
            return ""
        enis = sum(sum(load.enis.values()) for load in spoke.loads.values())
        both = up(enis * (1 + limits["turnover_headroom"].value)) + limits["eni_other_consumers"].whole
        if both > limits["eni_per_vpc"].whole:
            return f"{spoke.building.name} would take {both:,} of {limits['eni_per_vpc'].whole:,} ENIs while they renew"
        return ""


def provide(building: Building, needs: Iterable[Need], grounds: Grounds) -> Shortfall | None:
    """Place all needs in a building, which takes further blocks from its parents where it must; None, or what lacks.

    What has a place grows first, then what is new is placed, the largest first.
    """
    ordered = largest_first(needs)
    ordered.sort(key=lambda need: not building.at(need.spot))
    for place, need in enumerate(ordered):
        while unplaced := building.place(need):
            if not unplaced.is_for_addresses:
                return Shortfall(vpc=building.name, is_routable=need.is_routable, message=unplaced.reason)
            missing = _missing(building, ordered[place:], is_routable=need.is_routable)
            shortfall = grounds.open(building, missing)
            if shortfall:
                return shortfall
    return None


def _missing(building: Building, needs: Iterable[Need], *, is_routable: bool) -> list[Need]:
    """What of these needs has no room in a building as it is, the largest first."""
    trial = building.copy()
    found = (trial.place(need) for need in needs if need.is_routable is is_routable)
    return largest_first(unplaced.need for unplaced in found if unplaced and unplaced.is_for_addresses)


def _by_routability(needs: Iterable[Need]) -> list[list[Need]]:
    """The needs of a new VPC: the routable ones first, since theirs must be the primary block; the largest first."""
    ordered = largest_first(needs)
    parts = [[need for need in ordered if need.is_routable is routable] for routable in (True, False)]
    return [part for part in parts if part]


def zones_of(needs: Needs, spoke: Spoke) -> tuple[Zone, ...]:
    """The trust zones of a spoke with their figures, once everything in it has its place.

    A segment of several subnets has an ENI in each for every set of security groups.
    """
    found = []
    for name, load in sorted(spoke.loads.items()):
        enis = 0
        for need in needs.of_zone(load, spoke.way):
            subnets = sum(len(one.extent.parts) for one in spoke.building.at(need.spot))
            enis += max(load.enis[need.spot.az], load.sets * subnets)
        found.append(Zone(name=name, security_group_sets=load.sets, enis=enis, functions=load.functions))
    return tuple(found)
