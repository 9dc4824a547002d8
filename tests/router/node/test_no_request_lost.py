"""What may happen to a node under load without the loss of a request: keep-alive and short, GET and POST, both sides."""

import os
import signal
from pathlib import Path

import pytest

from ..load import Counts
from .host import free_port
from .loaded import Loaded, loaded
from .snapshots import changed
from .waiting import until

__all__ = ["loaded"]  # a fixture is found by its name


def _enough(counts: Counts, more: int = 200) -> None:
    """Wait for that many more answers."""
    begin = counts.answered
    until(lambda: counts.answered >= begin + more)


def test_another_bootstrap_loses_nothing(loaded: Loaded) -> None:
    """A snapshot with another bootstrap is served by a new Envoy, and the old one ends after its last request."""
    old = loaded.start()
    with loaded.load() as counts:
        _enough(counts)
        loaded.publish(changed(loaded.snapshot(), "bootstrap.json", lambda one: {**one, "stats_flush_interval": "2s"}))
        _enough(counts)
        new = loaded.host.envoy_pid()
        until(lambda: not Path(f"/proc/{old}").exists())
        _enough(counts)
    assert new not in (None, old)
    assert any("handed over" in text for text in loaded.control.reports[-1]["problems"])
    assert not counts.failures
    assert not counts.repeated


def test_two_bootstraps_in_a_row_lose_nothing(loaded: Loaded) -> None:
    """An Envoy that took over hands over in its turn, although the one before it is long gone."""
    loaded.start()
    with loaded.load() as counts:
        for seconds in ("2s", "3s", "4s"):
            before = loaded.host.envoy_pid()
            content = {"stats_flush_interval": seconds}
            loaded.publish(changed(loaded.snapshot(), "bootstrap.json", lambda one: {**one, **content}))  # noqa: B023
            until(lambda: not Path(f"/proc/{before}").exists())  # noqa: B023 - awaited at once
            _enough(counts)
    assert not counts.failures


@pytest.mark.parametrize("change", ["add", "endpoint", "listener", "back"])
def test_a_publish_loses_nothing(loaded: Loaded, change: str) -> None:
    """Routes added, changed and removed, endpoints exchanged, entry options changed, and the way back."""
    pid = loaded.start()
    first = loaded.snapshot()
    steps = {
        "add": [loaded.snapshot(routes=("books", "films")), loaded.snapshot(routes=("books", "music")), first],
        "endpoint": [loaded.snapshot(endpoints=(0, 1)), loaded.snapshot(endpoints=(1,)), first],
        "listener": [
            loaded.snapshot(entry="max_headers: 32KB"),
            loaded.snapshot(entry="max_body: 10MB"),
            first,
        ],
        "back": [loaded.snapshot(routes=("books", "films"), entry="max_body: 10MB", endpoints=(1,)), first] * 2,
    }[change]
    with loaded.load() as counts:
        for step in steps:
            loaded.publish(step)
            _enough(counts)
    assert not counts.failures
    assert loaded.host.envoy_pid() == pid


def test_another_entry_port_loses_nothing(loaded: Loaded) -> None:
    """After a publish of another entry port the old one is served on, so that the VIP can follow at its own pace."""
    loaded.start()
    port = free_port()
    with loaded.load() as counts:
        _enough(counts)
        loaded.publish(loaded.snapshot(port=port))
        _enough(counts)
        loaded.ports[0] = port
        _enough(counts)
    assert not counts.failures


def test_another_envoy_loses_nothing(loaded: Loaded, tmp_path: Path, blind_validation: str) -> None:
    """An agent that finds another version of Envoy than the one that runs lets that hand over to it."""
    old = loaded.start()
    script = tmp_path / "newer"
    script.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "version: newer"; exit; fi\nexec {blind_validation} "$@"\n'
    )
    script.chmod(0o755)
    with loaded.load() as counts:
        _enough(counts)
        loaded.host.end_agent(signal.SIGUSR1)
        _enough(counts)
        loaded.host.start(loaded.control.url, "--envoy", str(script))
        until(lambda: loaded.host.envoy_pid() not in (None, old))
        until(lambda: not Path(f"/proc/{old}").exists())
        _enough(counts)
    assert not counts.failures
    assert any("another version" in text for text in loaded.control.reports[-1]["problems"])


def test_a_restart_by_command_loses_nothing(loaded: Loaded) -> None:
    """`fig node restart` replaces Envoy under load and returns when the new one is the present one."""
    old = loaded.start()
    with loaded.load() as counts:
        _enough(counts)
        done = loaded.host.command("restart")
        assert done.returncode == 0, done.stderr
        assert f"(pid {old}) handed over to pid {loaded.host.envoy_pid()}" in done.stdout
        _enough(counts)
    assert not counts.failures


def test_a_killed_agent_loses_nothing(loaded: Loaded) -> None:
    """Kill -9 of the agent, and the next one's take-over, are not noticed by any request."""
    pid = loaded.start()
    with loaded.load() as counts:
        _enough(counts)
        loaded.host.end_agent(signal.SIGKILL)
        _enough(counts)
        loaded.control.reports.clear()
        loaded.host.start(loaded.control.url)
        loaded.control.await_in_force()
        _enough(counts)
    assert not counts.failures
    assert loaded.host.envoy_pid() == pid


def test_a_killed_envoy_loses_what_was_inside(loaded: Loaded) -> None:
    """Kill -9 of Envoy costs the requests in it and those that come before the next one listens; nothing runs twice."""
    pid = loaded.start()
    with loaded.load() as counts:
        _enough(counts)
        os.kill(pid, signal.SIGKILL)
        until(lambda: loaded.host.envoy_pid() not in (None, pid))
        loaded.control.await_in_force()
        _enough(counts)
    assert not [reason for reason in counts.failures if "status" in reason]
    assert counts.failures.total() < counts.answered
