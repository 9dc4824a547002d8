"""What holds for every layout, whatever the demand, the spaces and what is in use already."""

from dataclasses import replace
from itertools import combinations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capacity_planner.addresses.block import Block
from capacity_planner.demand.network import Proxies
from capacity_planner.demand.values import Demand
from capacity_planner.layout import document, reading
from capacity_planner.layout.association import refusal
from capacity_planner.layout.building import usable
from capacity_planner.layout.difference import Sign, difference
from capacity_planner.layout.plan import Existing, Outcome
from capacity_planner.layout.values import Plan, Vpc
from tests.capacity_planner.addresses.blocks import blocks_inside
from tests.capacity_planner.layout.estates import demands, outcome, successors

_USED = st.lists(
    st.one_of(
        blocks_inside(Block.of("10.20.0.0/16")),
        blocks_inside(Block.of("10.0.0.0/21")),
        blocks_inside(Block.of("100.64.0.0/15")),
        blocks_inside(Block.of("172.16.0.0/21")),
    ).filter(lambda block: block.prefix >= 20),
    max_size=6,
)


def _existing(blocks: list[Block]) -> tuple[Existing, ...]:
    return tuple(Existing(block=block) for block in blocks)


def _apart(blocks: list[Block]) -> bool:
    return not any(one.overlaps(other) for one, other in combinations(blocks, 2))


def _wholes(vpc: Vpc) -> list[Block]:
    return [segment.extent.whole for segment in vpc.segments]


def check(plan: Plan, demand: Demand, used: list[Block]) -> None:
    """Assert everything that must hold in a plan."""
    assert all(vpc.cidrs and vpc.segments for vpc in plan.vpcs)
    routable = [one.extent.whole for vpc in plan.vpcs for one in vpc.ranges if one.is_routable]
    assert _apart(routable)
    assert not any(block.overlaps(other) for block in routable for other in used)
    for vpc in plan.vpcs:
        assert _apart(_wholes(vpc))
        assert _apart([one.extent.whole for one in vpc.ranges])
        assert all(any(cidr.holds(whole) for cidr in vpc.cidrs) for whole in _wholes(vpc))
        parents = {True: demand.spaces.hub, False: demand.spaces.spoke}
        for one in vpc.ranges:
            assert any(parent.holds(one.extent.whole) for parent in parents[one.is_routable])
        taken = sum(whole.size for whole in (*_wholes(vpc), *vpc.others))
        assert taken + vpc.room.addresses == sum(cidr.size for cidr in vpc.cidrs)
        assert len(vpc.cidrs) <= 5
        assert sum(1 for _ in vpc.subnets()) <= 200
        for count, cidr in enumerate(vpc.cidrs):
            assert 16 <= cidr.prefix <= 28
            assert refusal(vpc.cidrs[:count], cidr) is None
        for segment, subnet in vpc.subnets():
            assert 16 <= subnet.block.prefix <= 28
            assert segment.needed <= usable(segment.extent)
            assert (subnet.ipv6_index is not None) == vpc.is_dual_stack
    assert {place.name for place in plan.functions} == {one.name for one in demand.functions}
    for place in plan.functions:
        here = {s.spot.az for s in plan.by_name[place.vpc].segments if s.spot.zone == place.zone and not s.is_unused}
        assert set(place.azs) <= here


@settings(max_examples=60)
@given(demands(), _USED)
def test_every_plan_is_sound(demand: Demand, used: list[Block]) -> None:
    """Blocks never overlap, stay in their parents and obey AWS; free and used are the parent; all needs are met."""
    found = outcome(demand, existing=_existing(used))
    if found.plan is None:
        assert found.shortfalls
        assert all(one.message for one in found.shortfalls)
        return
    check(found.plan, demand, used)


@settings(max_examples=40)
@given(demands(), _USED)
def test_a_plan_made_again_is_the_same_bytes(demand: Demand, used: list[Block]) -> None:
    """The same input gives the same bytes, from itself too, and the file reads back as the plan that was written."""
    plan = outcome(demand, existing=_existing(used)).plan
    assume(plan is not None)
    assert plan is not None
    text = document.render(plan)
    assert reading.read(text, file="plan.json") == plan
    again = outcome(demand, existing=_existing(used), previous=plan).plan
    assert again is not None
    assert document.render(again) == text
    assert not difference(plan, again, {}).has_changes
    shuffled = outcome(demand, existing=_existing(used[::-1])).plan
    assert shuffled is not None
    assert document.render(shuffled) == text


def _nothing_moved(before: Plan, after: Plan) -> None:
    now = after.by_name
    for vpc in before.vpcs:
        assert vpc.name in now
        later = now[vpc.name]
        assert later.cidrs[0] == vpc.cidrs[0]
        assert set(vpc.cidrs) <= set(later.cidrs)
        segments = {segment.spot: segment for segment in later.segments}
        names = {subnet.name: subnet for _, subnet in later.subnets()}
        for segment in vpc.segments:
            grown = segments[segment.spot].extent
            assert grown.block.first == segment.extent.block.first
            assert grown.block.holds(segment.extent.block)
            assert grown.parts[: len(segment.extent.parts)] == segment.extent.parts
        for _, subnet in vpc.subnets():
            assert names[subnet.name].block == subnet.block
            assert subnet.ipv6_index in (None, names[subnet.name].ipv6_index)
            assert subnet.ipv6 in (None, names[subnet.name].ipv6)
    places = {place.name: place for place in after.functions}
    for place in before.functions:
        moved = places.get(place.name)
        if moved and moved.zone == place.zone:
            assert before.by_name[place.vpc].way != now[moved.vpc].way or moved.vpc == place.vpc


@settings(max_examples=40)
@given(st.data())
def test_no_sequence_of_changes_moves_or_shrinks_a_block(data: st.DataObject) -> None:
    """Over any sequence of demands every block keeps its first address, its subnets and its name, and grows at most."""
    demand = data.draw(demands())
    found: Outcome = outcome(demand)
    assume(found.plan is not None)
    for _ in range(data.draw(st.integers(1, 4))):
        before = found.plan
        assert before is not None
        demand = data.draw(successors(demand))
        found = outcome(demand, previous=before)
        if found.plan is None:
            assert found.shortfalls
            return
        check(found.plan, demand, [])
        _nothing_moved(before, found.plan)
        lines = difference(before, found.plan, found.reasons)
        assert Sign.REMOVE not in {line.sign for line in lines.blocks}


@settings(max_examples=30)
@given(demands())
def test_what_others_took_since_is_never_touched(demand: Demand) -> None:
    """A reserve in which others stand now is lost: it is neither kept nor grown into, and everything stays."""
    first = outcome(demand).plan
    assume(first is not None and first.hub is not None)
    assert first is not None
    assert first.hub is not None
    segments = [segment.extent.reserve for segment in first.hub.segments if segment.extent.reserve]
    ranges = [one.extent.reserve for one in first.hub.ranges if one.extent.reserve]
    inside, beside = [[one.halves[1] for one in kept] for kept in (segments[:2], ranges)]
    used = [*inside, *beside]
    louder = replace(demand, path=replace(demand.path, proxies=Proxies(per_az=40)))
    for later in (demand, louder):
        found = outcome(later, existing=_existing(used), previous=first)
        if found.plan is None:
            assert found.shortfalls
            continue
        hub = found.plan.hub
        assert hub is not None
        assert not any(whole.overlaps(block) for whole in _wholes(hub) for block in used)
        assert not any(one.extent.whole.overlaps(block) for one in hub.ranges for block in beside)
        assert set(hub.others) == set(inside)
        _nothing_moved(first, found.plan)
