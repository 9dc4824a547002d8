"""The factors at which limits break, found exactly: every load only grows with the rates, so each breaks once.

What the planner decided for today's demand (proxies, targets) stays as it is: that is the question.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..arithmetic import exceeds
from ..demand.values import Demand
from ..limits.values import Limits
from ..path.case import Case
from ..path.evaluate import Evaluation, decided, fixed
from ..path.loads import LoadBook
from ..path.measure import Kind, Measure
from ..path.network import Network
from ..path.remedies import remedies

PRECISION = 1e-5
"""How exact a factor is, relative to itself."""
_LEAST = 1e-6
_ROUNDS = 60

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A limit that breaks: the largest factor (rounded down) that it still holds, and the case that breaks it.

    `measure` is its load and capacity just beyond; `changes` would lift it to the end of the sweep.
    """

    kind: Kind
    subject: str
    factor: float
    case: Case
    measure: Measure
    changes: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called, with its place where there are several."""
        return f"{self.kind.title} ({self.subject})" if self.subject else self.kind.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What breaks between `start` and `stop` times the demand, in that order; what is broken at the start included.

    `holding`: how many limits hold throughout.
    """

    start: float
    stop: float
    breaks: tuple[Break, ...]
    holding: int


def sweep(demand: Demand, limits: Limits, start: float, stop: float) -> Sweep:
    """The limits that break up to `stop` times the demand. Raises `ValueError` unless 0 < start <= stop."""
    if not 0 < start <= stop:
        message = f"a scale from {start} to {stop}"
        raise ValueError(message)
    search = _Search(decided(demand, limits))
    at_stop = {case: search.at(stop, case) for case in Case}
    keys = sorted({key for found in at_stop.values() for key in found})
    found = [search.break_of(key, stop, at_stop) for key in keys]
    breaks = sorted((one for one in found if one is not None), key=lambda one: (one.factor, one.kind.code, one.subject))
    return Sweep(start=start, stop=stop, breaks=tuple(breaks), holding=len(keys) - len(breaks))


def holds_up_to(demand: Demand, limits: Limits, kind: Kind, subject: str, most: float = 1_000.0) -> float | None:
    """The largest factor of the demand that one limit holds; None when it holds `most`."""
    search = _Search(decided(demand, limits))
    at_most = {case: search.at(most, case) for case in Case}
    found = search.break_of((kind.code, subject), most, at_most)
    return None if found is None else found.factor


class _Search:
    """Evaluates cases at factors, each once."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._fixed = fixed(network)
        self._known: dict[tuple[float, Case], dict[_Key, Measure]] = {}

    def at(self, factor: float, case: Case) -> dict[_Key, Measure]:
        """All measures of a case at a factor."""
        if (factor, case) not in self._known:
            book = LoadBook(self._network.demand, self._network.limits, factor)
            found = Evaluation(self._network, book, known=self._fixed).measures(case)
            self._known[factor, case] = {(one.kind.code, one.subject): one for one in found}
        return self._known[factor, case]

    def break_of(self, key: _Key, stop: float, at_stop: Mapping[Case, Mapping[_Key, Measure]]) -> Break | None:
        """Where one limit breaks at or below `stop`, in the case that breaks first; None where it holds."""
        broken = [case for case, found in at_stop.items() if key in found and _is_broken(found[key])]
        if not broken:
            return None
        factor, case = min(
            ((self._factor(key, case, stop), case) for case in broken),
            key=lambda one: (one[0], list(Case).index(one[1])),
        )
        worst = at_stop[case][key]
        return Break(
            kind=worst.kind,
            subject=worst.subject,
            factor=factor,
            case=case,
            measure=worst,
            changes=remedies(worst, self._network),
        )

    def _factor(self, key: _Key, case: Case, stop: float) -> float:
        """The largest factor that holds: bisection, helped by a straight line, as most loads are proportional."""
        if _is_broken(self.at(_LEAST, case)[key]):
            return 0.0  # it does not depend on the traffic
        low, high = _LEAST, stop
        for turn in range(_ROUNDS):
            if high - low <= PRECISION * high:
                break
            middle = self._guess(key, case, (low, high)) if turn % 3 < 2 else (low + high) / 2  # noqa: PLR2004
            if _is_broken(self.at(middle, case)[key]):
                high = middle
            else:
                low = middle
        return low

    def _guess(self, key: _Key, case: Case, between: tuple[float, float]) -> float:
        """Where a straight line through both ends meets the limit, a little to its far side."""
        low, high = between
        at_low, at_high = (self.at(factor, case)[key].utilisation for factor in between)
        if not at_low < 1 < at_high or at_high == float("inf"):
            return (low + high) / 2
        met = low + (1 - at_low) / (at_high - at_low) * (high - low)
        nudge = PRECISION / 3 * high
        towards = met + nudge if met - low > high - met else met - nudge
        return min(max(towards, low + nudge), high - nudge)


def _is_broken(measure: Measure) -> bool:
    return measure.kind.refuses and exceeds(measure.load, measure.capacity)
