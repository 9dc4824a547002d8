"""The ledger: what it keeps, what it refuses, and what two processes see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from router.errors import LedgerFailed
from router.ledger.records import Desired, Held, Kind, NewEntry, Step, Stored
from router.ledger.store import Ledger
from router.weight import Weight

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
SHIFT = NewEntry(
    at=AT, kind=Kind.SHIFT, actor="ann", reason="first users", route="books", before=Weight(0), after=Weight(500)
)


def test_a_new_ledger_is_empty(tmp_path: Path) -> None:
    """A ledger that was just made wants nothing from nodes and has no history."""
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    assert ledger.desired() == Desired()
    assert ledger.history() == ()
    ledger.close()


def test_what_was_recorded_is_there_after_opening_again(tmp_path: Path) -> None:
    """Entries, weights and versions survive the process; routes that a step drops are gone."""
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    held = Held(weight=Weight(500), since=AT, by="ann", moving=True)
    first = Desired(revision=1, weights_version=1, snapshot="a", weights={"books": held, "pens": held})
    ledger.record(Step(before=Desired(), after=first, entries=(SHIFT,)))
    second = replace(first, revision=2, weights={"books": held}, previous="a", snapshot="b")
    ledger.record(Step(before=first, after=second))
    ledger.close()
    again = Ledger.open(tmp_path / "ledger.sqlite")
    assert again.desired() == second
    (entry,) = again.history()
    assert (entry.id, entry.at, entry.kind, entry.route, entry.after) == (1, AT, Kind.SHIFT, "books", Weight(500))
    again.close()


def test_history_is_newest_first_and_by_route(tmp_path: Path) -> None:
    """History comes newest first, limited, of one route when it is named."""
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    entries = tuple(
        replace(SHIFT, route=route, at=AT + timedelta(seconds=i)) for i, route in enumerate(["books", "pens", "books"])
    )
    ledger.record(Step(before=Desired(), after=Desired(revision=1), entries=entries))
    assert [entry.id for entry in ledger.history()] == [3, 2, 1]
    assert [entry.id for entry in ledger.history(route="books", limit=1)] == [3]
    ledger.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET actor = 'nobody'",
        "DELETE FROM history",
        "INSERT OR REPLACE INTO history (id, at, kind, actor, reason) VALUES (1, 'x', 'shift', 'nobody', '')",
        "INSERT OR REPLACE INTO history (at, kind, actor, reason, node, move_id) VALUES ('x','shift','a','','n','m')",
        "UPDATE desired SET revision = 0",
        "UPDATE desired SET weights_version = weights_version - 1",
    ],
)
def test_the_database_itself_refuses_to_rewrite_the_past(tmp_path: Path, statement: str) -> None:
    """No connection, not even one that is not ours, can change or remove history, or turn a version back."""
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    own = replace(SHIFT, node="n", move_id="m")
    ledger.record(Step(before=Desired(), after=Desired(revision=5, weights_version=3), entries=(own,)))
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
    assert [entry.actor for entry in ledger.history()] == ["ann"]
    ledger.close()


def test_a_step_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """When one part of a step cannot be written, none of it is."""
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    wrong = replace(SHIFT, actor=None)  # type: ignore[arg-type]
    with pytest.raises(LedgerFailed, match="could not write to the ledger"):
        ledger.record(Step(before=Desired(), after=Desired(revision=1), entries=(SHIFT, wrong)))
    assert ledger.history() == ()
    assert ledger.desired().revision == 0
    ledger.close()


def test_versions_do_not_fall_when_steps_are_written_out_of_order(tmp_path: Path) -> None:
    """A step that was made earlier but is written later does not turn the stored versions back."""
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    ledger.record(Step(before=Desired(), after=Desired(revision=9, weights_version=4)))
    ledger.record(Step(before=Desired(), after=Desired(revision=8, weights_version=3)))
    assert (ledger.desired().revision, ledger.desired().weights_version) == (9, 4)
    ledger.close()


def test_a_node_s_own_move_is_written_once(tmp_path: Path) -> None:
    """A node's move that was written before is not written again, nor an error; another node may use the same id."""
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    for node in ("n1", "n1", "n2"):
        entry = replace(SHIFT, kind=Kind.ROLLBACK, node=node, move_id="m1")
        ledger.record(Step(before=Desired(), after=Desired(), entries=(entry,)))
    assert [entry.node for entry in ledger.history()] == ["n2", "n1"]
    assert ledger.known_moves("n1", ["m1", "m2"]) == {"m1"}
    ledger.close()


def test_the_way_back_skips_the_same_estate_and_rejected_ones(tmp_path: Path) -> None:
    """The estate before the present one is the last published that differs from it and that no node rejected."""
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    for digest, estate in (("a1", "A"), ("b1", "B"), ("b2", "B"), ("c1", "C")):
        ledger.store(Stored(digest=digest, estate=estate, published_at=AT))
        entry = NewEntry(at=AT, kind=Kind.PUBLISH, actor="ann", snapshot=digest)
        ledger.record(Step(before=Desired(), after=Desired(), entries=(entry,)))
    rejected = NewEntry(at=AT, kind=Kind.ROLLBACK, actor="control", snapshot="c1")
    ledger.record(Step(before=Desired(), after=Desired(), entries=(rejected,)))
    assert ledger.last_other_estate("b2") == "a1"
    assert ledger.last_other_estate("a1") == "b2"
    ledger.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """A ledger file that is not a database fails with the file's name, not with a traceback."""
    (tmp_path / "ledger.sqlite").write_text("this is not a database, it is a sentence of some length\n" * 40)
    with pytest.raises(LedgerFailed, match=r"could not open the ledger .*ledger\.sqlite"):
        Ledger.open(tmp_path / "ledger.sqlite")
