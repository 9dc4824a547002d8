"""JSON whose places can be found: parsed by the fast parser, and composed again only when a fault needs its line.

JSON is YAML, so the YAML composer gives every value its mark. Variables are not resolved and nulls are allowed: these
files were written by programs.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from strangler_fig.diagnostics import Diagnostic, Position, Refused, in_file_order
from strangler_fig.shapes import shape_diagnostics

UNREADABLE = "IN101"
_MOST_BYTES = 64 * 1024 * 1024
_MOST_LEVELS = 60
_Shape = TypeVar("_Shape", bound=pydantic.BaseModel)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A file's values, and the places they came from."""

    file: str
    text: str
    data: Any

    def at(self, *path: str | int) -> Position:
        """The place of the value at `path`, or of its nearest ancestor that exists."""
        return self._place(path, wants_key=False)

    def key_at(self, *path: str | int) -> Position:
        """The place of the key at `path`."""
        return self._place(path, wants_key=True)

    def _place(self, path: Sequence[str | int], *, wants_key: bool) -> Position:
        node = _composed(self.text)
        if node is None:
            return Position(self.file, 1, 1)
        mark = node.start_mark
        for step in path:
            if isinstance(node, yaml.MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == step), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                found = (node.value[step], node.value[step])
            else:
                found = None
            if found is None:
                break
            node = found[1]
            mark = found[0].start_mark if wants_key else node.start_mark
        return Position(self.file, mark.line + 1, mark.column + 1)


@lru_cache(maxsize=16)
def _composed(text: str) -> yaml.Node | None:
    """The text's nodes, or None where YAML refuses what JSON allows: a pair of escapes for one character."""
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError:
        return None
    return node


def read_json_file(path: Path) -> JsonFile:
    """The values of a JSON file. Raises `Refused` naming the file and, where there is one, the line."""
    try:
        text = _text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused([Diagnostic(code=UNREADABLE, message=f"{path} cannot be read: {error}")]) from error
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        place = Position(str(path), error.lineno, error.colno)
        message = f"not readable as JSON: {error.msg}"
        raise Refused([Diagnostic(code=UNREADABLE, message=message, position=place)]) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or brackets without end
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        message = f"{path} is not readable as JSON: {reason}"
        raise Refused([Diagnostic(code=UNREADABLE, message=message)]) from None
    if _is_deep(data):
        message = f"{path} is nested more than {_MOST_LEVELS} levels deep"
        raise Refused([Diagnostic(code=UNREADABLE, message=message)])
    if _has_half_character(data, text):
        message = f"{path} is not readable as JSON: it has half a character, an escape \\ud800 to \\udfff on its own"
        raise Refused([Diagnostic(code=UNREADABLE, message=message)])
    return JsonFile(str(path), text, data)


def _text(path: Path) -> str:
    """The file's text. Raises `OSError` where it is larger than any file that a program of ours writes."""
    size = path.stat().st_size
    if size > _MOST_BYTES:
        message = f"it has {size:,} bytes, and more than {_MOST_BYTES:,} are not read"
        raise OSError(message)
    return path.read_text(encoding="utf-8")


def _refuse_constant(name: str) -> None:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _has_half_character(data: Any, text: str) -> bool:
    """Whether a string in the values is no text: only an escape can have brought in a surrogate without its partner."""
    if "\\ud" not in text.lower():
        return False
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _is_deep(data: Any) -> bool:
    level = [data]
    for _ in range(_MOST_LEVELS):
        level = [one for value in level for one in _inside(value)]
        if not level:
            return False
    return True


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def is_version(found: Any, expected: int) -> bool:
    """Whether a file's version is the expected number; `true` is none, though Python takes it for 1."""
    return found == expected and type(found) is int


def version_words(found: Any) -> str:
    """A version that is not the expected one, in words; of a text, that a number was wanted."""
    return f"the text {found!r}, and must be a number" if isinstance(found, str) else repr(found)


def shaped(source: JsonFile, shape: type[_Shape]) -> _Shape:
    """The file's values in their shape. Raises `Refused` with every fault and its place."""
    try:
        return shape.model_validate(source.data)
    except pydantic.ValidationError as error:
        errors = [dict(one) for one in error.errors()]
        raise Refused(in_file_order(shape_diagnostics(errors, source, known_keys={}))) from None
