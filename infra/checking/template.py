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
        if not name:
            message = "a stack without a name"
            found.append(Diagnostic(code=NO_STACKS, message=message, position=order.at("stacks", place)))
            continue
        path = folder / f"{Path(name).name}.json"
        try:
            source = read_json_file(path)
        except Refused as refused:
            found += refused.diagnostics
            continue
        wrong = list(_faults(source))
        found += wrong
        if not wrong:
            templates.append(Template(name, path, source))
    if found:
        raise Refused(found)
    return tuple(templates)


def _faults(source: JsonFile) -> Iterator[Diagnostic]:
    """Why a file is no template that the checks can look into; what is in its properties, cfn-lint judges."""
    resources = source.data.get("Resources") if isinstance(source.data, dict) else None
    if not isinstance(source.data, dict):
        yield _fault(source, (), f"it holds {_kind(source.data)}, not an object")
    elif not isinstance(resources, dict):
        said = f"its Resources are {_kind(resources)}, not an object" if "Resources" in source.data else "no Resources"
        yield _fault(source, ("Resources",), said)
    for name, one in resources.items() if isinstance(resources, dict) else ():
        path = ("Resources", name)
        if not isinstance(one, dict):
            yield _fault(source, path, f"the resource {name} is {_kind(one)}, not an object")
        elif not isinstance(one.get("Type"), str):
            said = f"the Type of {name} is {_kind(one['Type'])}, not a text" if "Type" in one else f"{name} has no Type"
            yield _fault(source, (*path, "Type"), said)
        elif not isinstance(one.get("Properties", {}), dict):
            said = f"the Properties of {name} are {_kind(one['Properties'])}, not an object"
            yield _fault(source, (*path, "Properties"), said)


def _fault(source: JsonFile, path: tuple[str, ...], said: str) -> Diagnostic:
    message = f"{source.file} is no CloudFormation template: {said}"
    return Diagnostic(code=NOT_THERE, message=message, position=source.at(*path))


def _kind(value: Any) -> str:
    """What JSON calls a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return "a text"
        case _:
            return "a number"
