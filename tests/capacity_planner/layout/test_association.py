"""AWS's table of association restrictions, row by row."""

import pytest

from capacity_planner.addresses.block import Block
from capacity_planner.layout.association import banned, refusal

_ALLOWED = [
    ("10.0.0.0/16", "10.1.0.0/16"),
    ("10.0.0.0/24", "10.2.0.0/24"),
    ("10.20.0.0/24", "10.20.1.0/24"),
    ("10.20.0.0/24", "10.0.0.0/24"),
    ("10.0.0.0/16", "100.64.0.0/16"),
    ("10.0.0.0/16", "8.8.8.0/24"),
    ("172.16.0.0/16", "172.20.0.0/16"),
    ("172.16.0.0/16", "100.64.0.0/16"),
    ("192.168.0.0/24", "192.168.1.0/24"),
    ("192.168.0.0/24", "100.64.0.0/16"),
    ("198.19.0.0/24", "100.64.0.0/16"),
    ("100.64.0.0/16", "100.65.0.0/16"),
    ("100.64.0.0/16", "8.8.8.0/24"),
]
_REFUSED = [
    ("10.0.0.0/24", "10.0.1.0/24"),
    ("10.1.0.0/16", "10.0.0.0/16"),
    ("10.0.0.0/24", "172.16.0.0/24"),
    ("10.20.0.0/16", "192.168.0.0/16"),
    ("10.20.0.0/16", "198.19.0.0/16"),
    ("172.16.0.0/16", "10.0.0.0/16"),
    ("172.16.0.0/16", "192.168.0.0/16"),
    ("172.16.0.0/16", "172.31.0.0/16"),
    ("172.16.0.0/16", "198.19.0.0/16"),
    ("192.168.0.0/16", "10.20.0.0/16"),
    ("192.168.0.0/16", "172.16.0.0/16"),
    ("192.168.0.0/16", "198.19.0.0/16"),
    ("198.19.0.0/16", "10.20.0.0/16"),
    ("198.19.0.0/16", "172.20.0.0/16"),
    ("198.19.0.0/16", "192.168.0.0/16"),
    ("100.64.0.0/16", "10.20.0.0/24"),
    ("100.64.0.0/16", "172.16.0.0/24"),
    ("100.64.0.0/16", "192.168.0.0/24"),
    ("100.64.0.0/16", "198.19.0.0/24"),
    ("8.8.8.0/24", "10.20.0.0/24"),
    ("10.20.0.0/16", "10.20.4.0/24"),
]


@pytest.mark.parametrize(("has", "adds"), _ALLOWED)
def test_what_aws_allows_is_planned(has: str, adds: str) -> None:
    """A VPC with the first block may add the second; the first pair is AWS's own example."""
    assert refusal([Block.of(has)], Block.of(adds)) is None
    assert not any(area.holds(Block.of(adds)) for area in banned([Block.of(has)]))


@pytest.mark.parametrize(("has", "adds"), _REFUSED)
def test_what_aws_refuses_is_not_planned(has: str, adds: str) -> None:
    """A VPC with the first block cannot add the second; the first pair is a user's, whom AWS refused it."""
    assert refusal([Block.of(has)], Block.of(adds)) is not None
