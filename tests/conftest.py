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
