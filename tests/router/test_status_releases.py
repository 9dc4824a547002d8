"""What `fig status` shows of releases: a freeze, each ramp's place and why, what ended, what can be retired."""

from io import StringIO
from typing import Any

from rich.console import Console, Group

from router.commands.status_releases import releases_view

SIDE = {"requests": 1200, "buckets_of_users": 60, "server_errors": 3, "fallbacks": 2}
ROUTE: dict[str, Any] = {"route": "books", "weight": 100, "evidence": {"legacy": SIDE, "lambda": SIDE}, "verdict": None}
RAMP = {
    "ramp": "books",
    "routes": [ROUTE],
    "step": 2,
    "steps": 5,
    "doing": "lambda 1%",
    "phase": "holding",
    "weight": 100,
    "shadow": 500,
    "in_force": True,
    "seconds_left": 90.0,
    "verdict": "inconclusive",
    "reason": "300 more requests are needed",
    "paused": None,
    "dry_run": False,
}


def shown(**status: Any) -> str:
    """The view as text."""
    console = Console(file=StringIO(), width=200, markup=False, highlight=False, emoji=False)
    console.print(Group(*releases_view(status)))
    file = console.file
    assert isinstance(file, StringIO)
    return " ".join(file.getvalue().split())


def test_a_ramp_says_where_it_is_and_why() -> None:
    """Step, weight, shadow, time left, what Lambda's users saw, the verdict and its reason stand in one line."""
    text = shown(releases=[{"release": "r1", "ramps": [RAMP]}])
    line = "r1 books 2 of 5: lambda 1% 1%, shadow 5% holding 1m 30s 1,200 requests, 5 failed inconclusive"
    assert f"{line} 300 more requests are needed" in text, text


def test_durations_are_said_in_two_units_and_a_hold_that_is_over_waits_for_its_verdict() -> None:
    """Hours and minutes, not thousands of seconds; what is still needed and what was seen besides stand beside why."""
    for left, said in (
        (4050.0, "1h 7m"),
        (604_800.0, "7d"),
        (90_061.0, "1d 1h"),
        (59.6, "1m"),
        (0.0, "until it passes"),
    ):
        text = shown(releases=[{"release": "r1", "ramps": [{**RAMP, "seconds_left": left}]}])
        assert f"holding {said} 1,200 requests" in text, text
    verdict = {
        "needed": {"requests": 300, "seconds": 60.0, "words": "about 300 more requests"},
        "diagnostics": ["12 cold starts, 95 % of them within 900 ms"],
    }
    text = shown(releases=[{"release": "r1", "ramps": [{**RAMP, "routes": [{**ROUTE, "verdict": verdict}]}]}])
    assert "about 300 more requests 12 cold starts, 95 % of them within 900 ms" in text, text


def test_what_is_not_so_yet_is_said() -> None:
    """A weight that lags, a pause, a gate that only looks, and missing evidence are said in words."""
    route = {"route": "books", "weight": 100, "evidence": None, "verdict": None}
    changed = {"in_force": False, "paused": "ann: lunch", "dry_run": True, "seconds_left": None, "routes": [route]}
    text = shown(releases=[{"release": "r1", "ramps": [{**RAMP, **changed, "shadow": 0}]}])
    assert "1% (not in force everywhere yet) holding, paused - - inconclusive (dry run)" in text, text


def test_a_freeze_ended_releases_and_retirement_are_shown() -> None:
    """Who froze and why comes first; then what ended, and which routes legacy is not needed for."""
    moment = "2026-11-02T08:00:00+00:00"
    text = shown(
        frozen={"by": "ann", "at": moment, "reason": "Friday"},
        ended=[{"release": "r0", "outcome": "rolled back", "ended_at": moment}],
        retirement=[{"route": "pens", "since": moment, "legacy_last_request": None}],
    )
    assert text.startswith("! nothing moves towards Lambda: frozen by ann since ")
    assert "release r0: rolled back, " in text
    assert "pens: ready for retirement since " in text
    assert text.endswith("legacy's last request: none seen")


def test_without_releases_nothing_is_shown() -> None:
    """A status that knows of no release adds nothing."""
    assert releases_view({}) == []
