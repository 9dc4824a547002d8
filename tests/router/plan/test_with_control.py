"""`fig plan` beside the real `fig control`: it sees what is in force, what runs, and what is published."""

import asyncio
from pathlib import Path

import pytest

from tests.router.control.fakes import FakeNode
from tests.router.control.test_process import ESTATE, Desk
from tests.router.control.test_release_commands import RELEASE, start


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "estate.yaml").write_text(ESTATE)
    (tmp_path / "r.yaml").write_text(RELEASE)
    return Desk(folder=tmp_path)


async def planned_and_started(desk: Desk, node: FakeNode) -> None:
    """Plan what is sound, start it, and plan what is in its way."""
    first = await desk.fig("plan", "r.yaml", "--estate", "estate.yaml", "--json")
    assert first.code == 0, first.err
    present = (await node.http.get("/v1/present")).json()
    inputs = first.json()["inputs"]
    assert (inputs["basis"], inputs["ledger"]) == (present["basis"], present["head"])
    assert inputs["estate"] == present["estate"]
    assert first.json()["ramps"][0]["from"] == {"books-read": 0}
    await start(node)
    again = await desk.fig("plan", "r.yaml", "--estate", "estate.yaml")
    assert again.code == 2, again.err
    assert "release 2026.11.2 runs already" in again.err
    (desk.folder / "other.yaml").write_text(RELEASE.replace("2026.11.2", "2026.11.3"))
    other = await desk.fig("plan", "other.yaml", "--estate", "estate.yaml")
    assert (other.code, "release 2026.11.2 runs on books-read" in other.err) == (2, True), other.err
    assert "route books-read is at 1%, and the release begins at 0%" in other.err


def test_a_release_is_planned_on_what_control_knows(desk: Desk) -> None:
    """Digests are control's own; a running release and another weight are in the way."""

    async def main() -> None:
        async with desk.control(), desk.node() as node:
            await desk.fig("publish", "estate.yaml")
            await planned_and_started(desk, node)

    asyncio.run(main())


def test_an_estate_is_planned_on_what_is_published(desk: Desk) -> None:
    """The same estate changes nothing; another one says what, and exits 3 where that is asked for."""

    async def main() -> None:
        async with desk.control(), desk.node():
            await desk.fig("publish", "estate.yaml")
            same = await desk.fig("plan", "estate.yaml", "--detailed-exit-code")
            assert (same.code, same.out) == (0, "no changes\n"), same
            changed = ESTATE.replace("  books-read:", "  books-read-again:")
            assert changed != ESTATE
            (desk.folder / "estate.yaml").write_text(changed)
            other = await desk.fig("plan", "estate.yaml", "--detailed-exit-code")
            assert other.code == 3, other
            assert "+ route books-read-again" in other.out
            assert "- route books-read" in other.out
            release = await desk.fig("plan", "r.yaml", "--estate", "estate.yaml")
            assert (release.code, "RS201" in release.err) == (2, True)

    asyncio.run(main())
