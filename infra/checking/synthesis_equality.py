"""Whether templates are what the inputs give: each resource is held against a synthesis of the same inputs.

The rules know what is never allowed; only a synthesis knows which address a proxy forwards to, which role a function
has, and which condition stood on a statement. What does no harm when it differs (texts, tags, memory) is a warning.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Severity

from .template import Template

CHANGED = "IC501"
ADDED = "IC502"
REMOVED = "IC503"

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Rules", "Transform", "Resources", "Outputs")
_HARMLESS = frozenset({"Description", "GroupDescription", "AlarmDescription", "Tags", "MemorySize", "DashboardBody"})
_SHOWN = 120

_Path = tuple[str | int, ...]


def synthesis_findings(templates: tuple[Template, ...], made: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Every difference between templates and what synthesis makes, by stack, of the same inputs."""
    for name in made.keys() - {one.name for one in templates}:
        yield Diagnostic(code=REMOVED, message=f"the stack {name} is not in the folder, and synthesis makes it")
    for one in templates:
        if one.name not in made:
            message = f"synthesis makes no stack {one.name}"
            yield Diagnostic(code=ADDED, message=message, position=one.at())
            continue
        for section in _SECTIONS:
            yield from _of_section(one, section, made[one.name].get(section, {}))


def _of_section(template: Template, section: str, expected: Any) -> Iterator[Diagnostic]:
    found = template.source.data.get(section, {})
    if not isinstance(found, Mapping) or not isinstance(expected, Mapping):
        yield from _changes(template, (section,), found, expected)
        return
    for name in expected.keys() - found.keys():
        message = f"{_what(section, name, expected)} is not in the template, and synthesis makes it"
        yield Diagnostic(code=REMOVED, message=message, position=template.at(section))
    for name, one in found.items():
        if name in expected:
            yield from _changes(template, (section, name), one, expected[name])
        else:
            message = f"{_what(section, name, found)} is in the template, and synthesis makes none"
            yield Diagnostic(code=ADDED, message=message, position=template.at(section, name))


def _what(section: str, name: str, values: Mapping[str, Any]) -> str:
    one = values.get(name)
    kind = one.get("Type") if isinstance(one, Mapping) else None
    return f"{name} ({kind})" if section == "Resources" and kind else f"{section}.{name}"


def _changes(template: Template, path: _Path, found: Any, expected: Any) -> Iterator[Diagnostic]:
    if type(found) is type(expected) and found == expected:
        return
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in dict.fromkeys((*expected, *found)):
            yield from _changes(template, (*path, key), found.get(key), expected.get(key))
        return
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        for place, pair in enumerate(zip(found, expected, strict=True)):
            yield from _changes(template, (*path, place), *pair)
        return
    shown = path[1:] if path[0] == "Resources" else path
    where = ".".join(str(step) for step in shown if step != "Properties")
    one, other = _apart(found, expected)
    yield Diagnostic(
        code=CHANGED,
        message=f"{where}: the template has {_short(one)}, synthesis {_short(other)}",
        position=template.at(*path),
        severity=Severity.WARNING if _HARMLESS & set(path[2:]) else Severity.ERROR,
    )


def _apart(found: Any, expected: Any) -> tuple[Any, Any]:
    """Of texts of several lines (hosts' files) the first ones that differ, of lists what only one of them has."""
    if isinstance(found, str) and isinstance(expected, str) and "\n" in expected:
        mine, theirs = found.splitlines(), expected.splitlines()
        apart = next((pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]), None)
        return apart or (f"{len(mine)} lines", f"{len(theirs)} lines")
    if isinstance(found, list) and isinstance(expected, list):
        more, less = [one for one in found if one not in expected], [one for one in expected if one not in found]
        return (more or None, less or None) if more or less else (found, expected)
    return found, expected


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    text = value.strip() if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
