"""Spans and records of functions that came before: their sender repeats what was not acknowledged in time.

An item is known by all of its bytes and those of its resource, so nobody can keep another's telemetry out by sending
its ids first. Only what our own sender sends is remembered: it repeats items in other company, and says who it is.

What was met counts as stored only once it is: who repeats something that is still on its way waits for that, and is
told to come again if it fails.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

_GENERATION = 32_768
"""Items that are remembered at least, where as many come within `_SECONDS`; twice as many at most."""
_SECONDS = 600
_SENDER = "strangler-fig-instrument"


def is_repeating(agent: str) -> bool:
    """Whether a sender of this name repeats single items."""
    return agent.startswith(_SENDER)


@dataclass(slots=True, eq=False)
class Claim:
    """What one request brought for the first time, what of it had come before, and in which requests."""

    stored: "Future[bool]" = field(default_factory=Future)
    awaited: "set[Future[bool]]" = field(default_factory=set)
    keys: list[int] = field(default_factory=list)
    repeated: int = 0
    is_over: bool = False

    def __post_init__(self) -> None:
        self.stored.set_running_or_notify_cancel()  # so that a sender that leaves while it waits does not end it


class Repeated:
    """The items that were met lately. Several threads may ask."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._since = now()
        self._newer: dict[int, Future[bool]] = {}
        self._older: dict[int, Future[bool]] = {}

    def claim(self, message: Any, claim: Claim) -> None:
        """Take out of a request, read shallowly, what came before."""
        found = [
            (items, [hash((around, one.SerializeToString())) for one in items]) for around, items in _blocks(message)
        ]
        with self._lock:
            if claim.is_over:
                return
            kept = [(items, [self._is_first(key, claim) for key in keys]) for items, keys in found]
        for items, are_first in kept:
            if not all(are_first):
                some = [one for one, is_first in zip(items, are_first, strict=True) if is_first]
                claim.repeated += len(items) - len(some)
                del items[:]
                items.extend(some)

    def settle(self, claim: Claim, *, is_stored: bool) -> None:
        """Say what became of a request; what is not stored may come again."""
        with self._lock:
            claim.is_over = True
            if not is_stored:
                for key in claim.keys:
                    self._newer.pop(key, None)
                    self._older.pop(key, None)
        claim.stored.set_result(is_stored)

    def _is_first(self, key: int, claim: Claim) -> bool:
        known = self._newer.get(key) or self._older.get(key)
        if known is not None:
            if known is not claim.stored:
                claim.awaited.add(known)
            return False
        if len(self._newer) >= _GENERATION or self._now() - self._since > _SECONDS * 10**9:
            self._older, self._newer, self._since = self._newer, {}, self._now()
        self._newer[key] = claim.stored
        claim.keys.append(key)
        return True


def _blocks(message: Any) -> Iterator[tuple[bytes, Any]]:
    """The spans or records of each scope, with the resource; points of metrics are none: their times change."""
    for group in getattr(message, "resource_spans", ()):
        for told in group.scope_spans:
            yield group.resource, told.spans
    for group in getattr(message, "resource_logs", ()):
        for told in group.scope_logs:
            yield group.resource, told.log_records
