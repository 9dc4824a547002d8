"""The reference of the estate file in docs/router.md: each key of each mapping, what it means, and an example.

Meanings come from the schema, examples from an estate that uses every key, so that neither can be forgotten.
`python docs/estate_reference.py` (which `make golden` runs) writes it between its two marks; a test holds it there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from router.source.schema import estate_schema
from strangler_fig.documents import read_yaml

_ROOT = Path(__file__).parents[1]
DOCUMENT = _ROOT / "docs" / "router.md"
EXAMPLE = _ROOT / "examples" / "reference" / "estate.yaml"
_MARKS = re.compile(r"(<!-- begin: estate reference -->\n).*?(<!-- end: estate reference -->)", re.DOTALL)
_PREFIX = "#/$defs/"
_LONGEST_EXAMPLE = 60
_NAMED = "<name>"


@dataclass(slots=True)
class _Section:
    """One mapping of the file: the places where it stands, what it is, and a row for each of its keys."""

    places: list[str]
    meaning: str
    rows: list[tuple[str, str, str]]


def renewed(document: str) -> str:
    """The document's text with the reference as it is now between the marks. Raises `LookupError` without marks."""
    text, count = _MARKS.subn(lambda found: f"{found[1]}\n{reference()}\n{found[2]}", document)
    if count != 1:
        message = f"{DOCUMENT.name} has no place for the reference"
        raise LookupError(message)
    return text


def reference() -> str:
    """The Markdown of every mapping, outer ones first. Raises `LookupError` for keys that have no example."""
    example, faults = read_yaml(EXAMPLE.read_text(encoding="utf-8"), file=str(EXAMPLE), environment={})
    assert example is not None, faults
    schema = estate_schema()
    walk = _Walk(schema["$defs"])
    walk.visit(schema, "", [example.data])
    return "\n".join(_markdown(section) for section in walk.found.values())


@dataclass(slots=True)
class _Walk:
    shapes: Mapping[str, Any]
    found: dict[str, _Section] = field(default_factory=dict)

    def visit(self, shape: Mapping[str, Any], place: str, data: list[Any]) -> None:
        """Note this mapping, then the mappings below it; `data` are all its instances in the example."""
        section = _Section([place or "the file"], shape["description"], [])
        self.found[shape.get("title", place)] = section
        below: list[tuple[str, str, list[Any]]] = []
        for key, value in shape["properties"].items():
            inner = f"{place}.{key}".lstrip(".")
            instances = [one[key] for one in data if isinstance(one, Mapping) and key in one]
            name = f"**`{key}`**" if key in shape.get("required", ()) else f"`{key}`"
            section.rows.append((name, _shortest(instances or _own_example(value), inner), value["description"]))
            below += self._below(value, inner, instances)
        for name, inner, instances in below:
            if name in self.found:
                self.found[name].places.append(inner)
            else:
                self.visit(self.shapes[name], inner, instances)

    def _below(self, value: Mapping[str, Any], place: str, data: list[Any]) -> Iterator[tuple[str, str, list[Any]]]:
        if "$ref" in value:
            yield value["$ref"].removeprefix(_PREFIX), place, data
        for inner in value.get("patternProperties", {}).values():
            if "$ref" in inner:
                instances = [one for named in data for one in named.values()]
                yield inner["$ref"].removeprefix(_PREFIX), f"{place}.{_NAMED}", instances


def _own_example(value: Mapping[str, Any]) -> list[Any]:
    """What the schema itself offers: for keys of which an estate can have one only, as of two ways to say a thing."""
    return list(value.get("examples", [value["minimum"]] if "minimum" in value else []))


def _shortest(instances: list[Any], place: str) -> str:
    """The shortest of the instances in YAML's flow style; a long one says only what it begins with."""
    if not instances:
        message = f"{EXAMPLE.name} has no example of {place}"
        raise LookupError(message)
    return min((_flow(one) for one in instances), key=len)


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).strip()
    text = text.removesuffix("\n...").replace("'", "")
    if len(text) <= _LONGEST_EXAMPLE or not isinstance(value, (dict, list)):
        return text
    return f"{{{next(iter(value))}: …}}" if isinstance(value, dict) else f"[{value[0]}, …]"


def _markdown(section: _Section) -> str:
    first, *others = section.places
    also = f" The same stands at {', '.join(f'`{one}`' for one in others)}." if others else ""
    lines = [f"#### `{first}`", "", section.meaning + also, "", "| key | example | meaning |", "|---|---|---|"]
    lines += [f"| {name} | `{_cell(shown)}` | {_cell(meaning)} |" for name, shown, meaning in section.rows]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
