"""The pictures in docs/pictures are what the tool makes today."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.capacity_planner import command_line

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs/pictures"


def fig(folder: Path, *arguments: str) -> str:
    done = command_line.fig(folder, *arguments)
    assert done.code == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plans that the pictures show."""
    place = tmp_path_factory.mktemp("pictures")
    demand = (ROOT / "examples/bookshop/demand.yaml").read_text()
    (place / "bookshop.yaml").write_text(demand)
    (place / "grown.yaml").write_text(demand.replace("per_az: 2", "per_az: 9"))
    make = [sys.executable, str(ROOT / "examples/bank/generate.py"), str(place / "bank")]
    subprocess.run(make, check=True, timeout=60)
    dated = ("--as-of", "2026-11-25")
    fig(place, "plan", "bookshop.yaml", "-o", "bookshop.json", *dated)
    fig(place, "plan", "grown.yaml", "--previous", "bookshop.json", "-o", "bookshop-grown.json", *dated)
    fig(place, "plan", "bank/demand.yaml", "--existing", "bank/allocations.csv", "-o", "bank.json", *dated)
    return place


@pytest.mark.parametrize("name", ["bookshop", "bookshop-grown", "bank"])
def test_a_picture_is_what_the_tool_makes_today(folder: Path, name: str, request: pytest.FixtureRequest) -> None:
    """Each picture is drawn again from its example; `--update-golden` writes it."""
    drawn = fig(folder, "show", f"{name}.json", "--format", "svg")
    picture = PICTURES / f"{name}.svg"
    if request.config.getoption("--update-golden"):
        picture.write_text(drawn, encoding="utf-8")
    assert picture.read_text(encoding="utf-8") == drawn
