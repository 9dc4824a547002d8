from collections.abc import Iterator

import pytest

from tests.observability.process import Observing, observing


@pytest.fixture(scope="session")
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observing]:
    """One `fig observe` for all that tells; each test has a service, or traces, of its own."""
    with observing(tmp_path_factory.mktemp("observe")) as found:
        yield found
