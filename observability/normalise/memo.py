"""What was made of bytes that were met before: telemetry says the same things again and again."""

from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


class Memo(dict[bytes, Value]):
    """Values by the bytes that they are made of; `memo[raw]` makes those that are missing.

    Bounded in number and in the length of what is kept. What was not asked for while as many others came is forgotten.
    Several threads may ask: one of them may then make a value that another has made already.
    """

    def __init__(self, make: Callable[[bytes], Value], *, most: int, longest: int) -> None:
        super().__init__()
        self._make = make
        self._most = most // 2
        self._longest = longest
        self._older: dict[bytes, Value] = {}

    def __missing__(self, raw: bytes) -> Value:
        value = self._older.get(raw)
        if value is None:
            value = self._make(raw)
            if len(raw) > self._longest:
                return value
        if len(self) >= self._most:
            self._older = dict(self)
            self.clear()
        self[raw] = value
        return value
