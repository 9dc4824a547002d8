"""What a ramp does, step by step."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.gate.values import Gate
from router.gate.verdict import Code, Outcome, Reason
from router.ramp.events import Command, Judged, RouteVerdict, SetWeight, Shifted, Versions, Warmed
from router.ramp.machine import due, refusal
from router.ramp.state import Phase
from router.release.values import OnBreach, Ready, Step, StepKind
from router.release.windows import Hours, Windows
from router.weight import Weight

from .ramps import HOUR, MONDAY, PILOTS, World, at_share, ramp_of, verdict

THREE = (at_share(1, 100), at_share(2, 2500), at_share(3, 10_000))


def test_passes_carry_a_route_to_lambda_and_report_it_for_retirement() -> None:
    """Each step begins after the pass and the hold of the one before; at 100 % for its time it is ready to retire."""
    world = World(ramp_of(*THREE))
    seen = [world.state.weight.parts]
    for _step in THREE:
        world.pass_step()
        seen.append(world.state.weight.parts)
    assert seen == [100, 2500, 10_000, 10_000]
    assert world.state.phase is Phase.COMPLETED
    assert world.retired == 1


def test_a_pass_before_the_hold_is_over_waits() -> None:
    """The hold counts from when the weight is in force, and time alone promotes nobody."""
    world = World(ramp_of(*THREE))
    world.wait(10 * HOUR)
    world.in_force()
    world.wait(HOUR - 1)
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(100)
    world.wait(10 * HOUR)
    assert world.state.weight == Weight(100)
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(2500)


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.ERROR])
def test_without_a_verdict_it_holds_and_says_why(outcome: Outcome) -> None:
    """What is not known, and evidence that is not trusted, promote nobody."""
    world = World(ramp_of(*THREE))
    world.in_force()
    world.wait(30 * HOUR)
    world.judge(outcome)
    assert world.state.weight == Weight(100)
    assert world.state.reason == f"the gate says {outcome.value}"


def test_a_breach_rolls_back_at_once() -> None:
    """A fail sends everybody to legacy, in the same decision."""
    world = World(ramp_of(*THREE))
    world.pass_step()
    world.in_force()
    decision = world.judge(Outcome.FAIL)
    assert decision.actions[0] == SetWeight(routes=("books",), weight=Weight(0), is_upward=False)
    assert world.state.phase is Phase.ROLLED_BACK


def test_a_breach_that_freezes_stays_and_needs_a_person() -> None:
    """The weight stays; resumed, the step's evidence begins again."""
    world = World(ramp_of(*THREE, on_breach=OnBreach.FREEZE))
    world.pass_step()
    world.in_force()
    world.judge(Outcome.FAIL)
    assert (world.state.phase, world.state.weight) == (Phase.HELD, Weight(2500))
    world.wait(9 * HOUR)
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(2500)
    world.order(Command.RESUME)
    world.judge(Outcome.PASS)
    assert (world.state.phase, world.state.weight) == (Phase.HOLDING, Weight(2500))
    world.wait(HOUR)
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(10_000)


def test_a_breach_that_steps_back_goes_down_step_by_step() -> None:
    """To the step before, held there; failing again, on to legacy."""
    world = World(ramp_of(*THREE, on_breach=OnBreach.STEP_BACK))
    world.pass_step()
    world.in_force()
    world.judge(Outcome.FAIL)
    assert (world.state.phase, world.state.weight, world.weights) == (Phase.HELD, Weight(100), {"books": 100})
    world.in_force()
    world.judge(Outcome.FAIL)
    assert (world.state.phase, world.state.weight) == (Phase.ROLLED_BACK, Weight(0))


def test_a_step_back_from_the_first_step_ends_where_the_ramp_began() -> None:
    """A release that goes on from an earlier one returns to what that had proved."""
    world = World(ramp_of(at_share(1, 5000), at_share(2, 10_000), start=Weight(2500), on_breach=OnBreach.STEP_BACK))
    world.in_force()
    world.judge(Outcome.FAIL)
    assert (world.state.phase, world.state.weight) == (Phase.HELD, Weight(2500))
    world.order(Command.RESUME)
    assert world.state.weight == Weight(2500)
    world.in_force()
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(5000)


@pytest.mark.parametrize("policy", list(OnBreach))
def test_a_disaster_rolls_back_whatever_the_policy_says(policy: OnBreach) -> None:
    """When the breaker trips nobody is asked."""
    world = World(ramp_of(*THREE, on_breach=policy))
    world.judge(Outcome.FAIL, disaster=True)
    assert (world.state.phase, world.weights) == (Phase.ROLLED_BACK, {"books": 0})


def test_a_dry_run_says_what_it_would_have_done() -> None:
    """The gate judges, the ramp goes on by time."""
    world = World(ramp_of(*THREE, gate=Gate(dry_run=True)))
    world.in_force()
    world.judge(Outcome.FAIL)
    assert world.state.weight == Weight(100)
    assert "dry run: the breach policy (rollback) would have acted" in world.notes[-1]
    world.wait(HOUR)
    world.judge(Outcome.FAIL)
    assert world.state.weight == Weight(2500)


def test_shadow_and_cohort_need_time_only_but_a_fail_ends_them() -> None:
    """Before any share is on Lambda time promotes; the cohort stays, the shadow does not."""
    steps = (
        Step(number=1, kind=StepKind.SHADOW, weight=Weight(0), shadow=1000, hold_seconds=HOUR),
        Step(number=2, kind=StepKind.COHORT, weight=Weight(0), cohort=PILOTS, hold_seconds=HOUR),
        at_share(3, 100, cohort=PILOTS),
    )
    world = World(ramp_of(*steps))
    assert (world.shadow, world.cohort) == (1000, None)
    world.wait(HOUR)
    assert (world.shadow, world.cohort) == (0, PILOTS)
    world.wait(HOUR)
    assert (world.weights, world.cohort) == ({"books": 100}, PILOTS)
    world.pass_step()
    assert (world.state.phase, world.cohort, world.retired) == (Phase.COMPLETED, None, 0)
    failing = World(ramp_of(*steps))
    failing.judge(Outcome.FAIL)
    assert (failing.state.phase, failing.shadow) == (Phase.ROLLED_BACK, 0)


def test_an_approval_waits_for_a_person() -> None:
    """Time and passes do nothing until somebody approves."""
    world = World(
        ramp_of(at_share(1, 100), Step(number=2, kind=StepKind.APPROVAL, weight=Weight(100)), at_share(3, 500))
    )
    world.pass_step()
    assert world.state.phase is Phase.APPROVAL
    world.wait(99 * HOUR)
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(100)
    world.order(Command.APPROVE, "CHG-7")
    assert world.state.weight == Weight(500)
    assert "approved by ann: CHG-7" in world.notes


def test_what_a_step_needs_ready_is_ready_before_it() -> None:
    """The weight moves when the function is warm, and it is warmed once."""
    world = World(ramp_of(at_share(1, 100, ready=Ready(warm_calls=20)), at_share(2, 500)))
    assert (world.state.phase, world.weights, world.warmed) == (Phase.READYING, {"books": 0}, 1)
    world.wait(HOUR)
    assert world.weights == {"books": 0}
    world.tell(Warmed())
    assert (world.state.phase, world.weights, world.warmed) == (Phase.HOLDING, {"books": 100}, 1)


def test_a_glide_takes_its_time_in_small_moves() -> None:
    """At most twenty moves, each when the one before is in force, and the step's hold begins at the end."""
    world = World(ramp_of(at_share(1, 100), at_share(2, 2100, glide_seconds=600)))
    world.pass_step()
    assert world.state.phase is Phase.GLIDING
    began, moves = world.now, 0
    while world.state.phase is Phase.GLIDING:
        decision = world.wait(1)
        moves += any(isinstance(action, SetWeight) for action in decision.actions)
        world.in_force()
    assert (moves, world.now - began, world.state.weight) == (20, timedelta(seconds=600), Weight(2100))
    assert world.state.phase is Phase.HOLDING


def test_a_closed_window_stops_a_glide_where_it_is() -> None:
    """It goes on when the window opens, by one move, not by all that it missed."""
    morning = Windows(
        hours=(Hours(weekdays=frozenset(range(5)), start=MONDAY.time(), until=MONDAY.time().replace(hour=10)),)
    )
    world = World(ramp_of(at_share(1, 100, 0), at_share(2, 2100, glide_seconds=6000), windows=morning))
    world.pass_step()
    while world.now < MONDAY + timedelta(hours=23, minutes=59):
        world.wait(60)
        world.in_force()
    stopped = world.state.weight
    assert Weight(100) < stopped < Weight(2100)
    assert "it opens 2026-11-03 09:00 UTC" in world.state.reason
    assert due(world.ramp, world.state, world.now) == MONDAY + timedelta(days=1)
    world.wait(60)
    assert world.state.weight.parts == stopped.parts + 100


def test_paused_or_frozen_nothing_moves_towards_lambda() -> None:
    """Resumed or thawed it goes on; both must end."""
    world = World(ramp_of(*THREE))
    world.order(Command.PAUSE)
    world.order(Command.FREEZE)
    world.pass_step()
    assert world.state.weight == Weight(100)
    world.order(Command.RESUME)
    assert "frozen by ann: because" in world.state.reason
    world.order(Command.THAW)
    assert world.state.weight == Weight(2500)


def test_an_abort_stays_and_a_rollback_is_possible_afterwards() -> None:
    """Abort ends the ramp at its weight; rollback takes everybody back even then."""
    world = World(ramp_of(*THREE))
    world.pass_step()
    world.order(Command.ABORT)
    assert (world.state.phase, world.weights) == (Phase.ABORTED, {"books": 2500})
    world.order(Command.ROLLBACK)
    assert (world.state.phase, world.weights) == (Phase.ROLLED_BACK, {"books": 0})


def test_a_shift_down_is_an_abort_that_takes_the_group_along() -> None:
    """Members of a group are at one weight whoever moves one of them."""
    world = World(ramp_of(*THREE, routes=("books", "search")))
    world.pass_step()
    world.tell(Shifted(weight=Weight(50), actor="bob", reason="slow"))
    assert (world.state.phase, world.weights) == (Phase.ABORTED, {"books": 50, "search": 50})


def test_a_group_waits_for_its_slowest_and_falls_with_its_worst() -> None:
    """One member without a verdict holds all; one that fails takes all back."""
    world = World(ramp_of(*THREE, routes=("books", "search")))
    world.in_force()
    world.wait(HOUR)
    passed = RouteVerdict(route="books", verdict=verdict(Outcome.PASS))
    world.tell(Judged(window=world.state.window, verdicts=(passed,)))
    assert (world.state.weight, world.state.outcome) == (Weight(100), "error")
    failed = RouteVerdict(route="search", verdict=verdict(Outcome.FAIL))
    world.tell(Judged(window=world.state.window, verdicts=(passed, failed)))
    assert world.weights == {"books": 0, "search": 0}
    assert world.state.reason.startswith("route search: ")


def test_another_version_of_the_function_begins_the_evidence_again() -> None:
    """What the old version passed says nothing of the new one."""
    world = World(ramp_of(*THREE))
    world.in_force()
    world.tell(Versions(versions=(("books", "7"),)))
    world.wait(HOUR)
    window = world.state.window
    world.tell(Versions(versions=(("books", "8"),)))
    world.tell(Judged(window=window, verdicts=(RouteVerdict(route="books", verdict=verdict(Outcome.PASS)),)))
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(100)
    world.wait(HOUR)
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(2500)


def test_a_verdict_may_ask_for_new_evidence() -> None:
    """The judge who sees another version restarts the step as the node's report does."""
    world = World(ramp_of(*THREE))
    world.in_force()
    world.wait(HOUR)
    world.judge(Outcome.INCONCLUSIVE, restart=True)
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(100)


def test_a_doubt_between_steps_needs_a_new_pass() -> None:
    """A ramp that waits for its window overnight does not move on what has become unknown."""
    world = World(ramp_of(*THREE))
    world.order(Command.PAUSE)
    world.pass_step()
    world.judge(Outcome.ERROR)
    world.order(Command.RESUME)
    assert world.state.weight == Weight(100)
    assert "in doubt" in world.state.reason
    world.judge(Outcome.PASS)
    assert world.state.weight == Weight(2500)


def test_a_doubt_says_what_is_missing_now() -> None:
    """Its cause may be over long before the pass that it waits for: then the present reason is told."""
    world = World(ramp_of(*THREE))
    world.order(Command.PAUSE)
    world.pass_step()
    world.judge(Outcome.ERROR)
    world.order(Command.RESUME)
    first = world.state.reason
    world.judge(Outcome.INCONCLUSIVE)
    assert world.state.weight == Weight(100)
    assert world.state.reason.startswith("what passed is in doubt, a new pass is needed: ")
    assert first.removeprefix("what passed is in doubt: ") not in world.state.reason


def test_a_groups_verdict_tells_of_all_its_routes() -> None:
    """Who decides, and how many pass; when all do, each with its own reason, and once where it is the same."""

    def said(**outcomes: tuple[Outcome, str]) -> str:
        world = World(ramp_of(*THREE, routes=("a", "b")))
        world.in_force()
        verdicts = [
            RouteVerdict(route=route, verdict=replace(verdict(outcome), reasons=(Reason(code=Code.KEPT, words=words),)))
            for route, (outcome, words) in outcomes.items()
        ]
        world.tell(Judged(window=world.state.window, verdicts=tuple(verdicts)))
        return world.state.reason

    kept, other = (Outcome.PASS, "all kept"), (Outcome.PASS, "all kept, by a baseline")
    assert said(a=kept, b=kept) == "each of 2 routes: all kept"
    assert said(a=kept, b=other) == "a: all kept; b: all kept, by a baseline"
    few = (Outcome.INCONCLUSIVE, "few")
    assert said(a=kept, b=few) == "route b: few; 1 of 2 routes pass"
    assert said(a=few, b=few) == "route a: few"


def test_orders_that_make_no_sense_are_refused_in_words() -> None:
    """Who asks is told why; the machine itself changes nothing."""
    world = World(ramp_of(*THREE))
    assert "nothing waits for approval" in refusal(world.state, Command.APPROVE)
    assert "neither paused nor held" in refusal(world.state, Command.RESUME)
    assert refusal(world.state, Command.PAUSE) == ""
    world.order(Command.ROLLBACK)
    assert "rolled back since" in refusal(world.state, Command.ABORT)
    assert refusal(world.state, Command.ROLLBACK) == ""
    before = world.state
    world.order(Command.ABORT)
    assert world.state == before
