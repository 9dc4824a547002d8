from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from router.gate.verdict import Outcome
from router.release.values import Release
from router.simulation.counting import Counting
from router.simulation.crowd import crowd
from router.simulation.outcome import Ending, RouteRun
from router.simulation.picture import picture
from router.simulation.run import Course, simulate
from router.simulation.traffic import SideAssumption, Traffic
from router.weight import Weight
from tests.router.release.texts import books, release

MONDAY = Course(begins=datetime(2026, 11, 2, 9, tzinfo=UTC))
STEPS = ("lambda: 5% for 30m", "lambda: 25% for 1h", "{lambda: 100% for 1d, holdback: 5%}")


def traffic(errors: float, *, rate: float = 50, users: int = 2000, seed: int = 1, latency: float = 40) -> Traffic:
    return Traffic(
        requests_per_second=rate,
        users=users,
        legacy=SideAssumption(errors=0.001, latency_ms=40),
        lambda_=SideAssumption(errors=errors, latency_ms=latency),
        seed=seed,
    )


def run(text: str | Release, assumed: Traffic, course: Course = MONDAY) -> RouteRun:
    read = release(text) if isinstance(text, str) else text
    return simulate(read, assumed, course).runs[0]


@pytest.mark.parametrize("seed", range(3))
def test_equal_sides_complete(seed: int) -> None:
    """What is as good as legacy gets to 100 %, and not before its holds are over."""
    found = run(books(*STEPS), traffic(0.001, seed=seed))
    assert (found.ending, found.highest) == (Ending.COMPLETED, Weight(10_000)), found.reason
    assert found.seconds >= (0.5 + 1 + 24) * 3600


@pytest.mark.parametrize("seed", range(3))
def test_a_worse_function_is_rolled_back_before_many_users_see_it(seed: int) -> None:
    """Three points more errors never get beyond the second step."""
    found = run(books(*STEPS), traffic(0.031, seed=seed))
    assert found.ending is Ending.ROLLED_BACK
    assert found.highest <= Weight(2500)


def test_a_disaster_is_over_in_seconds() -> None:
    """A function that fails always is at weight 0 a few seconds after its first requests."""
    found = run(books(*STEPS), traffic(1.0))
    assert found.ending is Ending.ROLLED_BACK
    assert found.seconds < 30


def test_a_slow_function_is_rolled_back() -> None:
    """Twice the latency is found by the quantiles."""
    found = run(books(*STEPS), traffic(0.001, latency=90))
    assert found.ending is Ending.ROLLED_BACK
    assert "latency" in found.reason


def test_a_route_without_traffic_is_held_and_says_why() -> None:
    """One request a minute decides nothing in the time that is waited."""
    patient = replace(MONDAY, patience_seconds=86_400)
    found = run(books(*STEPS), traffic(0.001, rate=1 / 60), patient)
    assert (found.ending, found.highest) == (Ending.HELD, Weight(500))
    assert "requests" in found.reason


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    """A simulation can be repeated, and asked again."""
    once, again, other = (run(books(*STEPS), traffic(0.004, seed=seed)) for seed in (1, 1, 2))
    assert once == again
    assert once != other


def test_windows_and_approvals_take_their_time() -> None:
    """Applied on a Saturday, nothing happens before Monday; an approval that never comes holds."""
    office = "windows: {time_zone: UTC, open: [{days: mon-fri, from: 08:00, until: 16:00}]}\n"
    text = books("lambda: 5% for 30m", "pause: approval", "lambda: 25% for 1h", head=office)
    saturday = datetime(2026, 11, 7, 12, tzinfo=UTC)
    found = run(text, traffic(0.001), Course(begins=saturday, approves_after_seconds=3600))
    assert found.ending is Ending.COMPLETED
    assert found.moments[0].seconds == 44 * 3600
    held = run(text, traffic(0.001), Course(begins=saturday, approves_after_seconds=None))
    assert (held.ending, held.highest, held.reason) == (Ending.HELD, Weight(500), "a person must approve")


def test_a_breach_that_freezes_is_held() -> None:
    """The ramp stays where it failed."""
    found = run(books(*STEPS, head="on_breach: freeze\n"), traffic(0.012))
    assert found.ending is Ending.HELD
    assert found.moments[-1].weight == found.highest > Weight(0)


def test_a_dry_run_gate_promotes_by_time() -> None:
    """It says what it would have done, and completes."""
    found = run(books("lambda: 5% for 30m", "lambda: 25% for 1h", head="gate: {dry_run: true}\n"), traffic(0.2))
    assert found.ending is Ending.COMPLETED
    assert any("would have acted" in moment.text for moment in found.moments)


def test_a_group_has_one_course() -> None:
    """Its routes move at the same moments to the same weights."""
    text = (
        "version: 1\nrelease: r\nticket: T\ngroups:\n  checkout:\n    routes: [search, cart]\n"
        "    steps: [lambda: 5% for 30m, lambda: 25% for 1h]\n"
    )
    search, cart = simulate(release(text), traffic(0.001), MONDAY).runs
    assert {search.route, cart.route} == {"search", "cart"}
    assert (search.moments, search.ending) == (cart.moments, Ending.COMPLETED)
    passes = [moment.text for moment in search.moments if moment.text.startswith("pass: ")]
    assert passes
    assert {text.split(":")[1] for text in passes} == {" each of 2 routes"}


def test_nobody_is_lost_or_counted_twice() -> None:
    """Both sides together send what was assumed, whatever the weight, and the split is near the weight."""
    assumed = traffic(0.01, users=5000)
    counting = Counting(crowd(assumed, "salt"), assumed, "books")
    for weight in (Weight(100), Weight(2500), Weight(9900)):
        evidence = counting.count(weight, 10_000).evidence()
        legacy, mine = evidence.legacy.requests, evidence.lambda_.requests
        assert legacy + mine == pytest.approx(500_000, rel=0.01)
        assert mine / (legacy + mine) == pytest.approx(weight.parts / 10_000, rel=0.25)
        assert sum(sum(one.counts) for one in evidence.lambda_.latency.values()) == mine


def test_the_picture_shows_each_judged_step() -> None:
    """A column for each weight that was judged, the band, both lines, and how it ended."""
    found = run(books(*STEPS), traffic(0.001))
    root = ET.fromstring(picture(found))  # noqa: S314 - our own text
    words = " ".join(text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "route books: completed" in words
    assert words.count("pass") == 3
    assert "limit 0.5" in words
    assert len(list(root.iter("{http://www.w3.org/2000/svg}polygon"))) == 3
    assert found.looks[-1].verdict.outcome is Outcome.PASS
