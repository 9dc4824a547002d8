"""What `fig status` shows of releases: a freeze, each ramp's place and why, what ended, what can be retired."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console, Group

from router.commands.status_releases import ended_view, releases_view
from router.commands.status_view import Cut

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


def lines(width: int = 200, **status: Any) -> list[str]:
    """The view as lines, checked to fit."""
    console = Console(file=StringIO(), width=width, markup=False, highlight=False, emoji=False)
    console.print(Group(*releases_view(status), *ended_view(status)))
    file = console.file
    assert isinstance(file, StringIO)
    found = [line.rstrip() for line in file.getvalue().splitlines()]
    assert all(len(line) <= width for line in found)
    return found


def shown(**status: Any) -> str:
    """The view as text."""
    return " ".join(" ".join(lines(**status)).split())


def running(**changes: Any) -> list[dict[str, Any]]:
    """A release with one ramp."""
    return [{"release": "r1", "ramps": [{**RAMP, **changes}]}]


def test_a_ramp_says_where_it_is_and_why() -> None:
    """Step, weight, time left and the verdict stand in one line, its reason and what was counted below it."""
    assert lines(80, releases=running()) == [
        "release r1",
        "ramp   step               weight  phase    left    verdict",
        "books  2 of 5: lambda 1%  1%      holding  1m 30s  inconclusive",
        "    300 more requests are needed",
        "    shadow 5%, on Lambda 1,200 requests, 5 failed",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_sentences_have_the_width_of_the_terminal_and_no_word_is_broken(width: int) -> None:
    """However long the reason and the names, lines end between words, and sentences are indented."""
    reason = "latency p99: " + "about two thousand more requests on Lambda are needed " * 5
    ramp = {"ramp": "books-read-by-author", "doing": "lambda 25%", "seconds_left": 0.0, "reason": reason}
    found = lines(width, releases=running(**ramp))
    assert " ".join(" ".join(found).split()).count("about two thousand more requests on Lambda are needed") == 5
    sentences = [line for line in found if line.startswith("    ")]
    assert max(map(len, sentences)) > width - 15
    assert "books-read-by-author" in " ".join(found)
    long = lines(width, releases=running(ramp="x" * 60, doing="cohort x-pilot: team"))
    assert " ".join(" ".join(long).split()).startswith(
        f"release r1 {'x' * 60}: step 2 of 5: cohort x-pilot: team; weight 1%; holding, left 1m 30s; inconclusive"
    )


def test_durations_are_said_in_two_units_and_a_hold_that_is_over_waits_for_its_verdict() -> None:
    """Hours and minutes, not thousands of seconds; what was seen besides and is still needed stand below."""
    for left, said in (
        (4050.0, "1h 7m"),
        (604_800.0, "7d"),
        (90_061.0, "1d 1h"),
        (59.6, "1m"),
        (0.0, "until it passes"),
    ):
        text = shown(releases=running(seconds_left=left))
        assert f"holding {said} inconclusive" in text, text
    verdict = {
        "needed": {"requests": 300, "seconds": 60.0, "words": "about 300 more requests"},
        "diagnostics": ["12 cold starts, 95 % of them within 900 ms"],
    }
    text = shown(releases=running(routes=[{**ROUTE, "verdict": verdict}]))
    assert "5 failed 12 cold starts, 95 % of them within 900 ms about 300 more requests" in text, text


def test_each_route_of_a_group_has_its_own_verdict() -> None:
    """The group's is said once; below it stands what each route has to say."""
    kept = {"outcome": "pass", "reasons": [{"words": "all 13 limits are kept"}]}
    routes = [{**ROUTE, "route": "cart", "verdict": kept}, {**ROUTE, "route": "orders", "evidence": None}]
    found = lines(releases=running(ramp="checkout", routes=routes, reason="route orders: nothing", shadow=0))
    assert found[3:] == [
        "    route orders: nothing",
        "    cart: on Lambda 1,200 requests, 5 failed; pass: all 13 limits are kept",
        "    orders: on Lambda nothing is counted yet; nothing is judged yet",
    ]


def test_what_is_not_so_yet_is_said() -> None:
    """A weight that lags, a pause, a gate that only looks, and missing evidence are said in words."""
    route = {"route": "books", "weight": 100, "evidence": None, "verdict": None}
    changed = {"in_force": False, "paused": "ann: lunch", "dry_run": True, "seconds_left": None, "routes": [route]}
    text = shown(releases=running(**changed, shadow=0))
    assert "1% holding, paused - inconclusive (dry run) 1% is not in force everywhere yet" in text, text
    assert text.endswith("on Lambda nothing is counted yet")


def test_a_freeze_ended_releases_and_retirement_are_shown() -> None:
    """Who froze and why comes first; last what can be retired, and the three that ended last."""
    moment = "2026-11-02T08:00:00+00:00"
    ended = [
        {"release": f"r{day}", "outcome": "rolled back", "ended_at": f"2026-11-0{day}T08:00:00+00:00"}
        for day in range(1, 6)
    ]
    text = shown(
        frozen={"by": "ann", "at": moment, "reason": "Friday"},
        ended=ended,
        retirement=[{"route": "pens", "since": moment, "legacy_last_request": None}],
    )
    assert text.startswith("! nothing moves towards Lambda: frozen by ann since ")
    assert "pens: ready for retirement since " in text
    assert "legacy's last request: none seen release r5: rolled back, " in text
    assert "release r3" in text
    assert "release r2" not in text
    assert text.endswith("and 2 more: fig history")


def test_what_does_not_fit_is_cut_off_at_the_end_and_counted() -> None:
    """`--watch` shows the beginning, and says how many lines are missing."""
    console = Console(file=StringIO(), width=80, height=10, markup=False, highlight=False, emoji=False)
    text = "\n".join(f"line {number}" for number in range(20))
    with console.capture() as captured:
        console.print(Cut(text))
    found = [line.rstrip() for line in captured.get().splitlines()]
    assert found[:8] == [f"line {number}" for number in range(8)]
    assert found[8:] == ["... 12 more lines: make the terminal taller, or run fig status"]
    with console.capture() as captured:
        console.print(Cut("line\nline"))
    assert captured.get().split() == ["line", "line"]


def test_without_releases_nothing_is_shown() -> None:
    """A status that knows of no release adds nothing."""
    assert releases_view({}) == []
    assert ended_view({}) == []
