"""Damaged files: a node serves the last good ones and says so."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from .fake_control import FakeControl, fake_control
from .host import Host
from .snapshots import snapshot
from .waiting import until

Ports = tuple[int, int, int]


@pytest.mark.parametrize("damage", [b"", b'{"version_info":"2","resources":[]}', b"\x00\xff"])
def test_a_damaged_weights_file_gives_the_last_good_one(
    host: Host, control: FakeControl, ports: Ports, damage: bytes
) -> None:
    """A node whose newest weights file is damaged starts with the one before it, and reports that."""
    _served(host, control, ports)
    newest = (host.state / "live/rtds/current").resolve()
    newest.write_bytes(damage)
    host.start(None)
    until(lambda: host.sides() == {"lambda"})
    assert host.end_agent() == 0
    newest.write_bytes(damage)
    link = host.state / "live/rtds/current"
    link.unlink()
    link.symlink_to(f"../../weights/{newest.name}")
    control.reports.clear()
    host.start(control.url)
    report = control.await_in_force()
    assert any(newest.name in problem for problem in report["problems"])


@pytest.mark.parametrize("damage", [b"", b"garbage"])
def test_weights_damaged_under_a_running_node_are_found_when_envoy_ends(
    host: Host, control: FakeControl, ports: Ports, damage: bytes
) -> None:
    """Envoy, killed after its weights file was damaged, comes back with the wanted weights; the damage is reported."""
    control.want(snapshot(ports), books=5_000)
    host.start(control.url)
    control.await_in_force()
    control.want(books=10_000)
    control.await_in_force()
    newest = (host.state / "live/rtds/current").resolve()
    newest.write_bytes(damage)
    pid = host.envoy_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    control.reports.clear()
    report = control.await_in_force(seconds=4)
    assert any(newest.name in problem for problem in report["problems"])
    assert report["envoy"]["restarts"] == 1
    assert host.sides() == {"lambda"}


def test_a_damaged_snapshot_gives_the_last_good_one_with_todays_weights(host: Host, ports: Ports) -> None:
    """A node whose newest snapshot is damaged serves the one before it, but no route goes back to an older weight."""
    with fake_control() as control:
        control.want(snapshot(ports, books=10_000))
        host.start(control.url)
        control.await_in_force()
        assert host.sides() == {"lambda"}
        newest = snapshot(ports, routes=("books", "orders"), books=0)
        control.want(newest)
        control.await_in_force()
        assert host.sides() == {"legacy"}
    assert host.end_agent() == 0
    routes = host.state / "snapshots" / newest.digest / "routes.json"
    routes.write_bytes(routes.read_bytes()[:-10])
    with fake_control() as control:
        control.want()
        host.start(control.url)
        report = control.await_report(lambda one: one["envoy"]["state"] == "running")
        assert report["snapshot"] != newest.digest
        assert any(newest.digest in problem for problem in report["problems"])
        assert host.sides() == {"legacy"}
        control.want(newest)
        report = control.await_in_force()
        assert any("mended" in problem for problem in report["problems"])
        assert host.side(path="/orders/1") == "legacy"


def test_a_node_whose_every_snapshot_is_damaged_asks_control(host: Host, control: FakeControl, ports: Ports) -> None:
    """With no whole snapshot left the node gets it from control again."""
    wanted = _served(host, control, ports)
    shutil.rmtree(host.state / "snapshots" / wanted)
    host.start(control.url)
    control.await_in_force()
    assert host.sides() == {"legacy"}


def test_a_snapshot_that_arrives_damaged_is_not_used(host: Host, control: FakeControl, ports: Ports) -> None:
    """A file whose bytes are not those of the manifest is rejected, and the present snapshot serves on."""
    first = _served(host, control, ports)
    host.start(control.url)
    control.await_in_force()
    control.damaged_file = "clusters.json"
    bad = snapshot(ports, routes=("books", "orders"))
    control.want(bad)
    report = control.await_report(lambda one: (one["rejected"] or {}).get("snapshot") == bad.digest)
    assert "clusters.json" in report["rejected"]["reason"]
    assert report["snapshot"] == first
    assert host.side() == "legacy"


def test_state_files_are_replaced_whole(host: Host, control: FakeControl, ports: Ports) -> None:
    """Nothing temporary is left in the folders that Envoy watches, and old weights files are dropped."""
    control.want(snapshot(ports), books=0)
    host.start(control.url)
    control.await_in_force()
    for parts in range(100, 2600, 100):
        control.want(books=parts)
        control.await_in_force()
    assert [path.name for path in (host.state / "live/rtds").iterdir()] == ["current"]
    stored = sorted(int(path.stem) for path in (host.state / "weights").iterdir())
    assert len(stored) == 20
    assert Path((host.state / "live/rtds/current").resolve()).stem == str(stored[-1])


def _served(host: Host, control: FakeControl, ports: Ports) -> str:
    """Serve a snapshot with the weight 100 %, then 0, and stop."""
    wanted = snapshot(ports)
    control.want(wanted, books=10_000)
    host.start(control.url)
    control.await_in_force()
    control.want(books=0)
    control.await_in_force()
    assert host.end_agent() == 0
    control.reports.clear()
    return wanted.digest
