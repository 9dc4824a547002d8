"""What nodes said last, and what is in force on those that are live. Kept in memory: every node reports each second."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .history import History
from .sharing import LIVE_SECONDS, Holding
from .traffic import Reading
from .waiting import Bell

MISSED_SECONDS = 600.0
"""A node that fell silent less than this ago is missed: its Envoy probably serves on, with what it had."""
READINGS_SECONDS = 3.0
"""How long readings of a node's counters are kept."""
LONG_SECONDS = 120.0
"""How long some of them are kept, one in `_APART_SECONDS`: a plan counts with more than the last second's traffic."""
_APART_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A snapshot that a node did not take, and why."""

    snapshot: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesInUse:
    """What a node holds of the fleet's figures; by runtime key how often it was too little; `refused` by route."""

    holding: Holding
    overflows: Mapping[str, int]
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a node says. `snapshot` and `weights_version` are in force there; `said` is the report as it was sent.

    `has_left`: its Envoy was stopped on purpose, and this is the last report.
    `counters` is None where they are as they were: a node tells each reading once.
    """

    revision: int
    snapshot: str | None
    weights_version: int
    rejected: Rejection | None
    traffic: Mapping[str, Any] | None
    counters: Mapping[str, Any] | None = None
    said: Mapping[str, Any]
    shares: SharesInUse | None = None
    has_left: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A node's last report and when it came (seconds on the registry's clock)."""

    name: str
    report: Report
    at: float
    readings: deque[Reading]
    history: History
    older: deque[Reading] = field(default_factory=deque)

    def long(self) -> tuple[Reading, ...]:
        """Readings of the last two minutes, oldest first; the last one is the latest."""
        return (*self.older, *([self.readings[-1]] if self.readings else []))


class Nodes:
    """The nodes that reported since this process started. `expected` are those that reported to an earlier one."""

    def __init__(self, clock: Callable[[], float], expected: Iterable[str] = ()) -> None:
        self.bell = Bell()
        self._clock = clock
        self._seen: dict[str, Seen] = {}
        self._expected = frozenset(expected)
        self._started = clock()

    def heard(self, name: str, report: Report) -> Seen | None:
        """Take a node's report and wake who waits for one; what the node said before, if anything."""
        now = self._clock()
        before = self._seen.get(name)
        readings = before.readings if before else deque()
        if report.traffic is not None:
            readings.append(Reading(at=now, traffic=report.traffic))
            while readings[0].at < now - READINGS_SECONDS:
                readings.popleft()
        older = before.older if before else deque()
        if report.traffic is not None:
            _keep(older, readings[-1])
        history = before.history if before else History()
        if report.counters is not None:
            history.add(now, report.counters)
        self._seen[name] = Seen(name=name, report=report, at=now, readings=readings, history=history, older=older)
        self.bell.ring()
        return before

    def last(self, name: str) -> Seen:
        """What the node said last. Raises `KeyError` for one that never reported."""
        return self._seen[name]

    def all(self) -> tuple[Seen, ...]:
        """Every node that reported, by name."""
        return tuple(self._seen[name] for name in sorted(self._seen))

    def live(self) -> tuple[Seen, ...]:
        """The nodes that reported lately."""
        return tuple(seen for seen in self.all() if self.is_live(seen))

    def missed(self) -> tuple[str, ...]:
        """The names of the nodes that fell silent a short while ago."""
        return tuple(
            seen.name
            for seen in self.all()
            if not self.is_live(seen) and not seen.report.has_left and self.age_seconds(seen) < MISSED_SECONDS
        )

    def is_live(self, seen: Seen) -> bool:
        """Whether the node reported lately, and not that it has left."""
        return not seen.report.has_left and self._clock() - seen.at < LIVE_SECONDS

    def age_seconds(self, seen: Seen) -> float:
        """How long ago the node reported."""
        return self._clock() - seen.at

    def awaited(self) -> bool:
        """Whether nodes of an earlier process may still be about to report to this one."""
        missing = self._expected - self._seen.keys()
        return bool(missing) and self._clock() - self._started < LIVE_SECONDS


def _keep(older: deque[Reading], new: Reading) -> None:
    if not older or new.at - older[-1].at >= _APART_SECONDS:
        older.append(new)
    while older[0].at < new.at - LONG_SECONDS:
        older.popleft()


def runs(seen: Seen, *, snapshot: str | None, weights_version: int) -> bool:
    """Whether the snapshot, and weights at least that new, are in force on the node."""
    report = seen.report
    return report.snapshot == snapshot and report.weights_version >= weights_version
