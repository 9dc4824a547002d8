"""Under pressure shadows go first, then Lambda, and legacy's requests last; all of it at limits that fit the host."""

import http.client
import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.node.host_limits import HostLimits, host_limits
from router.node.pressure import CALM_SECONDS, Ladder, Shed
from router.snapshot.compiler import compile_estate
from router.weight import Weight

from .fake_control import FakeControl
from .host import Host
from .snapshots import estate
from .waiting import until

MEGABYTE = 2**20
GIGABYTE = 2**30


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        ([(0, 10), (1, 76), (2, 86)], [Shed.NOTHING, Shed.SHADOWS, Shed.LAMBDA]),
        ([(0, 99)], [Shed.LAMBDA]),
        ([(0, 86), (1, 10), (30, 10), (31, 10)], [Shed.LAMBDA, Shed.LAMBDA, Shed.LAMBDA, Shed.NOTHING]),
        ([(0, 76), (1, 10), (20, 61), (31, 10), (61, 10)], [Shed.SHADOWS] * 4 + [Shed.NOTHING]),
        ([(0, 76), (1, 65), (100, 65)], [Shed.SHADOWS] * 3),
    ],
    ids=["up one by one", "up at once", "down after calm", "calm that was disturbed", "between calm and pressure"],
)
def test_the_ladder(seen: list[tuple[float, int]], steps: list[Shed]) -> None:
    """Up at once, down after an unbroken time of calm."""
    ladder = Ladder()
    assert [ladder.see(percent, now) for now, percent in seen] == steps


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.integers(0, 120), st.floats(0.1, 20)), max_size=60))
def test_nothing_comes_back_without_calm(looks: list[tuple[int, float]]) -> None:
    """Whatever the pressure does, a step goes down only after half a minute in which all looks were calm."""
    ladder, now, before, last_pressure = Ladder(), 0.0, Shed.NOTHING, 0.0
    for percent, passed in looks:
        now += passed
        if percent >= 60:
            last_pressure = now
        step = ladder.see(percent, now)
        assert step >= before or now - last_pressure >= CALM_SECONDS
        before = step


def host_root(folder: Path, files: dict[str, str]) -> Path:
    """A host's files about itself, of 8 GiB unless they say otherwise."""
    for name, text in {"proc/meminfo": "MemTotal:        8388608 kB\nMemFree: 1 kB\n", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


V2 = {"proc/self/cgroup": "0::/system.slice/fig.service\n"}
V1 = {"proc/self/cgroup": "9:cpu,cpuacct:/\n4:memory:/docker/0123\n0::/\n"}
HOSTS = {
    "no limits": ({}, 8 * GIGABYTE),
    "cgroup 2": (V2 | {"sys/fs/cgroup/system.slice/fig.service/memory.max": f"{GIGABYTE}\n"}, GIGABYTE),
    "cgroup 2, of the slice": (
        V2
        | {
            "sys/fs/cgroup/system.slice/fig.service/memory.max": "max\n",
            "sys/fs/cgroup/system.slice/memory.max": f"{2 * GIGABYTE}\n",
        },
        2 * GIGABYTE,
    ),
    "cgroup 2, in a container": (V2 | {"sys/fs/cgroup/memory.max": f"{GIGABYTE}\n"}, GIGABYTE),
    "cgroup 1": (V1 | {"sys/fs/cgroup/memory/docker/0123/memory.limit_in_bytes": f"{GIGABYTE}\n"}, GIGABYTE),
    "cgroup 1, in a container": (V1 | {"sys/fs/cgroup/memory/memory.limit_in_bytes": f"{GIGABYTE}\n"}, GIGABYTE),
    "cgroup 1, unlimited": (V1 | {"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 8 * GIGABYTE),
}


@pytest.mark.parametrize(("files", "memory"), HOSTS.values(), ids=HOSTS)
def test_memory_is_a_share_of_what_the_host_allows(tmp_path: Path, files: dict[str, str], memory: int) -> None:
    """The smallest of the host's memory and of its cgroups' limits counts."""
    root = host_root(tmp_path, files)
    assert host_limits(memory_bytes=None, descriptors=10**9, root=root).memory_bytes == int(memory * 0.6)


@pytest.mark.parametrize(
    ("descriptors", "memory", "connections"),
    [(21_000, 4 * GIGABYTE, 10_000), (10**9, GIGABYTE, 16_384), (1_024, GIGABYTE, 100)],
    ids=["by descriptors", "by memory", "never none"],
)
def test_connections_fit_descriptors_and_memory(
    tmp_path: Path, descriptors: int, memory: int, connections: int
) -> None:
    """Two descriptors and 64 KiB for each connection, whichever is the smaller number."""
    found = host_limits(memory_bytes=memory, descriptors=descriptors, root=host_root(tmp_path, {}))
    assert found == HostLimits(connections=connections, memory_bytes=memory)


@pytest.fixture
def silent() -> Iterator[int]:
    """An upstream that accepts connections and never reads from them."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=1000)) as server:
        yield server.getsockname()[1]


def admin(host: Host, path: str) -> str:
    """What Envoy's admin interface says."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(host.state / "admin.sock"))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        response = http.client.HTTPResponse(client)
        response.begin()
        return response.read().decode()


def pressure(host: Host) -> int:
    """The pressure of Envoy's memory, in percent."""
    return int(admin(host, "/stats?filter=fixed_heap.pressure").rpartition(":")[2])


def test_shadows_then_lambda_then_requests(
    host: Host, control: FakeControl, upstreams: tuple[int, int], silent: int
) -> None:
    """With memory filled bit by bit nothing is shadowed any more, then routes leave Lambda, then requests get 503."""
    ports = host.entry_port, upstreams[0], silent
    control.acknowledges = False
    control.want(compile_estate(estate(ports), {"books": Weight(10_000)}))
    host.start(control.url, "--memory", "100MiB")
    control.await_in_force()
    with ExitStack() as stack:

        def fill(percent: int) -> None:
            """Send bodies that nobody reads until the pressure is that high."""
            while (before := pressure(host)) < percent:
                client = stack.enter_context(socket.create_connection(("127.0.0.1", host.entry_port), 20))
                head = b"POST /books/1 HTTP/1.1\r\nHost: a\r\nX-User: u\r\nContent-Length: 2000001\r\n\r\n"
                client.sendall(head + bytes(2_000_000))
                until(lambda before=before: pressure(host) != before, seconds=30)  # type: ignore[misc]

        fill(76)
        report = control.await_report(lambda report: "nothing is shadowed" in str(report["problems"]))
        assert report["local_moves"] == []
        assert '"shadowing":{' in admin(host, "/runtime").replace(" ", "").replace("\n", "")
        fill(86)
        report = control.await_report(lambda report: bool(report["local_moves"]))
        (move,) = report["local_moves"]
        assert (move["route"], move["from"], move["to"], move["actor"]) == ("books", 10_000, 0, "fig node n1")
        assert "memory is at" in move["reason"]
        until(lambda: host.side() == "legacy")
        control.await_report(lambda report: "1 routes were moved to legacy" in str(report["problems"]))
    until(lambda: pressure(host) < 60)
    assert host.side() == "legacy"
    assert all(value in (0, 10_000) for value in host.weights().values())
    assert host.weights()["shift.books.lambda.new.then.shop"] == 0


def test_requests_are_refused_last_and_welcome_again(
    host: Host, control: FakeControl, upstreams: tuple[int, int], silent: int
) -> None:
    """With memory used up requests get 503 at once, and 200 as soon as there is memory again: Envoy is never killed."""
    ports = host.entry_port, upstreams[0], silent
    control.want(compile_estate(estate(ports), {"books": Weight(10_000)}))
    host.start(control.url, "--memory", "40MiB")
    control.await_in_force()
    pid = host.envoy_pid()
    with ExitStack() as stack:
        body = b"POST /books/1 HTTP/1.1\r\nHost: a\r\nX-User: u\r\nContent-Length: 4000001\r\n\r\n" + bytes(4_000_000)
        for _ in range(12):  # all at once: faster than anybody looks
            client = stack.enter_context(socket.create_connection(("127.0.0.1", host.entry_port), 20))
            try:
                client.sendall(body)
            except OSError:
                break  # refused already
        until(lambda: host.side(path="/elsewhere") == "503")
    until(lambda: host.side(path="/elsewhere") == "legacy")
    assert host.envoy_pid() == pid


def test_connections_beyond_the_limit_are_closed(host: Host, control: FakeControl, upstreams: tuple[int, int]) -> None:
    """The estate's number counts; one more is closed at once and reported; when one ends, the next is served."""
    plain = estate((host.entry_port, *upstreams))
    control.want(compile_estate(replace(plain, entry=replace(plain.entry, max_connections=4)), {}))
    host.start(control.url)
    control.await_in_force()
    with ExitStack() as stack:
        held = [
            stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", host.entry_port, timeout=5)))
            for _ in range(4)
        ]
        for one in held:
            one.request("GET", "/x")
            assert one.getresponse().read() == b"legacy"
        assert host.side() in {"RemoteDisconnected", "ConnectionResetError", "BrokenPipeError"}
        control.await_report(lambda report: "connections were closed at once" in str(report["problems"]))
        held[0].request("GET", "/x")  # those that are there are served on
        assert held[0].getresponse().read() == b"legacy"
        held.pop().close()
        until(lambda: host.side() == "legacy")


def test_limits_are_sized_at_start(host: Host, control: FakeControl, ports: tuple[int, int, int]) -> None:
    """Without numbers of its own the estate gets those of the host; Envoy was started with them."""
    control.want(compile_estate(estate(ports), {}))
    host.start(control.url)
    control.await_in_force()
    (file,) = (host.state / "bootstraps").iterdir()
    monitors = json.loads(file.read_bytes())["overload_manager"]["resource_monitors"]
    values = [value for one in monitors for key, value in one["typed_config"].items() if key.startswith("max")]
    found = host_limits(memory_bytes=None, descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    assert values == [found.connections, found.memory_bytes]
    assert "no configured limit" not in (host.state / "logs" / "envoy.log").read_text()
