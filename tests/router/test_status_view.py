"""What `fig status` looks like: readable at any width, and in words that say what to do."""

import io
import re
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest
from rich.console import Console

from router.commands import advice
from router.commands.options import print_view
from router.commands.status_view import status_view
from router.snapshot import alarms
from router.snapshot.faults import FLAGS, STATUSES

NOW = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
SIDE = {"requests_per_second": 120.5, "error_share": 0.0123, "fallbacks_per_second": 1.5, "p50_ms": 3.1, "p99_ms": 99.9}
ROUTE: dict[str, Any] = {
    "route": "books-read",
    "weight": 2500,
    "weight_text": "25%",
    "two_sides": True,
    "moving": True,
    "since": "2026-11-25T21:00:00+00:00",
    "by": "alice",
    "traffic": {"legacy": SIDE, "lambda": SIDE},
}
AWS = {"source": "boto3's chain", "method": "sso", "expires_at": "2026-11-25T22:45:00+00:00", "valid": True}
NODE: dict[str, Any] = {
    "name": "router-1",
    "live": True,
    "in_force": True,
    "last_seen_seconds": 0.3,
    "envoy": {"state": "running", "pid": 4711, "version": "1.40.0", "restarts": 1},
    "entry": "10.1.2.3:8080",
    "snapshot": "abcdef0123456789",
    "weights_version": 17,
    "problems": [],
    "rejected": None,
    "aws": None,
    "certificates": [],
    "counters": {},
}


def counts(recent: int, total: int) -> dict[str, int]:
    """One leaf of the tree of counters."""
    return {"recent": recent, "total": total}


def status(**more: Any) -> dict[str, Any]:
    """Control's answer."""
    about = {"snapshot": "abcdef0123456789", "published_at": "2026-11-25T20:00:00+00:00", "problems": []}
    return {**about, "routes": [ROUTE], "counters": {"window_seconds": 300.0}, "nodes": [NODE], **more}


def shown(said: dict[str, Any], width: int = 100) -> str:
    """The view as text, one blank between words and no ends of lines, and checked to fit."""
    file = io.StringIO()
    console = Console(file=file, width=width, markup=False, highlight=False, emoji=False)
    console.print(status_view(said, NOW))
    lines = file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    return re.sub(r"\s+", " ", " ".join(lines))


def node(**more: Any) -> dict[str, Any]:
    """Status with one node."""
    return status(nodes=[NODE | more])


EVERYTHING = status(
    problems=["the ledger lags"],
    routes=[ROUTE, ROUTE | {"route": "x" * 63, "traffic": {}, "two_sides": False}],
    counters={
        "window_seconds": 300.0,
        "routes": {
            "books-read": {"requests": {"fallback": counts(312, 1024)}, "calls": {"throttled": counts(300, 999)}}
        },
        "odd_paths": {"default": counts(7, 70)},
    },
    nodes=[
        NODE
        | {
            "problems": ["p" * 300],
            "aws": {
                "source": "boto3's chain",
                "method": "sso",
                "expires_at": "2026-11-25T22:45:00+00:00",
                "valid": True,
            },
            "certificates": [{"file": "/f/" + "y" * 100, "subject": "CN=a", "not_after": "2026-12-01T00:00:00Z"}],
            "counters": {"alarms": {alarms.UNBOUND_LOGIN: {"intranet": counts(3, 12)}}},
        }
    ],
)


@pytest.mark.parametrize("width", [80, 100, 200])
def test_it_fits_and_nothing_is_cut(width: int) -> None:
    """At 80 columns as at 200 every word is there, and no line is longer than the terminal."""
    text = shown(EVERYTHING, width)
    for words in ("the ledger lags", "books-read 25% moving", "312 1,024 books-read", "router-1: live, in force"):
        assert words in text
    squeezed = text.replace(" ", "")
    assert "x" * 63 in squeezed or "x" * 20 in squeezed
    assert squeezed.count("p" * 20) > 0
    assert sum(map(len, re.findall("p{3,}", squeezed))) == 300
    assert "…" not in text


def test_what_matters_comes_first_and_nothing_is_filled_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Running releases, then routes, then nodes, then what ended; piped lines end with their last word."""
    ended = [{"release": "r0", "outcome": "completed", "ended_at": "2026-11-25T20:00:00+00:00"}]
    ramp = {"ramp": "books", "routes": [], "step": 1, "steps": 2, "doing": "lambda 1%", "phase": "holding"}
    ramp |= {"weight": 100, "shadow": 0, "in_force": True, "seconds_left": 9.0, "verdict": None, "reason": "why"}
    ramp |= {"paused": None, "dry_run": False}
    print_view(status_view(status(releases=[{"release": "r1", "ramps": [ramp]}], ended=ended), NOW))
    text = capsys.readouterr().out
    places = [text.index(words) for words in ("release r1", "books-read", "router-1: live", "release r0: completed")]
    assert places == sorted(places)
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_wide_terminal_has_more_columns() -> None:
    """Since when and by whom a route has its weight is in the table where there is room."""
    for words in (" since by side ", " alice legacy ", " p50 p99 "):
        assert words in shown(status(), 200)
        assert words not in shown(status(), 80)


def test_faults_come_with_what_to_do() -> None:
    """What went wrong lately is told by route, the most of it first, with a line that says what to do."""
    text = shown(EVERYTHING, 200)
    fallback, throttled = advice.REQUESTS["fallback"], advice.CALLS["throttled"]
    assert f"312 1,024 books-read {fallback[0]} -> {fallback[1]} 300 999 {throttled[0]} -> {throttled[1]}" in text
    assert text.index("books-read requests") < text.index("default requests with an odd path")


def test_old_faults_are_only_counted() -> None:
    """What went wrong before the last minutes is one line; nothing at all is none."""
    old = {"window_seconds": 300.0, "routes": {"a": {"requests": {"timeout": counts(0, 1234)}}}}
    assert "nothing went wrong in the last 5 min; before that 1,234" in shown(status(counters=old))
    assert "went wrong" not in shown(status())


def test_many_routes_with_faults_are_cut_short() -> None:
    """The twenty routes with the most faults are listed, and how many more there are."""
    routes = {f"r-{number:02}": {"requests": {"reset": counts(number, number)}} for number in range(1, 31)}
    text = shown(status(counters={"window_seconds": 300.0, "routes": routes}))
    assert "r-30" in text
    assert "r-11" in text
    assert "r-10" not in text
    assert "and 10 more routes" in text


def test_credentials_say_their_end_and_the_clock() -> None:
    """Where the keys come from, until when they hold, and how far the clock is off."""
    text = shown(node(aws=AWS | {"clock_skew_seconds": -70.25}))
    assert re.search(r"credentials boto3's chain \(sso\), until 2026-11-2[56] \S+ \(in 45 min\)", text)
    assert "the clock is 70.2 s behind the Lambda API's" in text
    assert "expired" in shown(node(aws=AWS | {"expires_at": "2026-11-25T21:59:00+00:00"}))
    assert "none that are valid: calls go to legacy" in shown(node(aws=AWS | {"valid": False}))
    assert "credentials" not in shown(node())


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("2027-11-25T22:00:00Z", "ends 2027-11-2[56] .* \\(in 365 days\\): CN=shop, /f/shop.pem"),
        ("2026-12-01T00:00:00Z", "ends 2026-1[12]-.* \\(in 5 days\\): CN=shop, /f/shop.pem; replace the file"),
        ("2026-11-25T20:00:00Z", "ended 2026-11-2[56] .* \\(2 h ago\\): CN=shop, /f/shop.pem; replace the file"),
    ],
)
def test_the_certificate_that_ends_first_is_named(end: str, words: str) -> None:
    """Of a node's certificates the one that ends first is told, and from a month before what to do."""
    later = {"file": "/f/ca.pem", "subject": "CN=CA", "not_after": "2036-01-01T00:00:00Z"}
    text = shown(node(certificates=[later, {"file": "/f/shop.pem", "subject": "CN=shop", "not_after": end}]), 200)
    assert re.search(f"certificates the first of 2 {words}", text)
    assert ("replace" in text) == ("replace" in words)


def test_lost_telemetry_shows() -> None:
    """A receiver that takes nothing is told; one that did so long ago is not."""
    lost = {"batches": counts(60, 1000), "lost": counts(40, 50)}
    assert "telemetry 40 of 60 batches were lost lately" in shown(node(counters={"telemetry": lost}))
    assert "telemetry" not in shown(node(counters={"telemetry": lost | {"lost": counts(0, 50)}}))


def test_an_alarm_shows_as_long_as_envoy_remembers_it() -> None:
    """An alarm names the service, how often, and what to do, also when it was long ago."""
    text = shown(node(counters={"alarms": {alarms.UNBOUND_LOGIN: {"intranet": counts(0, 12)}}}), 200)
    what, to_do = advice.ALARMS[alarms.UNBOUND_LOGIN]
    assert f"ALARM intranet: 12 {what} (0 lately) -> {to_do}" in text


def test_a_node_that_is_gone_says_since_when() -> None:
    """A silent node says how long; one that lags says so; what it refused has its reason."""
    assert "router-1: not live, last seen 77 s ago" in shown(node(live=False, in_force=False, last_seen_seconds=77.2))
    assert "router-1: live, not in force yet" in shown(node(in_force=False))
    assert "! rejected snapshot 123456789012: a reason" in shown(
        node(rejected={"snapshot": "1234567890123456", "reason": "a reason"})
    )


def test_what_a_newer_node_counts_is_shown_by_its_name() -> None:
    """A kind without words of its own is shown as it is called."""
    routes = {"a": {"requests": {"flying_saucer": counts(1, 1)}, "calls": {"new_reason": counts(1, 1)}}}
    text = shown(status(counters={"window_seconds": 300.0, "routes": routes}))
    assert "flying saucer" in text
    assert "new reason" in text


def test_every_fault_has_words() -> None:
    """Each kind of fault, each reason of the inner hop's scripts, and each alarm says what it means and what to do."""
    assert advice.REQUESTS.keys() == {"fallback", *FLAGS.values(), *STATUSES.values()}
    assert advice.ALARMS.keys() == {alarms.UNBOUND_LOGIN}
    folder = resources.files("router.snapshot") / "lua"
    reasons = set(re.findall(r'Exception = "(\w+)"', (folder / "call.lua").read_text()))
    answers = (folder / "answer.lua").read_text()
    reasons |= set(re.findall(r'return "(?:failed|not_run|answered)", "(\w+)"', answers))
    inner = (resources.files("router.snapshot") / "inner_listeners.py").read_text()
    reasons |= set(re.findall(r'"(?:not_run|failed) (\w+)"', inner)) | set(
        re.findall(r'(?:"[A-Z]{2}"|\d{3}): "(\w+)"', inner)
    )
    assert {"throttled", "function_error", "own_5xx", "timeout", "unreachable", "odd_path"} <= reasons
    assert reasons <= advice.CALLS.keys()
