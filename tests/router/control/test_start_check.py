"""A ledger that was changed while control was down: no weight comes in by it, and the status says what was found."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from .fakes import BOOKS, Here, control_here, estate_of

FORGED = """
INSERT INTO history (id, at, kind, actor, reason, route, before_parts, after_parts, previous, digest)
SELECT id + 1, at, 'shift', 'ann', '', 'books', 500, 9900, digest, 'f' FROM history ORDER BY id DESC LIMIT 1
"""


async def settled(here: Here) -> None:
    """Two routes are published at their weights, which are built in: no key carries them."""
    await here.publish(estate_of(books=BOOKS, pens=BOOKS), wait_seconds=0)
    await here.shift("books", 500, wait_seconds=0)


async def restarted(folder: Path, statements: Sequence[str]) -> tuple[dict[str, Any], list[Any], list[str]]:
    """Status, history and faults after control was down and somebody wrote to its file."""
    async with control_here(folder) as here:
        await settled(here)
    connection = sqlite3.connect(folder / "ledger.sqlite")
    for one in statements:
        assert connection.execute(one).rowcount, "the statement meets nothing"
    connection.commit()
    connection.close()
    async with control_here(folder) as here:
        return await here.get("/v1/status"), await here.history(), list(here.ledger.verify().faults)


@pytest.mark.parametrize(
    ("statement", "route", "last"),
    [
        ("UPDATE weights SET parts = 9900, moving = 0 WHERE route = 'books'", "books", ("rollback", "books", 500, 500)),
        ("UPDATE weights SET parts = 100 WHERE route = 'books'", "books", ("rollback", "books", 500, 100)),
        ("DELETE FROM weights WHERE route = 'books'", "books", ("rollback", "books", 500, 0)),
        ("UPDATE weights SET parts = 9900 WHERE route = 'pens'", "pens", ("rollback", "pens", 0, 0)),
    ],
)
def test_an_edited_weight_is_not_let_in(
    tmp_path: Path, statement: str, route: str, last: tuple[str, str, int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The smaller of the table's and the last recorded one is in force, as a key, recorded, and told."""
    status, history, faults = asyncio.run(restarted(tmp_path, [statement]))
    assert history[-1] == last
    assert faults == []
    (now,) = [one for one in status["routes"] if one["route"] == route]
    assert now["weight"] == last[3]
    assert any(f"route {route} is" in one and "at control's start" in one for one in status["problems"])
    assert any(f"{route} is at" in one and "the smaller one" in one for one in status["problems"])
    assert f"route {route} is" in capsys.readouterr().err


def test_what_was_sound_is_left_alone(tmp_path: Path) -> None:
    """Without a change there is no problem, and no line."""
    status, history, _ = asyncio.run(restarted(tmp_path, ["UPDATE desired SET revision = revision + 1"]))
    assert status["problems"] == []
    assert history[-1] == ("shift", "books", 0, 500)


def test_a_forged_line_lets_no_weight_in(tmp_path: Path) -> None:
    """A line that control did not write does not count as a record; the weight stays, and the status tells of both."""
    seen: list[tuple[int, list[str]]] = []

    async def before() -> None:
        async with control_here(tmp_path) as here:
            await settled(here)

    async def after() -> None:
        async with control_here(tmp_path) as here:
            problems = (await here.get("/v1/status"))["problems"]
            seen.append((here.control.keeper.desired.weights["books"].weight.parts, problems))

    asyncio.run(before())
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.execute(FORGED)
        connection.execute("UPDATE weights SET parts = 9900 WHERE route = 'books'")
    connection.close()
    with pytest.raises(AssertionError, match="was changed"):  # the fake looks at its end, too
        asyncio.run(after())
    ((parts, problems),) = seen
    assert parts == 500
    assert any("its digest is not that of its content" in one for one in problems)
