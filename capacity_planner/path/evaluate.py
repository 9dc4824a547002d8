"""All measures of a network in one case, and what the planner decides where the demand file leaves a count open."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..arithmetic import up
from ..demand.values import Demand
from ..limits.values import Limits
from . import databases, endpoints, functions, hybrid, interfaces, nat, proxies
from .case import Case
from .loads import loads_of
from .measure import Measure
from .network import Network, account_limits

_NLB_KINDS = (endpoints.CONNECTIONS, endpoints.NEW)
_PROXY_KINDS = (proxies.PORTS, proxies.CONNECTIONS, proxies.MEMORY, proxies.BANDWIDTH)


def measures(network: Network, case: Case, *, factor: float = 1.0) -> Iterator[Measure]:
    """Every load and its capacity, in the order of the way, with rates multiplied by `factor`."""
    loads = loads_of(network.demand, network.limits, case, factor=factor)
    yield from functions.measures(loads, network, factor)
    yield from interfaces.measures(loads, network)
    yield from endpoints.measures(loads, network)
    yield from proxies.measures(loads, network)
    yield from nat.measures(loads, network)
    yield from hybrid.measures(loads, network)
    yield from databases.measures(loads, network)


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
    one_each = Network(demand=demand, limits=account_limits(demand, limits), proxies_per_az=1, targets_per_az=1)
    found = [
        measure
        for case in Case
        for measure in _countable(one_each, case, factor)
        if measure.kind in _PROXY_KINDS or measure.kind in _NLB_KINDS
    ]
    proxies_needed, proxies_because = _most(one for one in found if one.kind in _PROXY_KINDS)
    targets_needed, targets_because = _most(one for one in found if one.kind in _NLB_KINDS)
    return Needs(
        proxies_per_az=proxies_needed,
        proxies_because=proxies_because,
        targets_per_az=targets_needed,
        targets_because=targets_because,
    )


def _countable(network: Network, case: Case, factor: float) -> Iterator[Measure]:
    loads = loads_of(network.demand, network.limits, case, factor=factor)
    yield from endpoints.measures(loads, network)
    yield from proxies.measures(loads, network)


def _most(found: Iterable[Measure]) -> tuple[int, str]:
    """How often the one that is there must stand in each zone: every capacity grows with that number."""
    counts = [(up(one.utilisation), one.kind.code) for one in found]
    most, because = max(counts, default=(1, ""))
    return max(1, most), because


def decided(demand: Demand, limits: Limits) -> Network:
    """The network with the counts that the file gives, and with what is needed where it leaves them open."""
    path = demand.path
    proxies_given, targets_given = path.proxies.per_az, path.nlb.targets_per_az
    if proxies_given is not None:
        per_az, targets = proxies_given, targets_given or proxies_given
    else:
        needed = needs(demand, limits)
        per_az = needed.proxies_per_az if targets_given else max(needed.proxies_per_az, needed.targets_per_az)
        targets = targets_given or per_az
    return Network(demand=demand, limits=account_limits(demand, limits), proxies_per_az=per_az, targets_per_az=targets)
