"""Which of its trust zone's sets of security groups a function has.

The rule: each set carries about as many connections as the others, since ENIs and their limits are counted that way; a
function is never split. A function keeps its set as long as its zone has as many sets as before; when that number
changes, the zone is spread anew, which is what it was changed for.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ..demand.values import Demand
from .values import FunctionPlace, Plan


def kept_sets(previous: Plan | None, demand: Demand) -> dict[str, int]:
    """The sets that functions keep from the plan before, by the functions' names.

    A zone in which nobody has a further set was planned before sets were given, and is spread anew.
    """
    if previous is None:
        return {}
    counts = {(vpc.name, zone.name): zone.security_group_sets for vpc in previous.vpcs for zone in vpc.zones}
    members: dict[tuple[str, str], list[FunctionPlace]] = defaultdict(list)
    for place in previous.functions:
        members[place.vpc, place.zone].append(place)
    zone_of = {one.name: one.trust_zone for one in demand.functions}
    return {
        place.name: place.set_number
        for (vpc, zone), places in members.items()
        if _is_spread(places, counts.get((vpc, zone), 1)) and _sets_of(demand, zone) == counts.get((vpc, zone))
        for place in places
        if zone_of.get(place.name) == zone
    }


def spread(connections: Mapping[str, float], sets: int, kept: Mapping[str, int]) -> dict[str, int]:
    """The set of each function, 1 to `sets`: kept ones stay, the others follow, those with most connections first.

    Each goes to the set that has the fewest connections by then; among equals to the first.
    """
    chosen = {name: kept[name] for name in connections if kept.get(name, 0) in range(1, sets + 1)}
    carried = dict.fromkeys(range(1, sets + 1), 0.0)
    members = dict.fromkeys(carried, 0)
    for name, number in chosen.items():
        carried[number] += connections[name]
        members[number] += 1
    for name in sorted(connections.keys() - chosen.keys(), key=lambda one: (-connections[one], one)):
        lightest = min(carried, key=lambda number: (carried[number], members[number], number))
        chosen[name] = lightest
        carried[lightest] += connections[name]
        members[lightest] += 1
    return dict(sorted(chosen.items()))


def _is_spread(places: Iterable[FunctionPlace], sets: int) -> bool:
    numbers = [one.set_number for one in places]
    return sets == 1 or len(numbers) == 1 or any(number > 1 for number in numbers)


def _sets_of(demand: Demand, zone: str) -> int | None:
    found = demand.zone_of.get(zone)
    return found.sets if found else None
