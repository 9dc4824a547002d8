"""Envoy's and the agent's life on a router host, with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .fake_control import FakeControl, fake_control
from .host import Host, free_port
from .snapshots import snapshot
from .waiting import until

Ports = tuple[int, int, int]


def test_a_node_serves_what_control_publishes(host: Host, control: FakeControl, ports: Ports) -> None:
    """A new node pulls the snapshot, starts Envoy, serves, and reports that it does."""
    wanted = snapshot(ports)
    control.want(wanted)
    host.start(control.url)
    report = control.await_in_force()
    assert report["snapshot"] == wanted.digest
    assert report["envoy"]["state"] == "running"
    assert report["envoy"]["pid"] == host.envoy_pid()
    assert report["entry"] == f"127.0.0.1:{host.entry_port}"
    assert report["problems"] == []
    assert host.sides() == {"legacy"}


def test_a_node_has_a_key_of_its_own_for_pseudonyms(host: Host, control: FakeControl, ports: Ports) -> None:
    """The key of the access log's pseudonyms is made once, and nobody else may read it."""
    control.want(snapshot(ports))
    host.start(control.url)
    control.await_in_force()
    key = host.state / "log.key"
    made = key.read_text()
    assert len(bytes.fromhex(made)) == 8
    assert key.stat().st_mode & 0o777 == 0o600
    host.end_agent()
    host.start(control.url)
    control.await_in_force()
    assert key.read_text() == made


def test_envoy_may_open_as_many_files_as_the_host_allows(host: Host, control: FakeControl, ports: Ports) -> None:
    """Envoy runs with the hard limit of open files, whatever the soft limit of the shell was."""
    control.want(snapshot(ports))
    host.start(control.url)
    control.await_in_force()
    limits = Path(f"/proc/{host.envoy_pid()}/limits").read_text()
    soft, hard = next(line for line in limits.splitlines() if line.startswith("Max open files")).split()[3:5]
    assert soft == hard


def test_envoy_inherits_the_environment_but_not_the_token(host: Host, control: FakeControl, ports: Ports) -> None:
    """Envoy carries what the agent was started with, marks of its starter included, but not control's token."""
    host.environment["FIG_STARTED_BY"] = "somebody"
    control.want(snapshot(ports))
    host.start(control.url)
    control.await_in_force()
    environment = Path(f"/proc/{host.envoy_pid()}/environ").read_bytes().split(b"\0")
    assert b"FIG_STARTED_BY=somebody" in environment
    assert b"FIG_TOKEN=" in environment


def test_sigterm_stops_envoy_too(host: Host, control: FakeControl, ports: Ports) -> None:
    """SIGTERM to the agent ends Envoy, leaves no orphan, and is no failure."""
    control.want(snapshot(ports))
    host.start(control.url)
    control.await_in_force()
    pid = host.envoy_pid()
    assert host.end_agent() == 0
    assert pid is not None
    assert host.envoy_pid() is None
    assert host.side() == "ConnectionRefusedError"


def test_a_killed_envoy_is_started_again_from_disk(host: Host, ports: Ports) -> None:
    """After kill -9 of Envoy, with control gone, the node serves the same weights again."""
    with fake_control() as control:
        control.want(snapshot(ports), books=10_000)
        host.start(control.url)
        control.await_in_force()
    pid = host.envoy_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: host.envoy_pid() not in (None, pid))
    until(lambda: host.sides() == {"lambda"})


def test_a_killed_agent_leaves_envoy_serving_and_the_next_one_takes_it_over(
    host: Host, control: FakeControl, ports: Ports
) -> None:
    """After kill -9 of the agent Envoy serves on, and a new agent adopts that very process."""
    control.want(snapshot(ports), books=10_000)
    host.start(control.url)
    control.await_in_force()
    pid = host.envoy_pid()
    host.end_agent(signal.SIGKILL)
    assert host.sides() == {"lambda"}
    control.reports.clear()
    host.start(control.url)
    report = control.await_in_force()
    assert report["envoy"]["pid"] == pid
    control.want(books=0)
    control.await_in_force()
    assert host.sides() == {"legacy"}
    assert host.end_agent() == 0
    assert host.envoy_pid() is None


def test_a_node_without_control_serves_what_is_stored(host: Host, ports: Ports) -> None:
    """A node that starts while control is gone serves the last snapshot with the last weights."""
    with fake_control() as control:
        control.want(snapshot(ports), books=10_000)
        host.start(control.url)
        control.await_in_force()
    assert host.end_agent() == 0
    host.start(None)
    until(lambda: host.sides() == {"lambda"})


def test_a_node_with_nothing_stored_waits_for_control(host: Host, ports: Ports) -> None:
    """A first start without control says so, runs no Envoy, and serves once control is there."""
    port = free_port()
    host.start(f"http://127.0.0.1:{port}")
    until(lambda: host.said("waiting for control"))
    assert host.envoy_pid() is None
    with fake_control(port) as control:
        control.want(snapshot(ports))
        control.await_in_force()
        assert host.side() == "legacy"


def test_one_agent_for_a_state_directory(host: Host, control: FakeControl) -> None:
    """A second agent on the same directory is turned away with the reason."""
    first = host.start(control.url)
    control.await_report(lambda report: report["envoy"]["state"] == "down")
    second = host.start(control.url)
    assert second.wait(20) == 1
    assert host.said("another fig node runs on")
    host.agent = first


def test_a_missing_envoy_is_refused(host: Host) -> None:
    """An Envoy that is not there is named, with exit code 2."""
    assert host.start(None, "--envoy", "/nowhere/envoy").wait(20) == 2
    assert host.said("/nowhere/envoy")


def test_an_address_in_use_is_refused(host: Host, control: FakeControl, ports: Ports) -> None:
    """A node whose entry address somebody else has is refused at start with exit code 2."""
    control.want(snapshot(ports))
    host.start(control.url)
    control.await_in_force()
    assert host.end_agent() == 0
    taker = subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(host.entry_port)])
    try:
        until(lambda: host.side() == "404")
        assert host.start(control.url).wait(20) == 2
        assert host.said("the address is in use")
    finally:
        taker.kill()
        taker.wait()


def test_the_agent_is_small(host: Host, control: FakeControl, ports: Ports) -> None:
    """The agent's resident memory stays under 80 MB, and it imports neither pydantic nor SQLAlchemy nor httpx2."""
    control.want(snapshot(ports))
    agent = host.start(control.url)
    control.await_in_force()
    pages = int(Path(f"/proc/{agent.pid}/statm").read_text().split()[1])
    assert pages * os.sysconf("SC_PAGE_SIZE") < 80e6
    code = (
        "import sys, fig, router.commands.node, router.node.app, router.node.rollback;"
        "print(sorted({'pydantic', 'sqlalchemy', 'httpx2', 'yaml', 'rich', 'starlette'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_long_state_path_is_no_obstacle(tmp_path: Path, control: FakeControl, ports: Ports) -> None:
    """A state directory deeper than a Unix socket's name may be long works."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    host = Host(deep / "state", ports[0])
    try:
        control.want(snapshot(ports), books=10_000)
        host.start(control.url)
        control.await_in_force()
        assert host.sides() == {"lambda"}
    finally:
        host.end()


def test_a_flip_is_in_force_in_milliseconds(host: Host, control: FakeControl, ports: Ports) -> None:
    """A weight is reported in force, and every user is on the other side, well within a tenth of a second."""
    control.want(snapshot(ports), books=0)
    host.start(control.url)
    control.await_in_force()
    for parts, side in ((10_000, "lambda"), (0, "legacy"), (10_000, "lambda")):
        began = time.perf_counter()
        control.want(books=parts)
        control.await_in_force()
        assert time.perf_counter() - began < 0.5  # the machine may be busy; the benchmark has the real figure
        assert host.sides() == {side}
