"""What a node counted that should not be, over the last minutes: differences of its cumulative readings.

A reading is a tree of counts. A tree of `{"recent": ..., "total": ...}` comes out: what was added within the window,
and since the node's Envoy started.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

WINDOW_SECONDS = 300.0
_APART_SECONDS = 60.0
"""Readings that are kept are this far apart: few, and the window is right to a minute."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The counts by their paths in the tree, at a moment (seconds on the registry's clock); one epoch counts on."""

    at: float
    epoch: str
    counts: Mapping[Path, int]


@dataclass(frozen=True, slots=True)
class History:
    """One node's readings: the newest one, and older ones as far as the window needs them."""

    _readings: list[Reading] = field(default_factory=list)

    def add(self, at: float, said: Mapping[str, Any]) -> None:
        """Take a reading, whose `epoch` changes when its counts begin anew."""
        tree = {name: value for name, value in said.items() if name != "epoch"}
        readings = self._readings
        if len(readings) > 1 and readings[-1].epoch == said["epoch"] and at - readings[-2].at < _APART_SECONDS:
            readings.pop()
        readings.append(Reading(at=at, epoch=said["epoch"], counts=dict(_leaves(tree))))
        while len(readings) > 1 and readings[1].at <= at - WINDOW_SECONDS:
            readings.pop(0)

    def recent(self) -> Counter[Path]:
        """What was added within the window, also by an Envoy that was replaced since."""
        added: Counter[Path] = Counter()
        for before, after in zip(self._readings, self._readings[1:], strict=False):
            old = before.counts if before.epoch == after.epoch else {}
            for path, count in after.counts.items():
                added[path] += max(0, count - old.get(path, 0))
        return added

    def total(self) -> Counter[Path]:
        """What the present Envoy has counted since it started."""
        return Counter(dict(self._readings[-1].counts)) if self._readings else Counter()


def summed(histories: Iterable[History]) -> dict[str, Any]:
    """The tree of recent and total counts of all nodes together."""
    recent: Counter[Path] = Counter()
    total: Counter[Path] = Counter()
    for one in histories:
        recent.update(one.recent())
        total.update(one.total())
    tree: dict[str, Any] = {}
    for path in sorted(recent.keys() | total.keys()):
        place = tree
        for folder in path[:-1]:
            place = place.setdefault(folder, {})
        place[path[-1]] = {"recent": recent[path], "total": total[path]}
    return tree


def _leaves(tree: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, int]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        elif isinstance(value, int):  # what a newer node says besides is none of these
            yield (*path, name), value
