"""Tampering beside the history: a weight, release, ramp, freeze or trigger that is not as the history says is found."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from router.gate.verdict import Outcome
from router.ledger.chain import COVERED, Head, Line, text_digest
from router.ledger.deviations import Present, deviations
from router.ledger.records import Desired, Held, Kind, NewEntry, ReleaseRecord, Step
from router.ledger.replay import Told
from router.ledger.store import Ledger
from router.ledger.writes import head
from router.weight import Weight
from tests.router.control.fakes import FakeTime, control_here
from tests.router.control.ramps import RELEASE, FakeJudge, Play

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
PENS = RELEASE.replace("r1", "r2").replace("books", "pens")
COPY = """
INSERT INTO releases SELECT 'r3#1', 'r3', document, plan, actor, reason, started_at, NULL, NULL FROM releases
WHERE name = 'r1'
"""
STATE = "UPDATE ramps SET state = json_set(state, '$.{}', json('{}')) WHERE release_id = 'r2#1'"


async def lived(folder: Path) -> None:
    """A ledger of a real control: one release was rolled back, one runs, is paused and frozen; a route was shifted."""
    time, judge = FakeTime(), FakeJudge()
    async with control_here(folder, clocks=time.clocks(), outside=judge.outside()) as here:
        one = Play(here=here, time=time, node=here.node())
        await one.begin()
        await here.shift("ink", 700, wait_seconds=0)
        await one.order("rollback")
        judge.says(Outcome.PASS)
        await one.start(PENS)
        await one.second(600)
        await one.order("pause", "r2")
        await one.say("/v1/freeze")
        await one.second()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its file; a copy is made for each test that changes it."""
    folder = tmp_path_factory.mktemp("lived")
    asyncio.run(lived(folder))
    return folder / "ledger.sqlite"


@pytest.fixture
def ledger(sound: Path, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger over a copy."""
    shutil.copy(sound, tmp_path / "l")
    one = Ledger.open(tmp_path / "l")
    yield one
    one.close()


def change(path: Path, statement: str) -> None:
    """Change the file as somebody who may write it can."""
    connection = sqlite3.connect(path)
    changed = connection.execute(statement).rowcount
    assert changed, "the statement meets nothing"
    connection.commit()
    connection.close()


def test_what_control_wrote_is_what_the_history_says(ledger: Ledger) -> None:
    """Releases that ended, run, are paused and frozen, shifts and a publish leave nothing that is found."""
    found = ledger.verify()
    assert found.faults == ()
    assert found.entries > 10


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE weights SET parts = 9000 WHERE route = 'ink'", "route ink is at 90% in the table weights, but line"),
        ("UPDATE weights SET parts = 5 WHERE route = 'books'", "route books is at 0.05% in the table weights, but"),
        ("DELETE FROM weights WHERE route = 'ink'", "route ink is not in the table weights, but line"),
        ("INSERT INTO weights VALUES ('new', 100, 'x', 'me', 1)", "route new is at 1% in the table weights, but no"),
        ("UPDATE releases SET outcome = 'completed' WHERE name = 'r1'", "release r1#1 is completed in the table"),
        ("UPDATE releases SET outcome = NULL WHERE name = 'r1'", "release r1#1 runs in the table releases, but by"),
        ("UPDATE releases SET outcome = 'aborted' WHERE name = 'r2'", "release r2#1 is aborted in the table releases"),
        ("UPDATE releases SET ended_at = started_at WHERE name = 'r1'", "the time of its end"),
        ("UPDATE releases SET actor = 'nobody' WHERE name = 'r2'", "release r2#1: its actor in the table releases"),
        ("UPDATE releases SET document = 'x' WHERE name = 'r2'", "release r2#1: its document in the table"),
        ("UPDATE releases SET plan = 'x' WHERE name = 'r2'", "release r2#1: its plan in the table"),
        ("UPDATE releases SET reason = 'x' WHERE name = 'r2'", "release r2#1: its reason in the table"),
        ("UPDATE releases SET started_at = 'x' WHERE name = 'r2'", "release r2#1: its started_at in the table"),
        ("DELETE FROM releases WHERE name = 'r1'", "release r1#1, which line"),
        (COPY, "release r3#1 is in the table releases, but no line of the history started it"),
        ("DELETE FROM ramps WHERE release_id = 'r2#1'", "is gone from the table ramps"),
        ("INSERT INTO ramps SELECT release_id,'ink',routes,state,at FROM ramps WHERE release_id='r2#1'",
         "ramp ink of release r2#1 is in the table ramps, but no line"),
        ("UPDATE ramps SET routes = 'ink' WHERE release_id = 'r2#1'", "its routes in the table ramps are not those"),
        ("UPDATE ramps SET state = 'x' WHERE release_id = 'r2#1'", "its state in the table ramps cannot be read"),
        (STATE.format("phase", '"waiting"'), "ramp pens of release r2#1 is waiting in the table ramps, but by line"),
        (STATE.format("step", "2"), "is in another step in the table ramps than line"),
        (STATE.format("weight", "1"), "its weight in the table ramps is not the one of line"),
        (STATE.format("since", '"2020-01-01T00:00:00+00:00"'), "but the history says that this began at 2026-11-02"),
        (STATE.format("paused", '""'), "is not paused in the table ramps, but by the history it is paused"),
        (STATE.format("frozen", '""'), "is not frozen in the table ramps, but all movement is"),
        ("UPDATE desired SET frozen_by=NULL, frozen_at=NULL, frozen_reason=NULL", "nothing is frozen in the table"),
        ("UPDATE desired SET frozen_by = 'nobody'", "the freeze in the table desired is not the one of line"),
        ("UPDATE desired SET snapshot = 'x'", "the snapshot is x in the table desired, but by line"),
        ("UPDATE desired SET previous = 'x'", "the previous snapshot is x in the table desired, but by line"),
        ("UPDATE estates SET text = '{}'", "its digest is not that of its text"),
        ("DELETE FROM estates", "of which snapshot"),
        ("DELETE FROM documents", "is gone or was changed"),
    ],
)  # fmt: skip
def test_a_present_that_the_history_does_not_tell_is_found(
    ledger: Ledger, tmp_path: Path, statement: str, said: str
) -> None:
    """Plain SQL, which no trigger hinders: the chain is whole, and what was changed is named."""
    change(tmp_path / "l", statement)
    faults = ledger.verify().faults
    assert any(said in fault for fault in faults), faults
    assert not any("was changed: its digest is not that of its content" in fault for fault in faults), faults


@pytest.mark.parametrize("name", ["history_keeps_its_lines", "history_loses_no_line", "history_replaces_no_line"])
def test_a_trigger_that_was_dropped_is_found(ledger: Ledger, tmp_path: Path, name: str) -> None:
    """While control runs, and after its next start, which makes it again; at the start after that it is forgotten."""
    connection = sqlite3.connect(tmp_path / "l")
    connection.execute(f"DROP TRIGGER {name}")
    connection.close()
    assert ledger.verify().faults == (f"the trigger {name} is gone, or is another one",)
    ledger.close()
    again = Ledger.open(tmp_path / "l")
    (fault,) = again.verify().faults
    assert f"when control started, the database lacked {name}" in fault
    again.close()
    last = Ledger.open(tmp_path / "l")
    assert last.verify().faults == ()
    last.close()


def test_a_trigger_that_does_nothing_is_found(ledger: Ledger, tmp_path: Path) -> None:
    """One of the same name that lets everything pass is another trigger."""
    connection = sqlite3.connect(tmp_path / "l")
    connection.execute("DROP TRIGGER desired_only_grows")
    connection.execute("CREATE TRIGGER desired_only_grows BEFORE UPDATE ON desired BEGIN SELECT 1; END")
    connection.close()
    assert ledger.verify().faults == ("the trigger desired_only_grows is gone, or is another one",)


def test_a_check_while_control_writes_sees_one_moment(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written between two reads of a check is in none of them: no line looks as if it were one too many."""
    entry = NewEntry(at=AT, kind=Kind.SHIFT, actor="ann", route="more", before=Weight(0), after=Weight(0))

    def head_and_a_write(connection: Connection) -> Head:
        found = head(connection)
        ledger.record(Step(before=Desired(), after=Desired(), entries=(entry,)))
        return found

    monkeypatch.setattr("router.ledger.verification.head", head_and_a_write)
    assert ledger.verify().faults == ()


def line(number: int, **more: Any) -> Line:
    """A line of the history; its place in the chain does not matter here."""
    return dict.fromkeys(COVERED) | {"id": number, "at": AT.isoformat(), "actor": "ann", "reason": ""} | more


NOTHING = {"frozen_by": None, "frozen_at": None, "frozen_reason": None, "snapshot": None, "previous": None}


@pytest.mark.parametrize(("parts", "wrong"), [(500, False), (0, False), (None, False), (700, True)])
def test_a_weight_may_stay_until_every_node_has_left_its_route(parts: int | None, *, wrong: bool) -> None:
    """After a publish without the route its weight is what it was, 0 or gone, and nothing else."""
    told = Told()
    told.take(line(1, kind="shift", route="old", before_parts=0, after_parts=500))
    told.take(line(2, kind="publish", route="old", before_parts=500, after_parts=0, snapshot="s"))
    weights = {} if parts is None else {"old": {"parts": parts}}
    found = list(deviations(told, Present(desired=NOTHING, weights=weights)))
    assert bool(found) is wrong, found


def test_a_line_of_an_older_version_tells_less() -> None:
    """Lines of a version before, without the step's index, are no reason to doubt the ramp that goes on."""
    told = Told()
    told.take(line(1, kind="started", release_name="r", evidence="d"))
    said = {"ramp": "a", "phase": "holding"}
    about = {"kind": "step", "route": "a", "release_name": "r", "step": 3, "before_parts": 0, "after_parts": 5}
    told.take(line(2, **about, details=json.dumps(said)))
    later = (AT + timedelta(days=2)).isoformat()
    told.take(line(3, **about | {"kind": "verdict", "at": later}, details=json.dumps(said | {"index": 1})))
    state = {"phase": "holding", "step": 1, "weight": 5, "since": AT.isoformat(), "paused": "", "frozen": ""}
    release = {"document": "d", "actor": "ann", "started_at": AT.isoformat(), "plan": "p", "reason": ""}
    present = Present(
        desired=NOTHING,
        weights={"a": {"parts": 5}},
        releases={"r#1": release | {"outcome": None, "ended_at": None}},
        ramps={("r#1", "a"): {"routes": "a", "state": json.dumps(state)}},
    )
    assert list(deviations(told, present)) == []


def test_mariadb_finds_the_same(database: Engine) -> None:
    """A weight and an outcome that were changed, and a trigger that was dropped, on a server too."""
    ledger = Ledger.over(database)
    held = {"books": Held(weight=Weight(100), since=AT, by="ann", moving=True)}
    shift = NewEntry(at=AT, kind=Kind.SHIFT, actor="ann", route="books", before=Weight(0), after=Weight(100))
    start = NewEntry(at=AT, kind=Kind.STARTED, actor="ann", release="r", evidence=text_digest("{}"))
    release = ReleaseRecord(
        id="r#1", name="r", document=text_digest("{}"), plan="p", actor="ann", reason="", started_at=AT
    )
    after = Desired(revision=1, weights=held, releases={"r#1": release})
    ledger.record(Step(before=Desired(), after=after, entries=(shift, start), documents=("{}",)))
    assert ledger.verify().faults == ()
    with database.begin() as connection:
        connection.execute(text("UPDATE weights SET parts = 9000"))
        connection.execute(text("UPDATE releases SET outcome = 'completed'"))
        connection.execute(text("DROP TRIGGER history_loses_no_line"))
    assert ledger.verify().faults == (
        "route books is at 90% in the table weights, but line 1, its last, left it at 1%",
        "release r#1 is completed in the table releases, but by line 2 it runs",
        "the trigger history_loses_no_line is gone, or is another one",
    )
    ledger.close()
