"""The stream of changes: coalesced, bounded, resumed, ended with its session and with the process."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2

from observability.api import live as live_module
from observability.api.live import Live
from tests.observability.process import Observing, observing
from tests.observability.telemetry import logs, record

SOON = 5.0
Frame = dict[str, Any]


def make_live(**changes: Any) -> Live:
    settings: dict[str, Any] = {"pause_seconds": 0.01, "heartbeat_seconds": 0.05} | changes
    return Live(told=lambda: {"records": {"logs": 1}}, **settings)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await story()

    asyncio.run(bounded())


async def frame(stream: AsyncIterator[bytes]) -> tuple[str, Frame]:
    """The next frame's id and content, heartbeats aside."""
    async for chunk in stream:
        lines = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if ": " in line)
        if "data" in lines:
            return lines["id"], json.loads(lines["data"])
    raise AssertionError("the stream ended")  # noqa: EM101, TRY003 - a test's


def listening(live: Live, last: str = "", is_allowed: Callable[[], bool] = lambda: True) -> AsyncIterator[bytes]:
    return live.frames(last, is_allowed)


def test_many_changes_are_one_frame() -> None:
    """Whatever is stored while a browser was told already is one frame more, from whichever thread it is said."""

    async def story() -> None:
        live = make_live(pause_seconds=0.2)
        stream = listening(live)
        _, first = await frame(stream)
        for _ in range(50):
            await asyncio.to_thread(live.stored)
        _, second = await frame(stream)
        assert first["number"] == 0
        assert second["number"] >= 1
        assert second["records"] == {"logs": 1}
        assert (await frame(listening(live)))[1]["number"] == second["number"]

    run(story)


def test_who_comes_again_misses_nothing_and_hears_nothing_twice() -> None:
    """With the last frame's id there is a new frame only when something changed; an id of another process is none."""

    async def story() -> None:
        live = make_live()
        first = listening(live)
        last, _ = await frame(first)
        again = listening(live, last)
        assert [await anext(again) for _ in range(2)] == [b"retry: 2000\n\n", b": still here\n\n"]
        live.stored()
        assert (await frame(again))[1]["number"] == 1
        assert (await frame(listening(live, last)))[1]["number"] == 1
        assert (await frame(listening(live, "other.1")))[1]["number"] == 1

    run(story)


def test_a_stream_ends_with_its_session_and_with_the_process() -> None:
    """Who logged out hears nothing more; when the process ends every stream does, and nobody is counted any more."""

    async def story() -> None:
        live, allowed = make_live(heartbeat_seconds=30), [True]
        ending, logged_out = listening(live), listening(live, is_allowed=lambda: allowed[0])
        await frame(ending)
        await frame(logged_out)
        assert live.listeners == 2
        allowed[0] = False
        live.stored()
        assert [one async for one in logged_out] == []
        await frame(ending)
        live.close()
        assert [one async for one in ending] == []
        assert live.listeners == 0

    run(story)


def test_a_real_stream(tmp_path: Path) -> None:
    """A browser's stream tells of what came in, needs a login, and does not hold up the end of the process."""
    with observing(tmp_path) as running:
        assert running.http.get(f"{running.pages}/events").status_code == 401
        with running.http.stream("GET", f"{running.pages}/events", headers=running.bearer()) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["x-accel-buffering"] == "no"
            lines = answer.iter_lines()
            assert told(lines)["records"] == {}
            with httpx2.Client(trust_env=False) as other:
                content = logs(record(time=time.time_ns())).SerializeToString()
                sent = {"Content-Type": "application/x-protobuf"}
                assert other.post(f"{running.otlp}/v1/logs", content=content, headers=sent).is_success
            said = told(lines)
            assert said["records"] == {"logs": 1}
            assert abs(said["at"] / 1000 - time.time()) < 60
            assert refused_when_full(running)
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(SOON) == 0


def told(lines: Any) -> Frame:
    return next(json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def refused_when_full(running: Observing) -> bool:
    """Whether one browser too many is told to come again; the others are let go of afterwards."""
    with httpx2.Client(trust_env=False, headers=running.bearer(), timeout=30) as many:
        opened = [many.stream("GET", f"{running.pages}/events") for _ in range(live_module.MAX_LISTENERS)]
        answers = [one.__enter__() for one in opened]
        statuses = [one.status_code for one in answers]
        retry = answers[-1].headers.get("retry-after")
        for one in opened:
            one.__exit__(None, None, None)
    return statuses == [200] * (live_module.MAX_LISTENERS - 1) + [503] and retry == "30"
