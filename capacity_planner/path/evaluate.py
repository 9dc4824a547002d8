"""All measures of a network in one case, and what the planner decides where the demand file leaves a count open."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..arithmetic import up
from ..demand.values import Demand
from ..limits.values import Limits
from . import databases, endpoints, functions, hybrid, interfaces, nat, proxies
from .case import Case
from .loads import LoadBook
from .measure import Measure
from .network import Network, account_limits

_NLB_KINDS = (endpoints.CONNECTIONS, endpoints.NEW)
_PROXY_KINDS = (proxies.PORTS, proxies.CONNECTIONS, proxies.MEMORY, proxies.BANDWIDTH)


def fixed(network: Network) -> tuple[Measure, ...]:
    """The measures that do not follow the traffic: the same in every case and at every factor."""
    return (*functions.fixed(network), *endpoints.fixed(network), *hybrid.fixed(network))


class Evaluation:
    """The measures of a network whose loads are in `book`; what was added up once is used again.

    `known`: its fixed measures, where somebody has them already.
    """

    def __init__(self, network: Network, book: LoadBook, *, known: tuple[Measure, ...] | None = None) -> None:
        self.network = network
        self.book = book
        self._fixed = fixed(network) if known is None else known

    def measures(self, case: Case) -> Iterator[Measure]:
        """Every load and its capacity in one case, in the order of the way."""
        loads, network = self.book.of(case), self.network
        yield from functions.measures(loads, network)
        yield from interfaces.measures(loads, network)
        yield from endpoints.measures(loads, network)
        yield from proxies.measures(loads, network)
        yield from nat.measures(loads, network)
        yield from hybrid.measures(loads, network)
        yield from databases.measures(loads, network)
        yield from self._fixed


def evaluate(demand: Demand, limits: Limits, *, factor: float = 1.0) -> Evaluation:
    """The evaluation of a demand at `factor` times its rates, with what is decided for it as it is."""
    today = LoadBook(demand, account_limits(demand, limits))
    network = _decided(today)
    return Evaluation(network, today if factor == 1.0 else LoadBook(demand, network.limits, factor))


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """How many proxies, and targets of the load balancer, are needed in each zone with its worst losses, and why.

    `proxies_because` and `targets_because` are the kinds of limits that ask for so many.
    """

    proxies_per_az: int
    proxies_because: str
    targets_per_az: int
    targets_because: str


def needs(demand: Demand, limits: Limits, *, factor: float = 1.0) -> Needs:
    """What the way through proxies needs at `factor` times the demand, at its median and when all is slow."""
    return _needs(LoadBook(demand, account_limits(demand, limits), factor))


def _needs(book: LoadBook) -> Needs:
    one_each = Network(demand=book.demand, limits=book.limits, proxies_per_az=1, targets_per_az=1)
    found = [
        measure for case in Case for part in (endpoints, proxies) for measure in part.measures(book.of(case), one_each)
    ]
    proxies_needed, proxies_because = _most(one for one in found if one.kind in _PROXY_KINDS)
    targets_needed, targets_because = _most(one for one in found if one.kind in _NLB_KINDS)
    return Needs(
        proxies_per_az=proxies_needed,
        proxies_because=proxies_because,
        targets_per_az=targets_needed,
        targets_because=targets_because,
    )


def _most(found: Iterable[Measure]) -> tuple[int, str]:
    """How often the one that is there must stand in each zone: every capacity grows with that number."""
    counts = [(up(one.utilisation), one.kind.code) for one in found]
    most, because = max(counts, default=(1, ""))
    return max(1, most), because


def decided(demand: Demand, limits: Limits) -> Network:
    """The network with the counts that the file gives, and with what is needed where it leaves them open."""
    return _decided(LoadBook(demand, account_limits(demand, limits)))


def _decided(book: LoadBook) -> Network:
    path = book.demand.path
    proxies_given, targets_given = path.proxies.per_az, path.nlb.targets_per_az
    if proxies_given is not None:
        per_az, targets = proxies_given, targets_given or proxies_given
    else:
        needed = _needs(book)
        per_az = needed.proxies_per_az if targets_given else max(needed.proxies_per_az, needed.targets_per_az)
        targets = targets_given or per_az
    return Network(demand=book.demand, limits=book.limits, proxies_per_az=per_az, targets_per_az=targets)
