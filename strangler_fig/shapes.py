"""Shape errors, as pydantic lists them, turned into diagnostics with a place in the file.

Takes the plain dicts of `ValidationError.errors()`, so that this leaf needs no pydantic.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from .diagnostics import Diagnostic, Position
from .documents import did_you_mean

_COUNTED = {"steps": "step", "open": "open", "freezes": "freeze"}


class Places(Protocol):
    """A document that knows where its values and keys stand."""

    def at(self, *path: str | int) -> Position:
        """The place of the value at `path`, or of its nearest ancestor that exists."""

    def key_at(self, *path: str | int) -> Position:
        """The place of the key at `path`."""


def shape_diagnostics(
    errors: Iterable[Mapping[str, Any]], document: Places, *, known_keys: Mapping[tuple[str, ...], Sequence[str]]
) -> tuple[Diagnostic, ...]:
    """One diagnostic for each shape error, in the file's words.

    `known_keys` maps a path (with `*` for a name that the user chose or a list index) to the keys allowed there; it
    feeds "did you mean".
    """
    return tuple(_diagnostic(error, document, known_keys) for error in errors)


def _diagnostic(
    error: Mapping[str, Any], document: Places, known_keys: Mapping[tuple[str, ...], Sequence[str]]
) -> Diagnostic:
    path = tuple(error["loc"])
    name = named(path) or "the file"
    match error["type"]:
        case "extra_forbidden":
            hint = did_you_mean(str(path[-1]), _allowed(path[:-1], known_keys))
            return Diagnostic(
                code="SH101", message=f"unknown key {path[-1]!r}", position=document.key_at(*path), hint=hint
            )
        case "missing":
            return Diagnostic(code="SH102", message=f"{name} is required", position=document.at(*path))
        case "value_error":
            message = str(error.get("ctx", {}).get("error", error["msg"]))
            return Diagnostic(code="SH103", message=f"{name}: {message}", position=document.at(*path))
        case "model_type" | "dict_type":
            message = f"{name} must be a mapping, as in `key: value`"
            return Diagnostic(code="SH104", message=message, position=document.at(*path))
        case "too_short" | "too_long" if bounds := _items(error.get("ctx", {})):
            return Diagnostic(code="SH104", message=f"{name}: {bounds}", position=document.at(*path))
        case _:
            found = "" if isinstance(error["input"], (dict, list)) else f" (found {error['input']!r})"
            message = f"{name}: {_lower_first(error['msg'])}{found}"
            return Diagnostic(code="SH104", message=message, position=document.at(*path))


def _items(limits: Mapping[str, Any]) -> str:
    """How many items a list must have, and how many it has; empty where that is not told."""
    for key, bound, verb in (("min_length", "at least", "needed"), ("max_length", "at most", "allowed")):
        if key in limits:
            items = "1 item is" if limits[key] == 1 else f"{limits[key]} items are"
            return f"{bound} {items} {verb}, not {limits.get('actual_length', 'so many')}"
    return ""


def named(path: Iterable[str | int]) -> str:
    """The path in words; a release's steps and windows count from 1, as everywhere else where people meet them."""
    words = list[str]()
    for part in path:
        if words and words[-1] in _COUNTED and isinstance(part, int):
            words[-1] = f"{_COUNTED[words[-1]]} {part + 1}"
        else:
            words.append(str(part))
    return ".".join(words)


def _allowed(path: Sequence[str | int], known_keys: Mapping[tuple[str, ...], Sequence[str]]) -> Sequence[str]:
    for pattern, keys in known_keys.items():
        if len(pattern) == len(path) and all(want in ("*", step) for want, step in zip(pattern, path, strict=True)):
            return keys
    return ()


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
