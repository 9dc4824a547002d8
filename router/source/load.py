"""The way in: the text of an estate file becomes an `Estate`, or everything that is wrong with it.

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
from strangler_fig.documents import Document, decoded, read_yaml

from ..check.rules import check
from ..check.subject import Subject
from ..estate import Estate
from .findings import shape_finding
from .lower import lower
from .shapes import EstateShape

UNREADABLE = "ES100"
_SECTIONS = ("legacy", "lambda", "identities", "routes")
_MOST_BYTES = 64 * 2**20
_PLACEHOLDER_ADDRESS = "127.0.0.1:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a text holds: the estate, which is None exactly when a diagnostic is an error, and every finding."""

    estate: Estate | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def content(self) -> Estate | None:
        """The estate, by the name that it has in common with what other files hold."""
        return self.estate

    def estate_or_refused(self) -> Estate:
        """The estate. Raises `Refused` with all findings when there is none."""
        if self.estate is None:
            raise Refused(self.diagnostics)
        return self.estate


def load_estate_file(path: Path, *, environment: Mapping[str, str]) -> Loaded:
    """The estate in a file; a file that cannot be read is a finding too."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)  # not a byte more: the path may be a device without an end
        if len(data) > _MOST_BYTES:
            return _unreadable(path, f"it is larger than {_MOST_BYTES // 2**20} MiB")
    except OSError as error:
        return _unreadable(path, error.strerror or str(error))
    text = decoded(data, str(path))
    if isinstance(text, Diagnostic):
        return Loaded(estate=None, diagnostics=(text,))
    return load_estate(text, file=str(path), environment=environment)


def load_estate(text: str, *, file: str, environment: Mapping[str, str]) -> Loaded:
    """The estate that `text` describes, with every finding in file order; `file` names it in messages."""
    with _without_collection():
        document, faults = read_yaml(text, file=file, environment=environment)
        if document is None:
            return Loaded(estate=None, diagnostics=in_file_order(faults))
        shape, wrong = _shape(document, {one.position for one in faults})
        estate = lower(shape) if shape else None
        found = [*faults, *wrong]
        if estate:
            found += check(Subject.of(estate, document))
        return Loaded(estate=None if has_errors(found) else estate, diagnostics=in_file_order(found))


def _shape(document: Document, reported: set[Position | None]) -> tuple[EstateShape | None, list[Diagnostic]]:
    """The shape of what is sound in the document, and what is wrong with the rest.

    `reported` are the places of faults that were found before: what follows from them is not said twice.
    """
    try:
        return EstateShape.model_validate(document.data), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
    known = _known_keys(EstateShape, ())
    found = [shape_finding(one, document, known) for one in errors]
    found = [one for one in found if one.position not in reported or one.position is None]
    sound = _sound_part(document.data, [tuple(one["loc"]) for one in errors])
    try:
        return (EstateShape.model_validate(sound) if sound else None), found
    except ValidationError:
        return None, found


def _sound_part(data: Any, wrong: Sequence[tuple[int | str, ...]]) -> dict[str, Any] | None:
    """The data without the items that are wrong; None when the rest says nothing."""
    if not isinstance(data, dict):
        return None
    known = {field.alias or name for name, field in EstateShape.model_fields.items()}
    sections = {name: data[name] if isinstance(data.get(name), dict) else {} for name in _SECTIONS}
    if not sections["legacy"]:
        return None
    dropped = {path[:2] for path in wrong}
    sound: dict[str, Any] = {
        name: {key: value for key, value in items.items() if (name, key) not in dropped}
        for name, items in sections.items()
    }
    placeholder = {"address": _PLACEHOLDER_ADDRESS, "default": next(iter(sections["legacy"]))}
    entry_is_wrong = any(path[:1] == ("entry",) for path in wrong)
    sound |= {"version": 1, "entry": placeholder if entry_is_wrong else data["entry"]}
    return {key: value for key, value in sound.items() if key in known}


def _known_keys(shape: type[BaseModel], path: tuple[str, ...]) -> dict[tuple[str, ...], list[str]]:
    """The keys that are allowed at each path; `*` stands for a name that the user chose."""
    known = {path: [field.alias or name for name, field in shape.model_fields.items()]}
    for name, field in shape.model_fields.items():
        key = field.alias or name
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                is_named = kind is not field.annotation and key in _SECTIONS and not path
                known |= _known_keys(kind, (*path, key, "*") if is_named else (*path, key))
    return known


def _unreadable(path: Path, reason: str) -> Loaded:
    finding = Diagnostic(code=UNREADABLE, message=f"{path} cannot be read: {reason}")
    return Loaded(estate=None, diagnostics=(finding,))


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
