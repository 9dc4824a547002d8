"""Named users go to Lambda before anybody else, while their key says so."""

import json

import pytest

from .conftest import World
from .harness import eventually
from .standins import api_error


def send_named_users(world: World, percent: int, parts: int = 0) -> None:
    """Put the cohort's runtime key in force beside the route's weight, and wait until requests follow it."""
    world.router.shift(by_header=parts)
    data = json.loads((world.router.state / "live" / "rtds" / "current").read_bytes())
    data["resources"][0]["layer"]["cohort.by-header"] = percent
    world.router.put_runtime(json.dumps(data, separators=(",", ":")).encode())
    wanted = "lambda" if percent else "legacy"

    def follows() -> bool:
        return world.router.request("/h", [("X-User", "a"), ("X-Pilot", "staff")]).header("x-fig-side") == wanted

    eventually(follows)
    world.reset()


@pytest.mark.parametrize(
    ("named", "side"),
    [
        ("staff", "lambda"),
        ("a.b", "lambda"),
        ("aXb", "legacy"),
        ("staff2", "legacy"),
        ("STAFF", "legacy"),
        ("", "legacy"),
    ],
)
def test_only_named_users_go_ahead(world: World, named: str, side: str) -> None:
    """At a weight of 0 exactly the cohort's values are served by Lambda, with their user's key; others stay."""
    send_named_users(world, 100)
    answer = world.router.request("/h", [("X-User", "a"), ("X-Pilot", named)])
    assert answer.header("x-fig-side") == side
    if side == "lambda":
        assert world.api.events[0].event["headers"]["x-fig-user"] == "a"


def test_without_its_key_a_cohort_is_like_everybody(world: World) -> None:
    """Before a release says so, and after it is rolled back, named users are where the weight puts them."""
    send_named_users(world, 0)
    assert world.router.request("/h", [("X-User", "a"), ("X-Pilot", "staff")]).header("x-fig-side") == "legacy"


def test_named_users_fall_back_like_everybody(world: World) -> None:
    """Legacy answers what Lambda failed for them, too."""
    send_named_users(world, 100)
    world.api.api = api_error(429, "TooManyRequestsException")
    answer = world.router.request("/h", [("X-User", "a"), ("X-Pilot", "staff")], method="POST", body=b"x")
    assert (answer.status, answer.header("x-fig-side"), answer.header("x-fig-assigned")) == (200, "legacy", "lambda")


def test_named_users_are_no_evidence(world: World) -> None:
    """Nobody drew their side, so a moving route's counters do not have them."""
    send_named_users(world, 100, parts=5_000)
    text = "/stats?format=prometheus&filter=%5Efig%5B.%5Drequests"

    def requests() -> bytes:
        lines = world.router.admin(text).splitlines()
        return b"\n".join(line for line in lines if line.startswith(b"envoy_fig_requests_total{"))

    before = requests()
    for number in range(5):
        world.router.request("/h", [("X-User", str(number)), ("X-Pilot", "staff")])
    assert requests() == before
