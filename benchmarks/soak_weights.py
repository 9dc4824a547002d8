"""What is known of the weights while users send: when each shift began, and when every live node had it in force."""

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.soak_client import Sent


@dataclass(slots=True)
class Shift:
    """One shift of a route; `ended` is infinite until every live node said that it is in force."""

    route: str
    parts: int
    began: float
    ended: float = math.inf


class History:
    """The shifts of one route, in their order."""

    def __init__(self, shifts: Iterable[Shift]) -> None:
        self._shifts = sorted(shifts, key=lambda one: one.began)
        self._begins = [one.began for one in self._shifts]
        ends = sorted((one.ended, number) for number, one in enumerate(self._shifts))
        self._ends = [ended for ended, _ in ends]
        self._newest: list[int] = []
        for _, number in ends:
            self._newest.append(max(number, self._newest[-1] if self._newest else number))

    def weights(self, began: float, ended: float) -> set[int]:
        """Every weight that was in force or on its way in that time: the last one that was settled, and later ones."""
        settled = bisect.bisect_right(self._ends, began)
        first = self._newest[settled - 1] if settled else 0
        possible = self._shifts[first : bisect.bisect_right(self._begins, ended)]
        return {one.parts for one in possible} | (set() if settled else {0})


def bounced(sent: Iterable[Sent], shifts: Sequence[Shift]) -> list[Sent]:
    """The requests whose assigned side is explained by no weight that was in force or on its way while they ran."""
    routes = {one.route for one in shifts}
    histories = {route: History(one for one in shifts if one.route == route) for route in routes}
    nothing = History(())

    def explained(one: Sent) -> bool:
        weights = histories.get(one.route, nothing).weights(one.began, one.ended)
        return any((one.place < weight) == (one.assigned == "lambda") for weight in weights)

    return [one for one in sent if one.assigned and not explained(one)]
