"""What breaks at which factor."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given, settings

from capacity_planner.demand.network import Circuit, DirectConnect, NetworkPath, Proxies
from capacity_planner.demand.on_premises import Database, Service
from capacity_planner.demand.values import Demand, Payload
from capacity_planner.path.case import Case
from capacity_planner.path.evaluate import evaluate
from capacity_planner.path.judge import judge
from capacity_planner.whatif.chart import chart, factor, rows, ticks
from capacity_planner.whatif.svg import svg
from capacity_planner.whatif.sweep import PRECISION, Sweep, holds_up_to, sweep

from .demands import LIMITS, demand, function
from .path.test_behaviour import demands


def few(**changes: Any) -> Demand:
    """100/s of 0.1 s: ten environments, ten of forty sessions."""
    one = function(p50=0.1, database_sessions=(("core", 1),), **changes)
    return demand(one, databases=(Database(name="core", sessions=40),), path=NetworkPath(proxies=Proxies(per_az=2)))


def codes(found: Sweep) -> list[str]:
    return [one.kind.code for one in found.breaks]


def test_the_exact_factor_between_two_steps() -> None:
    """Forty sessions hold four times ten environments; the next environment is one too many."""
    (first,) = sweep(few(), LIMITS, 1, 10).breaks
    assert first.kind.code == "database-sessions"
    assert first.factor == pytest.approx(4.0, rel=2 * PRECISION)
    assert factor(first.factor) == "x4.00"


def test_a_straight_line_is_met_exactly() -> None:
    """0.8 Gbps of a 10 Gbps circuit, one of two lost: 12.5 times."""
    heavy = function(rate=10_000, p50=0.001, egress=Payload(request=0, response=10_000), services=("crm",))
    circuits = DirectConnect(circuits=(Circuit(name="one", gbps=10.0), Circuit(name="two", gbps=20.0)))
    path = NetworkPath(direct_connect=circuits)
    many = demand(heavy, path=path, services=(Service(name="crm"),))
    (found,) = (one for one in sweep(many, LIMITS, 1, 100).breaks if one.kind.code == "direct-connect-bandwidth")
    carried = 10_000 * (10_000 + 2_048) * 8 * 1.05 / 1e9
    assert found.factor == pytest.approx(10.0 / carried, rel=2 * PRECISION)
    assert found.case is Case.MEDIAN_LOST


def test_what_is_exceeded_already_has_a_factor_below_one() -> None:
    """Whoever asks for 1..10 is told what holds a quarter of today's demand only."""
    first = sweep(few(rate=1_600), LIMITS, 1, 10).breaks[0]
    assert first.factor == pytest.approx(0.25, rel=1e-3)


def test_proxies_stay_as_they_are_today() -> None:
    """The sweep does not add proxies on the way: that they run out is the answer."""
    one = function(rate=400, p50=0.001, connections=0, new_connections_per_request=1, services=("mainframe",))
    many = demand(one, services=(Service(name="mainframe"),))
    assert "proxy-ports" in codes(sweep(many, LIMITS, 1, 10))
    assert judge(many, LIMITS).network.proxies_per_az == 1


def test_what_does_not_follow_the_traffic_breaks_at_nothing() -> None:
    """Prefixes beyond their limit are exceeded at every factor."""
    path = NetworkPath(direct_connect=DirectConnect(circuits=(Circuit(name="one", gbps=10.0),), prefixes_in=101))
    first = sweep(demand(function(), path=path), LIMITS, 1, 2).breaks[0]
    assert (first.kind.code, first.factor) == ("direct-connect-prefixes-in", 0.0)


def test_nothing_breaks() -> None:
    """A small demand holds, and the chart says so."""
    found = sweep(few(rate=1), LIMITS, 1, 2)
    assert found.breaks == ()
    assert chart(found).startswith("nothing breaks up to x2.00")
    assert "nothing breaks" in svg(found, "title")


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (2, 1), (-1, 5)])
def test_a_scale_must_rise_from_more_than_nothing(start: float, stop: float) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="a scale from"):
        sweep(few(), LIMITS, start, stop)


def test_the_chart_ends_where_limits_do() -> None:
    """A bar is as long as its limit holds."""
    lines = chart(sweep(few(), LIMITS, 1, 7)).splitlines()
    assert "x1" in lines[0]
    assert "x7" in lines[0]
    bar = lines[1].split("|")[1]
    assert (bar.count("="), bar.count("!")) == (29, 31)
    assert lines[1].endswith("x4.00")
    assert rows(sweep(few(), LIMITS, 1, 7))[0][0] == "x4.00"


def test_the_picture_is_sound() -> None:
    """The SVG is XML, escapes what users call things, and is drawn in the reader's colour."""
    text = svg(sweep(few(), LIMITS, 1, 7), 'What <breaks> & "when"')
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert root.tag.endswith("svg")
    assert "prefers-color-scheme: dark" in text
    widths = [float(one.get("width", "0")) for one in root.iter() if one.get("class") in ("holds", "broken")]
    assert sum(widths) == pytest.approx(520)
    assert widths[0] == pytest.approx(260, rel=1e-3)


@pytest.mark.parametrize(("start", "stop"), [(1, 10), (1, 2), (0.5, 500), (1, 1.01), (1, 10_000)])
def test_at_most_ten_ticks(start: float, stop: float) -> None:
    """The scale has round factors within its ends, and enough of them to be read."""
    found = ticks(Sweep(start=start, stop=stop, breaks=(), holding=0))
    assert 2 <= len(found) <= 11
    assert all(start - 1e-9 <= one <= stop + 1e-9 for one in found)


@settings(max_examples=10, deadline=None)
@given(demands())
def test_a_factor_holds_and_a_little_more_does_not(given_demand: Demand) -> None:
    """At its factor no case exceeds a limit; just beyond, the case that was named does."""
    for one in sweep(given_demand, LIMITS, 1, 10).breaks:
        if one.factor == 0.0:
            continue
        key = (one.kind.code, one.subject)
        for case in Case:
            assert _utilisation(given_demand, one.factor, case, key) <= 1 + 1e-9
        assert _utilisation(given_demand, one.factor * (1 + 3 * PRECISION), one.case, key) > 1


@settings(max_examples=10, deadline=None)
@given(demands())
def test_what_is_exceeded_today_breaks_below_one(given_demand: Demand) -> None:
    """Path and sweep agree about today."""
    exceeded = {(one.kind.code, one.subject) for one in judge(given_demand, LIMITS).exceeded}
    broken = {(one.kind.code, one.subject) for one in sweep(given_demand, LIMITS, 1, 2).breaks if one.factor < 1}
    assert broken <= exceeded
    for code, subject in exceeded - broken:
        kind = next(one.kind for one in judge(given_demand, LIMITS).hops if one.kind.code == code)
        assert holds_up_to(given_demand, LIMITS, kind, subject) == pytest.approx(1, abs=1e-3)


def _utilisation(of: Demand, times: float, case: Case, key: tuple[str, str]) -> float:
    found = {(one.kind.code, one.subject): one for one in evaluate(of, LIMITS, factor=times).measures(case)}
    return found[key].utilisation
