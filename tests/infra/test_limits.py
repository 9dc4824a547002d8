"""Every limit that the planner names is watched by a metric, or is named with who sees it instead."""

import importlib
import pkgutil
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import capacity_planner.path
from capacity_planner.path.measure import Kind
from infra.artefacts.reading import read_plan
from infra.constructs.alarms import Watched
from infra.synthesis import limits
from infra.synthesis.limits import SEEN, UNSEEN
from infra.synthesis.limits import Topology as Asked
from tests.infra.topology import Topology

LEGACY = Path(__file__).parents[2] / "capacity_planner" / "verdict" / "legacy.py"


def _kinds() -> set[str]:
    """The codes of every kind of limit that the planner judges a way by, and of those of legacy."""
    modules = pkgutil.iter_modules(capacity_planner.path.__path__, "capacity_planner.path.")
    found = [vars(importlib.import_module(one.name)) for one in modules]
    legacy = re.findall(r'"(legacy-[a-z]+)"', LEGACY.read_text(encoding="utf-8"))
    return {kind.code for names in found for kind in names.values() if isinstance(kind, Kind)} | set(legacy)


@pytest.fixture(scope="module")
def asked(made: Topology) -> Asked:
    """The whole topology: a hub with proxies, a spoke of each way."""
    plan, capacity = read_plan(made.plan, made.capacity)
    return Asked(
        plan=plan, capacity=capacity, name="fig", has_proxies=True, attaches=True, value_at=lambda path: {"Ref": path}
    )


def _at(asked: Asked, limit: str) -> Watched:
    return next(one for one in limits.watched(asked) if one.limit == limit)


def test_no_limit_of_the_planner_is_forgotten() -> None:
    """A kind of limit that is added to the planner must be watched, or be given its reason here; never both."""
    assert not SEEN & set(UNSEEN)
    assert _kinds() <= SEEN | set(UNSEEN)
    assert {code for code in (SEEN | set(UNSEEN)) - _kinds() if "_" not in code} == set()


def test_each_limit_stands_in_one_list(asked: Asked) -> None:
    """What the verdicts and the plan name is an alarm or a reason, never neither."""
    watched = {one.limit.split(" ")[0] for one in limits.watched(asked)}
    unwatched = {one.limit for one in limits.unwatched(asked)}
    assert not watched & unwatched
    assert {one.code for one in asked.capacity.limits} <= watched | unwatched | {"function-reserved"}
    assert {"nau_per_vpc"} <= watched
    assert all(one.reason for one in limits.unwatched(asked))
    assert len({one.limit for one in limits.watched(asked)}) == len(limits.watched(asked))


def test_units_are_the_metrics(asked: Asked) -> None:
    """Gbps become bytes in a period, connections a second become a minute's, sockets are two for a connection."""
    assert _at(asked, "endpoint-bandwidth eu-west-1a").value == 100e9 / 8 * 60
    assert _at(asked, "nlb-connections eu-west-1b").value == 110_000
    assert _at(asked, "nat-new-connections spoke-nat-1 eu-west-1a").value == 900 * 60
    assert _at(asked, "proxy-bandwidth").value == 20e9 / 8 * 300
    ports = min(one.value for one in asked.capacity.limits if one.code == "proxy-ports")
    assert _at(asked, "proxy-ports").value == 2 * ports
    assert _at(asked, "transit-gateway-packets hub PacketsIn").value == 7_500_000 * 60


def test_hosts_without_a_way_to_cloudwatch_are_named(asked: Asked) -> None:
    """Without the endpoint `monitoring` the proxies' sockets have no alarm, and the dashboard says what to do."""
    hub = asked.plan.hub
    assert hub
    mute = replace(hub, endpoints=("lambda",))
    less = replace(asked, plan=replace(asked.plan, vpcs=(mute, *asked.plan.spokes)))
    reasons = {one.limit: one.reason for one in limits.unwatched(less)}
    assert "add `monitoring` to path.hub.endpoints" in reasons["proxy-memory"]
    nothing = {one.limit: one.reason for one in limits.unwatched(replace(asked, has_proxies=False))}
    assert "there is no fleet" in nothing["nlb-connections"]


def test_alarms_stand_at_70_and_90_percent(topology: Topology, asked: Asked) -> None:
    """Every watched limit has two alarms in the stack, with thresholds of its value, and a graph."""
    alarms: dict[str, dict[str, Any]] = {
        one["AlarmName"]: one for one in topology.of("telemetry", "AWS::CloudWatch::Alarm")
    }
    watched = limits.watched(asked)
    assert len(alarms) == 2 * len(watched)
    for one in watched:
        for share in (70, 90):
            alarm = alarms[f"strangler-fig {one.limit} {share}%"]
            assert alarm["Threshold"] == round(one.value * share / 100, 3)
    (board,) = topology.of("telemetry", "AWS::CloudWatch::Dashboard")
    body = board["DashboardBody"]["Fn::Sub"]
    assert body.count('"type":"metric"') == len(watched)
    assert "database-sessions" in body
