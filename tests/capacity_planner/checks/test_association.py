"""AWS's table of association restrictions, row by row.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html.
"""

import pytest

from .networks import codes, judged, vpc

# what a VPC has, what it may not add, what it may
TABLE = {
    "10.0.0.0/8": (
        "10.8.0.0/16",
        ["172.16.0.0/16", "172.31.0.0/16", "192.168.0.0/16", "192.168.4.0/24", "198.19.0.0/16", "198.19.3.0/24"],
        [
            "10.9.0.0/16",
            "10.2.0.0/24",
            "10.0.0.0/16",
            "8.8.8.0/24",
            "203.0.114.0/24",
            "100.64.0.0/16",
            "100.127.0.0/24",
        ],
    ),
    "10.0.0.0/15": (
        "10.1.0.0/16",
        ["10.0.0.0/16", "10.0.4.0/24", "172.16.0.0/16", "192.168.0.0/16", "198.19.0.0/16"],
        ["10.2.0.0/16", "10.9.0.0/16", "100.64.0.0/16"],
    ),
    "10.0.0.0/16": (
        "10.0.0.0/24",
        ["10.0.1.0/24", "172.16.0.0/24"],
        ["10.1.0.0/16", "10.2.0.0/24"],
    ),
    "172.16.0.0/12": (
        "172.18.0.0/16",
        ["10.0.0.0/16", "10.8.0.0/24", "192.168.0.0/16", "172.31.0.0/16", "172.31.3.0/24", "198.19.0.0/16"],
        ["172.19.0.0/16", "172.30.0.0/16", "8.8.8.0/24", "100.64.0.0/16"],
    ),
    "192.168.0.0/16": (
        "192.168.0.0/24",
        ["10.0.0.0/16", "172.16.0.0/16", "172.31.0.0/16", "198.19.0.0/16"],
        ["192.168.1.0/24", "8.8.8.0/24", "100.64.0.0/16"],
    ),
    "198.19.0.0/16": (
        "198.19.0.0/24",
        ["10.0.0.0/16", "172.16.0.0/16", "192.168.0.0/16"],
        ["8.8.8.0/24", "100.64.0.0/16"],
    ),
    "100.64.0.0/10": (
        "100.64.0.0/16",
        ["10.0.0.0/16", "172.16.0.0/16", "192.168.0.0/16", "198.19.0.0/16"],
        ["100.65.0.0/16", "8.8.8.0/24"],
    ),
    "public": (
        "8.8.0.0/16",
        ["10.0.0.0/16", "172.16.0.0/16", "192.168.0.0/16", "198.19.0.0/16"],
        ["8.9.0.0/16", "100.64.0.0/16"],
    ),
}
REFUSED = [(has, one) for has, refused, _allowed in TABLE.values() for one in refused]
ALLOWED = [(has, one) for has, _refused, allowed in TABLE.values() for one in allowed]


@pytest.mark.parametrize(("has", "adds"), REFUSED)
def test_what_the_table_restricts_is_refused(has: str, adds: str) -> None:
    """A VPC with a block of the first column cannot add one of the second."""
    report = judged(vpc("hub", has, adds))
    assert codes(report) == ["CK132"]
    assert report.is_refused


@pytest.mark.parametrize(("has", "adds"), ALLOWED)
def test_what_the_table_permits_is_no_finding(has: str, adds: str) -> None:
    """A VPC with a block of the first column may add one of the third."""
    report = judged(vpc("hub", has, adds))
    assert codes(report) == []
    assert not report.is_refused


def test_the_order_decides_and_the_right_one_is_said() -> None:
    """10.0.0.0/16 then 10.1.0.0/16 is a VPC; the other way round it is none, and the finding says what to do."""
    assert codes(judged(vpc("hub", "10.0.0.0/16", "10.1.0.0/16"))) == []
    report = judged(vpc("hub", "10.1.0.0/16", "10.0.0.0/16"))
    assert report.findings[0].hint == "create the VPC with 10.0.0.0/16 and add 10.1.0.0/16 then"


def test_the_routable_block_must_be_the_primary_of_a_mixed_vpc() -> None:
    """A VPC that is created in 100.64.0.0/10 never takes a private block; created with that, it takes both."""
    assert codes(judged(vpc("hub", "100.64.0.0/16", "10.8.0.0/24"))) == ["CK132"]
    assert codes(judged(vpc("hub", "10.8.0.0/24", "100.64.0.0/16"))) == []


def test_every_block_that_the_vpc_has_restricts_not_only_the_first() -> None:
    """Once 10.1.0.0/16 was added, nothing of 10.0.0.0/16 is, although the primary alone would let it."""
    assert codes(judged(vpc("hub", "10.8.0.0/16", "10.1.0.0/16", "10.0.0.0/16"))) == ["CK132"]


def test_what_aws_has_although_the_table_says_no_is_a_warning() -> None:
    """AWS's own answer proves that it was possible: that refuses nothing."""
    report = judged(vpc("vpc-1", "10.1.0.0/16", "10.0.0.0/16"), deployed=True)
    assert codes(report) == ["CK132"]
    assert not report.is_refused


def test_blocks_of_ipv6_are_not_in_the_table() -> None:
    """A dual-stack VPC is as good as another."""
    assert codes(judged(vpc("hub", "10.8.0.0/16", "2600:1f14::/56"))) == []


def test_the_blocks_that_a_user_met() -> None:
    """Published: 10.0.0.0/24 takes neither 10.0.1.0/24 nor 172.16.0.0/24, but 10.2.0.0/24."""
    report = judged(vpc("hub", "10.0.0.0/24", "10.0.1.0/24", "172.16.0.0/24", "10.2.0.0/24"))
    assert codes(report) == ["CK132", "CK132"]
    assert not any("10.2.0.0" in finding.message for finding in report.findings)
