"""The API's edge: who may ask, what is accepted, and what is never handed out."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .fakes import BOOKS, TOKEN, FakeTime, Here, control_here, estate_of, run, until

ESTATE = estate_of(books=BOOKS)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_without_the_token_nothing_is_answered(tmp_path: Path, header: str | None) -> None:
    """Every path but health answers 401 without the token, existing or not, and says nothing else."""

    async def story(here: Here) -> None:
        del here.http.headers["authorization"]
        headers = {} if header is None else {"authorization": header}
        for path in ("/v1/desired", "/v1/status", "/v1/nothing", "/v1/snapshots/x/y"):
            answer = await here.http.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "CT401"
            assert TOKEN not in answer.text
        assert (await here.http.get("/v1/health")).json() == {"ok": True}

    run(tmp_path, story)


def test_a_long_poll_returns_when_something_changes(tmp_path: Path) -> None:
    """A poll for what comes after the present revision waits for a change, or for as long as it said."""

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        now = await here.get("/v1/desired")
        assert await here.get("/v1/desired", after=now["revision"], wait=0.05) == now
        poll = asyncio.create_task(here.get("/v1/desired", after=now["revision"], wait=20))
        await asyncio.sleep(0)
        await here.shift("books", 100, wait_seconds=0)
        changed = await poll
        assert changed["revision"] > now["revision"]
        assert changed["weights"]["routes"] == {"books": 100}

    run(tmp_path, story)


def test_waiting_ends_when_the_process_ends(tmp_path: Path) -> None:
    """Closing control lets every waiting poll go at once."""

    async def story(here: Here) -> None:
        poll = asyncio.create_task(here.get("/v1/desired", after=0, wait=30))
        await asyncio.sleep(0)
        here.control.close()
        async with asyncio.timeout(2):
            assert (await poll)["snapshot"] is None

    run(tmp_path, story)


def test_a_snapshot_s_files_are_served_and_nothing_else(tmp_path: Path) -> None:
    """A snapshot's files come byte for byte; no digest and no name leads out of the folder."""

    async def story(here: Here) -> None:
        digest = (await here.publish(ESTATE, wait_seconds=0))["snapshot"]
        (tmp_path / "snapshots" / digest / "notes.txt").write_text("secret")
        answer = await here.http.get(f"/v1/snapshots/{digest}/routes.json")
        assert answer.content == (tmp_path / "snapshots" / digest / "routes.json").read_bytes()
        for path in (
            f"{digest}/notes.txt",
            f"{digest}/..%2f..%2fledger.sqlite",
            f"{digest}/%2e%2e/%2e%2e/ledger.sqlite",
            "..%2f..%2fetc/passwd",
            "%2e%2e/ledger.sqlite",
            f"{digest.upper()}/routes.json",
            f"{digest}%00/routes.json",
            f"{digest[:-1]}/routes.json",
            f"{digest}/routes.json%0a",
        ):
            answer = await here.http.get(f"/v1/snapshots/{path}")
            assert answer.status_code == 404, path

    run(tmp_path, story)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A body beyond its limit is answered 413, announced or not."""

    async def chunks() -> Any:
        for _ in range(80):
            yield b" " * 1024

    async def story(here: Here) -> None:
        assert (await here.http.post("/v1/shifts", content=b" " * 70_000)).status_code == 413
        assert (await here.http.post("/v1/shifts", content=chunks())).status_code == 413

    run(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body: Invalid JSON"),
        (b"[1,", "the body: Invalid JSON"),
        (b"[" * 60_000, "the body: Invalid JSON"),
        (b"\xff\xfe", "the body: Invalid JSON"),
        (b'{"route":"books","weight":10001,"actor":"a"}', "weight: Input should be less than or equal to 10000"),
        (b'{"route":"books","weight":1,"actor":"a","force":true}', "force: Extra inputs are not permitted"),
        (b'{"route":"books","weight":1}', "actor: Field required"),
        (b'{"route":"books","weight":1,"actor":"a","wait_seconds":1e9}', "wait_seconds: Input should be less"),
    ],
)
def test_a_body_that_is_not_as_it_should_be_is_told_what_is_wrong(tmp_path: Path, body: bytes, said: str) -> None:
    """A malformed body answers 422 with the field and what is wrong with it."""

    async def story(here: Here) -> None:
        answer = await here.http.post("/v1/shifts", content=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["message"].startswith(said)

    run(tmp_path, story)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_REPORT_KEYS = st.sampled_from(
    ["revision", "snapshot", "weights_version", "envoy", "problems", "rejected", "local_moves", "traffic", "at", "x"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(["shifts", "publishes", "publishes/back", "nodes/n/report"]), body=_JSON, more=_REPORT_KEYS)
def test_no_body_makes_control_fail(tmp_path: Path, path: str, body: object, more: str) -> None:
    """Whatever JSON is posted, control answers it or refuses it with 4xx, in JSON."""

    async def story(here: Here) -> None:
        for sent in (body, {"revision": 0, "weights_version": 0, "actor": "a", "estate": body} | {more: body}):
            answer = await here.http.post(f"/v1/{path}", content=json.dumps(sent), timeout=20)
            assert answer.status_code < 500, (answer.text, sent)
            answer.json()

    run(tmp_path, story)


def test_unknown_paths_methods_and_numbers_are_refused_in_json(tmp_path: Path) -> None:
    """A path, a method or a query that control does not know gets a JSON error."""

    async def story(here: Here) -> None:
        for method, path, status in (
            ("GET", "/v1/nothing", 404),
            ("DELETE", "/v1/shifts", 405),
            ("GET", "/v1/history?limit=many", 422),
            ("GET", "/v1/desired?wait=nan", 422),
            ("GET", "/v1/estate", 404),
            ("POST", "/v1/nodes/..%2fx/report", 404),
            ("POST", "/v1/nodes/a%20b/report", 422),
        ):
            answer = await here.http.request(method, path)
            assert (answer.status_code, set(answer.json())) == (status, {"error"}), path

    run(tmp_path, story)


def test_status_shows_what_nodes_said(tmp_path: Path) -> None:
    """Status has each node's report, whether it is live and whether what is desired is in force there."""
    time = FakeTime()

    async def story(here: Here) -> None:
        await here.publish(ESTATE, wait_seconds=0)
        node = here.node()
        await node.hear()
        side = {"requests": 10, "by_status": {"200": 10}, "fallbacks": 0, "latency_ms": {"bounds": [5], "counts": [10]}}
        for second in range(3):
            time.seconds += 1
            counted = side | {"requests": 10 * second, "latency_ms": {"bounds": [5], "counts": [10 * second]}}
            traffic = {"epoch": "1", "routes": {"books": {"legacy": counted}}}
            await node.report(traffic=traffic, problems=["disk is nearly full\x1b[31m"])
        status = await here.get("/v1/status")
        (shown,) = status["nodes"]
        assert (shown["name"], shown["live"], shown["in_force"], shown["last_seen_seconds"]) == (
            "node-1",
            True,
            True,
            0,
        )
        assert shown["envoy"]["version"] == "1.40.0"
        assert shown["problems"] == ["disk is nearly full [31m"]
        assert "traffic" not in shown
        (route,) = status["routes"]
        assert route["traffic"]["legacy"]["requests_per_second"] == 10
        time.seconds += 6
        (gone,) = (await here.get("/v1/status"))["nodes"]
        assert (gone["live"], gone["in_force"], gone["last_seen_seconds"]) == (False, False, 6)

    run(tmp_path, story, time)


def test_a_control_that_just_started_waits_for_the_nodes_it_knew(tmp_path: Path) -> None:
    """Within its first seconds a restarted control waits for nodes that reported to the one before."""

    async def main() -> None:
        async with control_here(tmp_path) as here:
            await here.publish(ESTATE, wait_seconds=0)
            await here.node().report()
        async with control_here(tmp_path) as here:
            shift = asyncio.create_task(here.shift("books", 100))
            await until(lambda: here.control.keeper.desired.moving() == {"books": 100})
            async with here.node().running():
                answer = await shift
                assert answer["in_force"]
                assert [node["name"] for node in answer["nodes"]] == ["node-1"]

    asyncio.run(main())
