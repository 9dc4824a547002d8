"""What a node counted that should not be: what each of its readings added, lately and in all.

A reading is a tree of counts, cumulative but for those that Envoy forgot meanwhile, because nothing was added for long,
and those that an Envoy that was replaced took with it. A tree of `{"recent": ..., "total": ...}` comes out.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

WINDOW_SECONDS = 300.0
_MINUTE_SECONDS = 60.0
"""What was added is kept by the minute: few sums, and the window is right to a minute."""

Path = tuple[str, ...]


class History:
    """What one node's readings added. Its first one may be old news: it counts in all, but not as recent."""

    def __init__(self) -> None:
        self._epoch: str | None = None
        self._last: dict[Path, int] = {}
        self._minutes: deque[tuple[float, Counter[Path]]] = deque()
        self._total: Counter[Path] = Counter()

    def add(self, at: float, said: Mapping[str, Any]) -> None:
        """Take a reading, whose `epoch` changes when all its counts begin anew; `at` is on the registry's clock."""
        counts = dict(_leaves({name: value for name, value in said.items() if name != "epoch"}))
        added = self._added(counts, same_epoch=said["epoch"] == self._epoch)
        if self._epoch is not None:
            if not self._minutes or at - self._minutes[-1][0] >= _MINUTE_SECONDS:
                self._minutes.append((at, Counter()))
            self._minutes[-1][1].update(added)
            while self._minutes[0][0] + _MINUTE_SECONDS <= at - WINDOW_SECONDS:
                self._minutes.popleft()
        self._total.update(added)
        self._epoch, self._last = said["epoch"], counts

    def recent(self) -> Counter[Path]:
        """What was added within the window."""
        return sum((added for _, added in self._minutes), Counter())

    def total(self) -> Counter[Path]:
        """What was added since control knows the node, and what its Envoy had counted before."""
        return Counter(self._total)

    def _added(self, counts: Mapping[Path, int], *, same_epoch: bool) -> Counter[Path]:
        added: Counter[Path] = Counter()
        for path, count in counts.items():
            old = self._last.get(path, 0) if same_epoch else 0
            added[path] = count - old if count >= old else count
        return added


def summed(histories: Iterable[History]) -> dict[str, Any]:
    """The tree of recent and total counts of all nodes together."""
    recent: Counter[Path] = Counter()
    total: Counter[Path] = Counter()
    for one in histories:
        recent.update(one.recent())
        total.update(one.total())
    tree: dict[str, Any] = {}
    for path in sorted(path for path in total if total[path]):
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
