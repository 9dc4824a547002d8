"""Reading a profile's document: each value by its key and kind; every fault is collected, none ends the reading."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from strangler_fig.units import UnitError, seconds

Value = TypeVar("Value")
_LONGEST_SECONDS = 86400.0
_MOST_DIGITS = 15
_MOST_SHOWN = 60
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")


class Reader:
    """One mapping of a document. `faults` is shared by all readers of a profile; `place` is how it is called there."""

    def __init__(self, data: object, place: str, faults: list[str]) -> None:
        self.faults = faults
        self._place = place
        self._seen: set[str] = set()
        self.is_mapping = isinstance(data, Mapping)
        self._data: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        if not self.is_mapping:
            self.fault("", f"{'' if place else 'it '}is {_kind(data)}, not a mapping")

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def fault(self, key: str, text: str) -> None:
        """Note that the value at `key` is wrong."""
        name = ".".join(one for one in (self._place, key) if one)
        self.faults.append(f"{name} {text}" if name else text)

    def get(self, key: str) -> Any:
        """The value as it stands, or None."""
        self._seen.add(key)
        return self._data.get(key)

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self.fault(key, f"is {_kind(value)}, not text")
            return default
        return value

    def needed(self, key: str) -> str:
        """A text that must be there."""
        value = self.text(key)
        if self._data.get(key) is None:
            self.fault(key, "is missing")
        elif isinstance(self._data[key], str) and not value.strip():
            self.fault(key, "is empty")
        return value

    def seconds(self, key: str, default: float) -> float:
        """A duration: a number of seconds, or a text as `500ms`."""
        value = self.get(key)
        if value is None:
            return default
        try:
            result = _seconds(value)
        except (UnitError, TypeError, ValueError, OverflowError):
            self.fault(key, f"is {short(value)}, not a duration: write seconds, or 500ms, 2s")
            return default
        if isinstance(value, bool) or not 0 < result <= _LONGEST_SECONDS:
            self.fault(key, f"is {short(value)}: a duration is above zero, and a day at most")
            return default
        return result

    def maybe_seconds(self, key: str) -> float | None:
        """A duration, or None where it is not there."""
        return self.seconds(key, 1.0) if self.get(key) is not None else None

    def count(self, key: str, default: int | None) -> int | None:
        """A whole number from zero on."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**_MOST_DIGITS:
            self.fault(key, f"is {short(value)}, not a whole number, 0 or more (at most {_MOST_DIGITS} digits)")
            return default
        return value

    def truth(self, key: str) -> bool:
        """True or false; false where it is not there."""
        value = self.get(key)
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        if value is not None and not isinstance(value, bool):
            self.fault(key, f"is {short(value)}, neither true nor false")
        return value is True

    def choice(self, key: str, values: Mapping[str, Value], default: Value) -> Value:
        """One of these words."""
        word = self.text(key)
        if not word:
            return default
        if word not in values:
            self.fault(key, f"is {short(word)}: it may be {', '.join(values)}")
            return default
        return values[word]

    def inner(self, key: str) -> "Reader":
        """The mapping at `key`; an empty one where it is not there."""
        value = self.get(key)
        place = ".".join(one for one in (self._place, key) if one)
        return Reader({} if value is None else value, place, self.faults)

    def listed(self, key: str) -> list[Any]:
        """The values at `key`; a text is split at commas."""
        value = self.get(key)
        if isinstance(value, str):
            return [one.strip() for one in value.split(",") if one.strip()]
        if value is not None and not isinstance(value, list):
            self.fault(key, f"is {_kind(value)}, not a list")
            return []
        return list(value or ())

    def made(self, key: str, make: Callable[[], Value]) -> Value | None:
        """What the constructor makes, or None and its refusal as a fault."""
        try:
            return make()
        except ValueError as error:
            self.fault(key, f"is wrong: {error}" if key or self._place else str(error))
            return None

    def end(self) -> None:
        """Refuse every key that nobody asked for."""
        for key in self._data:
            if key not in self._seen:
                self.fault(str(key), f"is not known{_hint(str(key), self._seen)}")


def _seconds(value: Any) -> float:
    """A duration's seconds; in a URL a number is text."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else seconds(value)
    return float(value)


def short(value: object) -> str:
    """What was written, or its beginning."""
    shown = repr(value) if not isinstance(value, int) or abs(value) < 10**_MOST_DIGITS else "a huge number"
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}..."


def _hint(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f": did you mean {close[0]}?" if close else ""


def _kind(value: object) -> str:
    names = {bool: "a truth value", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping"}
    return names.get(type(value), "nothing" if value is None else type(value).__name__)
