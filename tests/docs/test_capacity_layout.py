"""The commands in docs/capacity-layout.md are run as they stand there."""

import shlex
from pathlib import Path

from tests.capacity_planner.command_line import fig
from tests.docs.test_documents import ROOT, commands


def test_the_documented_commands_do_what_they_say(tmp_path: Path) -> None:
    """From top to bottom in an empty folder with the examples, each with exit code 0."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for command in commands("docs/capacity-layout.md", "layout"):
        program, group, *arguments = shlex.split(command)
        assert (program, group) == ("fig", "cidr")
        done = fig(tmp_path, *arguments)
        assert done.code == 0, (command, done.stderr)
    assert (tmp_path / "plan.svg").read_text().startswith("<svg")


def test_the_example_of_a_difference_is_what_the_tool_says(tmp_path: Path) -> None:
    """The line that the document shows comes from the bookshop with nine proxies in each AZ."""
    text = (ROOT / "examples/bookshop/demand.yaml").read_text()
    (tmp_path / "demand.yaml").write_text(text)
    fig(tmp_path, "plan", "demand.yaml", "-o", "plan.json")
    (tmp_path / "demand.yaml").write_text(text.replace("per_az: 2", "per_az: 9"))
    said = fig(tmp_path, "plan", "demand.yaml", "-o", "plan.json").stdout.splitlines()
    shown = [line for line in (ROOT / "docs/capacity-layout.md").read_text().splitlines() if line.startswith("~ ")]
    assert {line for line in shown if line not in said} == set()
    assert shown
