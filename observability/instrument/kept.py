"""What waits in the process to be told: a bounded queue of each signal, and a count of what it could not keep.

No thread and no timer: an environment is frozen between invocations, and both would run at the wrong time. What ends
here is told by whoever calls `taken`, at the end of an invocation.
"""

import collections
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")

QUEUE_FULL = "queue_full"
SPANS_PROCESSED, LOGS_PROCESSED = "otel.sdk.processor.span.processed", "otel.sdk.processor.log.processed"
SPANS_EXPORTED, LOGS_EXPORTED = "otel.sdk.exporter.span.exported", "otel.sdk.exporter.log.exported"


class Losses:
    """How much was lost since it was last told, by the counter's name and the reason."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: collections.Counter[tuple[str, str]] = collections.Counter()
        self.since = time.time_ns()

    def add(self, counter: str, reason: str, count: int = 1) -> None:
        """Count what is lost."""
        with self._lock:
            self._counts[counter, reason] += count

    def taken(self) -> Mapping[tuple[str, str], int]:
        """The counts, which begin at nothing again."""
        with self._lock:
            found, self._counts = dict(self._counts), collections.Counter()
        return found

    def back(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Count again what could not be told."""
        with self._lock:
            self._counts.update(counts)


class Queue(Generic[Item]):
    """The newest items, at most `limit`; the oldest goes when there are more."""

    def __init__(self, limit: int, losses: Losses, counter: str) -> None:
        self._items: collections.deque[Item] = collections.deque(maxlen=limit)
        self._lock = threading.Lock()
        self._losses, self._counter = losses, counter

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item) -> None:
        """Keep an item."""
        with self._lock:
            is_full = len(self._items) == self._items.maxlen
            self._items.append(item)
        if is_full:
            self._losses.add(self._counter, QUEUE_FULL)

    def taken(self) -> list[Item]:
        """All items, which are no longer here."""
        with self._lock:
            found = list(self._items)
            self._items.clear()
        return found

    def back(self, items: Iterable[Item]) -> None:
        """Put items back that could not be told, before those that came since."""
        with self._lock:
            both = [*items, *self._items]
            room = self._items.maxlen or 0
            lost = max(len(both) - room, 0)
            self._items.clear()
            self._items.extend(both[lost:])
        if lost:
            self._losses.add(self._counter, QUEUE_FULL, lost)


class KeptSpans:
    """A span processor of the SDK: keeps what has ended and is sampled.

    It is none by name only (`SpanProcessor` is a class of the SDK, whose import is to be paid where there is a span).
    """

    def __init__(self, queue: "Queue[Any]") -> None:
        self._queue = queue

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Nothing: a span that began is no span yet."""

    def _on_ending(self, span: Any) -> None:
        """Nothing; newer releases of the SDK call it before `on_end`."""

    def on_end(self, span: Any) -> None:
        """Keep it."""
        if span.context is not None and span.context.trace_flags.sampled:
            self._queue.add(span)

    def shutdown(self) -> None:
        """Nothing: whoever made the queue empties it."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's signature
        """True: what waits here is told at the invocation's end."""
        return True
