"""Rates and quantiles from the nodes' cumulative counters."""

from typing import Any

import pytest

from router.control.changes import changes
from router.control.traffic import Reading, lasting, quantile, rates
from router.weight import Weight

BOUNDS = [1.0, 5.0, 10.0, 50.0]


def reading(
    at: float, requests: int, *, errors: int = 0, epoch: str = "e1", counts: list[int] | None = None
) -> Reading:
    """A node's counters of one route's lambda side."""
    side: dict[str, Any] = {
        "requests": requests,
        "by_status": {"200": requests - errors, "502": errors},
        "fallbacks": 0,
        "latency_ms": {"bounds": BOUNDS, "counts": counts or [0, requests, requests, requests]},
    }
    return Reading(at=at, traffic={"epoch": epoch, "routes": {"books": {"lambda": side}}})


def test_rates_are_differences_over_about_a_second() -> None:
    """Requests a second come from the newest reading and the latest one that is about a second older."""
    found = rates([[reading(0.0, 0), reading(1.0, 100), reading(2.0, 300, errors=20), reading(2.01, 300, errors=20)]])
    side = found["books"]["lambda"].to_json()
    assert side["requests_per_second"] == pytest.approx(200 / 1.01, abs=0.01)
    assert side["error_share"] == pytest.approx(0.1)
    assert side["p50_ms"] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("readings", "rate", "seconds"),
    [
        ([(0, 500), (10, 580), (100, 1300)], 8.0, 100),
        ([(0, 0), (90, 0), (95, 40), (100, 80)], 8.0, 10),  # it was at rest, and not counted
        ([(0, 900), (90, 10), (100, 90)], 8.0, 10),  # Envoy was replaced
    ],
)
def test_what_a_plan_counts_with_lasts_as_long_as_it_was_counted(
    readings: list[tuple[float, int]], rate: float, seconds: float
) -> None:
    """Requests a second over all readings since the route's counters began, and how long that is."""
    found, counted = lasting([[reading(at, requests) for at, requests in readings], []])
    assert found["books"]["lambda"].requests == pytest.approx(rate)
    assert counted == {"books": seconds}


def test_nodes_are_summed() -> None:
    """Two nodes' rates add up; quantiles are those of all requests together."""
    fast = [reading(0.0, 0, counts=[0, 0, 0, 0]), reading(1.0, 100, counts=[100, 100, 100, 100])]
    slow = [reading(0.0, 0, counts=[0, 0, 0, 0]), reading(1.0, 100, counts=[0, 0, 0, 100])]
    side = rates([fast, slow])["books"]["lambda"].to_json()
    assert side["requests_per_second"] == 200
    assert side["p50_ms"] == pytest.approx(1.0)
    assert side["p99_ms"] == pytest.approx(49.2)


@pytest.mark.parametrize(
    "readings",
    [
        [],
        [reading(0.0, 10)],
        [reading(0.0, 10), reading(0.5, 20)],
        [reading(0.0, 10, epoch="e0"), reading(1.0, 20)],
    ],
)
def test_without_two_comparable_readings_there_are_no_rates(readings: list[Reading]) -> None:
    """One reading, readings too close, or readings of two epochs say nothing."""
    assert rates([readings]) == {}


def test_a_quiet_route_has_no_quantiles() -> None:
    """Without requests shares and quantiles are unknown, not 0."""
    side = rates([[reading(0.0, 10), reading(1.0, 10)]])["books"]["lambda"].to_json()
    assert (side["requests_per_second"], side["error_share"], side["p50_ms"], side["p99_ms"]) == (0, None, None, None)


def test_a_quantile_is_interpolated_inside_its_bucket() -> None:
    """The median of ten requests, four of them at most 1 ms and six between 1 and 5 ms, lies in the second bucket."""
    assert quantile({1.0: 4, 5.0: 10, 10.0: 10}, 0.5) == pytest.approx(1 + 4 / 6, abs=0.001)
    assert quantile({}, 0.5) is None


def test_changes_name_fields_and_values() -> None:
    """A changed thing lists each changed field with its old and its new value; nested fields have dotted names."""
    old = {"entry": {"address": "a:1"}, "legacy": {"shop": {"tls": {"name": "x"}}}, "lambda": {}, "routes": {}}
    new = {"entry": {"address": "a:2"}, "legacy": {"shop": {"tls": {"name": "y"}}}, "lambda": {}, "routes": {}}
    assert [(one.sign, one.kind, one.name, one.detail) for one in changes(old, new, {"gone": Weight(1)})] == [
        ("~", "entry", "entry", "address: a:1 -> a:2"),
        ("~", "legacy", "shop", "tls.name: x -> y"),
    ]
    assert changes(old, old, {}) == ()


def test_what_stands_beside_routes_is_a_change_too() -> None:
    """Telemetry and identities: an estate that differs in them alone does not change nothing."""
    old = {"entry": {}, "telemetry": {"otlp": "a:1"}}
    new = {"entry": {}, "telemetry": {"otlp": "b:1"}, "identities": {"one": {"issuer": "x"}}}
    assert [(one.sign, one.kind, one.name) for one in changes(old, new, {})] == [
        ("~", "telemetry", "telemetry"),
        ("+", "identity", "one"),
    ]
