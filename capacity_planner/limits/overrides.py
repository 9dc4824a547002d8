"""The file of an account's own limits: text becomes limits over the catalogue's, or everything that is wrong with it.

A limit is a bare number, or a mapping with the number and where it comes from.
"""

import dataclasses
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from strangler_fig.diagnostics import Diagnostic, has_errors, in_file_order
from strangler_fig.documents import Document, did_you_mean, read_yaml

from ..files import Unreadable, read_text
from .values import Limit, Limits

UNREADABLE = "LM100"
SHAPE = "LM101"
UNKNOWN = "LM102"
VALUE = "LM103"
DATE = "LM104"

_KEYS = ("version", "account", "limits")
_ENTRY_KEYS = ("value", "as_of", "source", "note")
_MOST_BYTES = 2**20
_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
_FORM = "write `key: number`, or a mapping with value, as_of, source, note"

_Found = tuple[Limits | None, tuple[Diagnostic, ...]]


def load_overrides(path: Path, limits: Limits) -> _Found:
    """`limits` with those of the file at `path` in place; None exactly when a finding is an error."""
    try:
        text = read_text(path, most_bytes=_MOST_BYTES)
    except Unreadable as error:
        return None, (Diagnostic(code=UNREADABLE, message=str(error)),)
    return read_overrides(text, limits, file=str(path))


def read_overrides(text: str, limits: Limits, *, file: str) -> _Found:
    """`limits` with those that `text` gives in place, and every finding in file order."""
    document, faults = read_yaml(text, file=file)
    if document is None:
        return None, in_file_order(faults)
    reader = _Reader(document, limits)
    changed = dict(reader.read())
    found = in_file_order([*faults, *reader.found])
    return (None if has_errors(found) else Limits({**limits.by_key, **changed})), found


class _Reader:
    """Checks the document; findings are collected, not raised."""

    def __init__(self, document: Document, limits: Limits) -> None:
        self.document = document
        self.limits = limits
        self.found: list[Diagnostic] = []

    def read(self) -> Iterator[tuple[str, Limit]]:
        """The limits that the document changes and that are sound."""
        data = self.document.data
        if not isinstance(data, dict):
            self._fault(SHAPE, "the file must be a mapping", hint="as in `version: 1` and `limits:`")
            return
        for key in data:
            if key not in _KEYS:
                self._key_fault(SHAPE, f"unknown key {key!r}", key, hint=did_you_mean(key, _KEYS))
        if data.get("version") != 1:
            self._fault(SHAPE, "version must be 1", "version", hint="write `version: 1` at the top")
        own = data.get("limits")
        if not isinstance(own, dict):
            self._fault(SHAPE, "limits must be a mapping of limits", "limits", hint=_FORM)
            return
        for key, given in own.items():
            changed = self._limit(key, given)
            if changed is not None:
                yield key, changed

    def _limit(self, key: str, given: Any) -> Limit | None:
        if key not in self.limits:
            self._key_fault(UNKNOWN, f"no limit is called {key!r}", "limits", key, hint=did_you_mean(key, self.limits))
            return None
        entry = given if isinstance(given, dict) else {"value": given}
        for name in entry:
            if name not in _ENTRY_KEYS:
                self._key_fault(SHAPE, f"unknown key {name!r}", "limits", key, name, hint=_FORM)
        before = self.limits[key]
        value = self._value(before, entry.get("value"), ("limits", key, "value"))
        texts = {name: self._text(entry[name], ("limits", key, name)) for name in _ENTRY_KEYS[1:] if name in entry}
        if value is None or None in texts.values():
            return None
        return dataclasses.replace(
            before,
            value=value,
            as_of=texts.get("as_of") or before.as_of,
            source=texts.get("source") or str(self.document.at("limits", key)),
            note=texts.get("note") or before.note,
            overridden=True,
        )

    def _value(self, before: Limit, given: Any, place: tuple[str, ...]) -> float | None:
        is_number = isinstance(given, (int, float)) and not isinstance(given, bool) and math.isfinite(given)
        if not is_number:
            self._fault(VALUE, f"{before.key} must be a number of {before.unit} (found {given!r})", *place, hint=_FORM)
            return None
        least_is_zero = before.is_assumption
        if given < 0 or (given == 0 and not least_is_zero):
            least = "0 or more" if least_is_zero else "more than 0"
            self._fault(VALUE, f"{before.key} must be {least} (found {given})", *place)
            return None
        if isinstance(before.value, int) and not before.is_assumption and given != int(given):
            self._fault(VALUE, f"{before.key} must be a whole number of {before.unit} (found {given})", *place)
            return None
        return float(given) if isinstance(before.value, float) else given

    def _text(self, given: Any, place: tuple[str, ...]) -> str | None:
        text = str(given) if isinstance(given, (str, int)) and not isinstance(given, bool) else None
        if not text:
            self._fault(SHAPE, f"{place[-1]} must be text", *place)
            return None
        if place[-1] == "as_of" and not _DATE.fullmatch(text):
            self._fault(
                DATE, f"{text!r} is not a date", *place, hint="write a year, a month or a day, as in 2026-11-25"
            )
            return None
        return text

    def _fault(self, code: str, message: str, *place: str, hint: str | None = None) -> None:
        position = self.document.at(*place)
        self.found.append(Diagnostic(code=code, message=message, position=position, hint=hint))

    def _key_fault(self, code: str, message: str, *place: str, hint: str | None = None) -> None:
        position = self.document.key_at(*place)
        self.found.append(Diagnostic(code=code, message=message, position=position, hint=hint))
