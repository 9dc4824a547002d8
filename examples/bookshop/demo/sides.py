"""Who was assigned to which side, and whether only the ramp moved them. No I/O.

The rule: while a weight is held, a user's assigned side never changes. Between two weights it changes at most once, and
only towards the side that gained. Whoever breaks the rule bounced.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

FULL = 100.0
_SIGMAS = 4.0
"""How far a share may lie from its weight: four standard deviations, one chance in 16,000."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the story stands: after how many shifts, and whether the last one is in force."""

    shifts: int
    in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A weight that was held: the weight in percent, the users seen, and those of them assigned to Lambda."""

    weight: float
    users: int
    on_lambda: int

    @property
    def share(self) -> float:
        """The users on Lambda, in percent."""
        return FULL * self.on_lambda / self.users if self.users else 0.0

    @property
    def is_plausible(self) -> bool:
        """Whether the share is the weight, as near as so many users can show it; exactly, at 0 % and 100 %."""
        part = self.weight / FULL
        slack = FULL * _SIGMAS * math.sqrt(part * (1 - part) / self.users) if self.users else 0.0
        return self.users > 0 and abs(self.share - self.weight) <= slack


class Sides:
    """The assigned side of each user, as the answers told it."""

    def __init__(self, weight: float = 0.0) -> None:
        self.bounced: set[str] = set()
        self._weights = [weight]
        self._in_force = True
        self._last: dict[str, tuple[Mark, str]] = {}
        self._held: list[dict[str, str]] = [{}]

    def mark(self) -> Mark:
        """Where the story stands now; a request carries it from the moment it is sent."""
        return Mark(len(self._weights) - 1, self._in_force)

    def shifting(self, weight: float) -> None:
        """A shift to `weight` percent is about to be asked for."""
        self._weights.append(weight)
        self._held.append({})
        self._in_force = False

    def in_force(self) -> None:
        """The last shift is in force everywhere."""
        self._in_force = True

    def seen(self, user: str, mark: Mark, assigned: str) -> None:
        """Take the side that an answer said its user was assigned to."""
        before = self._last.get(user)
        if before and before[1] != assigned and not self._ramp_explains(before[0], mark, assigned):
            self.bounced.add(user)
        self._last[user] = (mark, assigned)
        if mark.in_force:
            self._held[mark.shifts][user] = assigned

    def held(self) -> tuple[Held, ...]:
        """What was seen while each weight was held, in the story's order."""
        return tuple(_held(weight, users) for weight, users in zip(self._weights, self._held, strict=True))

    def _ramp_explains(self, before: Mark, now: Mark, assigned: str) -> bool:
        # a shift that was under way when the user was seen first may have come into force since
        first = before.shifts + 1 if before.in_force else max(1, before.shifts)
        steps = range(first, now.shifts + 1)
        if assigned == "lambda":
            return any(self._weights[step] > self._weights[step - 1] for step in steps)
        return any(self._weights[step] < self._weights[step - 1] for step in steps)


def _held(weight: float, users: Mapping[str, str]) -> Held:
    return Held(weight=weight, users=len(users), on_lambda=sum(side == "lambda" for side in users.values()))
