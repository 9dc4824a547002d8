"""A node's shares of the fleet's figures: in force with the weights, kept when control is gone, reported back."""

import json
import signal
from dataclasses import replace
from typing import Any

from router.estate import Protect
from router.snapshot.compiler import compile_estate
from router.snapshot.manifest import Snapshot

from .fake_control import FakeControl, fake_control
from .host import Host
from .snapshots import estate
from .waiting import until

Ports = tuple[int, int, int]
KEY = "circuit_breakers.legacy.shop.default.max_requests"


def protected(ports: Ports, requests: int | None) -> Snapshot:
    """A snapshot whose legacy service may be given so many requests."""
    plain = estate(ports)
    (shop,) = plain.legacy
    return compile_estate(replace(plain, legacy=(replace(shop, protect=Protect(requests=requests)),)), {})


def shares(host: Host) -> dict[str, int]:
    """The shares in the weights file that Envoy reads."""
    return {key: value for key, value in host.weights().items() if not key.startswith("shift.")}


def in_envoy(host: Host) -> str | None:
    """The share that Envoy has now, by its own word."""
    entries: dict[str, Any] = json.loads(host.admin("/runtime"))["entries"]
    return entries[KEY]["final_value"] if KEY in entries else None


def told(report: dict[str, Any]) -> str | None:
    """The version of the shares that are in force, as the node says."""
    return report["shares"]["version"] if report["shares"] else None


def test_shares_are_in_force_before_they_are_reported(host: Host, control: FakeControl, ports: Ports) -> None:
    """What control tells is a runtime key when the node reports its version, and changes without another snapshot."""
    control.want(protected(ports, 40))
    control.tell("a", nodes=2, of={KEY: 20})
    host.start(control.url)
    report = control.await_report(lambda one: told(one) == "a" and bool(one["shares"]["in_use"]))
    assert report["shares"]["of"] == {KEY: 20}
    assert report["shares"]["in_use"] == report["shares"]["overflows"] == {KEY: 0}
    assert shares(host) == {KEY: 20, "fleet.nodes": 2}
    assert in_envoy(host) == "20"
    pid = host.envoy_pid()
    control.tell("b", nodes=4, of={KEY: 10})
    report = control.await_report(lambda one: told(one) == "b")
    assert (report["shares"]["of"], report["shares"]["nodes"], in_envoy(host)) == ({KEY: 10}, 4, "10")
    assert host.envoy_pid() == pid


def test_a_node_that_is_told_nothing_reports_what_is_built_in(host: Host, control: FakeControl, ports: Ports) -> None:
    """With a control that divides nothing a quarter of the figure holds, and the report says so."""
    control.want(protected(ports, 40))
    host.start(control.url)
    report = control.await_report(lambda one: bool(one["shares"] and one["shares"]["of"]))
    assert report["shares"]["of"] == {KEY: 10}
    assert report["shares"]["version"] is None
    assert shares(host) == {}


def test_shares_outlive_control_the_agent_and_envoy(host: Host, ports: Ports) -> None:
    """With control gone the last share stays, through a new agent and a new Envoy, and through a rollback."""
    with fake_control() as control:
        control.want(protected(ports, 40), books=5_000)
        control.tell("a", nodes=2, of={KEY: 20})
        host.start(control.url)
        control.await_in_force()
        control.await_report(lambda one: told(one) == "a")
    assert host.end_agent() == 0
    host.start(None)
    until(lambda: host.side(path="/elsewhere") == "legacy")
    assert (shares(host), in_envoy(host)) == ({KEY: 20, "fleet.nodes": 2}, "20")
    assert host.rollback("--reason", "errors").returncode == 0
    assert (shares(host), in_envoy(host)) == ({KEY: 20, "fleet.nodes": 2}, "20")
    assert host.weights()["shift.books.lambda.new.then.shop"] == 0


def test_a_figure_that_is_gone_holds_until_its_snapshot_is(host: Host, control: FakeControl, ports: Ports) -> None:
    """A share that control does not tell any more stays as long as the snapshot that needs it is served."""
    control.want(protected(ports, 40))
    control.tell("a", nodes=2, of={KEY: 20})
    host.start(control.url)
    control.await_in_force()
    control.tell("b", nodes=2, of={})
    control.await_report(lambda one: told(one) == "b")
    assert in_envoy(host) == "20"  # and not the quarter that is built in
    control.want(protected(ports, None))
    control.await_in_force()
    until(lambda: in_envoy(host) is None)


def test_a_new_agent_never_reports_less_than_envoy_has(host: Host, control: FakeControl, ports: Ports) -> None:
    """An agent that takes a running Envoy over says nothing of shares before it knows them: others would get them."""
    control.want(protected(ports, 40))
    control.tell("a", nodes=2, of={KEY: 20})
    host.start(control.url)
    control.await_report(lambda one: told(one) == "a")
    host.end_agent(signal.SIGKILL)
    before = len(control.reports)
    control.tell("b", nodes=2, of={KEY: 30})
    host.start(control.url)
    control.await_report(lambda one: told(one) == "b")
    said = [one["shares"]["of"] for one in control.reports[before:] if one["shares"]]
    assert {parts[KEY] for parts in said} <= {20, 30}
    assert said[-1] == {KEY: 30}


def test_a_node_that_ends_says_goodbye(host: Host, control: FakeControl, ports: Ports) -> None:
    """The last report after SIGTERM says that the node has left; one whose agent alone ends says nothing."""
    control.want(protected(ports, 40))
    host.start(control.url)
    control.await_in_force()
    assert host.end_agent() == 0
    assert control.reports[-1]["left"] is True
    assert control.reports[-1]["envoy"]["pid"] is None
    assert not any("left" in one for one in control.reports[:-1])
