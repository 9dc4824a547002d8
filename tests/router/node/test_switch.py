"""Switching snapshots in a running Envoy: nothing lost, nothing half-applied."""

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from router.snapshot.manifest import Snapshot

from .fake_control import FakeControl
from .host import Host, free_port
from .snapshots import changed, replaced, snapshot
from .waiting import until

Ports = tuple[int, int, int]


def test_make_before_break_loses_nothing(host: Host, control: FakeControl, ports: Ports) -> None:
    """Under load, snapshots that replace clusters, routes and folded weights lose no request."""
    control.want(snapshot(ports), books=0)
    host.start(control.url)
    control.await_in_force()
    pid = host.envoy_pid()
    with _load(host) as seen:
        for number in range(4):
            routes = ("books", "orders") if number % 2 else ("books",)
            control.want(snapshot(ports, routes=routes, service=f"shop-{number}", books=5000 * (number % 2)))
            control.await_in_force()
            control.want(books=10_000)
            control.await_in_force()
    assert set(seen) <= {"legacy", "lambda"}
    assert sum(seen.values()) > 500
    assert host.envoy_pid() == pid


def _bad_cluster(content: Any) -> Any:
    content["resources"].append({**content["resources"][0], "name": "bad", "type": "EDS", "load_assignment": None})
    return content


def _bad_enum(content: Any) -> Any:
    content["resources"][0]["lb_policy"] = "NO_SUCH_POLICY"
    return content


def _bad_listener(content: Any) -> Any:
    content["resources"].append(
        {**content["resources"][0], "name": "bad", "filter_chains": [{"filters": [{"name": "no"}]}]}
    )
    return content


def _bad_regex(content: Any) -> Any:
    host = content["resources"][0]["virtual_hosts"][0]
    host["routes"] = [{"match": {"safe_regex": {"regex": "("}}, "direct_response": {"status": 200}}]
    host.pop("matcher", None)
    return content


def _unknown_cluster(content: Any) -> Any:
    host = content["resources"][0]["virtual_hosts"][0]
    host["routes"] = [{"match": {"prefix": "/"}, "route": {"cluster": "nowhere"}}]
    host.pop("matcher", None)
    return content


FAULTS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("clusters.json", _bad_cluster),
    ("clusters.json", _bad_enum),
    ("listeners.json", _bad_listener),
    ("routes.json", _bad_regex),
    ("routes.json", _unknown_cluster),
)


# A running Envoy takes both: an unknown enum value as the default, a route to a cluster that may still come.
MISSED = (_bad_enum, _unknown_cluster)


@pytest.mark.parametrize(("file", "fault"), FAULTS)
def test_a_planted_fault_is_found_before_the_switch(
    host: Host, control: FakeControl, ports: Ports, file: str, fault: Callable[[Any], Any]
) -> None:
    """A snapshot with a fault in any resource type is rejected with Envoy's reason, and the present one serves on."""
    good = snapshot(ports)
    control.want(good, books=10_000)
    host.start(control.url)
    control.await_in_force()
    with _load(host) as seen:
        _rejected(control, good, changed(snapshot(ports, routes=("books", "orders")), file, fault))
    assert set(seen) == {"lambda"}


@pytest.mark.parametrize(("file", "fault"), [one for one in FAULTS if one[1] not in MISSED])
def test_a_fault_that_validation_misses_goes_back_by_itself(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    host: Host, control: FakeControl, ports: Ports, blind_validation: str, file: str, fault: Callable[[Any], Any]
) -> None:
    """When only the running Envoy finds the fault, every file goes back, and a good snapshot can follow."""
    good = snapshot(ports)
    control.want(good, books=10_000)
    host.start(control.url, "--envoy", blind_validation)
    control.await_in_force()
    pid = host.envoy_pid()
    bad = changed(snapshot(ports, routes=("books", "orders"), service="other"), file, fault)
    with _load(host) as seen:
        _rejected(control, good, bad)
    assert set(seen) == {"lambda"}
    for link in ("cds", "lds", "rds"):
        assert (host.state / "live" / link / "current").resolve().parent.name == good.digest
    control.want(snapshot(ports, routes=("books", "films")), books=10_000)
    control.await_in_force()
    assert host.side(path="/films/1") == "legacy"
    assert host.envoy_pid() == pid


def test_routes_that_are_not_json_go_back_by_themselves(
    host: Host, control: FakeControl, ports: Ports, blind_validation: str
) -> None:
    """A routes file that is no JSON changes nothing and is reported."""
    good = snapshot(ports)
    control.want(good, books=10_000)
    host.start(control.url, "--envoy", blind_validation)
    control.await_in_force()
    with _load(host) as seen:
        _rejected(control, good, replaced(good, "routes.json", b'{"resources": ['))
    assert set(seen) == {"lambda"}


def test_weights_move_while_a_snapshot_is_rejected(host: Host, control: FakeControl, ports: Ports) -> None:
    """A node that stays on its snapshot still follows the weights, those folded into the rejected one among them."""
    good = snapshot(ports)
    control.want(good, books=0)
    host.start(control.url)
    control.await_in_force()
    control.want(changed(snapshot(ports, books=10_000), "routes.json", _bad_regex))
    control.await_report(lambda one: one["rejected"] is not None)
    assert host.sides() == {"lambda"}
    control.want(books=0)
    control.await_report(lambda one: one["weights_version"] == control.version)
    assert host.sides() == {"legacy"}


def test_another_bootstrap_restarts_envoy_and_says_so(host: Host, control: FakeControl, ports: Ports) -> None:
    """A snapshot with another bootstrap is served by a new Envoy, and the report says that there was a restart."""
    first = snapshot(ports)
    control.want(first, books=10_000)
    host.start(control.url)
    control.await_in_force()
    pid = host.envoy_pid()
    control.want(changed(first, "bootstrap.json", lambda one: {**one, "stats_flush_interval": "2s"}), books=10_000)
    report = control.await_in_force()
    assert report["envoy"]["pid"] not in (None, pid)
    assert any("another bootstrap" in problem for problem in report["problems"])
    assert host.sides() == {"lambda"}


def test_a_bootstrap_that_envoy_does_not_start_with_goes_back(host: Host, control: FakeControl, ports: Ports) -> None:
    """When the new bootstrap keeps Envoy from starting, the previous snapshot is served again."""
    first = snapshot(ports)
    control.want(first, books=10_000)
    host.start(control.url)
    control.await_in_force()
    _rejected(control, first, changed(first, "bootstrap.json", lambda one: {**one, "no_such_field": 1}))
    assert host.sides() == {"lambda"}


def test_an_entry_address_in_use_is_rejected(host: Host, control: FakeControl, ports: Ports) -> None:
    """A snapshot whose entry address another process has is rejected, and the present one serves on."""
    first = snapshot(ports)
    control.want(first, books=10_000)
    host.start(control.url)
    control.await_in_force()
    _rejected(control, first, snapshot((ports[1], ports[1], ports[2])))
    moved = snapshot((free_port(), *ports[1:]))
    control.want(moved, books=10_000)
    assert control.await_in_force()["entry"] == str(moved.manifest.entry)


def test_the_entry_is_served_where_it_was_until_the_vip_has_had_its_time(
    host: Host, control: FakeControl, ports: Ports
) -> None:
    """After a change of the entry's address the former one is served, by a new Envoy too, and closed in time."""
    control.want(snapshot(ports), books=10_000)
    host.start(control.url, "--handover", "6s")
    control.await_in_force()
    moved = snapshot((free_port(), *ports[1:]))
    control.want(moved, books=10_000)
    report = control.await_in_force()
    assert [text for text in report["problems"] if f"where it was before, let the VIP follow: {_at(host)}" in text]
    pid = host.envoy_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: host.sides() == {"lambda"})
    until(lambda: host.side() == "ConnectionRefusedError")
    report = control.await_report(lambda one: all("(mended since)" in text for text in one["problems"]))
    assert report["entry"] == str(moved.manifest.entry)
    host.entry_port = moved.manifest.entry.port
    assert host.sides() == {"lambda"}


def _at(host: Host) -> str:
    return f"127.0.0.1:{host.entry_port} until"


def _rejected(control: FakeControl, good: Snapshot, bad: Snapshot) -> None:
    control.want(bad, books=10_000)
    report = control.await_report(lambda one: one["rejected"] is not None)
    assert report["rejected"]["snapshot"] == bad.digest
    assert report["rejected"]["reason"]
    assert report["snapshot"] == good.digest
    assert all("mended since" in problem for problem in report["problems"])


@contextmanager
def _load(host: Host) -> Iterator[Counter[str]]:
    """Four keep-alive clients that ask without pause; yields what they were answered, errors included."""
    seen: Counter[str] = Counter()
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_clients(host.entry_port, seen, over)))
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(20)


async def _clients(port: int, seen: Counter[str], over: threading.Event) -> None:
    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not over.is_set():
            writer.write(f"GET /books/1 HTTP/1.1\r\nhost: a\r\nx-user: {number}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            body = (await reader.readexactly(length)).decode()
            seen[body if " 200 " in head.split("\r\n")[0] else head.split("\r\n")[0] + body] += 1
            if "connection: close" in head:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()

    results = await asyncio.gather(*(client(number) for number in range(4)), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            seen[repr(result)] += 1
