"""YAML as plain values whose every place in the file is known.

One rule: what a reviewer reads is what the program gets. Scalars follow YAML 1.2's core schema (`no` and `08:30` are
strings), duplicate keys, nulls, anchors, aliases and tags are faults, and `${NAME}` or `${NAME:-default}` inside a
value is taken from the environment that the caller hands in. JSON is YAML, so normalised files read back the same way.
"""

import codecs
import difflib
import gc
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from .diagnostics import Diagnostic, Position

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_NO_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no YAML file may have in it. Source: YAML 1.2.2, section 5.1, c-printable."""
_NUMBER_STARTS = frozenset("+-.0123456789")
_MAX_DEPTH = 40
_MAX_DIGITS = 30

NOT_TEXT = "DOC109"

_Get = Callable[[], Any]  # the parser's next event

Path = tuple[str | int, ...]


@dataclass(slots=True)
class Node:
    """A mapping or list of a file as plain values, and where it and everything in it stands.

    `places` has what is inside it, in the same shape: a `Node` where that is a mapping or a list, the parser's mark
    where it is a scalar. `keys` has the mark of each key. Marks count from 0 and become positions when somebody asks.
    """

    data: Any
    mark: Any
    places: dict[str, Any] | list[Any]
    keys: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values (`data`: dicts, lists, strings, numbers, booleans) and the places they came from."""

    file: str
    root: Any
    data: Any

    def at(self, *path: str | int) -> Position:
        """The place of the value at `path`, or of its nearest ancestor that exists."""
        place = _descend(self.root, path)
        return self._position(place.mark if isinstance(place, Node) else place)

    def key_at(self, *path: str | int) -> Position:
        """The place of the key at `path` (of the value, where the last step is not a key)."""
        parent = _descend(self.root, path[:-1])
        mark = parent.keys.get(str(path[-1])) if path and isinstance(parent, Node) else None
        return self._position(mark) if mark else self.at(*path)

    def _position(self, mark: Any) -> Position:
        return Position(self.file, mark.line + 1, mark.column + 1)


def decoded(data: bytes, file: str) -> str | Diagnostic:
    """The text that a file's bytes are, or what keeps them from being one, at the first byte that does."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _no_text(file, data[:0], "it is UTF-16")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _no_text(file, data[: error.start], f"the byte 0x{data[error.start]:02x} is not UTF-8")
    wrong = _NO_TEXT.search(text)
    if wrong is None:
        return text
    return _no_text(file, text[: wrong.start()].encode(), f"the character U+{ord(wrong[0]):04X} is in no text")


def _no_text(file: str, before: bytes, why: str) -> Diagnostic:
    """What is wrong after these bytes of the file."""
    lines = before.decode("utf-8").split("\n")
    place = Position(file, len(lines), len(lines[-1]) + 1)
    return Diagnostic(code=NOT_TEXT, message=f"not a text file: {why}", position=place, hint="save it as UTF-8")


def read_yaml(
    text: str, *, file: str, environment: Mapping[str, str] | None = None, no_variables: str = ""
) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """The document that `text` holds, and every fault found on the way; None when nothing could be read.

    `no_variables`: why this kind of file has none, for the hint; each `${NAME}` is a fault then, whatever is set.
    """
    reader = _Reader(file, environment or {}, no_variables)
    collecting = gc.isenabled()
    gc.disable()  # a hundred thousand live nodes make each collection dear; measured: 3 x faster at 10,000 routes
    try:
        read = reader.read(text)
        document = None if read is None else Document(file, read[1], read[0])
        return document, tuple(reader.found)
    finally:
        if collecting:
            gc.enable()


def suggest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely meant, or None."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the likeliest known word, else all of them (at most twelve)."""
    words = sorted(known)
    close = suggest(word, words)
    if close:
        return f"did you mean {close}?"
    shown = ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")  # noqa: PLR2004 - a line's worth
    return f"known: {shown}" if words else "none are defined"


class _Reader:
    """Turns the parser's events into nodes; faults are collected, not raised."""

    def __init__(self, file: str, environment: Mapping[str, str], no_variables: str) -> None:
        self.file = file
        self.environment = environment
        self.no_variables = no_variables
        self.found: list[Diagnostic] = []

    def read(self, text: str) -> tuple[Any, Any] | None:
        """The document's value and its place, or None."""
        try:
            loader = _Loader(text)
            try:
                return self._document(loader.get_event)
            finally:
                loader.dispose()
        except (yaml.YAMLError, UnicodeError, ValueError) as error:
            self._malformed(error)
            return None

    def _document(self, get: _Get) -> tuple[Any, Any] | None:
        root: tuple[Any, Any] | None = None
        while (event := get()) is not None:
            if isinstance(event, yaml.DocumentStartEvent) and root is not None:
                self._fault(event, "DOC104", "a second document in one file", "keep one document in each file")
                return root
            if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent, yaml.AliasEvent)):
                root = self._value(event, get, 0)
        if root is None:
            self.found.append(
                Diagnostic(code="DOC101", message="the file is empty", position=Position(self.file, 1, 1))
            )
        return root

    def _value(self, event: Any, get: _Get, depth: int) -> tuple[Any, Any]:
        """The value that begins with `event`, and its place."""
        if isinstance(event, yaml.AliasEvent):
            self._fault(event, "DOC105", f"alias *{event.anchor}", "aliases are not read: write the value out")
            return "", event.start_mark
        if event.anchor or (event.tag and event.tag != "!"):
            self._fault(event, "DOC105", f"anchor or tag {event.anchor or event.tag}", "anchors and tags are not read")
        if depth > _MAX_DEPTH:
            mark = event.start_mark
            message = f"more than {_MAX_DEPTH} levels of nesting at line {mark.line + 1}, column {mark.column + 1}"
            raise ValueError(message)
        if isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(event, get, depth)
            return node.data, node
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[tuple[Any, Any]] = []
            while not isinstance(item := get(), yaml.SequenceEndEvent):
                items.append(self._value(item, get, depth + 1))
            values, places = [value for value, _place in items], [place for _value, place in items]
            return values, Node(values, event.start_mark, places, {})
        return self._scalar(event), event.start_mark

    def _mapping(self, start: Any, get: _Get, depth: int) -> Node:
        data: dict[str, Any] = {}
        places: dict[str, Any] = {}
        keys: dict[str, Any] = {}
        while type(event := get()) is not yaml.MappingEndEvent:
            if type(event) is not yaml.ScalarEvent:
                self._fault(event, "DOC106", "a key that is not plain text", "use a word as the key")
                self._value(event, get, depth + 1)
                self._value(get(), get, depth + 1)
                continue
            key, following = event.value, get()
            if type(following) is yaml.ScalarEvent and following.tag is None and not following.anchor:
                value, place = self._scalar(following), following.start_mark  # as most values of any file are
            else:
                value, place = self._value(following, get, depth + 1)
            if key in data:
                self._fault(event, "DOC102", f"duplicate key {key!r} (first at line {keys[key].line + 1})", None)
                continue
            data[key], places[key], keys[key] = value, place, event.start_mark
        return Node(data, start.start_mark, places, keys)

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            return self._resolve(text, event)
        if text in _NULLS:
            self._fault(event, "DOC103", "no value (null)", "give a value, or leave the key out")
            return ""
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if text[0] in _NUMBER_STARTS and len(text) <= _MAX_DIGITS:
            if _INTEGER.fullmatch(text):
                return int(text)
            if _FLOAT.fullmatch(text):
                return float(text)
        return self._resolve(text, event)

    def _resolve(self, text: str, event: Any) -> str:
        if "$" not in text:
            return text

        def value_of(found: re.Match[str]) -> str:
            if found[0] == "$$":
                return "$"
            name, default = found[1], found[2]
            if self.no_variables:
                self._fault(event, "DOC108", f"${{{name}}} in a file without variables", self.no_variables)
                return found[0]
            value = self.environment.get(name, default)
            if value is None:
                self._fault(event, "DOC107", f"${{{name}}} is not set", f"export {name}, or write ${{{name}:-default}}")
                return ""
            return value

        return _VARIABLE.sub(value_of, text)

    def _fault(self, event: Any, code: str, message: str, hint: str | None) -> None:
        mark = event.start_mark
        place = Position(self.file, mark.line + 1, mark.column + 1)
        self.found.append(Diagnostic(code=code, message=message, position=place, hint=hint))

    def _malformed(self, error: Exception) -> None:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        place = Position(self.file, mark.line + 1, mark.column + 1) if mark else Position(self.file, 1, 1)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        self.found.append(Diagnostic(code="DOC100", message=f"not readable as YAML: {problem}", position=place))


def _descend(place: Any, path: Iterable[str | int]) -> Any:
    """The place at `path`, or that of its nearest ancestor that exists: a `Node`, or the mark of a scalar."""
    for step in path:
        inside: Any = place.places if isinstance(place, Node) else {}
        is_index = isinstance(inside, list) and isinstance(step, int) and 0 <= step < len(inside)
        if not is_index and not (isinstance(inside, dict) and step in inside):
            break
        place = inside[step]
    return place
