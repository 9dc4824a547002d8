"""What systemd hears from a node, on a socket of the test's own in systemd's place."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .fake_control import FakeControl, fake_control
from .host import Host, free_port
from .snapshots import snapshot
from .waiting import until

Ports = tuple[int, int, int]


class Manager:
    """The service manager's end of the socket; `heard` are its messages so far, each as its fields."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self.heard: list[dict[str, str]] = []

    def fields(self, name: str) -> list[str]:
        """What that field has said so far, oldest first."""
        while True:
            try:
                message = self._listening.recv(8192).decode()
            except BlockingIOError:
                return [fields[name] for fields in self.heard if name in fields]
            self.heard.append(dict(line.partition("=")[::2] for line in message.splitlines()))

    def order(self) -> list[str]:
        """The states that were told, oldest first, without repetition in a row."""
        self.fields("READY")
        told = [name for fields in self.heard for name in ("READY", "RELOADING", "STOPPING") if fields.get(name) == "1"]
        return [name for number, name in enumerate(told) if told[number - 1 : number] != [name]]


@contextmanager
def manager(host: Host, *, watchdog_seconds: float | None = None) -> Iterator[Manager]:
    """A service manager for the host's agents."""
    path = host.state.parent / "notify"
    host.environment["NOTIFY_SOCKET"] = str(path)
    if watchdog_seconds is not None:
        host.environment["WATCHDOG_USEC"] = str(int(watchdog_seconds * 1e6))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.setblocking(False)  # noqa: FBT003 - the socket's own signature
        yield Manager(listening)


def test_ready_is_said_when_requests_are_served(host: Host, ports: Ports) -> None:
    """A node that waits for control says what it waits for, and READY only once its Envoy serves."""
    port = free_port()
    with manager(host) as systemd:
        host.start(f"http://127.0.0.1:{port}")
        until(lambda: any("waiting for control" in one for one in systemd.fields("STATUS")))
        assert systemd.fields("READY") == []
        with fake_control(port) as control:
            control.want(snapshot(ports))
            until(lambda: systemd.fields("READY"))
            assert host.side() == "legacy"
            assert f"on 127.0.0.1:{host.entry_port}" in systemd.fields("STATUS")[-1]
            assert systemd.fields("WATCHDOG") == []  # nobody asked for it


def test_the_watchdog_is_served_as_long_as_the_agent_works(host: Host, control: FakeControl, ports: Ports) -> None:
    """WATCHDOG comes again and again; a stopped agent sends none, and one that goes on does again."""
    control.want(snapshot(ports))
    with manager(host, watchdog_seconds=10) as systemd:
        agent = host.start(control.url)
        until(lambda: len(systemd.fields("WATCHDOG")) >= 3)
        agent.send_signal(signal.SIGSTOP)
        until(lambda: "T (stopped)" in Path(f"/proc/{agent.pid}/status").read_text())
        heard = len(systemd.fields("WATCHDOG"))
        time.sleep(2.5)  # nothing can be waited for: it is an absence
        assert len(systemd.fields("WATCHDOG")) == heard
        agent.send_signal(signal.SIGCONT)
        until(lambda: len(systemd.fields("WATCHDOG")) > heard)


def test_a_restart_is_a_reload_and_an_end_is_announced(host: Host, control: FakeControl, ports: Ports) -> None:
    """SIGHUP is answered with RELOADING and then READY; SIGTERM with STOPPING and the time that it may take."""
    control.want(snapshot(ports))
    with manager(host) as systemd:
        agent = host.start(control.url, "--drain", "1s", "--finish", "3s")
        until(lambda: systemd.fields("READY"))
        began = time.monotonic_ns() // 1000
        agent.send_signal(signal.SIGHUP)
        until(lambda: systemd.order() == ["READY", "RELOADING", "READY"])
        assert began <= int(systemd.fields("MONOTONIC_USEC")[0]) <= time.monotonic_ns() // 1000
        assert host.end_agent() == 0
        assert systemd.order() == ["READY", "RELOADING", "READY", "STOPPING"]
        assert int(systemd.fields("EXTEND_TIMEOUT_USEC")[0]) > (1 + 3) * 1_000_000
