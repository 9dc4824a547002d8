"""The schema: made from nothing, and brought up to date without losing anything."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from router.ledger import tables, triggers
from router.ledger.migrate import migrate
from router.ledger.records import Desired, Frozen, Held, Kind, NewEntry, Step
from router.ledger.store import Ledger
from router.weight import Weight

from .old import make_old_ledger

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
LINES = 2500


def test_a_ledger_from_before_the_revisions_keeps_its_history(tmp_path: Path) -> None:
    """An old ledger keeps every line, weight, version and node; its lines become a chain, and it goes on from there."""
    make_old_ledger(tmp_path / "l", [f"shift {number}" for number in range(LINES)])
    ledger = Ledger.open(tmp_path / "l")
    held = Held(weight=Weight(500), since=AT, by="ann", moving=True)
    assert ledger.desired() == Desired(
        revision=7, weights_version=5, snapshot="b", previous="a", weights={"books": held}
    )
    assert ledger.known_nodes() == {"node-1"}
    first, *_, last = reversed(ledger.history(limit=LINES))
    assert (first.id, first.reason, last.id, last.reason) == (3, "shift 0", LINES + 2, f"shift {LINES - 1}")
    entry = NewEntry(at=AT, kind=Kind.FREEZE, actor="ann", reason="Friday")
    before = ledger.desired()
    frozen = replace(before, frozen=Frozen(by="ann", at=AT, reason="Friday"))
    ledger.record(Step(before=before, after=frozen, entries=(entry,)))
    found = ledger.verify()
    assert (found.entries, found.faults) == (LINES + 3, ())
    ledger.close()


def test_an_old_ledger_is_append_only_afterwards_too(tmp_path: Path) -> None:
    """The database of an old ledger still refuses to change its past after it was brought up to date."""
    make_old_ledger(tmp_path / "l", ["one"])
    Ledger.open(tmp_path / "l").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'l'}")
    for statement in ("UPDATE history SET actor = 'x'", "DELETE FROM history", "UPDATE desired SET head_entries = 0"):
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """A ledger that is up to date is opened as it is."""
    for _ in range(3):
        Ledger.open(tmp_path / "l").close()
    ledger = Ledger.open(tmp_path / "l")
    assert (ledger.desired(), ledger.history()) == (Desired(), ())
    ledger.close()


def test_the_revisions_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    """Nothing is in the code's tables that the revisions do not make, and nothing the other way round."""
    engine = create_engine(f"sqlite:///{tmp_path / 'l'}")
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    engine.dispose()


def test_a_crash_while_it_is_brought_up_to_date_leaves_the_old_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When bringing it up to date breaks off, the ledger is as it was, and the next start does all of it."""
    make_old_ledger(tmp_path / "l", ["one", "two"])
    monkeypatch.setattr(triggers, "STATEMENTS", {"sqlite": ("this is no statement",)})
    engine = create_engine(f"sqlite:///{tmp_path / 'l'}")
    with pytest.raises(Exception, match="syntax error"):
        migrate(engine)
    engine.dispose()
    connection = sqlite3.connect(tmp_path / "l")
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert "history_keeps_its_lines" in names
    assert not names & {"alembic_version", "releases", "history_new"}
    monkeypatch.undo()
    ledger = Ledger.open(tmp_path / "l")
    assert [entry.reason for entry in ledger.history()] == ["two", "one", "", ""]
    ledger.close()
