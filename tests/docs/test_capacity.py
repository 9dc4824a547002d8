"""docs/capacity.md says what the planner says, and its commands and its Python are run as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from docs.capacity_tables import DOCUMENT, renewed

ROOT = Path(__file__).parents[2]
FIG = Path(sys.executable).with_name("fig")
_CONSOLE = re.compile(r"<!-- run: \w+ -->\n```console\n(.*?)```", re.DOTALL)
_PYTHON = re.compile(r"<!-- run: python -->\n```python\n(.*?)```", re.DOTALL)
_LIMITS_FILE = re.compile(r"```yaml\n(# limits\.yaml.*?)```", re.DOTALL)


def commands() -> list[str]:
    text = DOCUMENT.read_text(encoding="utf-8")
    return [line.removeprefix("$ ") for block in _CONSOLE.findall(text) for line in block.splitlines()]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples in it, where a reader of the document would stand."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def test_what_is_generated_is_current() -> None:
    """Limits, keys and printed answers are those of today; `make golden` writes them anew."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert renewed(text) == text


def test_every_command_does_what_it_says(reader: Path) -> None:
    """From top to bottom each command succeeds; the bank's way exceeds a limit, as the text says."""
    assert len(commands()) > 5
    for command in commands():
        program, *arguments = shlex.split(command)
        started = {"fig": str(FIG), "python": sys.executable}[program]
        done = subprocess.run(
            [started, *arguments], cwd=reader, capture_output=True, text=True, timeout=60, check=False
        )
        expected = 4 if command == "fig cidr path build/bank/demand.yaml" else 0
        assert done.returncode == expected, (command, done.stderr)
    assert (reader / "capacity.json").exists()
    assert (reader / "build" / "bank" / "whatif.svg").exists()


def test_the_python_runs(reader: Path) -> None:
    """The snippet's own assertions hold."""
    (code,) = _PYTHON.findall(DOCUMENT.read_text(encoding="utf-8"))
    subprocess.run([sys.executable, "-c", code], cwd=reader, timeout=60, check=True)


def test_the_limits_file_is_read(tmp_path: Path) -> None:
    """The file of an account's own limits that the document shows is sound."""
    (text,) = _LIMITS_FILE.findall(DOCUMENT.read_text(encoding="utf-8"))
    own = tmp_path / "limits.yaml"
    own.write_text(text)
    command = [str(FIG), "cidr", "limits", "eni_per_vpc", "--limits", str(own)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "2,000 ENIs" in done.stdout
