"""What docs/capacity.md takes from the planner itself: limits, keys of the demand file, and what its commands print.

`python docs/capacity_tables.py` (which `make golden` runs) writes it between its marks; a test holds it there.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from capacity_planner.arithmetic import number
from capacity_planner.commands.cidr import cidr
from capacity_planner.demand.schema import demand_schema
from capacity_planner.limits.catalogue import load
from capacity_planner.limits.values import Kind, Limit

_ROOT = Path(__file__).parents[1]
DOCUMENT = _ROOT / "docs" / "capacity.md"
BANK = ("examples/bank/generate.py", "build/bank")
_LIMITS = re.compile(r"(<!-- begin: limits -->\n).*?(<!-- end: limits -->)", re.DOTALL)
_REFERENCE = re.compile(r"(<!-- begin: demand reference -->\n).*?(<!-- end: demand reference -->)", re.DOTALL)
_SHOWS = re.compile(r"(<!-- shows(?: (\d+) lines)?: ([^\n]*) -->\n).*?(<!-- end -->)", re.DOTALL)
_PREFIX = "#/$defs/"
_TITLES = {Kind.QUOTA: "Quotas", Kind.FIGURE: "Figures", Kind.ASSUMPTION: "Assumptions"}


def renewed(document: str) -> str:
    """The document's text with what the planner says now between its marks. Raises `LookupError` without marks."""
    text = _between(_LIMITS, limits_tables(), document)
    text = _between(_REFERENCE, reference(), text)
    with tempfile.TemporaryDirectory() as folder:
        return _SHOWS.sub(lambda found: f"{found[1]}{shown(found[3], found[2], Path(folder))}{found[4]}", text)


def _between(marks: re.Pattern[str], content: str, document: str) -> str:
    text, count = marks.subn(lambda found: f"{found[1]}\n{content}\n{found[2]}", document)
    if count != 1:
        message = f"{DOCUMENT.name} has not one place for {marks.pattern}"
        raise LookupError(message)
    return text


def shown(command: str, lines: str | None, folder: Path) -> str:
    """What a command of `fig cidr` prints, in a block; only its first lines where a number is given."""
    make_reader(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        printed = CliRunner().invoke(cidr, shlex.split(command)).stdout.rstrip("\n").split("\n")
    finally:
        os.chdir(before)
    kept = printed[: int(lines)] if lines else printed
    return "\n".join(["```", *kept, *(["..."] if len(kept) < len(printed) else []), "```", ""])


def make_reader(folder: Path) -> None:
    """Make the folder where a reader of the document stands: the examples, and the bank that was generated."""
    if (folder / "examples").exists():
        return
    (folder / "examples").symlink_to(_ROOT / "examples")
    script, target = BANK
    subprocess.run([sys.executable, script, target], cwd=folder, check=True)


def limits_tables() -> str:
    """The Markdown tables of all limits, by kind."""
    parts = []
    for kind, title in _TITLES.items():
        rows = [_limit_row(one) for one in load().values() if one.kind is kind]
        head = ["| limit | value | for each | raised to | as of | source |", "|---|---:|---|---|---|---|"]
        parts.append("\n".join([f"### {title}", "", *head, *rows, ""]))
    return "\n".join(parts)


def _limit_row(limit: Limit) -> str:
    source = f"[{limit.source.split('/')[2]}]({limit.source})" if limit.source.startswith("http") else limit.source
    note = f" {limit.note}" if limit.note else ""
    value = f"{number(limit.value)} {limit.unit}"
    raised = limit.adjustable_to or ""
    return (
        f"| `{limit.key}` | {value} | {limit.scope} | {raised} | {limit.as_of} | {source}{'.' if note else ''}{note} |"
    )


def reference() -> str:
    """The Markdown of every mapping of the demand file, outer ones first."""
    schema = demand_schema()
    return "\n".join(_mapping(place, shape) for place, shape in _walk(schema, schema["$defs"], ""))


def _walk(shape: Mapping[str, Any], shapes: Mapping[str, Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield place or "the file", shape
    for key, value in shape["properties"].items():
        inner = f"{place}.{key}".lstrip(".")
        if "$ref" in value:
            yield from _walk(shapes[value["$ref"].removeprefix(_PREFIX)], shapes, inner)
        for named in value.get("patternProperties", {}).values():
            if "$ref" in named:
                yield from _walk(shapes[named["$ref"].removeprefix(_PREFIX)], shapes, f"{inner}.<name>")


def _mapping(place: str, shape: Mapping[str, Any]) -> str:
    required = shape.get("required", ())
    rows = [
        f"| {f'**`{key}`**' if key in required else f'`{key}`'} | {_meaning(value)} |"
        for key, value in shape["properties"].items()
    ]
    return "\n".join([f"#### `{place}`", "", shape["description"], "", "| key | meaning |", "|---|---|", *rows, ""])


def _meaning(value: Mapping[str, Any]) -> str:
    """The key's description; a key whose value is a mapping of its own may leave it to that."""
    shapes = demand_schema()["$defs"]
    text: str = value.get("description") or shapes[value["$ref"].removeprefix(_PREFIX)]["description"]
    return text.replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
