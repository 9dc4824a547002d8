"""The way in: the text of a demand file becomes a `Demand`, or everything that is wrong with it.

Faults do not hide one another: an item whose shape is wrong is reported and left out; the rules still judge the rest.
"""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from strangler_fig.diagnostics import Diagnostic, Position, Refused, has_errors, in_file_order
from strangler_fig.documents import Document, read_yaml
from strangler_fig.shapes import shape_diagnostics

from ..files import Unreadable, read_text
from .check import check
from .lower import lower
from .shapes import DemandShape
from .values import Demand

UNREADABLE = "DM100"
_NAMED = ("functions", "trust_zones", "databases", "services", "legacy")
_CIRCUITS = "circuits"
MOST_BYTES = 64 * 2**20
_KEY = "[key]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a text holds: the demand, which is None exactly when a diagnostic is an error, and every finding.

    `document` knows the place of everything in the file, for findings of later stages; None where it is not readable.
    """

    demand: Demand | None
    diagnostics: tuple[Diagnostic, ...]
    document: Document | None = None

    def demand_or_refused(self) -> Demand:
        """The demand. Raises `Refused` with all findings when there is none."""
        if self.demand is None:
            raise Refused(self.diagnostics)
        return self.demand


def load_demand_file(path: Path, *, environment: Mapping[str, str]) -> Loaded:
    """The demand in a file; a file that cannot be read is a finding too."""
    try:
        text = read_text(path, most_bytes=MOST_BYTES)
    except Unreadable as error:
        return Loaded(demand=None, diagnostics=(Diagnostic(code=UNREADABLE, message=str(error)),))
    return load_demand(text, file=str(path), environment=environment)


def load_demand(text: str, *, file: str, environment: Mapping[str, str]) -> Loaded:
    """The demand that `text` describes, with every finding in file order; `file` names it in messages."""
    with _without_collection():
        document, faults = read_yaml(text, file=file, environment=environment)
        if document is None:
            return Loaded(demand=None, diagnostics=in_file_order(faults))
        shape, wrong = _shape(document, {one.position for one in faults})
        demand = lower(shape) if shape else None
        found = [*faults, *wrong]
        if demand:
            found += check(demand, document)
        sound = None if has_errors(found) else demand
        return Loaded(demand=sound, diagnostics=in_file_order(found), document=document)


def _shape(document: Document, reported: set[Position | None]) -> tuple[DemandShape | None, list[Diagnostic]]:
    """The shape of what is sound in the document, and what is wrong with the rest.

    `reported` are the places of faults that were found before: what follows from them is not said twice.
    """
    try:
        return DemandShape.model_validate(document.data), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
    known = _known_keys(DemandShape, ())
    found = [_diagnostic(one, document, known) for one in errors]
    found = [one for one in found if one.position not in reported or one.position is None]
    sound = _sound_part(document.data, [tuple(one["loc"]) for one in errors])
    try:
        return (DemandShape.model_validate(sound) if sound else None), found
    except ValidationError:
        return None, found


def _diagnostic(error: Any, document: Document, known: Mapping[tuple[str, ...], Sequence[str]]) -> Diagnostic:
    path = tuple(error["loc"])
    is_key = bool(path) and path[-1] == _KEY
    path = path[:-1] if is_key else path
    if not error["type"].startswith("DM"):
        return shape_diagnostics([error | {"loc": path}], document, known_keys=known)[0]
    context = error["ctx"]
    name = ".".join(str(step) for step in path)
    return Diagnostic(
        code=error["type"],
        message=f"{name}: {context['text']}" if name else context["text"],
        position=document.key_at(*path) if is_key else document.at(*path),
        hint=context["hint"] or None,
    )


def _sound_part(data: Any, wrong: Sequence[tuple[int | str, ...]]) -> dict[str, Any] | None:
    """The data without the items that are wrong; None when the rest says nothing."""
    if not isinstance(data, dict) or any(path[:1] == ("account",) for path in wrong):
        return None
    dropped = {path[:2] for path in wrong}
    sections = {
        name: {key: value for key, value in data[name].items() if (name, key) not in dropped}
        for name in _NAMED
        if isinstance(data.get(name), dict)
    }
    if not sections.get("functions") or "account" not in data:
        return None
    wrong_sections = {path[0] for path in wrong if path}
    others = {name: data[name] for name in ("growth", "spaces", "path") if name in data and name not in wrong_sections}
    return {"version": 1, "account": data["account"], **sections, **others}


def _known_keys(shape: type[BaseModel], path: tuple[str, ...]) -> dict[tuple[str, ...], list[str]]:
    """The keys that are allowed at each path; `*` stands for a name that the user chose."""
    known = {path: list(shape.model_fields)}
    for key, field in shape.model_fields.items():
        is_named = (key in _NAMED and not path) or key == _CIRCUITS
        for kind in _shapes_in(field.annotation):
            known |= _known_keys(kind, (*path, key, "*") if is_named else (*path, key))
    return known


def _shapes_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The shapes that an annotation is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for part in get_args(annotation):
        yield from _shapes_in(part)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the garbage collector out: everything made here stays alive, and looking at it again and again is dear."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
