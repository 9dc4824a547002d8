from dataclasses import replace
from pathlib import Path

import pytest

from capacity_planner.addresses.block import Block
from capacity_planner.allocations.values import Allocations, Row
from capacity_planner.checks.check import Report, check
from capacity_planner.checks.verdict import Outcome, Verdict
from capacity_planner.inventory.values import FunctionUse, Inventory, Quota, RegionUse, RouteTable, VpcUse
from capacity_planner.limits.catalogue import load

from .networks import codes, judged, subnet, vpc

ACCOUNT = "123456789012"


def verdict(report: Report, key: str) -> Verdict:
    (found,) = [one for one in report.verdicts if one.limit.key == key]
    return found


def test_the_published_example_of_network_address_usage() -> None:
    """AWS's own: 50 NLBs in 2 AZs, 10,000 instances with two addresses, 100 functions: 21,200; twice that 42,400."""
    nau = {"nau_nlb": 50 * 2, "nau_address": 20_000, "nau_lambda_function": 100}
    one = VpcUse(vpc="a", nau=nau, nau_is_whole=True, peers=("b",))
    other = VpcUse(vpc="b", nau=nau, nau_is_whole=True)
    report = judged([*vpc("a", "10.0.0.0/16"), *vpc("b", "10.1.0.0/16")], vpcs=(one, other))
    assert [found.used for found in report.verdicts if found.limit.key == "nau_per_vpc"] == [21_200, 21_200]
    assert verdict(report, "nau_per_peered_vpcs").used == 42_400
    assert codes(report) == []


def test_functions_alone_fill_the_quota_of_network_addresses() -> None:
    """10,666 functions in one VPC are 63,996 of 64,000 units; one more does not fit."""
    rows = vpc("spoke", "100.64.0.0/16", routable=False)
    fits = VpcUse(vpc="spoke", nau={"nau_lambda_function": 10_666})
    more = VpcUse(vpc="spoke", nau={"nau_lambda_function": 10_667})
    assert verdict(judged(rows, vpcs=(fits,)), "nau_per_vpc").outcome is Outcome.TIGHT
    report = judged(rows, vpcs=(more,))
    assert codes(report) == ["CK213"]
    assert report.is_refused
    assert "at least 64,002 of 64,000" in report.findings[0].message


@pytest.mark.parametrize(("functions", "is_refused"), [(166, False), (167, True)])
def test_one_security_group_for_each_function_spends_the_quota_of_enis(functions: int, is_refused: bool) -> None:  # noqa: FBT001 - a table
    """Three subnets: 166 functions have 498 of 500 ENIs, 167 have 501."""
    use = VpcUse(vpc="spoke", enis=functions * 3)
    report = judged(vpc("spoke", "100.64.0.0/16", routable=False), vpcs=(use,))
    assert report.is_refused == is_refused
    assert codes(report) == ["CK204"]  # above 80 % it is tight before it breaks


def test_every_verdict_names_value_date_and_source() -> None:
    """A finding is of no use to a network team without where the number comes from."""
    report = judged(vpc("spoke", "100.64.0.0/16"), vpcs=(VpcUse(vpc="spoke", enis=900),))
    text = str(report.findings[0])
    limit = load()["eni_per_vpc"]
    assert f"of {limit.whole}" in text
    assert f"as of {limit.as_of}: {limit.source}" in text
    assert {"value", "as_of", "source", "used", "outcome"} <= report.verdicts[0].to_json().keys()


def test_six_blocks_are_one_more_than_a_vpc_takes() -> None:
    """Five by default, the primary counted."""
    blocks = [f"10.{number}.0.0/16" for number in range(2, 8)]
    assert codes(judged(vpc("hub", *blocks[:5]))) == ["CK201"]
    assert not judged(vpc("hub", *blocks[:5])).is_refused
    assert judged(vpc("hub", *blocks)).is_refused


def test_the_two_blocks_of_a_dual_stack_subnet_are_one_subnet() -> None:
    """200 dual-stack subnets are 200."""
    rows = vpc("hub", "10.0.0.0/16", "2600:1f14::/56")
    for number in range(200):
        rows.append(subnet("hub", f"10.0.{number}.0/24", f"subnet-{number}"))
        rows.append(subnet("hub", f"2600:1f14:0:{number:x}::/64", f"subnet-{number}"))
    report = judged(rows)
    assert verdict(report, "subnets_per_vpc").used == 200
    assert not report.is_refused


def test_what_exists_beyond_a_default_has_a_quota_of_its_own() -> None:
    """An account with 700 ENIs in a VPC was given more than 500: that refuses nothing."""
    report = judged(vpc("vpc-1", "10.0.0.0/16"), deployed=True, vpcs=(VpcUse(vpc="vpc-1", enis=700),))
    assert codes(report) == ["CK204"]
    assert not report.is_refused
    assert "--limits" in str(report.findings[0])


def test_an_accounts_own_quota_comes_before_the_default_and_the_users_before_both(tmp_path: Path) -> None:
    """The verdict says which of the three it rests on."""
    quota = Quota(
        key="eni_per_vpc", value=2000, code="L-9FEE3D26", account=ACCOUNT, region="eu-west-1", as_of="2026-11-25"
    )
    use = VpcUse(vpc="hub", account=ACCOUNT, region="eu-west-1", enis=1900)
    inventory = Inventory(allocations=Allocations.of(vpc("hub", "10.0.0.0/16")), vpcs=(use,), quotas=(quota,))
    found = verdict(check(inventory, load()), "eni_per_vpc")
    assert (found.limit.value, found.outcome, found.limit.as_of) == (2000, Outcome.TIGHT, "2026-11-25")
    assert "L-9FEE3D26" in found.limit.source
    own = tmp_path / "limits.yaml"
    own.write_text("version: 1\nlimits:\n  eni_per_vpc: 3000\n", encoding="utf-8")
    assert verdict(check(inventory, load(own)), "eni_per_vpc").limit.value == 3000
    elsewhere = replace(use, region="us-east-1")
    assert verdict(check(replace(inventory, vpcs=(elsewhere,)), load()), "eni_per_vpc").limit.value == 500


def test_regions_route_tables_and_functions_are_judged() -> None:
    """ENIs are counted for each AZ, routes for each table, security groups for each function."""
    region = RegionUse(
        account=ACCOUNT, region="eu-west-1", vpcs=2, gateway_endpoints=3, enis_by_az={"eu-west-1a": 4_900}
    )
    table = RouteTable(name="rtb-1", vpc="hub", static=10, propagated=101)
    function = FunctionUse(name="orders", security_groups=tuple("abcdef"))
    report = judged(vpc("hub", "10.0.0.0/16"), regions=(region,), route_tables=(table,), functions=(function,))
    tight = {found.limit.key for found in report.verdicts if found.outcome is Outcome.TIGHT}
    broken = {found.limit.key for found in report.verdicts if found.outcome is Outcome.BROKEN}
    assert tight == {"eni_per_region"}
    assert broken == {"propagated_routes_per_table", "security_groups_per_eni"}
    assert verdict(report, "routes_per_table").used == 10


def on_premises(*blocks: str) -> list[Row]:
    return [Row(block=Block.of(block), purpose="on-premises") for block in blocks]


def test_prefixes_that_fit_when_they_are_collapsed_are_a_warning() -> None:
    """128 neighbouring /24s are one /17: advertised as they stand they take the session down."""
    report = judged(on_premises(*(f"10.0.{number}.0/24" for number in range(128))))
    assert codes(report) == ["CK215"]
    assert "advertise the 1 that they collapse to" in str(report.findings[0])
    assert not report.is_refused
    assert verdict(report, "direct_connect_prefixes_in").used == 1


def test_prefixes_that_cannot_be_collapsed_are_refused() -> None:
    """101 that are no neighbours are one too many, each IP version for itself."""
    blocks = [f"10.{number}.0.0/24" for number in range(101)]
    assert judged(on_premises(*blocks)).is_refused
    assert not judged(on_premises(*blocks[:100], "2001:db8::/56")).is_refused


def test_routable_blocks_of_vpcs_are_what_aws_tells_on_premises() -> None:
    """Spokes that are not routable are told nobody."""
    rows = [*vpc("hub", "10.0.0.0/24"), *vpc("spoke", "100.64.0.0/16", routable=False)]
    assert verdict(judged(rows), "direct_connect_prefixes_out").used == 1


def test_what_nobody_states_is_not_judged_and_said_so() -> None:
    """A list of blocks says nothing about ENIs: that is no zero."""
    report = judged(vpc("hub", "10.0.0.0/24"))
    assert "eni_per_vpc" in report.not_judged
    assert not any(found.limit.key == "eni_per_vpc" for found in report.verdicts)
