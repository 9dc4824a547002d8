"""The commands of docs/deploy.md that need no account are run as they stand there, on the bookshop."""

import re
import shlex
from contextlib import chdir
from pathlib import Path

import pytest

from tests.infra.topology import fig

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)  # cfn-lint over every template: 15 s of processor time, which a busy machine has not
def test_the_steps_from_demand_to_picture_work_as_written(tmp_path: Path) -> None:
    """Plan, verdict, compile, synth, check and diagram succeed one after the other on the bookshop's files."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- run: infra -->\n```console\n(.*?)```", text, re.DOTALL)
    assert block
    with chdir(tmp_path):
        for line in block[1].splitlines():
            program, *arguments = shlex.split(line.removeprefix("$ "))
            assert program == "fig"
            done = fig(*arguments)
            assert done.code == 0, (line, done.stderr)
    assert (tmp_path / "topology.svg").exists()


def test_every_file_that_the_documents_link_to_is_there() -> None:
    """Links of docs/deploy.md and docs/security.md lead to files of this repository."""
    for name in ("deploy.md", "security.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            assert (ROOT / "docs" / link).exists(), (name, link)
