"""The same ledger in a real MariaDB."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from router.ledger import tables
from router.ledger.chain import text_digest
from router.ledger.records import Desired, Frozen, Held, Kind, NewEntry, RampRecord, ReleaseRecord, Step, Stored
from router.ledger.store import Ledger
from router.weight import Weight

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
ENTRY = NewEntry(at=AT, kind=Kind.STEP, actor="Änn", reason="größer 🐢", route="books", evidence=text_digest("{}"))
HELD = Held(weight=Weight(500), since=AT, by="ann", moving=True)
RELEASE = ReleaseRecord(id="r#1", name="r", document="d", plan="p", actor="ann", reason="", started_at=AT)


def test_a_step_is_kept_whole(database: Engine) -> None:
    """What a step wrote, all tables of it, is read back as it was; a second step changes and removes what it says."""
    ledger = Ledger.over(database)
    ramps = {("r#1", "books"): RampRecord(routes=("books", "pens"), state="{}", at=AT)}
    frozen = Frozen(by="ann", at=AT, reason="Friday")
    first = Desired(
        revision=2, weights_version=1, weights={"books": HELD, "Books": HELD}, releases={"r#1": RELEASE}, ramps=ramps
    )
    first = replace(first, frozen=frozen, snapshot="a")
    ledger.record(Step(before=Desired(), after=first, entries=(ENTRY, ENTRY), documents=("{}",)))
    ledger.record(Step(before=Desired(), after=Desired(), documents=("{}",)))
    ledger.close()
    ledger = Ledger.over(database)
    assert ledger.desired() == first
    ended = replace(RELEASE, outcome="completed", ended_at=AT)
    second = replace(first, weights={"books": first.weights["books"]}, frozen=None, releases={"r#1": ended})
    ledger.record(Step(before=first, after=second))
    assert ledger.desired() == replace(second, releases={}, ramps={})
    assert (ledger.releases(), ledger.times_started("r")) == ((ended,), 1)
    assert [entry.reason for entry in ledger.history()] == ["größer 🐢"] * 2
    faults = ledger.verify().faults  # no line tells of the tables' content here
    assert faults
    assert not any(fault.startswith(("line", "the document", "the trigger")) for fault in faults), faults
    ledger.store(Stored(digest="s", estate="x" * 200_000, published_at=AT))
    assert ledger.stored("s") == Stored(digest="s", estate="x" * 200_000, published_at=AT)
    ledger.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET actor = 'nobody'",
        "DELETE FROM history",
        "REPLACE INTO history (id, at, kind, actor, reason, previous, digest) VALUES (1,'x','shift','a','','','')",
        "UPDATE desired SET revision = 0",
        "UPDATE desired SET head_entries = 0",
    ],
)
def test_the_database_itself_refuses_to_rewrite_the_past(database: Engine, ledger: Ledger, statement: str) -> None:
    """No connection, not even root's, can change or remove a line, or turn a version back, while the triggers stand."""
    ledger.record(Step(before=Desired(), after=Desired(revision=5), entries=(ENTRY,)))
    with pytest.raises(DBAPIError, match="only"), database.begin() as connection:
        connection.execute(text(statement))
    assert [entry.actor for entry in ledger.history()] == ["Änn"]


def test_what_truncate_took_is_found(database: Engine, ledger: Ledger) -> None:
    """TRUNCATE asks no trigger; the kept head says that lines are gone."""
    ledger.record(Step(before=Desired(), after=Desired(), entries=(ENTRY,), documents=("{}",)))
    with database.begin() as connection:
        connection.execute(text("TRUNCATE TABLE history"))
    assert ledger.verify().faults == ("the history ends with line 0, but 1 were written: its tail is gone",)


def test_the_revisions_make_the_tables_that_the_code_knows(database: Engine) -> None:
    """On MariaDB too the revisions and the code's tables say the same."""
    Ledger.over(database).close()
    with database.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_a_node_s_own_move_is_written_once(ledger: Ledger) -> None:
    """A node's move that was written before is neither written again nor an error."""
    for _ in range(2):
        own = replace(ENTRY, node="n1", move_id="m1", evidence=None)
        ledger.record(Step(before=Desired(), after=Desired(), entries=(own,)))
    assert ledger.head().entries == 1
    assert ledger.known_moves("n1", ["m1"]) == {"m1"}
    ledger.remember_node("n1", AT)
    ledger.remember_node("n1", AT)
    assert ledger.known_nodes() == {"n1"}
