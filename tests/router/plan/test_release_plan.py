import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from router.plan.load import Assumed
from router.plan.places import Places
from router.plan.present import Users, users_of
from router.plan.words import release_words
from router.release.places import ReleasePlaces
from router.weight import MOST_COUNTED
from strangler_fig.documents import read_yaml
from tests.router.release.texts import books, estate, load

from .plans import MONDAY, capacity, codes, planned, present_json

OFFICE = "windows: {time_zone: Europe/Zurich, open: [{days: mon-fri, from: 08:30, until: 16:00}]}\n"
RATE = {"requests_per_second": 50.0, "error_share": 0.001, "p50_ms": 40.0, "p99_ms": 200.0}


def test_each_step_has_its_earliest_time() -> None:
    """Holds, glides and verdicts add up; what comes after an approval says so."""
    text = books("shadow: 10% for 30m", "lambda: 5% for 4h", "pause: approval", "glide: 10m", "lambda: 25% for 1h")
    ramp = planned(text, present_json()).ramps[0]
    first = MONDAY + timedelta(minutes=30)
    assert [(step.arrives.at, step.arrives.approvals) for step in ramp.steps if step.arrives] == [
        (MONDAY, 0),
        (first, 0),
        (first + timedelta(hours=4), 0),
        (first + timedelta(hours=4, minutes=10), 1),
    ]
    assert ramp.ends is not None
    assert ramp.ends.at == first + timedelta(hours=5, minutes=10)


def test_windows_count() -> None:
    """A hold that ends after hours has its next step in the next morning; a weekend is waited for."""
    friday = datetime(2026, 11, 6, 13, tzinfo=UTC)
    steps = (
        planned(books("lambda: 5% for 4h", "lambda: 25% for 1h", head=OFFICE), present_json(), now=friday)
        .ramps[0]
        .steps
    )
    assert [step.arrives.at for step in steps if step.arrives] == [friday, datetime(2026, 11, 9, 7, 30, tzinfo=UTC)]


def test_a_verdict_that_takes_longer_than_the_hold_delays_what_follows() -> None:
    """The plan says how long the gate needs at the present traffic, and counts with it."""
    ramp = planned(books("lambda: 1% for 10m", "lambda: 10% for 10m"), present_json()).ramps[0]
    first, second = ramp.steps
    assert first.verdict_seconds is not None
    assert first.verdict_seconds > 600
    assert first.arrives is not None
    assert second.arrives is not None
    assert second.arrives.at - first.arrives.at == timedelta(seconds=first.verdict_seconds)
    assert second.verdict_seconds is not None
    assert second.verdict_seconds < first.verdict_seconds


def test_a_gate_that_only_looks_delays_nothing() -> None:
    """In a dry run time alone promotes, however long a verdict would take."""
    text = books("lambda: 5% for 1h", "lambda: 10% for 1h", head="gate: {dry_run: true}\n")
    ends = planned(text, present_json(), assumed=Assumed(requests_per_second=0.001)).ramps[0].ends
    assert ends is not None
    assert ends.at == MONDAY + timedelta(hours=2)


def test_traffic_that_decides_nothing_is_said() -> None:
    """One request a minute: the gate does not decide in 60 days, and no step after it comes sooner."""
    slow = {"books": {"legacy": RATE | {"requests_per_second": 1 / 60}}}
    plan = planned(books("lambda: 1% for 1h", "lambda: 10% for 1h"), present_json(traffic=slow))
    assert codes(plan) == ["PL206"]
    second, ends = plan.ramps[0].steps[1].arrives, plan.ramps[0].ends
    assert second is not None
    assert ends is not None
    assert (second.is_least, ends.is_least) == (True, True)
    assert second.at - MONDAY == timedelta(days=60)
    assert plan.is_applicable
    text = "\n".join(release_words(plan))
    assert "not within 60 d" in text
    assert "no sooner than 2027-01-01 09:00" in text


def test_more_requests_than_ever_come_are_a_gate_that_can_never_decide() -> None:
    """The limit is named with the time that it takes at the present traffic, and where the step stands."""
    text = books("lambda: 5% for 1h", head="gate: {minimum_requests: 1000000000}\n")
    (problem,) = planned(text, present_json()).problems
    assert problem.code == "PL206"
    assert "the gate can never decide: minimum_requests of 1,000,000,000 take 4,630 days" in problem.message


def test_a_pass_counts_from_when_it_lasts() -> None:
    """Against a holdback of few users a verdict takes longer than against legacy's last baseline, which comes first."""
    text = books("lambda: 25% for 1h", "lambda: 100% for 7d\n        holdback: 2%")
    first, last, _end = planned(text, present_json()).ramps[0].steps
    assert first.verdict_seconds is not None
    assert last.is_undecidable or (last.verdict_seconds or 0) > 5 * first.verdict_seconds


def test_what_speaks_against_it_stands_where_it_is_written() -> None:
    """Release file, estate file and capacity file, with line and column."""
    text = books("lambda: 10% for 1h", "lambda: 50% for 1h", head="windows: {time_zone: UTC, open: [" + PAST + "]}\n")
    loaded = load(text)
    verdict = json.dumps({"version": 1, "functions": {"books": {}}, "legacy": {}}, indent=1)
    places = Places(
        release=ReleasePlaces(loaded.document),
        estate="estate.yaml",
        capacity=read_yaml(verdict, file="capacity.json")[0],
    )
    running = {"release": "other", "id": "o#1", "routes": {"books": {"weight": 0, "highest": 1}}}
    plain = present_json(weights={"books": 300}, releases=[running], estate="other")
    plan = planned(text, plain, capacity(20), places=places)
    found = {one.code: str(one.position) for one in plan.problems}
    assert found == {
        "PL204": "estate.yaml:1:1",
        "PL203": "r.yaml:6:3",
        "RS218": "r.yaml:6:3",
        "PL201": "r.yaml:9:9",
        "PL205": "r.yaml:4:27",
    }
    other = planned(text, present_json(), capacity(20, takes_all=False, function="pens"), places=places)
    assert "capacity.json:4:3" in {str(one.position) for one in other.problems if one.code == "PL209"}


PAST = "{days: 2020-05-05, from: 08:00, until: 09:00}"


def test_users_and_requests_of_each_step() -> None:
    """The users whom the buckets tell of, and the requests that move."""
    plain = present_json(users={"books": {"legacy": 40, "lambda": 0}})
    step = planned(books("lambda: 10% for 1h"), plain).ramps[0].steps[0]
    assert step.users == Users(number=6)
    assert step.requests_per_second == pytest.approx(5)


@pytest.mark.parametrize(
    ("seen", "users"),
    [
        ({"legacy": 0, "lambda": 0}, None),
        ({"legacy": 1, "lambda": 0}, Users(number=1)),
        ({"legacy": 40, "lambda": 1}, Users(number=64)),
        ({"legacy": 64, "lambda": 0}, Users(number=266, is_least=True)),
    ],
)
def test_users_are_counted_by_the_buckets_that_they_fill(seen: dict[str, int], users: Users | None) -> None:
    """Empty buckets tell how many users there are; where none is empty there are at least so many."""
    assert users_of(seen) == users


def test_a_weight_that_capacity_does_not_carry_names_the_limit_that_binds() -> None:
    """The first such step is refused, with the share that is carried; exit code 4 is for limits alone."""
    text = books("lambda: 10% for 1h", "lambda: 50% for 1h", "lambda: 100% for 1h")
    plan = planned(text, present_json(), capacity(20))
    assert codes(plan) == ["PL201"]
    (problem,) = plan.problems
    assert "step 2 (lambda 50%) sends 25.0 requests/s to books" in problem.message
    assert "database-sessions (database stock: 70, as of 2026-11-01, s)" in problem.message
    assert problem.hint == "at the present traffic at most 40% is carried"
    assert plan.is_refused_by_limit
    assert not plan.is_applicable


def test_everything_that_the_function_serves_counts() -> None:
    """Other routes at their weight, running releases at their highest, other ramps of the release, shadow traffic."""
    both = {route: {"legacy": RATE} for route in ("books", "reviews")}

    def others(**more: Any) -> float:
        plain = present_json(traffic=both, **more)
        return planned(books("lambda: 10% for 1h"), plain, capacity(1000)).ramps[0].steps[0].loads[0].others

    assert others(weights={"books": 0, "reviews": 0}) == 0
    assert others(weights={"books": 0, "reviews": 2000}) == pytest.approx(10)
    running = {"release": "other", "routes": {"reviews": {"weight": 100, "highest": 8000}}}
    assert others(weights={"books": 0, "reviews": 100}, releases=[running]) == pytest.approx(40)
    together = books("lambda: 10% for 1h") + "  reviews:\n    steps: [lambda: 5%, lambda: 25%]\n"
    weights = {"books": 0, "reviews": 0}
    plan = planned(together, present_json(traffic=both, weights=weights), capacity(17))
    assert [ramp.steps[-1].loads[0].total for ramp in plan.ramps] == pytest.approx([17.5, 17.5])
    assert set(codes(plan)) == {"PL201"}
    shown = {"release": "other", "routes": {"reviews": {"weight": 100, "highest": 2000, "reaches": 0.6}}}
    assert others(weights={"books": 0, "reviews": 100}, releases=[shown]) == pytest.approx(30)
    plan = planned(
        books("lambda: 10% for 1h", "lambda: 50% for 1h"), present_json(traffic=both, releases=[shown]), capacity(40)
    )
    assert "30.0 of others: reviews 30.0), and 40 are carried" in plan.problems[0].message
    shadowing = books("{lambda: 10% for 1h, shadow: 50%}")
    load = planned(shadowing, present_json(), capacity(1000)).ramps[0].steps[0].loads[0]
    assert load.total == pytest.approx(50 * (0.1 + 0.9 * 0.5))


def test_more_routes_than_are_counted_at_once_are_refused_by_that_limit() -> None:
    """With the routes of running releases no gate could decide: exit code 4, and the release in the way is named."""
    many = {f"r{one}": {"weight": 0, "highest": 100} for one in range(MOST_COUNTED)}
    plan = planned(books("lambda: 5% for 1h"), present_json(releases=[{"release": "big", "routes": many}]))
    assert codes(plan) == ["PL210"]
    assert f"{MOST_COUNTED + 1} routes would move at once with big" in plan.problems[0].message
    assert plan.is_refused_by_limit
    del many["r0"]
    assert not codes(planned(books("lambda: 5% for 1h"), present_json(releases=[{"release": "big", "routes": many}])))


def test_what_may_run_at_once_binds_too() -> None:
    """The estate's `max_concurrency` is a limit, by the median of the route's requests, with no verdict at all."""
    limited = [replace(one, max_concurrency=1) if one.name == "books" else one for one in estate().candidates]
    narrow = replace(estate(), candidates=tuple(limited))
    text = books("lambda: 25% for 1h", "lambda: 75% for 1h")
    plan = planned(text, present_json(), estate_=narrow)
    assert codes(plan) == ["PL201"]
    assert "step 2 (lambda 75%) sends 37.5 requests/s" in plan.problems[0].message
    assert "binding limit max_concurrency in the estate (1 at once, at 40 ms each)" in plan.problems[0].message
    assert plan.problems[0].hint == "at the present traffic at most 50% is carried"
    assert codes(planned(text, present_json(), capacity(30), estate_=narrow)) == ["PL201"]
    silent = present_json(traffic={"books": {"legacy": {"requests_per_second": 50.0}}})
    assert codes(planned(text, silent, estate_=narrow)) == []


def test_what_control_does_not_know_may_be_assumed() -> None:
    """With it users, verdicts and capacity are planned; what control knows is not overruled."""
    text = books("lambda: 10% for 1h", "lambda: 50% for 1h")
    assumed = Assumed(requests_per_second=50, users=2000)
    blind = planned(text, None, capacity(20), assumed=assumed)
    assert codes(blind) == ["PL201"]
    assert blind.ramps[0].steps[0].users == Users(number=200)
    assert blind.ramps[0].steps[0].verdict_seconds is not None
    assert "traffic of books: 50 requests/s are assumed of each" in blind.unseen
    seeing = planned(text, present_json(), capacity(30), assumed=Assumed(requests_per_second=5000))
    assert codes(seeing) == []


def test_a_step_faster_than_the_function_scales_is_refused() -> None:
    """More than 1,000 executions at once need a glide of that length."""
    heavy = {"books": {"legacy": RATE | {"requests_per_second": 50_000.0, "p99_ms": 2000.0}}}
    text = books("lambda: 1% for 1h", "lambda: 10% for 1h")
    plan = planned(text, present_json(traffic=heavy))
    assert codes(plan) == ["PL202"]
    assert "needs 9000 executions of books at once" in plan.problems[0].message
    gliding = books("lambda: 1% for 1h", "glide: 5m", "lambda: 10% for 1h")
    assert codes(planned(gliding, present_json(traffic=heavy))) == []


def test_the_present_must_be_what_the_release_thinks() -> None:
    """Another weight, another estate, a route that is not published, a running release: each is named."""
    plain = present_json(weights={"books": 500}, estate="other")
    assert codes(planned(books("lambda: 10%"), plain)) == ["PL204", "PL203"]
    unpublished = present_json(weights={})
    assert codes(planned(books("lambda: 10%"), unpublished)) == ["PL203"]
    running = {"release": "2026.11.1", "routes": {"books": {"weight": 0, "highest": 500}}}
    plan = planned(books("lambda: 10%"), present_json(releases=[running]))
    assert [one.message for one in plan.problems] == ["release 2026.11.1 runs on books"]
    assert not plan.is_refused_by_limit


def test_a_freeze_and_an_overloaded_legacy_are_warnings() -> None:
    """The release may be applied; who applies it knows."""
    frozen = present_json(frozen={"by": "ann", "reason": "incident"})
    plan = planned(books("lambda: 10% for 1h"), frozen, capacity(700, takes_all=False))
    assert codes(plan) == ["PL207", "PL208"]
    assert plan.is_applicable
    assert plan.legacy == "cannot take everything back"


def test_a_window_that_is_over_is_refused() -> None:
    """A date that has passed opens no more."""
    head = "windows: {time_zone: UTC, open: [{days: 2026-10-01, from: 08:00, until: 12:00}]}\n"
    assert codes(planned(books("lambda: 10% for 1h", head=head), present_json())) == ["PL205"]


def test_a_function_that_the_verdict_does_not_name_is_said() -> None:
    """It is not refused, for nothing is known of it."""
    assert codes(planned(books("lambda: 10% for 1h"), present_json(), capacity(1, function="other"))) == ["PL209"]


def test_the_steps_fit_the_terminal() -> None:
    """A table where it fits, and where the output has no width; else two lines or three for each step, none wider."""
    text = books("lambda: 10% for 1h", "pause: approval", "glide: 10m", "lambda: 50% for 7d", "lambda: 100% for 7d")
    plan = planned(text, present_json())
    wide = list(release_words(plan))
    assert list(release_words(plan, 200)) == wide
    begin, end = (next(n for n, line in enumerate(wide) if line.startswith(words)) for words in ("~ ", "    ends "))
    narrow = list(release_words(plan, 80))
    steps = narrow[begin + 1 : narrow.index(wide[end])]
    assert max(map(len, steps)) <= 80
    assert steps[0] == "    1  lambda 10%"
    first = " ".join(steps[: next(n for n, line in enumerate(steps) if line.startswith("    2"))]).split()
    words = " ".join(first)
    assert words.startswith("1 lambda 10% earliest 2026-11-02 09:00 UTC, held 1h, at least ")
    assert " requests/s, verdict in about " in words
    assert any(line.startswith("    4  lambda 50%, in 10m") for line in steps)
    assert any("+ approval" in line for line in steps)


def test_less_than_an_execution_is_not_told() -> None:
    """What a step adds to a function is said from one execution on."""
    slow = {"books": {"legacy": RATE | {"requests_per_second": 0.4}}}
    text = "\n".join(release_words(planned(books("lambda: 10% for 1h"), present_json(traffic=slow))))
    assert "lambda 10%" in text
    assert "executions" not in text


def test_the_words_show_it_all() -> None:
    """From and to, every step, the last attempt, and what was not seen."""
    attempt = {
        "release": "2026.10.9",
        "outcome": "rolled back",
        "ended_at": "2026-10-09T10:00:00+00:00",
        "reason": "p99",
    }
    plain = present_json(attempts={"books": attempt})
    text = "\n".join(release_words(planned(books("lambda: 10% for 1h", "lambda: 100% for 7d"), plain)))
    assert "~ route books  0% -> 100%  (on a breach: rollback)" in text
    assert "adds at most 9.0 executions of books; a function gains 1,000 in 10 s" in text
    assert "last attempt at books: 2026.10.9, rolled back 2026-10-09T10:00: p99" in text
    assert "not seen: capacity" in text
    blind = "\n".join(release_words(planned(books("lambda: 10% for 1h"))))
    assert "not seen: everything" in blind
    assert "?" in blind
