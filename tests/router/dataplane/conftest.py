"""One router for each test module, with stand-ins for legacy, the Invoke API and a plain HTTP upstream."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .estates import ESTATE
from .harness import Running, running_router
from .standins import InvokeApi, StandIn, echo


@dataclass
class World:
    """The running router and its upstreams."""

    router: Running
    legacy: StandIn
    api: InvokeApi
    alb: StandIn

    def reset(self) -> None:
        """Both sides answer well again, and nothing was seen; all weights 0."""
        self.legacy.answer, self.api.function, self.api.api = echo, InvokeApi.echo, None
        self.alb.answer = echo
        self.alb.seen.clear()
        self.legacy.seen.clear()
        self.api.seen.clear()
        self.api.events.clear()


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("node")
    with StandIn(echo).running() as legacy, InvokeApi().running() as api, StandIn(echo).running() as alb:
        assert isinstance(api, InvokeApi)
        ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port), "ALB_PORT": str(alb.port)}
        with running_router(folder, ESTATE, environment=ports) as router:
            yield World(router, legacy, api, alb)


@pytest.fixture
def world(shared_world: World) -> World:
    shared_world.reset()
    return shared_world
