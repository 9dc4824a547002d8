"""Tampering: what a check of the history finds, whoever did it and however."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.ledger.chain import COVERED, GENESIS, Head, Line, check, sealed, text_digest
from router.ledger.records import Desired, Kind, NewEntry, Step
from router.ledger.store import Ledger
from router.ledger.triggers import NAMES
from router.weight import Weight

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
EVIDENCE = '{"requests":4000}'


def entry(number: int) -> NewEntry:
    """The entry of a step that was made on evidence."""
    return NewEntry(
        at=AT,
        kind=Kind.STEP,
        actor="control",
        reason=f"step {number} passed",
        route="books",
        before=Weight(number),
        after=Weight(number + 1),
        release="2026.11.2",
        step=number,
        evidence=text_digest(EVIDENCE),
    )


def written(path: Path, lines: int = 6) -> Ledger:
    """A ledger with so many lines."""
    ledger = Ledger.open(path)
    for number in range(lines):
        entries = (entry(number),)
        step = Step(before=Desired(), after=Desired(), entries=entries, documents=(EVIDENCE,))
        ledger.record(step)
    return ledger


def tamper(path: Path, *statements: str) -> None:
    """Change the file as somebody who may write it can: the triggers go first."""
    connection = sqlite3.connect(path)
    for name in NAMES:
        connection.execute(f"DROP TRIGGER IF EXISTS {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_an_untouched_history_is_intact(tmp_path: Path) -> None:
    """A history that nobody touched has no faults, and its head is the one that is kept."""
    ledger = written(tmp_path / "l")
    found = ledger.verify()
    assert (found.entries, found.faults) == (6, ())
    assert ledger.head() == Head(entries=6, digest=found.head)
    ledger.close()


_COLUMNS = f"{', '.join(COVERED[1:])}, digest"
COPY = f"INSERT INTO history (id, {_COLUMNS}) SELECT 7, {_COLUMNS} FROM history WHERE id = 3"  # noqa: S608 - our own names


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("UPDATE history SET actor = 'nobody' WHERE id = 3",), "line 3 was changed"),
        (("UPDATE history SET evidence = NULL WHERE id = 3",), "line 3 was changed"),
        (("UPDATE history SET after_parts = 9999 WHERE id = 6",), "line 6 was changed"),
        (("DELETE FROM history WHERE id = 3",), "line 4 follows line 2"),
        (("DELETE FROM history WHERE id = 1",), "line 2 follows line 0"),
        (
            ("DELETE FROM history WHERE id = 3", "UPDATE history SET id = id - 1 WHERE id > 3"),
            "line 3 was changed",
        ),
        (
            (
                "UPDATE history SET id = 99 WHERE id = 3",
                "UPDATE history SET id = 3 WHERE id = 4",
                "UPDATE history SET id = 4 WHERE id = 99",
            ),
            "line 3 was changed",
        ),
        ((COPY,), "line 7 was changed"),
        (("DELETE FROM history WHERE id > 4",), "ends with line 4, but 6 were written: its tail is gone"),
        (("DELETE FROM history",), "ends with line 0, but 6 were written"),
        (("UPDATE documents SET text = '{}'",), "is gone or was changed"),
        (("DELETE FROM documents",), "is gone or was changed"),
    ],
)
def test_tampering_is_found(tmp_path: Path, statements: tuple[str, ...], said: str) -> None:
    """A line that was changed, removed, moved or put in, a tail that was cut off, evidence that was swapped: found."""
    written(tmp_path / "l").close()
    tamper(tmp_path / "l", *statements)
    ledger = Ledger.open(tmp_path / "l")
    faults = ledger.verify().faults
    assert any(said in fault for fault in faults), faults
    ledger.close()


def rewritten(lines: list[Line], change: Callable[[Line], Line]) -> list[Line]:
    """The whole chain made anew over changed lines, as one who knows how can."""
    last, anew = Head(), list[Line]()
    for line in lines:
        whole = sealed(change(line), last)
        anew.append(whole)
        last = Head(entries=whole["id"], digest=whole["digest"])
    return anew


def test_a_history_written_anew_is_found_by_a_head_that_was_noted_elsewhere(tmp_path: Path) -> None:
    """Who rewrites the chain and its head passes the check, unless an earlier head is known from elsewhere."""
    ledger = written(tmp_path / "l", 3)
    noted = ledger.head().digest
    written(tmp_path / "l", 1).close()
    assert ledger.verify(noted).faults == ()
    connection = sqlite3.connect(tmp_path / "l")
    connection.row_factory = sqlite3.Row
    lines: list[Line] = [dict(row) for row in connection.execute("SELECT * FROM history ORDER BY id")]
    connection.close()
    forged = rewritten(lines, lambda line: {**line, "actor": "nobody"})
    kept = Head(entries=4, digest=forged[-1]["digest"])
    assert check(forged, kept).faults == ()
    assert "was written anew" in check(forged, kept, noted).faults[0]
    ledger.close()


def test_what_is_written_after_a_cut_does_not_hide_it(tmp_path: Path) -> None:
    """Entries that control adds to a history whose tail was cut off keep their numbers, so that the gap stays."""
    written(tmp_path / "l").close()
    tamper(tmp_path / "l", "DELETE FROM history WHERE id > 4")
    ledger = written(tmp_path / "l", 1)
    assert ledger.history()[0].id == 7
    assert "line 7 follows line 4" in ledger.verify().faults[0]
    ledger.close()


@given(st.data())
def test_any_one_change_of_any_column_is_found(data: st.DataObject) -> None:
    """Whatever single value of whatever line is another, the check says so."""
    lines, last = list[Line](), Head()
    for number in range(4):
        row = dict.fromkeys(COVERED) | {"kind": "step", "actor": "control", "reason": "", "step": number}
        lines.append(sealed(row, last))
        last = Head(entries=lines[-1]["id"], digest=lines[-1]["digest"])
    assert check(lines, last).faults == ()
    at = data.draw(st.integers(0, 3))
    column = data.draw(st.sampled_from((*COVERED, "digest")))
    value = data.draw(st.one_of(st.none(), st.integers(), st.text()).filter(lambda new: new != lines[at][column]))
    if column == "id" and not isinstance(value, int):
        value = 77
    lines[at] = {**lines[at], column: value}
    assert check(lines, last).faults != ()


def test_a_move_of_a_node_that_is_known_adds_nothing_to_the_chain(tmp_path: Path) -> None:
    """A node's own move that is reported twice is one line, and the chain stays whole."""
    ledger = Ledger.open(tmp_path / "l")
    for _ in range(2):
        own = replace(entry(0), kind=Kind.ROLLBACK, node="n", move_id="m", evidence=None)
        ledger.record(Step(before=Desired(), after=Desired(), entries=(own,)))
    assert ledger.verify().faults == ()
    assert ledger.head().entries == 1
    assert check([], Head(), GENESIS).faults == ()
    ledger.close()
