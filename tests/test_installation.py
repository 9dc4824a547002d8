"""What is installed decides what can be called, and a missing extra is named in one line."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[1]
CALLS = [
    "check estate.yaml",
    "schema",
    "compile estate.yaml -o out",
    "explain GET / --estate estate.yaml",
    "control --state state",
    "node --state state --name n",
    "node rollback --reason night",
    "publish estate.yaml",
    "status",
    "shift books 5%",
    "history",
    "cidr path demand.yaml",
    "observe",
    "observe query SELECT",
    "lambda lambda.yaml",
    "up estate.yaml",
]
_RUN = "import sys; sys.path[:0] = sys.argv.pop(1).split(':'); import fig; fig.main()"


@pytest.fixture
def bare(tmp_path: Path) -> list[str]:
    """A Python that has this project and click, and nothing else that is not its own."""
    (tmp_path / "click").symlink_to(Path(click.__file__).parent)
    (tmp_path / "estate.yaml").write_text("version: 1\n")
    return [sys.executable, "-I", "-S", "-c", _RUN, f"{ROOT}:{tmp_path}"]


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_extra_is_one_line(bare: list[str], tmp_path: Path, call: str) -> None:
    """With click alone every command names the extra to install, exit 2, without a traceback."""
    done = subprocess.run([*bare, *call.split()], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("FIG101 error: fig "), done.stderr
    assert "pip install 'strangler-fig[" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_needs_nothing_but_click(bare: list[str], tmp_path: Path) -> None:
    """`fig --help` lists every command in any installation."""
    done = subprocess.run([*bare, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
    for call in CALLS:
        assert f"\n  {call.split()[0]} " in done.stdout


def test_arguments_that_are_not_text(tmp_path: Path) -> None:
    """An argument that is not UTF-8 is refused in one line, whatever the command."""
    command = [sys.executable.encode(), b"-m", b"fig", b"shift", b"\xff", b"5%"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (2, b"FIG102 error: an argument is not UTF-8\n")
