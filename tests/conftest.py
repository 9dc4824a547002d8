"""What every test may ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.golden.cases import judge


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden cases with what comes out now")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, Callable[[str], str]], None]:
    """Run a golden case's input through a function, and compare what comes out with the rest of the case."""
    update = bool(request.config.getoption("--update-golden"))
    return lambda case, produce: judge(case, produce, update=update)


_LONGEST = (
    "tests/router/test_two_nodes",
    "tests/router/fleet/",
    "tests/adapters/test_soak",
    "tests/examples/",
    "tests/router/plan/test_with_control",
    "tests/router/control/test_kills",
    "tests/router/node/",
    "tests/router/control/test_process",
    "tests/router/control/test_release_commands",
    "tests/observability/pages/",
    "tests/docs/",
    "tests/infra/test_documents",
    "tests/router/dataplane/",
)
"""What starts whole estates and waits for most of its time: first, lest a worker is alone with it at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files by how long they take, the longest first."""
    ranks = {start: rank for rank, start in enumerate(_LONGEST)}
    items.sort(key=lambda item: next((ranks[start] for start in _LONGEST if item.nodeid.startswith(start)), len(ranks)))
