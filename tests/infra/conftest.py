"""What tests of the topology share."""

from pathlib import Path

import pytest

from tests.infra.topology import Topology, artefacts, synthesised


@pytest.fixture(scope="session")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Topology:
    """The templates, synthesised once for every worker of the run."""
    base = tmp_path_factory.getbasetemp()
    is_worker = base.name.startswith("popen-")
    return synthesised(base.parent if is_worker else base)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Topology:
    """The planner's and the router's artefacts, without templates."""
    return artefacts(tmp_path_factory.mktemp("artefacts"))


@pytest.fixture
def inputs(made: Topology, tmp_path: Path) -> Topology:
    """Artefacts that a test may spoil; there are no templates."""
    own = Topology(tmp_path)
    for one, copy in ((made.plan, own.plan), (made.capacity, own.capacity), (made.estate, own.estate)):
        copy.write_bytes(one.read_bytes())
    return own
