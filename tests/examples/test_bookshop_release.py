"""A release on the running bookshop: real Envoy, control, node and function, real traffic, real evidence."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from router.client import ControlClient, find_control
from router.gate.breaker import FEWEST, SURPRISE, surprise

from .test_bookshop_faults import Traffic
from .test_bookshop_up import ESTATE, Up, fig, until, up

pytestmark = pytest.mark.timeout(300)  # a dozen processes start, on a machine that may be busy
GATE = "{warm_up: 1s, minimum_requests: 50, minimum_users: 2, limits: {server_errors: {above_legacy: LIMIT}}}"
RELEASE = """\
version: 1
release: %(name)s
ticket: CHG-1
gate: %(gate)s
routes:
  books-read:
    steps:
      - lambda: 5%% for %(hold)s
      - lambda: 50%% for 1s
      - lambda: 100%% for 1s
"""
WITHOUT = (
    "fallbacks, throttles, timeouts, unauthorized, not_found, too_many_requests, other_client_errors, redirects,"
    " response_size, latency_p50, latency_p95, latency_p99"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How a failing function was left, in seconds until the last request that was meant for it (Envoy's log).

    `first`: since the first request that it failed. `enough`: since it had failed as many users as prove that it is a
    disaster at the release's limit. `decided`: since control decided.
    """

    first: float
    enough: float
    decided: float
    users: int


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The bookshop, which both tests use one after the other: each release begins and ends by itself."""
    with up(tmp_path_factory.mktemp("shop")) as running:
        yield running


def start(folder: Path, name: str, hold: str, limit: str = "30%") -> None:
    """Plan and apply the release. `limit` is wide where a busy machine alone must break nothing."""
    gate = GATE.removesuffix("}").replace("LIMIT", limit) + f", without: [{WITHOUT}]}}"
    (folder / "release.yaml").write_text(RELEASE % {"name": name, "gate": gate, "hold": hold})
    planned = fig("plan", "release.yaml", "--estate", str(ESTATE), "-o", "release.plan", folder=folder)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    applied = fig("apply", "release.plan", "--detach", folder=folder)
    assert applied.returncode == 0, applied.stdout + applied.stderr


def status(folder: Path) -> dict[str, Any]:
    """What fig status --json says, without a process for each time that it is asked."""
    with ControlClient(find_control(start=folder, environ={})) as client:
        return client.status()


def outcome(folder: Path, name: str) -> str:
    """How the release ended, once it has; a busy machine has a few deadlines for it."""

    def ended() -> list[str]:
        return [one["outcome"] for one in status(folder)["ended"] if one["release"] == name]

    assert any(until(lambda: bool(ended())) for _ in range(4)), status(folder)
    return ended()[0]


def switch(running: Up, fault: str) -> None:
    """Let every call of the function end with its process, for `crash`; or run, for `none`."""
    address = f"{running.addresses['lambda']}/_local/faults/books"
    answer = httpx2.post(address, json={"fail": fault, "count": None}, trust_env=False)
    assert answer.is_success, answer.text


def is_judged(folder: Path) -> bool:
    """Whether the ramp has evidence of users on Lambda, in force."""
    (release,) = status(folder)["releases"]
    (route,) = release["ramps"][0]["routes"]
    return bool(release["ramps"][0]["in_force"] and route["evidence"] and route["evidence"]["lambda"]["requests"] > 20)


def rolled_back(running: Up, name: str, limit: float) -> Left:
    """Begin to fail under a release that holds 5 % until it is rolled back, and say how long that took."""
    folder = running.folder
    assert any(until(lambda: is_judged(folder)) for _ in range(4)), status(folder)
    since = datetime.now(UTC)
    switch(running, "crash")
    assert outcome(folder, name) == "rolled back"
    return how_left(folder, since, limit)


def how_left(folder: Path, since: datetime, limit: float) -> Left:
    """What Envoy's log and the history say of a failing function that was left."""
    (log,) = folder.glob(".fig/**/access.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    meant = [(datetime.fromisoformat(one["time"]), one) for one in lines if one["assigned"] == "lambda"]
    last = max(at for at, _ in meant)
    failed = sorted((at, one["user"]) for at, one in meant if at > since and one["answered"] == "legacy")
    needed = next(users for users in count(FEWEST) if surprise([1] * users, users, limit) >= SURPRISE)
    first_of = {user: at for at, user in reversed(failed)}
    enough = sorted(first_of.values())[min(needed, len(first_of)) - 1]
    (entry,) = json.loads(fig("history", "--limit", "1", "--json", folder=folder).stdout)["entries"]
    return Left(
        first=(last - failed[0][0]).total_seconds(),
        enough=(last - enough).total_seconds(),
        decided=(last - datetime.fromisoformat(entry["at"])).total_seconds(),
        users=len(first_of),
    )


def test_a_function_that_begins_to_fail_is_left_at_once(shop: Up) -> None:
    """At 5 % a function begins to fail: by that evidence alone everybody is sent back; no user saw it.

    How soon is a matter of the machine, and benchmarks/breaker.py measures it.
    """
    folder, traffic = shop.folder, Traffic(shop.addresses["entry"], users=100)
    with traffic.running():
        start(folder, "fails", "1h", limit="5%")
        left = rolled_back(shop, "fails", 0.05)
    switch(shop, "none")
    entry = json.loads(fig("history", "--limit", "1", "--json", folder=folder).stdout)["entries"][0]
    assert (entry["kind"], entry["from"], entry["to"]) == ("rollback", 500, 0)
    assert entry["reason"].startswith("rolled back from 5%: ")
    assert entry["evidence"]
    assert traffic.failed == []
    assert shop.get("/books/7").headers["x-fig-side"] == "legacy"
    sys.stdout.write(f"{left}\n")


def test_a_release_ramps_the_bookshop(shop: Up) -> None:
    """A plan is applied, each step passes on evidence of real users, and the release completes with all on Lambda."""
    folder, traffic = shop.folder, Traffic(shop.addresses["entry"], users=100)
    with traffic.running():
        start(folder, "ramps", "1s")
        assert outcome(folder, "ramps") == "completed"
    assert traffic.failed == []
    assert until(lambda: shop.get("/books/7").headers["x-fig-side"] == "lambda")
    assert json.loads(fig("history", "--verify", "--json", folder=folder).stdout)["intact"]
