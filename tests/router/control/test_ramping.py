"""Ramps that control runs: they go on by evidence, go back by it, and stop when somebody says so."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from router.control.refusal import NotDone
from router.control.state import with_weights
from router.errors import LedgerFailed
from router.gate.verdict import Code, Outcome
from router.ledger.chain import text_digest
from router.ledger.records import Desired, Frozen, Kind, NewEntry, RampRecord, ReleaseRecord, Step
from router.weight import Weight

from .fakes import FakeTime, Here, control_here, estate_of, run
from .ramps import ESTATE, RELEASE, SIDES, TWO, FakeJudge, Play

Story = Callable[[Play, FakeJudge], Awaitable[None]]


def play(folder: Path, story: Story) -> None:
    """Run the story."""
    time, judge = FakeTime(), FakeJudge()

    async def main(here: Here) -> None:
        await story(Play(here=here, time=time, node=here.node()), judge)

    run(folder, main, time, judge.outside())


def test_a_release_goes_through_its_steps_and_completes(tmp_path: Path) -> None:
    """A step is left when it was held for its time and the gate passes it; each is in the history once, in order."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        assert one.weight() == 100
        judge.says(Outcome.PASS)
        await one.second()
        assert one.weight() == 100
        await one.second(600)
        assert one.weight() == 1000
        await one.second(600)
        assert one.weight() == 10_000
        await one.second(599)
        assert (await one.ramp())["phase"] == "holding"
        await one.second()
        status = await one.here.get("/v1/status")
        assert status["releases"] == []
        assert [(ended["release"], ended["outcome"]) for ended in status["ended"]] == [("r1", "completed")]
        moves = [(kind, before, after) for kind, _, before, after in await one.kinds() if before != after]
        assert moves == [("step", 0, 100), ("step", 100, 1000), ("step", 1000, 10_000)]
        assert (await one.kinds())[-1][0] == "completed"
        assert (await one.here.get("/v1/history/check"))["intact"]

    play(tmp_path, story)


def test_without_a_pass_a_step_is_held_for_ever(tmp_path: Path) -> None:
    """However long a step was held, an inconclusive gate or one without evidence never promotes it."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        await one.second(100_000)
        judge.says(Outcome.ERROR, code=Code.NO_EVIDENCE)
        await one.second(100_000)
        assert one.weight() == 100
        assert (await one.ramp())["verdict"] == "error"

    play(tmp_path, story)


def test_a_failing_gate_rolls_back_and_keeps_what_it_was_decided_on(tmp_path: Path) -> None:
    """A fail sends everybody back at once, and the history has the evidence and the verdict by their digest."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        await one.second(31)
        judge.says(Outcome.FAIL, "too slow", Code.LIMIT)
        await one.second()
        assert one.weight() == 0
        entry = (await one.here.get("/v1/history", limit=1))["entries"][0]
        assert (entry["kind"], entry["release"], entry["step"], entry["from"], entry["to"]) == (
            "rollback",
            "r1",
            1,
            100,
            0,
        )
        assert "too slow" in entry["reason"]
        kept = json.loads(one.here.ledger.document(entry["evidence"]) or "")
        assert kept["routes"]["books"]["verdict"]["outcome"] == "fail"
        assert kept["routes"]["books"]["evidence"]["lambda"]["0"]["requests"] > 0
        assert (await one.here.get("/v1/status"))["ended"][0]["outcome"] == "rolled back"

    play(tmp_path, story)


def test_the_breaker_acts_with_the_report_that_has_the_first_failures(tmp_path: Path) -> None:
    """The real judge: the report that brings obvious failures is the one after which the weight is 0."""
    time = FakeTime()

    async def main(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        await one.begin()
        await one.second()
        assert one.weight() == 100
        one.counter.failing = 0.5
        one.counter.count([("books", 100)])
        await one.node.report(evidence=one.counter.reading(one.node.weights_version))
        here.control.ramping.look()
        assert here.control.keeper.desired.weights["books"].weight.parts == 0
        await here.control.ramping.settled()
        assert (await here.history())[-1] == ("rollback", "books", 100, 0)

    run(tmp_path, main, time)


def test_the_real_judge_passes_equal_sides(tmp_path: Path) -> None:
    """With real evidence of two equal sides the real gate passes every step."""
    time = FakeTime()

    async def main(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        await one.begin()
        for _ in range(40):
            await one.second(60)
            if (await here.get("/v1/status"))["ended"]:
                break
        assert (await here.get("/v1/status"))["ended"][0]["outcome"] == "completed", await one.ramp()

    run(tmp_path, main, time)


def test_no_weight_rises_while_the_ledger_cannot_write(tmp_path: Path) -> None:
    """While the ledger fails a ramp stays where it is, or goes back; it goes on when the ledger is well."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        judge.says(Outcome.PASS)
        broken = one.here.ledger.record

        def fails(_step: Step) -> None:
            raise LedgerFailed("no space left")  # noqa: EM101, TRY003 - the disk's words

        one.here.ledger.record = fails  # type: ignore[method-assign, assignment]
        await one.second(600)
        assert one.weight() == 100
        assert (await one.ramp())["step"] == 1
        judge.says(Outcome.FAIL, code=Code.LIMIT)
        await one.second()
        assert one.weight() == 0
        one.here.ledger.record = broken  # type: ignore[method-assign]
        await one.here.control.keeper.catch_up()
        assert (await one.here.history())[-1] == ("rollback", "books", 100, 0)

    play(tmp_path, story)


def test_a_ramp_goes_on_from_its_step_after_a_restart(tmp_path: Path) -> None:
    """Another control on the same ledger has the step, its weight and its hold, and goes on from there."""
    time, judge = FakeTime(), FakeJudge()

    async def first(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        await one.begin()
        judge.says(Outcome.PASS)
        await one.second(600)
        assert one.weight() == 1000

    async def then(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        await one.second(300)
        ramp = await one.ramp()
        assert (ramp["step"], ramp["weight"], one.weight()) == (2, 1000, 1000)
        await one.second(300)
        assert one.weight() == 10_000

    run(tmp_path, first, time, judge.outside())
    run(tmp_path, then, time, judge.outside())


def test_what_a_step_counted_survives_a_restart_and_is_not_counted_twice(tmp_path: Path) -> None:
    """Another control goes on from what was kept: the window has what the node counted since it began, once."""
    time, judge = FakeTime(), FakeJudge()
    nodes: list[Play] = []

    def counted() -> int:
        window = judge.seen[-1].evidence
        return window.lambda_.requests if window else -1

    async def first(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        nodes.append(one)
        await one.begin()
        await one.second(31)
        await one.second(1)
        before = counted()
        await one.second(61)
        assert counted() > before
        await here.control.ramping.settled()
        nodes.append(one)

    async def then(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node(), counter=nodes[0].counter)
        here.control.ramping.recall()
        here.control.ramping.look()
        assert judge.seen[-1].evidence is None
        await one.second(0)
        total = sum(one.counter.sides["books"][1])
        assert counted() == total - warm
        one.counter.restart()
        await one.second(1)
        assert counted() == total - warm + sum(one.counter.sides["books"][1])

    run(tmp_path, first, time, judge.outside())
    warm = sum(nodes[0].counter.sides["books"][1]) - counted()
    run(tmp_path, then, time, judge.outside())
    rows = sqlite3.connect(tmp_path / "ledger.sqlite").execute("SELECT release_id, ramp FROM evidence").fetchall()
    assert rows == [("r1#1", "books")]


def test_evidence_begins_when_the_weight_is_in_force_everywhere(tmp_path: Path) -> None:
    """A node that lags keeps the hold from beginning; what was counted before does not count."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        slow = one.here.node("node-2")
        await slow.hear()
        await slow.report()
        judge.says(Outcome.PASS)
        slow.frozen = True
        one.time.seconds += 600
        await slow.report()
        await one.second(3)
        ramp = await one.ramp()
        assert (ramp["weight"], ramp["in_force"]) == (1000, False)
        slow.frozen = False
        await slow.hear()
        await slow.report(evidence=one.counter.reading(slow.weights_version) | {"node": "node-2"})
        one.here.control.ramping.look()
        await one.here.control.ramping.settled()
        assert (await one.ramp())["in_force"]

    play(tmp_path, story)


def test_a_node_that_tells_no_evidence_is_an_error_to_the_gate(tmp_path: Path) -> None:
    """A live node without evidence makes it None, however much the others tell; a silent one makes it old."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        await one.second()
        assert judge.seen[-1].evidence is not None
        other = one.here.node("node-2")
        await other.hear()
        await other.report()
        one.here.control.ramping.look()
        assert judge.seen[-1].evidence is None

    play(tmp_path, story)


def test_counters_that_restart_lose_nothing_that_was_told(tmp_path: Path) -> None:
    """When Envoy's counters begin at zero, the window has what the old ones told and what the new ones tell."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        await one.second(60)
        seen = judge.seen[-1].evidence
        assert seen is not None
        one.counter.restart()
        await one.second()
        after = judge.seen[-1].evidence
        assert after is not None
        assert after.lambda_.requests >= seen.lambda_.requests + 64 * 10
        await one.node.report(evidence={"nonsense": 1})
        assert "cannot be read" in next(iter(one.here.control.intake.problems.values()))

    play(tmp_path, story)


def test_another_version_of_the_function_begins_the_evidence_again(tmp_path: Path) -> None:
    """When another version answers, what was counted for the old one proves nothing: the step is held anew."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        await one.second(300)
        one.counter.version = "42"
        one.counter.restart()
        await one.second(11)
        await one.second()
        judge.says(Outcome.PASS)
        await one.second(300)
        assert one.weight() == 100
        await one.second(300)
        assert one.weight() == 1000
        reasons = [entry["reason"] for entry in (await one.here.get("/v1/history"))["entries"]]
        assert any("from 41 to 42" in reason for reason in reasons)

    play(tmp_path, story)


def test_a_release_goes_back_with_one_change_of_the_weights(tmp_path: Path) -> None:
    """Rolling a release back is one order, one version of the weights, one entry for each route."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin(TWO)
        assert (one.weight("books"), one.weight("pens")) == (100, 500)
        version = one.here.control.keeper.desired.weights_version
        judge.says(Outcome.PASS)
        answer = await one.order("rollback")
        assert answer["recorded"]
        assert sorted(answer["routes"]) == ["books", "pens"]
        assert one.here.control.keeper.desired.weights_version == version + 1
        await one.second()
        assert (one.weight("books"), one.weight("pens")) == (0, 0)
        assert (await one.kinds())[-2:] == [("rollback", "books", 100, 0), ("rollback", "pens", 500, 0)]
        again = await one.order("rollback")
        assert (again["already"], again["in_force"]) == ("rolled back", True)
        assert (await one.kinds())[-1] == ("rollback", "pens", 500, 0)

    play(tmp_path, story)


def test_a_release_that_completed_can_be_rolled_back(tmp_path: Path) -> None:
    """The day after, one order still sends everybody back, and the release counts as rolled back."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        judge.says(Outcome.PASS)
        for _ in range(4):
            await one.second(600)
        assert (await one.here.get("/v1/status"))["ended"][0]["outcome"] == "completed"
        await one.order("rollback")
        await one.second()
        assert one.weight() == 0
        assert (await one.here.get("/v1/status"))["ended"][0]["outcome"] == "rolled back"

    play(tmp_path, story)


def test_one_route_of_a_release_can_be_aborted(tmp_path: Path) -> None:
    """An abort of one route leaves it where it is; the others go on; the release ends with the last."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin(TWO)
        await one.order("abort", route="pens")
        judge.says(Outcome.PASS)
        for _ in range(4):
            await one.second(600)
        assert (one.weight("books"), one.weight("pens")) == (10_000, 500)
        assert (await one.here.get("/v1/status"))["ended"][0]["outcome"] == "aborted"

    play(tmp_path, story)


def test_a_pause_stops_a_ramp_until_it_is_resumed(tmp_path: Path) -> None:
    """A paused ramp does not move; resumed it does. An order that makes no sense is refused with the reason."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        await one.order("pause")
        assert (await one.order("pause", actor="eve", reason="me too"))["already"] == "paused by ben: because"
        judge.says(Outcome.PASS)
        await one.second(600)
        assert (one.weight(), (await one.ramp())["paused"]) == (100, "ben: because")
        await one.order("resume")
        await one.second()
        assert one.weight() == 1000
        assert "nothing waits for approval" in (await one.order("approve", status=409))["error"]["message"]
        assert (await one.order("pause", "r2", status=404))["error"]["hint"] == "known: r1"
        assert "has no route 'pens'" in (await one.order("pause", route="pens", status=404))["error"]["message"]
        assert [kind for kind, *_ in await one.kinds() if kind in {"pause", "resume"}] == ["pause", "resume"]

    play(tmp_path, story)


def test_an_order_of_a_release_that_ended_says_how_it_ended(tmp_path: Path) -> None:
    """What cannot be ordered any more says so with the outcome and its time; what never ran is not known."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.begin()
        await one.order("abort")
        for command in ("approve", "pause", "resume", "abort"):
            error = (await one.order(command, status=409))["error"]
            assert error["message"].startswith("r1 has ended: aborted at 2026-11-02 08:16"), error
        assert "no release 'r9' runs" in (await one.order("approve", "r9", status=404))["error"]["message"]
        long = (await one.order("approve", "r" * 5000, status=404))["error"]["message"]
        assert len(long) < 120

    play(tmp_path, story)


def test_what_was_written_and_then_not_carried_out_is_taken_back(tmp_path: Path) -> None:
    """A release whose start is refused after its write does not run after the next start of control."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.here.publish(ESTATE, wait_seconds=0)
        keeper, asked = one.here.control.keeper, list[Desired]()
        release = ReleaseRecord(
            id="r#1", name="r", document=text_digest("x"), plan="p", actor="ann", reason="", started_at=one.time.start
        )
        ramp = RampRecord(routes=("books",), state='{"phase": "holding"}', at=one.time.start)
        start = NewEntry(at=one.time.start, kind=Kind.STARTED, actor="ann", release="r", evidence=text_digest("x"))
        about = {"ramp": "books", "phase": "holding"}
        moved = NewEntry(
            at=one.time.start,
            kind=Kind.STEP,
            actor="control",
            route="books",
            before=Weight(0),
            after=Weight(500),
            release="r",
            step=1,
            details=json.dumps(about),
        )

        def make(desired: Desired) -> Step:
            asked.append(desired)
            if len(asked) > 1:
                raise NotDone(409, "CT409", "frozen")
            freeze = NewEntry(at=one.time.start, kind=Kind.FREEZE, actor="ben", reason="Friday")
            frozen = replace(desired, frozen=Frozen(by="ben", at=one.time.start, reason="Friday"))
            meanwhile = Step(before=desired, after=frozen, entries=(freeze,))
            asyncio.get_running_loop().call_soon(keeper.adopt, meanwhile)  # while the first write is on its way
            after = with_weights(desired, {"books": Weight(500)}, at=one.time.start, by="release r")
            after = replace(after, releases={"r#1": release}, ramps={("r#1", "books"): ramp})
            return Step(before=desired, after=after, entries=(start, moved), documents=("x",))

        with pytest.raises(NotDone, match="frozen"):
            await keeper.record_first(make)
        kept = one.here.ledger.desired()
        assert (kept.releases, kept.weights["books"].weight) == ({}, Weight(0))
        assert [(one.name, one.outcome) for one in one.here.ledger.releases()] == [("r", "aborted")]
        assert [kind for kind, *_ in await one.kinds()] == ["started", "step", "freeze", "rollback", "abort"]

    play(tmp_path, story)


def test_an_approval_lets_a_ramp_go_on(tmp_path: Path) -> None:
    """A step that waits for approval goes on when somebody approves, who is in the history with the reason."""
    release = RELEASE.replace("      - lambda: 10% for", "      - pause: approval\n      - lambda: 10% for")

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin(release)
        judge.says(Outcome.PASS)
        await one.second(600)
        assert (one.weight(), (await one.ramp())["phase"]) == (100, "awaiting approval")
        await one.order("approve", reason="the numbers are good")
        await one.second()
        assert one.weight() == 1000
        entries = (await one.here.get("/v1/history"))["entries"]
        approved = next(entry for entry in entries if entry["kind"] == "approve")
        assert (approved["actor"], approved["reason"]) == ("ben", "the numbers are good")

    play(tmp_path, story)


def test_a_freeze_stops_everything_upwards_until_a_thaw(tmp_path: Path) -> None:
    """Frozen, no ramp and no shift moves towards Lambda, also after a restart; towards legacy all goes on."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        await one.say("/v1/freeze")
        assert (await one.say("/v1/freeze", reason="again"))["already"] == "by ben: Friday"
        judge.says(Outcome.PASS)
        await one.second(600)
        assert one.weight() == 100
        refused = await one.here.shift("ink", 100, 409)
        assert "frozen by ben" in refused["error"]["message"]
        assert (await one.here.get("/v1/status"))["frozen"]["reason"] == "Friday"
        assert one.here.ledger.desired().frozen is not None
        await one.say("/v1/thaw")
        await one.second()
        assert one.weight() == 1000
        assert (await one.say("/v1/thaw"))["already"] == "nothing was frozen"
        kinds = [kind for kind, *_ in await one.kinds()]
        assert (kinds.count("freeze"), kinds.count("thaw")) == (1, 1)

    play(tmp_path, story)


def test_a_shift_under_a_release_goes_down_only_and_ends_it(tmp_path: Path) -> None:
    """Upwards it is refused and says what to do; downwards it needs a reason, is done at once, and is an abort."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        judge.says(Outcome.PASS)
        upward = await one.here.shift("books", 5000, 409, reason="faster")
        assert "moved towards Lambda by the release r1 alone" in upward["error"]["message"]
        assert "say why" in (await one.here.shift("books", 0, 422))["error"]["message"]
        done = await one.here.shift("books", 50, reason="it smells", wait_seconds=0)
        assert (done["from"], done["to"], done["recorded"]) == (100, 50, True)
        await one.second()
        assert one.weight() == 50
        entries = (await one.here.get("/v1/history", limit=1))["entries"]
        assert [(entry["kind"], entry["actor"], entry["reason"]) for entry in entries] == [
            ("abort", "ann", "it smells")
        ]
        assert (await one.here.get("/v1/status"))["ended"][0]["outcome"] == "aborted"
        await one.here.shift("books", 5000, wait_seconds=0)

    play(tmp_path, story)


def test_a_shift_to_nothing_ends_a_release_that_waits(tmp_path: Path) -> None:
    """A route that is at 0 already is told to stay there: the release that waited is over, and it is said."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.here.publish(ESTATE, wait_seconds=0)
        await one.say("/v1/freeze")
        await one.start()
        done = await one.here.shift("books", 0, reason="not today", wait_seconds=0)
        assert (done["from"], done["to"], done["ends_a_ramp"]) == (0, 0, True)
        await one.second()
        assert (await one.here.get("/v1/status"))["ended"][0]["outcome"] == "aborted"
        assert (await one.here.shift("books", 0, wait_seconds=0))["ends_a_ramp"] is False

    play(tmp_path, story)


@pytest.mark.parametrize("command", ["pause", "freeze"])
def test_no_order_brings_back_what_a_node_took_back(tmp_path: Path, command: str) -> None:
    """Between a node's own rollback and the look that ends the ramp, an order that is done at once raises nothing."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.begin()
        at = one.time.start.isoformat()
        move = {"id": "m", "route": "books", "to": 0, "actor": "root", "reason": "night", "at": at}
        await one.node.report(local_moves=[move])
        if command == "pause":
            assert "which ends there" in (await one.order("pause", status=409))["error"]["message"]
        else:
            await one.say("/v1/freeze")
        assert one.here.control.keeper.desired.weights["books"].weight == Weight(0)
        await one.second()
        assert (one.weight(), one.here.control.keeper.desired.weights["books"].weight) == (0, Weight(0))
        assert (await one.here.get("/v1/status"))["ended"][0]["outcome"] == "aborted"

    play(tmp_path, story)


def test_a_node_s_own_rollback_ends_the_ramp(tmp_path: Path) -> None:
    """When a node went back alone, the ramp of that route is over, at what the node went to."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        judge.says(Outcome.PASS)
        move = {
            "id": "m1",
            "route": "books",
            "to": 0,
            "actor": "memory",
            "reason": "short",
            "at": "2026-11-02T09:00:00Z",
        }
        await one.node.report(local_moves=[move])
        await one.second(600)
        assert one.weight() == 0
        assert (await one.here.get("/v1/status"))["ended"][0]["outcome"] == "aborted"

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("release", "status", "said"),
    [
        (RELEASE, 409, "the release r1 runs already"),
        (RELEASE.replace("r1", "r2"), 409, "books is moved by the release r1"),
        (RELEASE.replace("r1", "r2").replace("books", "boks"), 422, "boks"),
        (RELEASE.replace("r1", "r2").replace("books", "ink").replace("1% for", "0.5% for", 1), 200, ""),
        (
            RELEASE.replace("r1", "r2").replace("  books:\n", "  ink:\n    from: 5%\n").replace("1%", "6%"),
            409,
            "ink is at 0%",
        ),
        ("nonsense: 1", 422, "nonsense"),
    ],
)
def test_a_release_that_cannot_start_is_refused(tmp_path: Path, release: str, status: int, said: str) -> None:
    """A release that runs, routes of another, unknown routes, another weight than it begins at: refused, in words."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.begin()
        before = one.here.control.keeper.desired.releases
        answer = await one.start(release, status)
        if status != 200:
            assert said in json.dumps(answer)
            assert one.here.control.keeper.desired.releases == before

    play(tmp_path, story)


def test_a_plan_whose_basis_moved_is_stale(tmp_path: Path) -> None:
    """What a plan was made on is compared at its start: a weight that moved since refuses it; judging does not."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.here.publish(ESTATE, wait_seconds=0)
        await one.second()
        basis = (await one.here.get("/v1/present"))["basis"]
        await one.here.shift("ink", 100, wait_seconds=0)
        assert "the plan is stale" in (await one.start(status=409, basis=basis))["error"]["message"]
        present = await one.here.get("/v1/present")
        await one.start(basis=present["basis"])
        after = await one.here.get("/v1/present")
        assert after["basis"] != present["basis"]
        assert after["releases"][0]["routes"]["books"]["weight"] == 100
        assert after["entries"] > present["entries"]
        await one.order("abort")
        attempt = (await one.here.get("/v1/present"))["attempts"]["books"]
        assert (attempt["outcome"], attempt["reason"]) == ("aborted", "because")

    play(tmp_path, story)


def test_a_plan_is_not_stale_by_what_does_not_concern_it(tmp_path: Path) -> None:
    """Control compares what the plan counted with: another route may move, a new freeze and its own weight may not."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.here.publish(ESTATE, wait_seconds=0)
        await one.second()
        now = await one.here.get("/v1/present")
        seen = {"head": now["head"], "estate": now["estate"], "weights": {"books": 0}, "others": {}, "frozen": False}
        await one.here.shift("ink", 100, wait_seconds=0)
        risen = await one.start(status=409, seen=seen | {"others": {"ink": 0.0}})
        assert "other routes send more to its functions" in risen["error"]["message"]
        moved = await one.start(status=409, seen=seen | {"weights": {"books": 1}})
        assert "weights have moved: books 0.01% -> 0%" in moved["error"]["message"]
        await one.say("/v1/freeze")
        assert "is frozen by" in (await one.start(status=409, seen=seen))["error"]["message"]
        await one.say("/v1/thaw")
        await one.start(seen=seen)

    play(tmp_path, story)


def test_a_plan_is_applied_once(tmp_path: Path) -> None:
    """What a person stopped is not begun again by the same plan, though all is as it was when it was made."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.here.publish(ESTATE, wait_seconds=0)
        await one.second()
        basis = (await one.here.get("/v1/present"))["basis"]
        await one.start(basis=basis)
        await one.here.shift("books", 0, reason="no", wait_seconds=0)
        await one.second()
        assert (await one.here.get("/v1/present"))["basis"] == basis
        refused = await one.start(status=409, basis=basis)
        assert "it was applied at" in refused["error"]["message"]
        await one.start(basis=basis, plan="b" * 64)

    play(tmp_path, story)


def test_weights_of_a_release_are_not_folded(tmp_path: Path) -> None:
    """A weight that is held for hours stays a runtime key, because only such routes are counted closely."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.begin()
        await one.second(7200)
        await one.here.control.publishing.fold()
        await one.second()
        assert one.here.control.keeper.desired.weights["books"].moving
        assert one.weight() == 100

    play(tmp_path, story)


def test_what_was_recorded_and_not_adopted_is_taken_back(tmp_path: Path) -> None:
    """A rollback that comes while a step upwards is being written stands, in the ledger too."""

    async def main() -> None:
        time, judge = FakeTime(), FakeJudge()
        async with control_here(tmp_path, clocks=time.clocks(), outside=judge.outside()) as here:
            one = Play(here=here, time=time, node=here.node())
            await one.begin()
            judge.says(Outcome.PASS)
            time.seconds += 600
            here.control.ramping.look()
            order = one.order("rollback")
            await order
            await here.control.ramping.settled()
            assert here.control.keeper.desired.weights["books"].weight.parts == 0
            stored = here.ledger.desired()
            assert stored.weights["books"].weight.parts == 0
            assert stored.releases == {}

    asyncio.run(main())


def test_a_route_that_held_all_of_lambda_is_ready_for_retirement(tmp_path: Path) -> None:
    """After a release completed at 100 % its route is reported, with when legacy was last asked, also later on."""
    time, judge = FakeTime(), FakeJudge()
    traffic = {"epoch": "1", "routes": {"books": {"legacy": {"requests": 5}, "lambda": {"fallbacks": 0}}}}

    async def first(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        await one.begin()
        judge.says(Outcome.PASS)
        await one.node.report(traffic=traffic)
        for _ in range(4):
            await one.second(600)
        assert (await here.get("/v1/status"))["retirement"][0]["legacy_last_request"] is None
        fallback = {"legacy": {"requests": 5}, "lambda": {"fallbacks": 1}}
        await one.node.report(traffic={"epoch": "1", "routes": {"books": fallback}})
        here.control.legacy_use.keep(here.ledger, here.control.keeper.desired)
        asked = time.clocks().now()
        time.seconds += 86_400
        (retired,) = (await here.get("/v1/status"))["retirement"]
        assert (retired["route"], retired["legacy_last_request"]) == ("books", asked.isoformat())

    async def then(here: Here) -> None:
        (retired,) = (await here.get("/v1/status"))["retirement"]
        assert retired["legacy_last_request"] is not None
        await here.shift("books", 5000, reason="not yet", wait_seconds=0)
        assert (await here.get("/v1/status"))["retirement"] == []

    run(tmp_path, first, time, judge.outside())
    run(tmp_path, then, time, judge.outside())


def test_a_release_that_cannot_be_read_is_a_problem_and_stops_nothing_else(tmp_path: Path) -> None:
    """Another release goes on, status says what is wrong, and the route can still be shifted towards legacy."""
    time, judge = FakeTime(), FakeJudge()

    async def first(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        await one.begin()
        await one.start(RELEASE.replace("r1", "r2").replace("books", "ink"))

    async def then(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        judge.says(Outcome.PASS)
        await one.second()
        await one.second(600)
        status = await here.get("/v1/status")
        assert any("the release r1 cannot be read" in problem for problem in status["problems"])
        assert (one.weight("books"), one.weight("ink")) == (100, 1000)
        ramp = await one.ramp("books")
        assert (ramp["phase"], ramp["weight"], "fig rollback r1" in ramp["reason"]) == ("unreadable", 100, True), ramp
        await here.shift("books", 0, 422, wait_seconds=0)
        await here.shift("books", 0, wait_seconds=0, reason="errors")
        await one.second()
        assert one.weight("books") == 0
        assert (await here.history())[-1] == ("abort", "books", 100, 0)

    run(tmp_path, first, time, judge.outside())
    ledger = sqlite3.connect(tmp_path / "ledger.sqlite")
    ledger.execute("UPDATE documents SET text = 'nonsense' WHERE text LIKE '%release: r1%'")
    ledger.commit()
    ledger.close()
    run(tmp_path, then, time, judge.outside())


@pytest.mark.parametrize(("command", "weight"), [("rollback", 0), ("abort", 100)])
@pytest.mark.parametrize("damage", ["documents SET text = 'nonsense'", "ramps SET state = '{\"step\": 0}'"])
def test_a_release_that_cannot_be_read_goes_down_and_never_up(
    tmp_path: Path, command: str, weight: int, damage: str
) -> None:
    """No shift and no other release moves its routes up; it is rolled back or aborted, after its end too."""
    time, judge = FakeTime(), FakeJudge()

    async def first(here: Here) -> None:
        await Play(here=here, time=time, node=here.node()).begin()

    async def then(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        judge.says(Outcome.PASS)
        await one.second(600)
        assert one.weight() == 100
        await here.shift("books", 5000, 409, reason="up", wait_seconds=0)
        assert "is moved by the release r1" in str(await one.start(RELEASE.replace("r1", "r2"), 409))
        assert "fig rollback r1" in str(await one.order("approve", status=409))
        assert (await here.get("/v1/present"))["releases"][0]["routes"]["books"]["highest"] == 100
        answer = await one.order(command)
        assert (answer["routes"], answer["recorded"]) == (["books"], True)
        await one.second()
        assert one.weight() == weight
        status = await here.get("/v1/status")
        assert status["releases"] == []
        assert all("at control's start the ledger was not" in one for one in status["problems"])  # it was changed
        if command == "abort":
            await one.order("rollback")
            await one.second()
            assert one.weight() == 0
        assert (await here.history())[-1] == ("rollback", "books", 100, 0)
        assert (await here.get("/v1/history/check"))["intact"] is ("documents" not in damage)

    run(tmp_path, first, time, judge.outside())
    ledger = sqlite3.connect(tmp_path / "ledger.sqlite")
    ledger.execute(f"UPDATE {damage}")
    ledger.commit()
    ledger.close()
    run(tmp_path, then, time, judge.outside())


def test_nodes_that_count_differently_are_no_evidence(tmp_path: Path) -> None:
    """Histograms of other bounds cannot be added up: the gate gets none, and status says why."""

    async def story(one: Play, judge: FakeJudge) -> None:
        await one.begin()
        other = one.here.node("node-2")
        for _ in range(2):
            await one.second()
            odd = json.loads(json.dumps(one.counter.reading(0)).replace("1000.0]", "2000.0]")) | {"node": "node-2"}
            await other.hear()
            await other.report(evidence=odd)
        await one.second(31)
        judge.says(Outcome.PASS)
        await one.second()
        assert judge.seen[-1].evidence is None
        assert judge.seen[-1].recent[1].lambda_.requests > 0
        assert any("cannot be added up" in problem for problem in (await one.here.get("/v1/status"))["problems"])

    play(tmp_path, story)


def test_a_publish_that_takes_a_route_away_ends_its_ramp(tmp_path: Path) -> None:
    """When the estate loses a route under a release, its ramp is aborted and the release is over."""

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.begin()
        await one.here.publish(estate_of(pens=SIDES), wait_seconds=0)
        await one.second()
        assert (await one.here.get("/v1/status"))["ended"][0]["outcome"] == "aborted"

    play(tmp_path, story)


def test_shadows_are_told_beside_the_shares(tmp_path: Path) -> None:
    """While a step shadows, nodes are told the route's runtime key; when the release is over, they are told no more."""
    release = RELEASE.replace("      - lambda: 1% for", "      - shadow: 25% for 10m\n      - lambda: 1% for")
    estate = estate_of(books={**SIDES, "shadow": True}, pens=SIDES)

    async def told(one: Play, version: str = "") -> dict[str, Any]:
        answer = await one.here.get("/v1/desired", node="node-1", shares=version)
        shares: dict[str, Any] = answer["shares"]
        return shares

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.here.publish(estate, wait_seconds=0)
        await one.second()
        before = await told(one)
        await one.start(release)
        shares = await told(one, before["version"])
        assert shares["of"] == {"shadow.books": 2500}
        assert shares["version"] != before["version"]
        ramp = await one.ramp()
        assert (ramp["shadow"], ramp["weight"], ramp["phase"]) == (2500, 0, "holding")
        await one.node.report(shares={"version": shares["version"], "nodes": 1, "of": shares["of"]})
        await one.order("abort")
        assert await told(one) == before

    play(tmp_path, story)


def test_a_cohort_is_told_and_ends_with_the_release(tmp_path: Path) -> None:
    """A cohort step tells nodes the route's runtime key; a shift to 0 % ends the release, and named users are back."""
    cohort = "{header: X-Pilot, values: [alice]"
    release = RELEASE.replace("      - lambda: 1% for", f"      - cohort: {cohort}, for: 1h}}\n      - lambda: 1% for")

    async def of(one: Play) -> dict[str, Any]:
        found: dict[str, Any] = (await one.here.get("/v1/desired", node="node-1"))["shares"]["of"]
        return found

    async def story(one: Play, _judge: FakeJudge) -> None:
        await one.here.publish(estate_of(books=SIDES, pens=SIDES), wait_seconds=0)
        assert "has no cohort in the estate" in str(await one.start(release, 422))
        await one.here.publish(estate_of(books={**SIDES, "cohort": ["alice"]}, pens=SIDES), wait_seconds=0)
        await one.second()
        await one.start(release)
        assert await of(one) == {"cohort.books": 100}
        assert (await one.ramp())["weight"] == 0
        one.node.frozen = True
        await one.order("pause")
        before = one.here.control.keeper.desired.weights_version
        answer = await one.order("rollback")
        assert await of(one) == {}
        assert (answer["in_force"], answer["lagging"]) == (False, ["node-1"]), answer
        assert one.here.control.keeper.desired.weights_version == before + 1

    play(tmp_path, story)


def test_the_baseline_survives_a_restart(tmp_path: Path) -> None:
    """At 100 % legacy has nobody left: what it did in the last step is found in the ledger by another control."""
    time, judge = FakeTime(), FakeJudge()

    async def first(here: Here) -> None:
        one = Play(here=here, time=time, node=here.node())
        await one.begin()
        judge.says(Outcome.PASS)
        for _ in range(2):
            await one.second(600)
        assert one.weight() == 10_000
        await one.second()

    async def then(here: Here) -> None:
        judge.says(Outcome.INCONCLUSIVE)
        here.control.ramping.recall()
        one = Play(here=here, time=time, node=here.node())
        await one.second()
        baseline = judge.seen[-1].baseline
        assert baseline is not None
        assert baseline.requests > 0

    run(tmp_path, first, time, judge.outside())
    run(tmp_path, then, time, judge.outside())
