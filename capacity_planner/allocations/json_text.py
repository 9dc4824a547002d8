"""JSON as plain values whose every place in the file can be found.

JSON is parsed by the standard library's fast parser; a place is found when somebody asks, by skipping over values with
the same parser. What one value holds is looked at once. Two keys of one name are a fault: only one of them would count.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined] # the parser's own, not in its stubs
from typing import Any, NoReturn

from strangler_fig.diagnostics import Diagnostic, Position

from .text import Lines

MALFORMED = "AL110"

_BLANK = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """A file's values, and the places they came from."""

    file: str
    text: str
    data: Any
    _lines: Lines
    _seen: dict[int, dict[str | int, tuple[int, int]]] = field(default_factory=dict)

    def at(self, *path: str | int) -> Position:
        """The place of the value at `path`, or of its nearest ancestor that exists."""
        return self._lines.at(self._offsets(path)[1])

    def key_at(self, *path: str | int) -> Position:
        """The place of the key at `path` (of the value, where the last step is not a key)."""
        return self._lines.at(self._offsets(path)[0])

    def _offsets(self, path: tuple[str | int, ...]) -> tuple[int, int]:
        """Where the key and the value at `path` stand, or those of its nearest ancestor that exists."""
        key = value = _blank(self.text, 0)
        for step in path:
            if value not in self._seen:
                members = _members(self.text, value)
                self._seen[value] = {name: (name_at, value_at) for name, name_at, value_at in members}
            found = self._seen[value].get(step)
            if found is None:
                break
            key, value = found
        return key, value


def read_json(text: str, *, file: str) -> tuple[JsonDocument | None, tuple[Diagnostic, ...]]:
    """The document that `text` holds, or what is wrong with it."""
    lines = Lines(file, text)
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        ends = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
        message = "the file ends too early: it is cut off" if ends else f"not readable as JSON: {error.msg}"
        return None, (Diagnostic(code=MALFORMED, message=message, position=lines.at(min(error.pos, len(text)))),)
    except RecursionError:
        message = "not readable as JSON: too many levels"
        return None, (Diagnostic(code=MALFORMED, message=message, position=Position(file, 1, 1)),)
    except ValueError as error:  # an integer with thousands of digits, a constant or a second key
        message = f"not readable as JSON: {error}"
        return None, (Diagnostic(code=MALFORMED, message=message, position=lines.at(_blamed(text, error))),)
    lone = _SURROGATE.search(text)
    if lone and _has_surrogates(data):
        message = "half of a surrogate pair, which is no character"
        return None, (Diagnostic(code=MALFORMED, message=message, position=lines.at(lone.start())),)
    return JsonDocument(file, text, data, lines), ()


class _SecondKey(ValueError):  # noqa: N818 - it never leaves this module
    """Two keys of one name in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _value in pairs]
        message = f"a second key {next(name for name in names if names.count(name) > 1)!r} in one object"
        raise _SecondKey(message)
    return values


def _no_number(word: str) -> NoReturn:
    message = f"{word} is not a number of JSON"
    raise ValueError(message)


def _blamed(text: str, error: ValueError) -> int:
    """The offset of what a fault is about: the second key, or the word that is no number."""
    if isinstance(error, _SecondKey):
        waiting = [_blank(text, 0)]
        while waiting:
            at = waiting.pop()
            seen: set[str | int] = set()
            inside = list(_members(text, at))
            for step, key, _value in inside:
                if step in seen:
                    return key
                seen.add(step)
            waiting += [value for _step, _key, value in reversed(inside) if text[value] in "{["]
    return max(text.find(str(error).split(" ", 1)[0]), 0)


def _has_surrogates(data: Any) -> bool:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _members(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """The members of the object or array at `at`: key or index, where that stands, where the value stands."""
    opening = text[at : at + 1]
    if opening not in ("{", "["):
        return
    decoder = json.JSONDecoder()
    count = 0
    at = _blank(text, at + 1)
    while text[at] not in "}]":
        step: str | int = count
        key = at
        if opening == "{":
            step, at = scanstring(text, at + 1)
            at = _blank(text, _blank(text, at) + 1)
        yield step, key, at
        count += 1
        _value, at = decoder.raw_decode(text, at)
        at = _blank(text, at)
        if text[at] == ",":
            at = _blank(text, at + 1)
