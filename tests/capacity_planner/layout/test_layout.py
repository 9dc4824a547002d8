"""Worked layouts: what each rule does, with numbers that can be checked by hand."""

from dataclasses import replace

import pytest

from capacity_planner.addresses.block import Block
from capacity_planner.demand.network import Hub, NetworkPath, Nlb, Proxies, Spoke, Way
from capacity_planner.demand.values import Demand, FunctionDemand, Growth
from capacity_planner.interfaces import Model
from capacity_planner.layout.building import prefix_for, usable
from capacity_planner.layout.plan import Existing
from capacity_planner.layout.values import Plan, Purpose, Segment, Vpc
from tests.capacity_planner.layout.estates import AZS, demand, existing, function, outcome, plan


def segments(vpc: Vpc | None, purpose: Purpose) -> list[Segment]:
    assert vpc is not None
    return [segment for segment in vpc.segments if segment.spot.purpose is purpose]


def blocks(vpc: Vpc | None, purpose: Purpose) -> list[str]:
    return [str(segment.extent.block) for segment in segments(vpc, purpose)]


def proxies(count: int) -> NetworkPath:
    return NetworkPath(proxies=Proxies(per_az=count), hub=Hub(endpoints=()))


def spoke(made: Plan, name: str = "spoke-1") -> Vpc:
    return made.by_name[name]


_USABLE = (65_531, 32_763, 16_379, 8_187, 4_091, 2_043, 1_019, 507, 251, 123, 59, 27, 11)  # /16 to /28


@pytest.mark.parametrize(("prefix", "addresses"), [*zip(range(16, 29), _USABLE, strict=True)])
def test_sizes_are_those_that_aws_leaves(prefix: int, addresses: int) -> None:
    """A subnet of each size takes what AWS's documentation and moto say; one address more asks for double."""
    assert prefix_for(addresses) == prefix
    assert prefix_for(addresses + 1) == prefix - 1


def test_twenty_nine_addresses_need_a_26() -> None:
    """AWS's exam advice: 29 hosts do not fit into a /27."""
    assert prefix_for(29) == 26


def worked_path() -> Demand:
    """3,000 requests/s of 0.5 s, 4 connections each, five sets of security groups, 4 proxies in each of three AZs."""
    one = function("orders", rate=3_000, connections=4)
    return demand(one, path=proxies(4), sets=5)


def test_the_hub_of_the_worked_path_is_a_24() -> None:
    """8 free addresses for the load balancer and 4 proxies twice are a /27 in each AZ; with a /28 for the TGW: /24."""
    hub = plan(worked_path()).hub
    assert hub is not None
    assert [str(cidr) for cidr in hub.cidrs] == ["10.20.0.0/24"]
    assert [segment.needed for segment in segments(hub, Purpose.PROXIES)] == [16, 16, 16]
    assert blocks(hub, Purpose.PROXIES) == ["10.20.0.0/27", "10.20.0.64/27", "10.20.0.128/27"]
    assert blocks(hub, Purpose.ATTACHMENTS) == ["10.20.0.192/28", "10.20.0.208/28", "10.20.0.224/28"]


def test_functions_of_the_worked_path_fit_a_28_that_can_become_the_27_of_advice() -> None:
    """Five ENIs, ten while they renew, just fit the 11 of a /28; its reserve makes it the advised /27 in place."""
    found = segments(spoke(plan(worked_path())), Purpose.FUNCTIONS)
    assert [segment.needed for segment in found] == [10, 10, 10]
    assert [segment.extent.block.prefix for segment in found] == [28, 28, 28]
    assert [segment.extent.whole.prefix for segment in found] == [27, 27, 27]


def test_ten_thousand_environments_of_twenty_connections_need_two_enis_in_each_az() -> None:
    """66,667 connections in a subnet are above 65,000, and 100,000 when one AZ is lost: two ENIs, four addresses."""
    made = plan(demand(function("feed", rate=20_000, connections=20)))
    assert [zone.enis for zone in spoke(made).zones] == [6]
    assert [segment.needed for segment in segments(spoke(made), Purpose.FUNCTIONS)] == [4, 4, 4]


def test_the_rule_of_2019_takes_addresses_by_concurrency_and_memory() -> None:
    """1,500 environments of 1.5 GB are 750 ENIs, 375 for each AZ that is left: a /23 where Hyperplane needs a /28."""
    found = segments(spoke(plan(worked_path(), model=Model.LEGACY_2019)), Purpose.FUNCTIONS)
    assert [segment.needed for segment in found] == [375, 375, 375]
    assert [segment.extent.block.prefix for segment in found] == [23, 23, 23]


def test_a_further_spoke_is_opened_when_one_is_full_by_addresses() -> None:
    """By the rule of 2019 a /16 holds three /18 with 50,182 environments at most: the rest goes to the next block."""
    many = [function(f"f{number:02}", rate=2_000, memory_mb=3_008) for number in range(60)]
    found = outcome(demand(*many), model=Model.LEGACY_2019)
    assert found.plan is not None
    assert [str(vpc.cidrs[0]) for vpc in found.plan.vpcs[1:3]] == ["100.64.0.0/16", "100.65.0.0/16"]
    assert found.reasons["spoke-2"].startswith("spoke-1 has no free block for")


def test_spokes_share_a_block_only_when_no_other_is_left() -> None:
    """Nobody routes to a spoke: with one /16 for all, the second spoke has the same block as the first."""
    many = [function(f"f{number:02}", rate=2_000, memory_mb=3_008) for number in range(60)]
    made = plan(demand(*many, spoke="100.64.0.0/16"), model=Model.LEGACY_2019)
    assert len(made.vpcs) > 2
    assert {str(vpc.cidrs[0]) for vpc in made.vpcs[1:]} == {"100.64.0.0/16"}


def test_a_further_spoke_is_opened_when_the_subnets_are_used_up() -> None:
    """66 zones in three AZs are 198 subnets of the 200 that a VPC may have: the 67th goes elsewhere."""
    many = [function(f"f{number:02}", zone=f"zone-{number:02}") for number in range(84)]
    found = outcome(demand(*many, path=NetworkPath(proxies=Proxies(per_az=1), spoke=Spoke(endpoints=()))))
    assert found.plan is not None
    assert [place.vpc for place in found.plan.functions] == ["spoke-1"] * 66 + ["spoke-2"] * 18
    assert found.reasons["spoke-2"] == "spoke-1 would have more than 200 subnets"


def test_a_further_spoke_is_opened_when_the_quota_of_enis_is_used_up() -> None:
    """50 zones with 5 sets in one AZ are 250 ENIs, 500 while they renew: the 51st does not fit into the quota."""
    many = [function(f"f{number:02}", zone=f"zone-{number:02}", azs=AZS[:1]) for number in range(60)]
    found = outcome(demand(*many, sets=5))
    assert found.plan is not None
    assert [place.vpc for place in found.plan.functions] == ["spoke-1"] * 50 + ["spoke-2"] * 10
    assert found.reasons["spoke-2"] == "spoke-1 would take 510 of 500 ENIs while they renew"


def test_a_further_spoke_is_opened_when_the_address_units_are_used_up() -> None:
    """A function counts 6 units of 64,000: with 6 x 3 for an endpoint 10,663 functions fill a VPC."""
    many = [function(f"f{number:05}") for number in range(10_664)]
    found = outcome(demand(*many))
    assert found.plan is not None
    assert [zone.functions for vpc in found.plan.vpcs for zone in vpc.zones] == [10_663, 1]
    assert "NAU" in found.reasons["spoke-2"]


def test_a_function_that_no_vpc_can_hold_is_named() -> None:
    """More ENIs than a VPC may have, for one function alone, is a finding about that function."""
    found = outcome(demand(function("huge", rate=3_000_000, connections=200)))
    assert found.plan is None
    assert [one.function for one in found.shortfalls] == ["huge"]
    assert "of 500 ENIs" in found.shortfalls[0].message


def test_a_parent_that_is_too_small_says_by_how_much() -> None:
    """The hub needs a /24 and the parent has a /26: 192 addresses are missing."""
    found = outcome(replace(worked_path(), spaces=demand(hub="10.20.0.0/26").spaces))
    assert found.plan is None
    assert [one.lacking for one in found.shortfalls] == [192]
    message = (
        "hub needs a /24 (256 addresses) from 10.20.0.0/26: the largest free block is a /26 (64), 192 addresses too few"
    )
    assert found.shortfalls[0].message == message


def test_existing_blocks_are_planned_around_by_best_fit() -> None:
    """Of two gaps the hub takes the smaller one that fits with its reserve, and leaves the larger one whole."""
    used = existing("10.20.0.0/23", "10.20.4.0/22", "10.20.128.0/17")
    made = plan(worked_path(), existing=used)
    assert made.hub is not None
    assert str(made.hub.ranges[0].extent.whole) == "10.20.2.0/23"
    space = made.spaces[0]
    assert (space.others, space.room.largest) == (512 + 1_024 + 32_768, 18)


def grown(count: int, before: Plan, *, used: tuple[Existing, ...] = (), hub: str = "10.20.0.0/16") -> Plan:
    later = demand(function("orders", rate=3_000), path=proxies(count), sets=5, hub=hub)
    return plan(later, previous=before, existing=used)


def test_a_segment_grows_in_place_by_a_further_subnet() -> None:
    """What was a /27 becomes a /26 at the same address; its first subnet stays, the second is its reserve."""
    first = plan(worked_path())
    made = grown(20, first)
    extents = [segment.extent for segment in segments(made.hub, Purpose.PROXIES)]
    assert [str(extent.block) for extent in extents] == ["10.20.0.0/26", "10.20.0.64/26", "10.20.0.128/26"]
    assert [str(part) for part in extents[1].parts] == ["10.20.0.64/27", "10.20.0.96/27"]
    assert made.hub is not None
    names = [subnet.name for segment, subnet in made.hub.subnets() if segment.spot.az == AZS[0]]
    assert names[:2] == ["hub-proxies-eu-west-1a", "hub-proxies-eu-west-1a-part-2"]


def test_a_full_hub_doubles_in_place_first() -> None:
    """When the hub's /24 is full its reserve becomes its second block: still one prefix, a /23, to advertise."""
    made = grown(30, plan(worked_path()))
    assert made.hub is not None
    assert [str(cidr) for cidr in made.hub.cidrs] == ["10.20.0.0/24", "10.20.1.0/24"]
    assert str(made.hub.ranges[0].extent.block) == "10.20.0.0/23"
    assert str(made.hub.ranges[0].extent.reserve) == "10.20.2.0/23"


def test_what_cannot_grow_in_place_gets_a_further_segment() -> None:
    """Where somebody made a subnet in a reserve, the segment stays as it is and a second one takes the rest."""
    first = plan(worked_path())
    used = existing("10.20.0.32/28")
    later = demand(function("orders", rate=3_000), path=proxies(12), sets=5)
    found = outcome(later, previous=first, existing=used)
    assert found.plan is not None
    assert found.reasons["hub/proxies/eu-west-1a"] == "10.20.0.32/28 stands in its reserve"
    here = [one for one in segments(found.plan.hub, Purpose.PROXIES) if one.spot.az == AZS[0]]
    assert [str(one.extent.block) for one in here] == ["10.20.0.0/27", "10.20.0.48/28"]
    assert [one.needed for one in here] == [27, 5]
    assert sum(usable(one.extent) for one in here) >= 32
    assert found.plan.hub is not None
    assert [str(block) for block in found.plan.hub.others] == ["10.20.0.32/28"]


def test_a_hub_whose_reserve_is_taken_gets_a_block_elsewhere() -> None:
    """The reserve beside the hub was given to others: the hub stays, and its second block comes from another place."""
    made = grown(60, plan(worked_path()), used=existing("10.20.1.128/25"))
    assert made.hub is not None
    assert str(made.hub.cidrs[0]) == "10.20.0.0/24"
    assert not any(cidr.overlaps(Block.of("10.20.1.0/24")) for cidr in made.hub.cidrs[1:])


def test_a_further_block_obeys_aws_table_of_associations() -> None:
    """A VPC in 10.0.0.0/8 cannot add a block of 172.16.0.0/12: the next parent that it may use is taken."""
    first = plan(demand(function("orders", rate=3_000), path=proxies(4), sets=5, hub="10.20.0.0/24"))
    assert first.hub is not None
    assert first.hub.ranges[0].extent.reserve is None
    made = grown(60, first, hub="10.20.0.0/24 172.16.0.0/16 10.77.0.0/16")
    assert made.hub is not None
    assert [cidr.first >> 16 for cidr in made.hub.cidrs] == [(10 << 8) + 20, (10 << 8) + 77]
    refused = outcome(
        demand(function("orders", rate=3_000), path=proxies(60), sets=5, hub="10.20.0.0/24 172.16.0.0/16"),
        previous=first,
    )
    assert refused.plan is None
    assert "AWS would refuse" in refused.shortfalls[0].message


def test_the_first_16_of_ten_is_taken_last() -> None:
    """A VPC in 10.0.0.0/16 may never add a neighbour from it, so the hub goes elsewhere, or has no reserve."""
    both = plan(demand(path=proxies(4), hub="10.0.0.0/16 10.1.0.0/16"))
    assert both.hub is not None
    assert str(both.hub.cidrs[0]) == "10.1.0.0/24"
    alone = plan(demand(path=proxies(4), hub="10.0.0.0/16"))
    assert alone.hub is not None
    assert alone.hub.ranges[0].extent.reserve is None


def test_what_the_demand_no_longer_has_stays_unused() -> None:
    """A trust zone without functions keeps its subnets; when it comes back it is where it was."""
    cards, risk = function("cards", zone="cards"), function("risk", zone="risk")
    first = plan(demand(cards, risk))
    without = plan(demand(cards), previous=first)
    unused = [str(segment.spot) for segment in spoke(without).segments if segment.is_unused]
    assert unused == [f"functions/risk/{az}" for az in AZS]
    assert [s.extent for s in spoke(without).segments] == [s.extent for s in spoke(first).segments]
    assert plan(demand(cards, risk), previous=without) == first


def test_a_function_stays_in_its_spoke() -> None:
    """The spoke of a function does not change when there is room elsewhere again."""
    many = [function(f"f{number:02}", zone=f"zone-{number:02}") for number in range(84)]
    first = plan(demand(*many))
    last = {place.name: place.vpc for place in first.functions}
    assert last["f83"] == "spoke-2"
    left = [one for one in many if one.name in ("f00", "f83")]
    assert {place.name: place.vpc for place in plan(demand(*left), previous=first).functions} == {
        "f00": "spoke-1",
        "f83": "spoke-2",
    }


def test_deployed_blocks_of_the_plan_are_its_own() -> None:
    """What the plan laid out, read back from AWS or from the register, changes nothing."""
    first = plan(worked_path())
    deployed = [*(block for vpc in first.vpcs for block in vpc.cidrs)]
    deployed += [subnet.block for vpc in first.vpcs for _, subnet in vpc.subnets()]
    rows = [Existing(block=block, name=f"vpc-{number}") for number, block in enumerate(deployed)]
    assert first.hub is not None
    reserve = first.hub.ranges[0].extent.reserve
    assert reserve is not None
    rows.append(Existing(block=reserve, name="hub-reserve"))
    assert plan(worked_path(), previous=first, existing=tuple(rows)) == first


def test_a_reserve_under_another_name_is_lost() -> None:
    """The block beside the hub is the very one that the next who asks is given: without our name it is theirs."""
    first = plan(worked_path())
    found = outcome(worked_path(), previous=first, existing=(Existing(block=Block.of("10.20.1.0/24"), name="team-7"),))
    assert found.plan is not None
    assert found.plan.hub is not None
    assert found.plan.hub.ranges[0].extent.reserve is None
    assert found.reasons["hub"] == "10.20.1.0/24 stands in the reserve 10.20.1.0/24"


@pytest.mark.parametrize("other", ["10.20.0.0/23", "10.20.0.64/28", "10.20.0.0/28"])
def test_others_in_a_routable_block_of_the_plan_are_a_conflict(other: str) -> None:
    """Neither can move, so both are named and there is no plan."""
    found = outcome(worked_path(), previous=plan(worked_path()), existing=existing(other))
    assert found.plan is None
    assert [str(one.existing.block) for one in found.conflicts] == [other]


def test_others_around_a_spoke_are_none_of_its_business() -> None:
    """100.64.0.0/10 is used by others too, and nobody routes it: the spoke stays as it is."""
    first = plan(worked_path())
    found = outcome(worked_path(), previous=first, existing=existing("100.64.0.0/12"))
    assert found.plan is not None
    assert found.plan.vpcs == first.vpcs


def test_private_nat_puts_the_routable_block_first() -> None:
    """A VPC made in 100.64.0.0/10 could never take a block of RFC 1918: the routable one must be the primary."""
    made = plan(demand(function("books", way=Way.NAT)))
    vpc = spoke(made, "spoke-nat-1")
    assert [str(cidr) for cidr in vpc.cidrs] == ["10.20.2.0/24", "100.64.0.0/16"]
    assert [one.is_routable for one in vpc.ranges] == [True, False]
    routable = {segment.spot.purpose for segment in vpc.segments if vpc.is_routable(segment.extent.block)}
    assert routable == {Purpose.NAT, Purpose.ATTACHMENTS}


def test_a_routed_spoke_takes_routable_space_alone() -> None:
    """Functions that go to on-premises directly need routable addresses, all of them."""
    vpc = spoke(plan(demand(function("books", way=Way.DIRECT))), "spoke-direct-1")
    assert all(vpc.is_routable(segment.extent.block) for segment in vpc.segments)


def test_dual_stack_gives_each_subnet_a_number_that_stays() -> None:
    """A /56 for each VPC, a /64 for each subnet; what is added later gets the next number."""
    one = demand(function("orders"), path=proxies(4))
    spaces = replace(one.spaces, ipv6=True, ipv6_parent=Block.of("2001:db8:1::/48"))
    first = plan(replace(one, spaces=spaces))
    assert [str(vpc.ipv6) for vpc in first.vpcs] == ["2001:db8:1::/56", "2001:db8:1:100::/56"]
    assert first.hub is not None
    before = {subnet.name: subnet for _, subnet in first.hub.subnets()}
    assert str(before["hub-attachments-eu-west-1c"].ipv6) == "2001:db8:1:5::/64"
    later = replace(one, spaces=spaces, path=proxies(20))
    hub = plan(later, previous=first).hub
    assert hub is not None
    after = {subnet.name: subnet for _, subnet in hub.subnets()}
    assert {name: after[name].ipv6 for name in before} == {name: one.ipv6 for name, one in before.items()}
    assert after["hub-proxies-eu-west-1a-part-2"].ipv6_index == 6


def test_a_parent_of_ipv6_that_is_too_small_is_named() -> None:
    """A /56 holds one VPC: the second has none."""
    one = demand()
    found = outcome(replace(one, spaces=replace(one.spaces, ipv6=True, ipv6_parent=Block.of("2001:db8::/56"))))
    assert [(shortfall.vpc, shortfall.is_ipv6) for shortfall in found.shortfalls] == [("spoke-1", True)]


def test_growth_is_planned_for_the_horizon() -> None:
    """Four proxies that grow by half are six, twelve while they are replaced: with 8 for the load balancer 20."""
    one = replace(worked_path(), growth=Growth(rate_per_year=0.5, years=1))
    assert [segment.needed for segment in segments(plan(one).hub, Purpose.PROXIES)] == [20, 20, 20]


def test_secondary_addresses_of_the_load_balancer_are_counted() -> None:
    """Seven secondary addresses are kept for ever, and eight must be free when the load balancer is made."""
    path = replace(proxies(1), nlb=Nlb(secondary_addresses=7))
    made = plan(demand(path=path))
    assert {use.what: use.addresses for use in segments(made.hub, Purpose.PROXIES)[0].uses} == {
        "load balancers": 15,
        "proxies, old and new": 2,
    }


def test_functions_in_one_az_get_subnets_there_alone() -> None:
    """A zone has segments where its functions are."""
    made = plan(demand(function("batch", zone="batch", azs=AZS[:1])))
    assert [segment.spot.az for segment in segments(spoke(made), Purpose.FUNCTIONS)] == [AZS[0]]


def test_savings_compare_with_one_routable_vpc() -> None:
    """In one VPC the functions would take routable addresses, too: by the rule of 2019 sixteen times as many."""
    saved = plan(worked_path()).savings
    assert (saved.used, saved.reserved, saved.one_vpc, saved.one_vpc_legacy) == (256, 256, 512, 4_096)


def many_functions(count: int) -> list[FunctionDemand]:
    return [function(f"f{number:04}", zone=f"zone-{number % 9}") for number in range(count)]


def test_order_of_functions_does_not_matter() -> None:
    """The plan follows from what the demand says, not from how it is sorted."""
    given = many_functions(40)
    one = demand(*given)
    assert plan(replace(one, functions=tuple(reversed(one.functions)))) == plan(one)
