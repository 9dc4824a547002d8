"""A folder of templates as values whose every place can be found."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Position, Refused

from ..artefacts.json_places import JsonFile, read_json_file

NO_STACKS = "IC101"
NOT_THERE = "IC102"


@dataclass(frozen=True, slots=True)
class Template:
    """One template: its stack's name, its file, its resources."""

    name: str
    path: Path
    source: JsonFile

    @property
    def resources(self) -> dict[str, Any]:
        """The resources by logical id."""
        resources: dict[str, Any] = self.source.data.get("Resources", {})
        return resources

    def of(self, type_: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The logical ids and properties of one type's resources."""
        for name, one in self.resources.items():
            if one.get("Type") == type_:
                yield name, one.get("Properties", {})

    def at(self, *path: str | int) -> Position:
        """The place of something in the file."""
        return self.source.at(*path)


def read_templates(folder: Path) -> tuple[Template, ...]:
    """The templates that a folder's `stacks.json` lists. Raises `Refused` naming what is not there."""
    order = read_json_file(folder / "stacks.json")
    stacks = order.data.get("stacks") if isinstance(order.data, dict) else None
    if not isinstance(stacks, list) or not stacks:
        hint = "`fig infra synth ... -o FOLDER` writes it"
        raise Refused([Diagnostic(code=NO_STACKS, message=f"{folder} holds no templates", hint=hint)])
    found: list[Diagnostic] = []
    templates: list[Template] = []
    for place, one in enumerate(stacks):
        name = str(one.get("name", "")) if isinstance(one, dict) else ""
        path = folder / f"{Path(name).name}.json"
        try:
            source = read_json_file(path)
        except Refused as refused:
            found += refused.diagnostics
            continue
        if isinstance(source.data, dict) and _are_resources(source.data.get("Resources")):
            templates.append(Template(name, path, source))
        else:
            message = f"{path} is no CloudFormation template"
            found.append(Diagnostic(code=NOT_THERE, message=message, position=order.at("stacks", place)))
    if found:
        raise Refused(found)
    return tuple(templates)


def _are_resources(value: Any) -> bool:
    """Whether a template's resources are what the checks look into; what is in their properties, cfn-lint judges."""
    return isinstance(value, dict) and all(
        isinstance(one, dict) and isinstance(one.get("Type"), str) and isinstance(one.get("Properties", {}), dict)
        for one in value.values()
    )
