"""The verdict on a whole way: every hop in all four cases, the binding limit first, and what would lift it."""

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from ..arithmetic import exceeds
from ..demand.values import Demand
from ..limits.values import Limit, Limits
from .case import Case
from .evaluate import Evaluation, evaluate
from .measure import Basis, Kind, Measure
from .network import Network
from .remedies import remedies
from .reservations import Reservation, reservations
from .sets import SetsNeeded, sets_needed


class Status(enum.Enum):
    """How a hop stands: within its limit, near it, beyond it, or beyond what is only assumed or only costs time."""

    OK = "ok"
    TIGHT = "tight"
    EXCEEDED = "exceeded"
    NOTED = "noted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One limit at one place, in all four cases. `worst` is the case in which it comes nearest to its limit.

    `changes` would lift the limit, the cheapest first: given where it is near or exceeded, and where it binds.
    """

    kind: Kind
    subject: str
    measures: Mapping[Case, Measure]
    worst: Case
    status: Status
    changes: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called: its title, and the place where there are several."""
        return f"{self.kind.title} ({self.subject})" if self.subject else self.kind.title

    @property
    def reading(self) -> Measure:
        """Its measure in its worst case."""
        return self.measures[self.worst]

    @property
    def utilisation(self) -> float:
        """Load over capacity in its worst case."""
        return self.reading.utilisation

    @property
    def limit(self) -> Limit:
        """The figure that its capacity rests on."""
        return self.reading.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class PathVerdict:
    """All hops, those first that break first; `binding` is the first of them.

    `reservations`: the reserved concurrency that would protect each database. `sets`: of security groups, that each
    trust zone needs. `single_circuit`: nothing carries the traffic when the one circuit is lost.
    """

    network: Network
    hops: tuple[Hop, ...]
    binding: Hop
    reservations: tuple[Reservation, ...]
    sets: tuple[SetsNeeded, ...]
    single_circuit: bool

    @property
    def exceeded(self) -> tuple[Hop, ...]:
        """The hops beyond their limit in any case, the worst first."""
        return tuple(hop for hop in self.hops if hop.status is Status.EXCEEDED)


def judge(demand: Demand, limits: Limits, *, factor: float = 1.0) -> PathVerdict:
    """The verdict on a demand, with its rates multiplied by `factor`."""
    return verdict_on(evaluate(demand, limits, factor=factor))


def verdict_on(evaluation: Evaluation) -> PathVerdict:
    """The verdict on what was evaluated."""
    network = evaluation.network
    found: dict[tuple[str, str], dict[Case, Measure]] = {}
    for case in Case:
        for measure in evaluation.measures(case):
            found.setdefault((measure.kind.code, measure.subject), {})[case] = measure
    hops = sorted((_hop(each, network) for each in found.values()), key=_urgency)
    first = hops[0]
    hops = [_with_changes(hop, network) if hop is first or hop.status is not Status.OK else hop for hop in hops]
    circuits = network.demand.path.direct_connect.circuits if network.demand.path.direct_connect else ()
    return PathVerdict(
        network=network,
        hops=tuple(hops),
        binding=hops[0],
        reservations=reservations(network.demand, network.limits),
        sets=sets_needed(network, evaluation.book),
        single_circuit=len(circuits) == 1,
    )


def status_of(measure: Measure, tight_share: float) -> Status:
    """How one measure stands."""
    if exceeds(measure.load, measure.capacity):
        return Status.EXCEEDED if measure.kind.refuses else Status.NOTED
    return Status.TIGHT if exceeds(measure.utilisation, tight_share) else Status.OK


def _hop(each: Mapping[Case, Measure], network: Network) -> Hop:
    worst = max(each, key=lambda case: each[case].utilisation)  # the first of equals: the simplest case
    reading = each[worst]
    status = status_of(reading, network.limit("tight_share"))
    return Hop(
        kind=reading.kind,
        subject=reading.subject,
        measures=each,
        worst=worst,
        status=status,
        changes=(),
    )


def _with_changes(hop: Hop, network: Network) -> Hop:
    """The hop with what would lift its limit: to its load where that is beyond it, else to twice its capacity."""
    reading = hop.reading
    if hop.status in (Status.OK, Status.TIGHT):
        reading = dataclasses.replace(reading, load=2 * reading.capacity)
    return dataclasses.replace(hop, changes=remedies(reading, network))


def _urgency(hop: Hop) -> tuple[bool, bool, bool, float, str, str]:
    """What is exceeded first, then what grows with the traffic, each by utilisation; what may not refuse last."""
    return (
        hop.status is not Status.EXCEEDED,
        not hop.kind.refuses,
        hop.kind.basis is Basis.FIXED,
        -hop.utilisation,
        hop.kind.code,
        hop.subject,
    )
