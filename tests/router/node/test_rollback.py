"""Moves that a host makes alone, and their way to control."""

import json
import os
import signal
from dataclasses import replace

from router.estate import Cohort
from router.snapshot.compiler import compile_estate
from router.snapshot.names import cohort_key

from .fake_control import FakeControl, fake_control
from .host import Host
from .snapshots import estate, snapshot
from .waiting import until

Ports = tuple[int, int, int]


def test_a_rollback_needs_neither_agent_nor_control(host: Host, ports: Ports) -> None:
    """With the agent killed and control gone, a rollback moves the route in the running Envoy and says so."""
    with fake_control() as control:
        control.want(snapshot(ports, routes=("books", "orders")), books=10_000, orders=10_000)
        host.start(control.url)
        control.await_in_force()
    host.end_agent(signal.SIGKILL)
    done = host.rollback("--route", "books", "--reason", "errors", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["in_force"] is True
    assert said["in_force_ms"] < 1000
    assert [(one["route"], one["from"], one["to"], one["reason"]) for one in said["moves"]] == [
        ("books", 10_000, 0, "errors")
    ]
    assert host.sides() == {"legacy"}
    assert host.side(path="/orders/1", user="anyone") == "lambda"


def test_a_rollback_moves_settled_weights_too(host: Host, control: FakeControl, ports: Ports) -> None:
    """Without --route every two-sided route moves, also one whose weight is built into the snapshot."""
    control.want(snapshot(ports, routes=("books", "orders", "films"), books=10_000), orders=2500)
    host.start(control.url)
    control.await_in_force()
    done = host.rollback("--reason", "all of it")
    assert done.returncode == 0, done.stderr
    assert "books: 100% -> 0%" in done.stdout
    assert "orders: 25% -> 0%" in done.stdout
    assert "films" not in done.stdout
    assert host.sides() == {"legacy"}


def test_a_rollback_waits_for_envoy_when_it_is_down(host: Host, ports: Ports) -> None:
    """With Envoy down the rollback is stored, says so, and is in force when Envoy starts."""
    with fake_control() as control:
        control.want(snapshot(ports), books=10_000)
        host.start(control.url)
        control.await_in_force()
    assert host.end_agent() == 0
    done = host.rollback("--reason", "night")
    assert done.returncode == 0, done.stderr
    assert "when it starts" in done.stderr
    host.start(None)
    until(lambda: host.sides() == {"legacy"})


def test_a_local_move_holds_until_control_says_something_newer(host: Host, control: FakeControl, ports: Ports) -> None:
    """A locally moved route stays on legacy, whatever control wants, until control has recorded it and moves on."""
    control.acknowledges = False
    control.want(snapshot(ports), books=10_000)
    host.start(control.url)
    control.await_in_force()
    assert host.rollback("--route", "books", "--reason", "errors").returncode == 0
    report = control.await_report(lambda one: bool(one["local_moves"]))
    assert report["local_moves"][0]["to"] == 0
    before = report["weights_version"]
    control.want(books=9000)
    revision = control.version
    report = control.await_report(lambda one: one["revision"] == revision)
    assert report["weights_version"] == before
    assert host.sides() == {"legacy"}
    control.acknowledges = True
    control.await_report(lambda one: not one["local_moves"])
    assert host.sides() == {"legacy"}
    control.want(books=10_000)
    control.await_in_force()
    assert host.sides() == {"lambda"}


def test_a_local_move_reaches_control_after_the_agent_was_away(host: Host, control: FakeControl, ports: Ports) -> None:
    """A move made while the agent was dead is in the first reports of the next one, and survives a restart of Envoy."""
    control.acknowledges = False
    control.want(snapshot(ports), books=10_000)
    host.start(control.url)
    control.await_in_force()
    host.end_agent(signal.SIGKILL)
    assert host.rollback("--reason", "errors").returncode == 0
    control.reports.clear()
    host.start(control.url)
    control.await_report(lambda one: bool(one["local_moves"]))
    pid = host.envoy_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: host.envoy_pid() not in (None, pid))
    until(lambda: host.sides() == {"legacy"})


def test_an_unknown_route_is_refused_with_the_likely_one(host: Host, control: FakeControl, ports: Ports) -> None:
    """A misspelt route changes nothing, exits 2 and names the likeliest route."""
    control.want(snapshot(ports), books=10_000)
    host.start(control.url)
    control.await_in_force()
    done = host.rollback("--route", "boks", "--reason", "errors")
    assert done.returncode == 2
    assert "did you mean books?" in done.stderr
    assert host.sides() == {"lambda"}


def test_a_rollback_without_a_node_says_what_is_missing(host: Host) -> None:
    """On a directory that no node ever used, a rollback fails in one line."""
    done = host.rollback("--reason", "errors")
    assert done.returncode == 1
    assert "--state" in done.stderr
    assert "Traceback" not in done.stderr


def test_named_users_go_back_with_everybody(host: Host, control: FakeControl, ports: Ports) -> None:
    """Where a node says that a rollback is in force named users are on legacy too; so after a rollback on the host.

    Neither needs a weight to change: named users are on Lambda while the weight is 0.
    """
    plain = estate(ports)
    named = tuple(replace(route, cohort=Cohort(header="x-pilot", values=("team",))) for route in plain.routes)
    cohort = {cohort_key("books"): 100}
    control.want(compile_estate(replace(plain, routes=named), {}), books=0)
    control.tell("a", nodes=1, of=cohort, books=0)
    host.start(control.url)
    control.await_in_force()
    assert (host.side(**{"x-pilot": "team"}), host.side()) == ("lambda", "legacy")
    control.tell("b", nodes=1, of={}, books=0)
    control.await_in_force()
    assert host.side(**{"x-pilot": "team"}) == "legacy"
    control.acknowledges = False
    control.tell("c", nodes=1, of=cohort, books=0)
    control.await_in_force()
    assert host.side(**{"x-pilot": "team"}) == "lambda"
    host.end_agent(signal.SIGKILL)
    assert host.rollback("--route", "books", "--reason", "errors").returncode == 0
    assert host.side(**{"x-pilot": "team"}) == "legacy"
