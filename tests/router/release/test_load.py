from datetime import date, datetime, time

import pytest

from router.control.read_release import read_release, read_stored
from router.gate.values import Harm, Metric, Relation
from router.release.load import is_release
from router.release.values import Cohort, OnBreach, Ready, StepKind
from router.release.windows import Freeze
from router.snapshot.scripts import lua
from router.weight import MOST_COUNTED, Weight
from strangler_fig.diagnostics import Refused

from .texts import WHOLE, books, load, release


def test_a_whole_file_is_read() -> None:
    """Every key has its value, and every step says all that is in force while it lasts."""
    loaded = load(WHOLE)
    assert loaded.diagnostics == ()
    found = loaded.release_or_refused()
    assert (found.name, found.ticket) == ("2026.11.2", "CHG-4711")
    ramp = found.routes["books"]
    pilots = Cohort(header="x-pilot", values=("alice", "bob"))
    assert [(step.kind, step.weight.parts, step.shadow, step.cohort, step.hold_seconds) for step in ramp.steps] == [
        (StepKind.SHADOW, 0, 1000, None, 1800),
        (StepKind.COHORT, 0, 0, pilots, 3600),
        (StepKind.LAMBDA, 100, 0, pilots, 7200),
        (StepKind.APPROVAL, 100, 0, pilots, 0),
        (StepKind.LAMBDA, 2500, 500, pilots, 14_400),
        (StepKind.LAMBDA, 9800, 0, pilots, 604_800),
        (StepKind.FINISH, 10_000, 0, pilots, 0),
    ]
    assert [step.number for step in ramp.steps] == [1, 2, 4, 5, 7, 8, 8]
    assert ramp.steps[2].ready == Ready(warm_calls=20)
    assert ramp.steps[4].glide_seconds == 600
    assert ramp.on_breach is OnBreach.STEP_BACK


def test_a_group_is_one_ramp_with_what_it_says_itself() -> None:
    """It has its own gate and breach policy, and the release's windows."""
    ramp = release(WHOLE).ramp("checkout")
    assert ramp is not None
    assert (ramp.routes, ramp.is_group, ramp.on_breach) == (("search", "cart"), True, OnBreach.FREEZE)
    assert ramp.gate.dry_run
    assert ramp.windows.zone == "Europe/Zurich"
    assert ramp.highest == Weight(5000)


def test_a_variable_is_refused_where_it_stands_by_files_and_by_control_alike() -> None:
    """What is applied is what was reviewed: `${NAME}` is a fault even with a default; one that runs is still read."""
    text = books("lambda: ${SHARE:-1%} for 2h", "lambda: 20% for 1h").replace("T-1", "${TICKET} costs $$5")
    places = [(str(one.position), one.code) for one in load(text).diagnostics]
    assert places == [("r.yaml:3:9", "DOC108"), ("r.yaml:7:17", "DOC108")]
    both = books("lambda: 5% for 2h", "lambda: 1% for 1h").replace("T-1", "${TICKET}")
    assert [one.code for one in load(both).diagnostics] == ["DOC108", "RS203"]
    with pytest.raises(Refused) as refused:
        read_release(text, None)
    assert [one.code for one in refused.value.diagnostics] == ["DOC108", "DOC108"]
    stored = read_stored(books("lambda: ${SHARE:-1%} for 2h", "lambda: 10% for 1h"))
    assert stored.routes["books"].steps[0].weight.parts == 100


def test_more_routes_than_there_can_be_evidence_of_are_refused() -> None:
    """No gate would ever decide; the limit is that of Envoy's script."""
    steps = "{steps: [{lambda: 5%}, {lambda: 10%}]}"

    def many(number: int) -> list[str]:
        routes = "".join(f"  r{one}: {steps}\n" for one in range(number))
        text = f"version: 1\nrelease: r1\nticket: T-1\nroutes:\n{routes}"
        return [str(one) for one in load(text, with_estate=False).diagnostics]

    assert many(MOST_COUNTED) == []
    (found,) = many(MOST_COUNTED + 1)
    expected = f"r.yaml:4:1: RS208 error: the gates can never decide: {MOST_COUNTED + 1} routes move at once"
    assert found.startswith(expected), found
    assert f"MOST_IN_BUCKETS = {MOST_COUNTED}\n" in lua("user.lua")["inline_string"]


def test_a_parity_limit_where_nothing_is_compared_is_said_and_left_out() -> None:
    """The release runs with its other limits; where there are none it is refused."""
    loaded = load(books("lambda: 5%", "lambda: 10%", head="gate: {limits: {parity: {at_most: 1%}}}\n"))
    (said,) = [str(one) for one in loaded.diagnostics]
    assert said.startswith("r.yaml:4:17: RS211 warning: route books: the limit of parity is not judged"), said
    gate = loaded.release_or_refused().routes["books"].gate
    assert not gate.needs_parity
    assert gate.limits == release(books("lambda: 5%", "lambda: 10%")).routes["books"].gate.limits
    every = ", ".join(sorted({one.metric.value for one in gate.limits}))
    alone = f"gate: {{limits: {{parity: {{at_most: 1%}}}}, without: [{every}]}}\n"
    (refused,) = [str(one) for one in load(books("lambda: 5%", "lambda: 10%", head=alone)).diagnostics]
    assert refused.startswith("r.yaml:4:17: RS211 error: route books: the gate can never decide"), refused


def test_limits_are_read_in_their_metrics_units() -> None:
    """Shares, ratios and milliseconds; what is not named keeps its built-in limit, what is dropped has none."""
    gate = release(WHOLE).routes["books"].gate
    limits = {(one.metric, one.relation): one for one in gate.limits}
    errors = limits[Metric.SERVER_ERRORS, Relation.LEGACY]
    assert (errors.limit, errors.tolerated) == (0.005, 0.001)
    assert limits[Metric.LATENCY_P99, Relation.LEGACY].limit == 1.5
    assert limits[Metric.LATENCY_P99, Relation.ABSOLUTE].limit == 2000
    assert limits[Metric.REDIRECTS, Relation.LEGACY].harm is Harm.ANY
    assert (Metric.RESPONSE_SIZE, Relation.LEGACY) not in limits
    assert limits[Metric.LATENCY_P50, Relation.LEGACY].tolerated == 1.2
    assert gate.minimum_requests == 200


def test_windows_are_read() -> None:
    """Weekdays and dates, the day's end, and freezes whose last day is frozen to its end."""
    windows = release(WHOLE).routes["books"].windows
    assert windows.hours[0].weekdays == {0, 1, 2, 3}
    assert (windows.hours[0].start, windows.hours[0].until) == (time(8, 30), time(16))
    assert windows.hours[1].weekdays == {4}
    assert windows.hours[1].dates == {date(2026, 12, 5)}
    assert windows.hours[1].until is None
    frozen = Freeze(start=datetime(2026, 12, 18, 18), until=datetime(2027, 1, 5), reason="year end")  # noqa: DTZ001 - a reading of the release's clock
    assert windows.freezes == (frozen,)


LONG = "a" * 5_000


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (
            books("lambda: 5% for 1h", "lambda: 2% for 1h"),
            "8:9: RS203",
            "step 2 sends 2% to lambda after step 1 sent 5%",
        ),
        (books("lambda: 5%", "lambda: 5%"), "8:9: RS203", "step 2 sends 5% to lambda as before"),
        (books("lambda: 1%", "lambda: 100%"), "8:9: RS204", "that skips the steps between"),
        (books("lambda: 50%"), "7:9: RS204", "step 1 sends 50% to lambda after the ramp begins at 0%"),
        (books("glide: 1h", "lambda: 50%"), "8:9: RS204", "skips"),
        (books("lambda: 0%"), "7:9: RS203", "sends 0% to lambda as before"),
        (books("lambda: 5%").replace("  books:", "  boks:"), "5:3: RS201", "there is no route 'boks'"),
        (books("lambda: 5%").replace("  books:", "  legacy-only:"), "5:3: RS202", "has no lambda side"),
        (books("lambda: 10%", "{lambda: 50% for 1h, holdback: 2%}"), "8:30: RS212", "the rest is on legacy anyway"),
        (books("lambda: 10%", "{lambda: 100% for 1h, holdback: 0%}"), "8:31: RS212", "holds nobody back"),
        (books("lambda: 10%", "{lambda: 100% for 1h, holdback: 90%}"), "8:31: RS212", "leaves no rise from the 10%"),
        (books("lambda: 10%", "{lambda: 100%, holdback: 2%}"), "8:24: RS212", "held for no time"),
        (books("pause: approval", "glide: 10m"), "8:9: RS213", "glide leads to no share"),
        (books("ready: {warm_calls: 1}", "shadow: 1% for 1h"), "7:9: RS213", "ready leads to no share"),
        (books("glide: 1m", "glide: 2m", "lambda: 5%"), "8:9: RS213", "glide twice"),
        (books("pause: approval"), "6:5: RS214", "no step moves anything"),
        (books("shadow: 10%"), "7:9: RS214", "a shadow needs a time"),
        (books("lambda: 5%", "pause: approval", "pause: approval"), "9:9: RS214", "asks for approval twice"),
        (books("lambda: 5%", head="gate: {pin: true}\n"), "4:8: RS210", "calls alias live, which may change"),
        (books("lambda: 5%", head="gate: {minimum_users: 65}\n"), "4:8: RS208", "never decide: 65 buckets"),
        (books("lambda: 5%", head="gate: {stale_after: 1s}\n"), "4:8: RS208", "always older"),
        (books("lambda: 5%", head="gate: {alpha: 0%}\n"), "4:8: RS208", "with no chance of error at all"),
        (
            books("lambda: 5%", head="gate: {alpha: 100%}\n"),
            "4:8: RS208",
            "the gate would guess: a ramp with equal sides may go the wrong way with 100%",
        ),
        (
            books("lambda: 5%", head="gate: {beta: 21%}\n"),
            "4:8: RS208",
            "the gate would guess: a limit that is broken may go the wrong way with 21%",
        ),
        (books("shadow: 1% for 1h", "lambda: 5"), "8:17: RS102", "routes.books.step 2.lambda: '5' is not a share"),
        (books("lambda: 5%").replace("release: r1", f"release: {LONG}"), "2:10: RS101", "it has 5,000 characters"),
        (books("lambda: 5%").replace("T-1", LONG), "3:9: RS101", "it has 5,000 characters"),
        (books("lambda: 5%", head=f"gate: {{without: [{LONG}]}}\n"), "4:18: RS108", "aaa... of 5,000 characters"),
        (books("lambda: 5%").replace("  books:", f"  {LONG[:900]}:"), "5:3: ES105", "at most 63 characters"),
        (
            books("lambda: 5%", head="gate: {limits: {timeouts: {at_most: 1%, tolerated: 2%}}}\n"),
            "4:17: RS208",
            "tolerated is above the limit",
        ),
        (
            books("lambda: 5%", head="gate: {limits: {latency_p50: {times_legacy: 1}}}\n"),
            "4:17: RS208",
            "nothing can be shown to be within 1",
        ),
        (books("lambda: 5%", head="gate: {limits: {p98: {at_most: 1s}}}\n"), "4:17: RS108", "there is no metric 'p98'"),
        (
            books("lambda: 5%", head="gate: {limits: {latency_p99: {times_legacy: 1e400}}}\n"),
            "4:17: RS108",
            "is not a number",
        ),
        (books("lambda: 5%").replace("version: 1", "version: true"), "1:10: SH103", "it is 1"),
        (
            books("lambda: 5%", head="gate: {limits: {server_errors: {times_legacy: 2}}}\n"),
            "4:17: RS108",
            "times_legacy does not fit",
        ),
        (
            books("lambda: 5%", head="windows: {time_zone: Europe/Zuerich}\n"),
            "4:22: RS106",
            "no time zone 'Europe/Zuerich'",
        ),
        (
            books("lambda: 5%", head="windows: {time_zone: UTC, open: [{days: mon, from: 08:00, until: 08:00}]}\n"),
            "4:34: RS209",
            "it closes when it opens",
        ),
        (books("lambda: 5%", head="windows: {time_zone: UTC, open: []}\n"), "4:27: RS209", "no hours are given"),
        (
            books(
                "lambda: 5%",
                head="windows: {time_zone: UTC, open: [{days: 2026-12-24, from: 08:00, until: 12:00}], "
                "freezes: [{from: 2026-12-20, until: 2027-01-03}]}\n",
            ),
            "4:27: RS209",
            "cover every time",
        ),
        (
            books("lambda: 5%", head="windows: {time_zone: UTC, freezes: [{from: 2026-12-20, until: 2026-12-01}]}\n"),
            "4:56: RS209",
            "ends before it begins",
        ),
        (
            books("lambda: 5%", head="windows: {time_zone: UTC, freezes: [{from: 2026-12-20, until: 9999-12-31}]}\n"),
            "4:63: RS105",
            "not in the years 2000 to 2199",
        ),
        (books("lambda: 5"), "7:17: RS102", "did you mean 5%?"),
        (
            books("lambda: 5%", head="windows: {time_zone: UTC, open: [{days: may, from: 08:00, until: 09:00}]}\n"),
            "4:41: RS103",
            "windows.open 1.days: 'may' is not a day",
        ),
        (books("lambda: 5% during 1h"), "7:17: RS102", "is not a share"),
        (books("lamda: 5%"), "7:9: SH101", "unknown key 'lamda'"),
        (books("{lambda: 5%, pause: approval}"), "7:9: RS107", "lambda and pause in one step"),
        (books("lambda: 5%").replace("release: r1", "release: 2026.11"), "2:10: ES116", "write it in quotes"),
        (books("lambda: 5%").replace("routes:", "routez:"), "4:1: SH101", "did you mean routes?"),
        (books("lambda: 5%").replace("ticket: T-1\n", ""), "1:1: SH102", "ticket is required"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, where: str, message: str) -> None:
    """Each fault is found at its line and column, by its code, in words."""
    found = [str(one) for one in load(text).diagnostics]
    assert any(one.startswith(f"r.yaml:{where}") and message in one for one in found), found
    assert all(len(one) < 2_000 for one in found), found


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("routes: [search, carts]", "RS206 error: group g: there is no route 'carts'\n  hint: did you mean cart?"),
        ("routes: [search, books]", "RS207 error: group g: routes search and books have salts of their own"),
        ("routes: [search, search]", "RS205 error: route search is ramped twice"),
        ("routes: [search]", "at least 2"),
    ],
)
def test_groups_have_members_that_move_alike(group: str, message: str) -> None:
    """Members exist, are different, and share a cohort."""
    text = f"version: 1\nrelease: r1\nticket: T\ngroups:\n  g:\n    {group}\n    steps: [lambda: 5%]\n"
    found = "\n".join(str(one) for one in load(text).diagnostics)
    assert message in found


def test_what_the_estate_cannot_do_is_refused() -> None:
    """A shadow on a route that has none, warm calls for plain HTTP, provisioned concurrency on $LATEST."""
    text = """\
version: 1
release: r1
ticket: T
routes:
  search:
    steps: [shadow: 1% for 1h]
  cart:
    steps: [ready: {provisioned_concurrency: 5}, lambda: 1%]
  upstream:
    steps: [ready: {warm_calls: 5}, lambda: 1%]
"""
    found = [one.message for one in load(text).diagnostics]
    assert found == [
        "route search cannot be shadowed",
        "route cart: provisioned concurrency cannot be set on $LATEST",
        "route upstream: plain is plain HTTP, there is nothing to make ready",
    ]


def test_named_users_are_those_of_the_estate() -> None:
    """A step turns the route's cohort on; other users, or a route without one, are refused."""
    other = load(books("cohort: {header: X-Pilot, values: [carol], for: 1h}", "lambda: 1%")).diagnostics[0]
    assert str(other).startswith("r.yaml:7:9: RS217 error: route books has another cohort in the estate")
    without = books("cohort: {header: X-Pilot, values: [alice], for: 1h}", "lambda: 1%").replace(
        "  books:", "  search:"
    )
    assert [one.code for one in load(without).diagnostics] == ["RS217"]


def test_every_fault_of_a_file_is_reported_at_once() -> None:
    """One fault hides no other."""
    text = books("lambda: 5%", "lambda: 2%", head="gate: {pin: true, stale_after: 1s}\n").replace("  books:", "  boks:")
    codes = [one.code for one in load(text).diagnostics]
    assert codes == ["RS208", "RS201", "RS203"]


def test_at_all_of_it_there_is_something_to_compare_with() -> None:
    """A ramp whose only share is 100 % needs a holdback, for no step before it has seen legacy."""
    alone = books("lambda: 100% for 1h").replace("    steps:", "    from: 50%\n    steps:")
    assert "nobody is on legacy to compare with" in load(alone).diagnostics[0].message
    assert load(alone.replace("- lambda: 100% for 1h", "- {lambda: 100% for 1h, holdback: 2%}")).diagnostics == ()


def test_a_version_satisfies_pin() -> None:
    """A published version cannot be moved."""
    text = books("lambda: 5%", head="gate: {pin: true}\n").replace("  books:", "  search:")
    assert load(text).diagnostics == ()


def test_a_ramp_goes_on_from_where_an_earlier_release_left_it() -> None:
    """What would be a leap from nothing is a step from there; lower than there is refused."""
    onward = books("lambda: 50%").replace("    steps:", "    from: 25%\n    steps:")
    assert release(onward).routes["books"].start == Weight(2500)
    below = onward.replace("50%", "20%")
    assert [one.code for one in load(below).diagnostics] == ["RS203"]


@pytest.mark.parametrize("steps", [(1, 50, 100), (5, 25, 100), (10, 100), (1, 10, 50, 100), (25, 50, 75, 100)])
def test_usual_ramps_skip_nothing(steps: tuple[int, ...]) -> None:
    """A quarter at first, then half or ten times as many."""
    assert load(books(*(f"lambda: {step}% for 1h" for step in steps))).diagnostics == ()


def test_a_glide_may_go_far_from_a_share_that_was_judged() -> None:
    """It goes through all that lies between."""
    assert load(books("lambda: 1%", "glide: 1d", "lambda: 100%")).diagnostics == ()


def test_without_an_estate_routes_are_not_looked_up() -> None:
    """The rest of the file is judged."""
    assert load(books("lambda: 5%").replace("books", "unknown"), with_estate=False).diagnostics == ()


def test_a_release_is_told_from_an_estate() -> None:
    """By its key, in YAML and in JSON."""
    assert is_release(WHOLE)
    assert is_release('{"version": 1, "release": "r1"}')
    assert not is_release("version: 1\nentry: {}\n# release: no\n")


def test_a_hint_speaks_of_shares_only_where_one_is_limited() -> None:
    """A limit on latency that cannot be kept is told what number to write, and nothing of shares."""
    for metric, hint in (
        ("latency_p50: {times_legacy: 1}", "write a limit above 1"),
        ("timeouts: {at_most: 100%}", "write a limit above 0, and a share below 100%"),
    ):
        found = load(books("lambda: 5%", head=f"gate: {{limits: {{{metric}}}}}\n")).diagnostics
        assert [one.hint for one in found if one.code == "RS208"] == [hint]
