"""CloudWatch's metrics are paid for by their dimensions, so there are few."""

import json
from types import SimpleNamespace

import pytest

from observability.instrument.emf import MAX_ROUTES, OTHER, tell


def invocation(route: str, *, is_shadow: bool = False, status: int = 200) -> SimpleNamespace:
    """What is told of one."""
    request = SimpleNamespace(is_shadow=is_shadow, http_route="")
    return SimpleNamespace(
        request=request, service="books", route=route, seconds=0.01, has_raised=False, status=status, cold=False,
        trace_id="a" * 32,
    )  # fmt: skip


def test_routes_are_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond the limit every new route is `other`; known ones stay; shadows are not counted."""
    for number in range(MAX_ROUTES + 5):
        tell("Shop", invocation(f"route-{number}"))
    tell("Shop", invocation("route-0", status=503))
    tell("Shop", invocation("route-1", is_shadow=True))
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(records) == MAX_ROUTES + 6
    assert [one["route"] for one in records[-6:]] == [OTHER] * 5 + ["route-0"]
    assert (records[-1]["Errors"], records[0]["Errors"]) == ([1.0], [0.0])
    assert {tuple(one["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) for one in records} == {
        ("side", "route", "service")
    }
