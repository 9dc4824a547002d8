"""What `fig status --json` has is in its document."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from router.control.app import Outside

from .fakes import BOOKS, FakeTime, Here, estate_of, run
from .ramps import RELEASE, Play

DOCUMENT = Path(__file__).parents[3] / "docs" / "status.md"
_LATENCY = {"bounds": [1.0, 5.0], "counts": [1, 2]}
_NAMED_BY_OTHERS = {"books", "lambda", "default", "shop", "throttled"}


def keys(value: Any) -> Iterator[str]:
    """Every key below."""
    if isinstance(value, list):
        for one in value:
            yield from keys(one)
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield name
            yield from keys(below)


def documented() -> set[str]:
    """Every word that the document has as code."""
    return set(re.findall(r"[a-z][a-z0-9_]*", " ".join(re.findall(r"`([^`]*)`", DOCUMENT.read_text()))))


def test_every_key_of_a_release_is_documented(tmp_path: Path) -> None:
    """Each key of a release that runs, that ended, of a freeze and of a route to be retired stands in the document."""
    time = FakeTime()

    async def story(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        await one.begin(RELEASE.replace("      - lambda: 1% for 10m\n", ""))
        while not (await here.get("/v1/releases"))["retirement"]:
            await one.second(60)
        await here.shift("books", 0, wait_seconds=0)
        await one.start(RELEASE.replace("r1", "r2"))
        await one.second(120)
        await one.say("/v1/freeze")
        status = await here.get("/v1/status")
        await here.shift("books", 0, reason="enough", wait_seconds=0)
        found = set(keys(await here.get("/v1/releases"))) | set(keys(status))
        assert {"findings", "buckets_of_users", "frozen", "outcome"} <= found
        assert found - documented() - _NAMED_BY_OTHERS - {"pens", "ink"} == set()

    run(tmp_path, story, time, Outside())


def test_every_key_is_documented(tmp_path: Path) -> None:
    """Each key of a status with everything in it stands in the document."""
    time = FakeTime()

    async def story(here: Here) -> None:
        await here.publish(estate_of(books=BOOKS), wait_seconds=0)
        await here.shift("books", 100, wait_seconds=0)
        node = here.node()
        await node.hear()
        for number in (1, 2):
            side = {"requests": number * 10, "by_status": {}, "fallbacks": 0, "latency_ms": _LATENCY}
            await node.report(
                traffic={"epoch": "e", "routes": {"books": {"lambda": side}}},
                counters={
                    "epoch": "e",
                    "routes": {"books": {part: {"throttled": 1} for part in ("requests", "calls", "shadow_calls")}},
                    "odd_paths": {"default": 1},
                    "alarms": {"login_on_pooled_connection": {"shop": 1}},
                    "telemetry": {"batches": 1, "lost": 1},
                },
                aws={"source": "boto3's chain"},
                certificates=[{"file": "a.pem", "subject": "CN=a", "not_after": "2026-12-01T00:00:00Z"}],
                rejected={"snapshot": "x", "reason": "y"},
            )
            time.seconds += 1
        status = await here.get("/v1/status")
        assert status["routes"][0]["traffic"]["lambda"]["requests_per_second"] > 0
        assert set(keys(status)) - documented() - _NAMED_BY_OTHERS == set()
        assert {"clock_skew_seconds", "lost", "not_after", "shadow_calls", "p99_ms"} <= set(keys(status))

    run(tmp_path, story, time=time)
