"""Which node may use how much of the fleet's figures, and how many nodes the fleet has. Kept in memory.

Counted is every node that was heard of lately: one that is silent may still serve, so its shares are kept for a grace
time. A node that ended on purpose says so and is not counted any more. After a restart of this process the nodes' own
reports say what they hold, and how many they were.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..snapshot.figures import Figure, Shares
from .shares import grants, steady_targets, targets
from .waiting import Bell

GRACE_SECONDS = 60.0
"""For how long a silent node is counted."""
LIVE_SECONDS = 5.0
"""A node that has not reported for this long is silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The shares that a node was told; `version` only says whether they are the same."""

    version: str
    shares: Shares

    def to_json(self) -> dict[str, Any]:
        """The shares as the API has them."""
        return {"version": self.version, "nodes": self.shares.nodes, "of": dict(self.shares.of)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a node says: the shares in force there, their version if they are those it was told, and what is in use.

    In use was counted after the shares came in force: requests that were let in before are among it.
    """

    version: str | None
    shares: Shares
    in_use: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Member:
    """A node that is counted. `unconfirmed`: the most that it was told of each figure since it last confirmed all."""

    heard_at: float
    holding: Holding = field(default_factory=lambda: Holding(version=None, shares=Shares()))
    unconfirmed: Mapping[str, int] = field(default_factory=dict)
    told: Told | None = None

    def holds(self, key: str) -> int:
        """The most that it may be using, now or in a moment: a smaller share ends no request."""
        holding = self.holding
        return max(holding.shares.of.get(key, 0), holding.in_use.get(key, 0), self.unconfirmed.get(key, 0))


class Sharing:
    """Divides the figures. `clock` counts seconds; `expected` are nodes that reported to an earlier process."""

    def __init__(
        self,
        figures: Callable[[], Iterable[Figure]],
        *,
        bell: Bell,
        clock: Callable[[], float],
        expected: Iterable[str] = (),
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._figures = figures
        self._bell = bell
        self._clock = clock
        self._grace_seconds = grace_seconds
        self._started = clock()
        self._expected = frozenset(expected)
        self._missing = set(self._expected)
        self._before = 0
        self._members: dict[str, _Member] = {}
        self._epoch = secrets.token_hex(4)
        self._versions = 0

    def polled(self, name: str) -> None:
        """The node asks what it may use: it is counted from now on.

        One of before keeps what it has until it has said what that is.
        """
        if name not in self._missing or not self._others_may_come():
            self._member(name)
        self.divide()

    def told_to(self, name: str) -> Told | None:
        """What the node may use; None when it is not counted (any more)."""
        member = self._members.get(name)
        return member.told if member else None

    def heard(self, name: str, holding: Holding | None) -> None:
        """The node reports; `holding` is None when it says nothing of shares."""
        if holding is not None:
            if name in self._missing:
                self._before = max(self._before, holding.shares.nodes or 0)
            self._missing.discard(name)
        if name not in self._missing or not self._others_may_come():
            member = self._member(name)
            member.holding = holding or member.holding
            if member.told is not None and member.holding.version == member.told.version:
                member.unconfirmed = {}
        self.divide()

    def left(self, name: str) -> None:
        """The node has ended: what it held is free."""
        self._members.pop(name, None)
        self._missing.discard(name)
        self.divide()

    def told(self) -> dict[str, Told]:
        """What each counted node was told, by name."""
        return {name: one.told for name, one in sorted(self._members.items()) if one.told}

    def divide(self) -> None:
        """Decide anew what each node may use, and wake the polls of those for whom that changed."""
        self._forget_silent()
        count = self._count()
        granted: dict[str, dict[str, int]] = {name: {} for name in self._members}
        for figure in self._figures():
            for name, share in self._grants(figure, count).items():
                granted[name][figure.key] = share
        changed = [self._tell(name, Shares(nodes=count, of=of)) for name, of in granted.items()]
        if any(changed):
            self._bell.ring()

    def _grants(self, figure: Figure, count: int) -> dict[str, int]:
        held = {name: one.holds(figure.key) for name, one in self._members.items()}
        if not self._others_may_come():
            return grants(figure.most, targets(figure.key, figure.most, held), held)
        wanted = steady_targets(figure.most, held, held, count=count)
        unknown = (count - len(held)) * -(-figure.most // count)
        return grants(figure.most, wanted, held, reserved=figure.most if self._may_be_held(held) else unknown)

    def _may_be_held(self, held: Mapping[str, int]) -> bool:
        """Whether nodes that are about to report may hold all of a figure, of which these nodes hold so much.

        Not if one of before has reported and holds nothing: then the figure is new.
        """
        if self._clock() - self._started >= LIVE_SECONDS:
            return False
        of_before = held.keys() & self._expected
        return not of_before or any(held[name] for name in of_before)

    def _count(self) -> int:
        """How many nodes there are: those counted, and as long as some of before may still report, those too.

        How many they were before, they say themselves; until one does, all that ever were may be there.
        """
        if not self._others_may_come():
            return len(self._members)
        old = len(self._members.keys() & self._expected)
        fresh = len(self._members) - old
        return fresh + (max(old, self._before) if self._before else old + len(self._missing))

    def _others_may_come(self) -> bool:
        """Whether nodes that reported to an earlier process may be about to report to this one."""
        return bool(self._missing) and self._clock() - self._started < self._grace_seconds

    def _tell(self, name: str, shares: Shares) -> bool:
        member = self._members[name]
        if member.told is not None and member.told.shares == shares:
            return False
        self._versions += 1
        member.told = Told(version=f"{self._epoch}-{self._versions}", shares=shares)
        keys = {*member.unconfirmed, *shares.of}
        member.unconfirmed = {key: max(member.unconfirmed.get(key, 0), shares.of.get(key, 0)) for key in keys}
        return True

    def _member(self, name: str) -> _Member:
        member = self._members.setdefault(name, _Member(heard_at=0.0))
        member.heard_at = self._clock()
        return member

    def _forget_silent(self) -> None:
        now = self._clock()
        self._members = {name: one for name, one in self._members.items() if now - one.heard_at < self._grace_seconds}
