"""docs/capacity-lists.md: its commands are run as they stand there, and every code that a user may meet is in it."""

import re
import shlex
from pathlib import Path

from tests.capacity_planner.command_line import fig
from tests.docs.test_documents import ROOT, commands

DOCUMENT = "docs/capacity-lists.md"
PACKAGES = ("addresses", "allocations", "inventory", "checks", "live")
COMMANDS = ("check", "free", "import_")


def test_the_documented_commands_do_what_they_say(tmp_path: Path) -> None:
    """From top to bottom in an empty folder with the examples, each with exit code 0."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for command in commands(DOCUMENT, "lists"):
        program, group, *arguments = shlex.split(command)
        assert (program, group) == ("fig", "cidr")
        done = fig(tmp_path, *arguments)
        assert done.code == 0, (command, done.stderr)


def test_every_code_is_explained() -> None:
    """A code that the planner's lists and rules can print stands in the document, and none that they cannot."""
    planner = ROOT / "capacity_planner"
    files = [file for package in PACKAGES for file in (planner / package).rglob("*.py")]
    files += [planner / "commands" / f"{name}.py" for name in COMMANDS]
    printed = {code for file in files for code in re.findall(r'"((?:AD|AL|CK|FR|IM|LV)[0-9]{3})"', file.read_text())}
    text = (ROOT / DOCUMENT).read_text()
    explained = set(re.findall(r"\b(?:AD|AL|CK|FR|IM|LV)[0-9]{3}\b", text))
    for first, last in re.findall(r"\b([A-Z]{2}[0-9]{3}) to ([A-Z]{2}[0-9]{3})\b", text):
        explained |= {f"{first[:2]}{number}" for number in range(int(first[2:]), int(last[2:]) + 1)}
    assert printed == explained
