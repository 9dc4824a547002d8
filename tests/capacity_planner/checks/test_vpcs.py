import pytest

from capacity_planner.addresses.block import Block
from capacity_planner.allocations.values import Row
from capacity_planner.inventory.values import Route, RouteTable

from .networks import codes, judged, subnet, vpc


@pytest.mark.parametrize(
    ("block", "usable"),
    [
        ("10.0.0.0/16", 65_531),
        ("10.0.0.0/17", 32_763),
        ("10.0.0.0/18", 16_379),
        ("10.0.0.0/19", 8_187),
        ("10.0.0.0/20", 4_091),
        ("10.0.0.0/21", 2_043),
        ("10.0.0.0/22", 1_019),
        ("10.0.0.0/23", 507),
        ("10.0.0.0/24", 251),
        ("10.0.0.0/25", 123),
        ("10.0.0.0/26", 59),
        ("10.0.0.0/27", 27),
        ("10.0.0.0/28", 11),
    ],
)
def test_a_subnet_holds_what_aws_publishes_and_not_one_more(block: str, usable: int) -> None:
    """AWS's own figures for what is left after the five reserved addresses."""
    rows = [*vpc("hub", "10.0.0.0/16"), subnet("hub", block)]
    assert codes(judged(rows, needed={1: usable})) == []
    report = judged(rows, needed={1: usable + 1})
    assert codes(report) == ["CK123"]
    assert f"needs {usable + 1:,} addresses and has {usable:,}" in report.findings[0].message


@pytest.mark.parametrize("prefix", [15, 29, 32])
def test_blocks_beyond_aws_sizes_are_refused(prefix: int) -> None:
    """VPCs and subnets are from /16 to /28; the finding names the figure, its date and its source."""
    report = judged([*vpc("hub", f"10.0.0.0/{prefix}"), subnet("hub", f"10.0.0.0/{prefix}")])
    assert codes(report) == ["CK120", "CK121"]
    assert "https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html" in str(report.findings[0])


def test_blocks_of_ipv6_are_as_amazon_gives_them() -> None:
    """A /56 for a VPC and a /64 for a subnet; another size is a warning, as a pool of one's own may give it."""
    rows = [*vpc("hub", "10.0.0.0/16", "2600:1f14::/56"), subnet("hub", "2600:1f14::/64")]
    assert codes(judged(rows)) == []
    report = judged([*vpc("hub", "10.0.0.0/16", "2600:1f14::/52"), subnet("hub", "2600:1f14::/60")])
    assert codes(report) == ["CK122", "CK122"]
    assert not report.is_refused


def test_allocations_outside_of_aws_have_no_size() -> None:
    """A /30 of a data centre is nobody's business here."""
    assert codes(judged([Row(block=Block.of("10.0.0.0/30"))])) == []


@pytest.mark.parametrize("block", ["169.254.0.0/16", "169.254.8.0/24", "127.0.0.0/24", "0.0.0.0/16", "224.0.0.0/24"])
def test_ranges_that_cannot_be_assigned_are_refused(block: str) -> None:
    """Link-local, loopback, multicast: no VPC."""
    assert codes(judged(vpc("hub", block))) == ["CK130"]
    assert codes(judged([subnet("hub", "169.254.8.0/24")])) == ["CK130"]


def test_the_range_that_docker_uses_is_a_warning() -> None:
    """172.17.0.0/16 works until somebody starts Cloud9."""
    report = judged(vpc("hub", "172.17.4.0/24"))
    assert codes(report) == ["CK131"]
    assert not report.is_refused


ROUTE = RouteTable(name="rtb-1", vpc="hub", static=1, propagated=0, routes=(Route(block=Block.of("10.9.0.0/24")),))


@pytest.mark.parametrize(
    ("adds", "found"), [("10.9.0.0/24", ["CK133"]), ("10.9.0.0/23", ["CK133"]), ("10.9.0.0/25", [])]
)
def test_a_secondary_block_is_smaller_than_the_routes_it_meets(adds: str, found: list[str]) -> None:
    """AWS's own example: with a route to a /24, a /25 of it may be added, the /24 may not."""
    rows = vpc("hub", "10.0.0.0/20", adds)
    assert codes(judged(rows, route_tables=(ROUTE,))) == found
    listed = [*rows, Row(block=Block.of("10.9.0.0/24"), vpc="hub", purpose="route")]
    assert codes(judged(listed)) == found


def test_the_primary_block_and_what_is_there_are_not_judged_by_routes() -> None:
    """The rule is about adding."""
    assert codes(judged(vpc("hub", "10.9.0.0/20"), route_tables=(ROUTE,))) == []
    assert codes(judged(vpc("hub", "10.0.0.0/20", "10.9.0.0/24"), route_tables=(ROUTE,), deployed=True)) == []


def test_a_subnet_without_a_free_address_is_a_warning() -> None:
    """It is the moment before SubnetIPAddressLimitReachedException."""
    report = judged([*vpc("hub", "10.0.0.0/20"), subnet("hub", "10.0.0.0/28")], free={1: 0}, deployed=True)
    assert codes(report) == ["CK124"]
