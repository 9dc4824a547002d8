"""The commands in README.md and in docs/ are run as they stand there."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.estate_reference import DOCUMENT, EXAMPLE, renewed

ROOT = Path(__file__).parents[2]
FIG = Path(sys.executable).with_name("fig")
_BLOCK = re.compile(r"<!-- (?:run: )?(\w+) -->\n```console\n(.*?)```", re.DOTALL)
_UP_SECONDS = 60


def commands(document: str, kind: str) -> list[str]:
    found = [
        line.removeprefix("$ ")
        for name, block in _BLOCK.findall((ROOT / document).read_text())
        if name == kind
        for line in block.splitlines()
    ]
    assert found, f"{document} has no {kind} commands"
    return found


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(command)
    assert program.endswith("fig")
    return subprocess.run([str(FIG), *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the examples in it, where a reader of the documents would stand."""
    place = tmp_path_factory.mktemp("reader")
    (place / "examples").symlink_to(ROOT / "examples")
    return place


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Path]:
    """The bookshop, started as the README says."""
    log = folder / "up.log"
    with log.open("wb") as output:
        command = [str(FIG), "up", "examples/bookshop/estate.yaml"]
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, start_new_session=True)
        try:
            deadline = time.monotonic() + _UP_SECONDS
            while "ready; Ctrl-C ends it" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield folder
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.mark.parametrize("command", [*commands("README.md", "files"), *commands("docs/router.md", "files")])
def test_commands_on_files(folder: Path, command: str) -> None:
    """Every documented command on files does what it says, with exit code 0."""
    done = run(command, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("document", ["README.md", "docs/router.md", "docs/operate.md"])
def test_commands_on_a_running_estate(running: Path, document: str) -> None:
    """The documented tour works from top to bottom on the running example."""
    for command in commands(document, "tour" if document == "README.md" else "estate"):
        done = run(command, running)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout, command


def test_the_reference_is_the_schema() -> None:
    """The reference of the estate file is what the schema and the example say today; `make golden` writes it anew."""
    document = DOCUMENT.read_text(encoding="utf-8")
    assert renewed(document) == document


def test_the_reference_estate_is_sound() -> None:
    """The estate that the reference takes its examples from has no finding, warnings included."""
    done = run(f"fig check {EXAMPLE}", ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_names_the_make_targets() -> None:
    """The README's two commands are targets of the Makefile."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= targets


@pytest.mark.parametrize("document", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")))
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link in the documents names a file that exists."""
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target
