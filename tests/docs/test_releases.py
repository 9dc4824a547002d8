"""docs/releases.md: its files are sound, its commands are run as they stand there, its picture is today's."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from router.source import quantity, tokens, values
from strangler_fig.documents import read_yaml
from tests.docs.test_documents import ROOT, commands

DOCUMENT = ROOT / "docs/releases.md"
PICTURE = ROOT / "docs/pictures/release.svg"
RELEASE = ROOT / "examples/bookshop/releases/2026.11.2.yaml"
FIG = Path(sys.executable).with_name("fig")
_FILE = re.compile(r"<!-- release: (\w+) -->\n```yaml\n(.*?)```", re.DOTALL)
_OWN, _SHARED, _CONTROL = (rf"(?:{names})[0-9]{{3}}" for names in ("RS|PL|SM|HI", "SH|DOC", "CT"))
_CODE = r"(?:RS|PL|SM|HI|SH|DOC|CT|ES)[0-9]{3}"
_OF_VALUES = {tokens.NAME, tokens.HEADER, tokens.RESERVED, quantity.DURATION, quantity.SIZE, values.TEXT}
"""What the types say whose values a release file has in common with an estate file."""
_ANSWERS = ("guard", "meant", "releasing", "releases_api", "shifting", "api")
"""The modules of control that answer the commands of this document."""


def fig(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(FIG), *arguments], cwd=folder, capture_output=True, text=True, timeout=90, check=False)


def files() -> dict[str, str]:
    return dict(_FILE.findall(DOCUMENT.read_text()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples in it, where a reader would stand, far from any control process."""
    place = tmp_path_factory.mktemp("releases")
    (place / "examples").symlink_to(ROOT / "examples")
    return place


@pytest.mark.parametrize("name", ["shadow", "users", "whole"])
def test_the_file_is_sound_at_every_stage(name: str, tmp_path: Path) -> None:
    """Each of the growing files is a release of the bookshop, without a finding."""
    (tmp_path / "release.yaml").write_text(files()[name])
    done = fig(tmp_path, "check", "release.yaml", "--estate", str(ROOT / "examples/bookshop/estate.yaml"))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_last_stage_is_the_example() -> None:
    """But for comments the document ends with the example's file."""
    shown, kept = (read_yaml(text, file="r")[0] for text in (files()["whole"], RELEASE.read_text()))
    assert shown is not None
    assert kept is not None
    assert shown.data == kept.data


@pytest.mark.parametrize("kind", ["check", "simulate", "plan", "pipeline"])
def test_the_documented_commands_do_what_they_say(kind: str, folder: Path) -> None:
    """From top to bottom, each with exit code 0."""
    for command in commands("docs/releases.md", kind):
        program, *arguments = shlex.split(command)
        assert program == "fig"
        done = fig(folder, *arguments)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout, command


def test_the_picture_is_what_the_tool_makes_today(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """It is drawn again from the example; `--update-golden` writes it."""
    assumed = ("--traffic", "50rps", "--users", "2000", "--start", "2026-11-02T08:00")
    done = fig(tmp_path, "simulate", str(RELEASE), *assumed, "--svg", "release.svg")
    assert done.returncode == 0, done.stderr
    drawn = (tmp_path / "release.svg").read_text()
    if request.config.getoption("--update-golden"):
        PICTURE.write_text(drawn, encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8") == drawn


def test_every_code_is_explained() -> None:
    """A code that a user may meet stands in the document, and none that nothing prints."""
    router = ROOT / "router"
    own = [file for part in ("release", "plan", "simulation", "commands") for file in (router / part).rglob("*.py")]
    answers = [router / "client.py", *own, *(router / "control" / f"{name}.py" for name in _ANSWERS)]
    shared = list((ROOT / "strangler_fig").glob("*.py"))
    printed = _codes(_OWN, own) | _codes(_SHARED, shared) | _codes(_CONTROL, answers) | _OF_VALUES
    text = DOCUMENT.read_text()
    explained = set(re.findall(rf"\b{_CODE}\b", text))
    for first, last in re.findall(rf"\b({_CODE}) to ({_CODE})\b", text):
        explained |= {f"{first[:-3]}{number}" for number in range(int(first[-3:]), int(last[-3:]) + 1)}
    assert printed == explained


def _codes(code: str, files: Iterable[Path]) -> set[str]:
    return {found for file in files for found in re.findall(rf'"({code})"', file.read_text())}
