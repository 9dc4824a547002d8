"""A URL's query into the values that the catalogue takes; what does not read is a `Refused`, all at once."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast, get_args

from strangler_fig.diagnostics import Diagnostic, Refused

from ..query.traces import ENTRY, Order, Wanted
from ..query.window import Window, last

_MAX_TEXT = 512
_ORDERS: tuple[str, ...] = get_args(Order)
_TRACE_DIGITS, _DIGITS = 32, frozenset("0123456789abcdef")
_SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
"""Source: OpenTelemetry, logs data model, SeverityNumber."""


@dataclass(slots=True)
class Question:
    """Reads named values out of a query, collecting what is wrong with them."""

    values: Mapping[str, str]
    now: Callable[[], int] = time.time_ns
    default_minutes: float = 15.0
    _found: list[Diagnostic] = field(default_factory=list)

    def number(self, name: str, default: float, smallest: float, greatest: float) -> float:
        """A number in a range."""
        text = self.values.get(name, "")
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not smallest <= value <= greatest:
            self._wrong(f"{name}={text[:40]!r} is not a number from {smallest:g} to {greatest:g}")
            return default
        return value

    def text(self, name: str, allowed: tuple[str, ...] = ()) -> str:
        """A text, one of the allowed ones where there are any."""
        value = self.values.get(name, "")
        if len(value) > _MAX_TEXT:
            self._wrong(f"{name} is longer than {_MAX_TEXT} characters")
            return ""
        if value and allowed and value not in allowed:
            self._wrong(f"{name}={value[:40]!r} is none of {', '.join(allowed)}")
            return ""
        return value

    def window(self) -> Window:
        """`minutes` until now, or from `start` to `end` in nanoseconds since 1970."""
        minutes = self.number("minutes", self.default_minutes, 0.1, 400 * 1440)
        recent = last(minutes, self.now())
        start, end = self._nanoseconds("start", recent.start), self._nanoseconds("end", recent.end)
        try:
            return Window(start, end)
        except ValueError as error:
            self._wrong(str(error))
            return recent

    def counted(self) -> Window:
        """The same as numbers of routes are counted: whole minutes at both ends, until the present at most."""
        return self.window().whole_minutes(self.now())

    def wanted(self) -> Wanted:
        """What is searched for."""
        return Wanted(
            route=self.text("route"),
            side=self.text("side", ("legacy", "lambda")),
            role=self.text("role", ("primary", "shadow")),
            service=self.text("service"),
            request_id=self.text("request_id"),
            min_status=int(self.number("min_status", 0, 0, 599)),
            max_status=int(self.number("max_status", 0, 0, 599)),
            min_milliseconds=self.number("min_ms", 0, 0, 1e9),
            max_milliseconds=self.number("max_ms", 0, 0, 1e9),
            only_errors=self.text("errors", ("1", "0")) == "1",
            only_fallbacks=self.text("fallback", ("1", "0")) == "1",
            text=self.text("text"),
            kind=self.text("kind", (ENTRY, "Server", "Client", "Internal", "Producer", "Consumer", "Unspecified")),
        )

    def order(self) -> Order:
        """Which rows come first."""
        said = self.text("order", _ORDERS)
        return cast(Order, said or "newest")

    def severity(self) -> int:
        """The least severity that is wanted, by OpenTelemetry's numbers."""
        return _SEVERITIES.get(self.text("severity", tuple(_SEVERITIES)), 0)

    def trace_id(self) -> str:
        """A trace's id in small letters; empty where none is named."""
        value = self.text("trace_id").strip().lower()
        if value and (len(value) != _TRACE_DIGITS or not _DIGITS.issuperset(value)):
            self._wrong(f"trace_id={value[:40]!r} is no trace's id: {_TRACE_DIGITS} hexadecimal digits")
            return ""
        return value

    def check(self) -> None:
        """Raise `Refused` with everything that was wrong."""
        if self._found:
            raise Refused(self._found)

    def _nanoseconds(self, name: str, default: int) -> int:
        text = self.values.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) < 20):  # noqa: PLR2004 - 64 bits
            self._wrong(f"{name}={text[:40]!r} is not a number of nanoseconds since 1970")
            return default
        return int(text)

    def _wrong(self, message: str) -> None:
        self._found.append(Diagnostic(code="OB204", message=message))
