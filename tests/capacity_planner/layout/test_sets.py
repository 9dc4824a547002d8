"""Which set of security groups a function has: even by connections, kept over plans, and said in the plan file."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity_planner.demand.values import Demand, TrustZone
from capacity_planner.layout import document
from capacity_planner.layout.difference import Sign, difference
from capacity_planner.layout.reading import read
from capacity_planner.layout.sets import spread
from capacity_planner.layout.values import Plan
from strangler_fig.diagnostics import Refused
from tests.capacity_planner.layout.estates import demand, function, plan

_LOADS = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 10_000), min_size=1, max_size=20)


def sets_in(made: Plan) -> dict[str, int]:
    return {place.name: place.set_number for place in made.functions}


def with_sets(given: Demand, sets: int) -> Demand:
    return replace(given, zones=tuple(TrustZone(name=zone.name, sets=sets) for zone in given.zones))


@given(_LOADS, st.integers(1, 5), st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(1, 5)))
def test_sets_carry_about_the_same(loads: dict[str, int], sets: int, kept: dict[str, int]) -> None:
    """Everybody has a set that exists; kept ones stay; what is spread anew differs by one function's load at most."""
    chosen = spread(loads, sets, kept)
    assert set(chosen) == set(loads)
    assert set(chosen.values()) <= set(range(1, sets + 1))
    assert all(chosen[name] == number for name, number in kept.items() if name in loads and number <= sets)
    anew = spread(loads, sets, {})
    carried = [sum(loads[name] for name, number in anew.items() if number == one) for one in range(1, sets + 1)]
    assert max(carried) - min(carried) <= max(loads.values())


def test_functions_without_connections_are_spread_too() -> None:
    """Where nothing tells sets apart, they get the same number of functions."""
    assert spread(dict.fromkeys("abcd", 0), 2, {}) == {"a": 1, "b": 2, "c": 1, "d": 2}


def test_a_new_function_moves_nobody() -> None:
    """A function that is added goes to the lightest set; those that are there keep theirs."""
    first = demand(function("big", rate=400), function("mid", rate=200), function("small"), sets=2)
    before = plan(first)
    assert sets_in(before) == {"big": 1, "mid": 2, "small": 2}
    later = demand(*first.functions, function("alpha", rate=1_000), sets=2)
    assert sets_in(plan(later, previous=before)) == {"alpha": 2, "big": 1, "mid": 2, "small": 2}


def test_more_sets_spread_a_zone_anew() -> None:
    """Who raises the number of sets wants the load spread: functions move between sets, and the difference says so."""
    first = demand(function("big", rate=400), function("mid", rate=200), function("small"))
    before = plan(first)
    after = plan(with_sets(first, 3), previous=before)
    assert sets_in(after) == {"big": 1, "mid": 2, "small": 3}
    changes = {one.what: one for one in difference(before, after, {}).functions if one.sign is Sign.CHANGE}
    assert set(changes) == {"mid", "small"}
    assert "cards, set 3 in" in changes["small"].after
    assert not any(one.sign is Sign.CHANGE and one.before != one.after for one in difference(before, after, {}).blocks)


def test_a_plan_from_before_sets_were_given_is_spread() -> None:
    """Where a zone has several sets and the plan before puts all its functions into the first, they are spread."""
    given = demand(function("one"), function("two"), sets=2)
    made = plan(given)
    old = replace(made, functions=tuple(replace(place, set_number=1) for place in made.functions))
    assert sets_in(plan(given, previous=old)) == {"one": 1, "two": 2}


def test_each_sets_interfaces_are_its_own() -> None:
    """130,000 connections of one function in a set are 3 ENIs where one AZ is lost, beside the other set's one."""
    big = function("big", rate=6_500, connections=40)  # 3,250 environments at the tail: 130,000 connections
    (zone,) = plan(demand(big, function("small", rate=1), sets=2)).by_name["spoke-1"].zones
    assert zone.enis == 3 * (1 + 1)


def test_the_plan_file_says_the_set_and_is_held_to_it() -> None:
    """The first set has no key, so older plans stay valid; a set that the zone does not have is refused."""
    text = document.render(plan(demand(function("one"), function("two"), sets=2)))
    functions = json.loads(text)["functions"]
    assert "set" not in functions["one"]
    assert functions["two"]["set"] == 2
    assert sets_in(read(text, file="plan.json"))["two"] == 2
    data = json.loads(text)
    data["functions"]["two"]["set"] = 3
    data["digest"] = document.digest_of(data)
    with pytest.raises(Refused, match="has 2 sets of security groups, and two has the set 3"):
        read(json.dumps(data), file="plan.json")
