"""A router host, its upstreams and a control process to test against."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from router.node.envoy_process import find_envoy

from .fake_control import FakeControl, fake_control
from .host import Host, free_port, upstream


@pytest.fixture(scope="session")
def upstreams() -> Iterator[tuple[int, int]]:
    with upstream("legacy") as legacy, upstream("lambda") as candidate:
        yield legacy, candidate


@pytest.fixture
def control() -> Iterator[FakeControl]:
    with fake_control() as running:
        yield running


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    one = Host(tmp_path / "state", free_port())
    try:
        yield one
    finally:
        one.end()


@pytest.fixture
def ports(host: Host, upstreams: tuple[int, int]) -> tuple[int, int, int]:
    return host.entry_port, *upstreams


@pytest.fixture
def blind_validation(tmp_path: Path) -> str:
    """An Envoy that finds every snapshot valid and otherwise is Envoy."""
    script = tmp_path / "envoy"
    script.write_text(f'#!/bin/sh\ncase "$*" in *"--mode validate"*) exit 0;; esac\nexec {find_envoy(None)} "$@"\n')
    script.chmod(0o755)
    return str(script)
