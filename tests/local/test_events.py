from pathlib import Path

import pytest

from infra.local.functions.event_queue import MAX_EVENTS
from tests.local.running import Running, serving, wait_for

EVENT = {"X-Amz-Invocation-Type": "Event"}


def text(place: Path) -> str:
    return f"""
version: 1
retry_delay: 20ms
functions:
  f:
    handler: app.try_thrice
    code: code
    concurrency: 1
    environment: {{PLACE: {place}}}
  slow: {{handler: app.sleep, code: code, concurrency: 1, timeout: 60s}}
"""


def tries(folder: Path, name: str) -> list[str]:
    file = folder / name
    return file.read_text().splitlines() if file.exists() else []


def idle(running: Running) -> bool:
    return bool(running.state("f")["events"] == 0)


@pytest.mark.parametrize(("failures", "expected", "dropped"), [(0, 1, 0), (1, 2, 0), (2, 3, 0), (99, 3, 1)])
def test_an_event_is_tried_three_times_at_most(folder: Path, failures: int, expected: int, dropped: int) -> None:
    """An Event answers 202 at once; its handler runs again after an error, twice at most, under one request id."""
    with serving(folder, text(folder)) as running:
        answer = running.invoke("f", {"name": "event", "failures": failures}, EVENT)
        assert (answer.status, answer.body) == (202, b"")
        wait_for(lambda: idle(running), "the event to be done")
        assert tries(folder, "event") == [answer.headers["x-amzn-requestid"]] * expected
        assert running.state("f")["events_dropped"] == dropped


def test_events_wait_for_a_place_instead_of_being_throttled(folder: Path) -> None:
    """More events than the concurrency are all run, one after the other."""
    with serving(folder, text(folder)) as running:
        for number in range(20):
            assert running.invoke("f", {"name": f"e{number}", "failures": 0}, EVENT).status == 202
        wait_for(lambda: idle(running), "twenty events to be done")
        assert [len(tries(folder, f"e{number}")) for number in range(20)] == [1] * 20
        assert running.state("f")["throttles"] == 0


def test_the_queue_of_events_has_an_end(folder: Path) -> None:
    """When too many events wait, further ones are throttled; stopping forgets them."""
    with serving(folder, text(folder)) as running:
        statuses = [running.invoke("slow", {"seconds": 30}, EVENT).status for _ in range(MAX_EVENTS + 1)]
        assert statuses == [202] * MAX_EVENTS + [429]
