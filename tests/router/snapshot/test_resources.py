"""What an estate compiles to, case by case: its route entries and its clusters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from router.snapshot.clusters import clusters
from router.snapshot.names import TELEMETRY_OFF
from router.snapshot.routes import route_configuration
from router.source.load import load_estate
from router.weight import Weight
from tests.golden.cases import cases

Golden = Callable[[Path, Callable[[str], str]], None]
WEIGHT = {"moved": Weight(2_500)}
"""The settled weight of the route that a case calls `moved`."""


def dump(value: Any) -> str:
    """One resource as wrapped flow style YAML, which keeps a case on one screen."""
    return yaml.safe_dump(value, default_flow_style=True, width=110, sort_keys=False)


def route_entries(text: str) -> str:
    """Each virtual host's own entries; what hosts share and the default are left out."""
    estate = load_estate(text, file="estate.yaml", environment={}).estate_or_refused()
    hosts = route_configuration(estate, WEIGHT)["virtual_hosts"]
    return "".join(f"# {host['name']}\n{''.join(map(dump, host['routes'][:-1]))}" for host in hosts)


def cluster_entries(text: str) -> str:
    """The clusters that are not the same in every estate, without their limits."""
    estate = load_estate(text, file="estate.yaml", environment={}).estate_or_refused()
    common = ("circuit_breakers", "typed_extension_protocol_options", "outlier_detection", "metadata")
    return "".join(
        dump({key: value for key, value in one.items() if key not in common})
        for one in clusters(estate)
        if one["name"] != TELEMETRY_OFF
    )


@pytest.mark.parametrize("case", cases("routes"), ids=lambda case: case.stem)
def test_routes(case: Path, golden: Golden) -> None:
    """An estate gives exactly the route entries of its golden case."""
    golden(case, route_entries)


@pytest.mark.parametrize("case", cases("clusters"), ids=lambda case: case.stem)
def test_clusters(case: Path, golden: Golden) -> None:
    """An estate gives exactly the clusters of its golden case."""
    golden(case, cluster_entries)
