"""How many sets of security groups each trust zone needs: each set has ENIs of its own, and ENIs have limits.

Counted with zones lost and when all is slow, one ENI for each set and subnet: what Lambda adds by itself is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ..arithmetic import up
from .case import Case
from .interfaces import busiest
from .loads import LoadBook, Loads
from .network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class SetsNeeded:
    """What one trust zone has and needs: by DNS packets, by connections, and by new connections (an assumption)."""

    trust_zone: str
    has: int
    by_dns: int
    by_connections: int
    by_new_connections: int

    @property
    def needed(self) -> int:
        """What the stated limits need; new connections are left to the reader, as their limit is assumed."""
        return max(self.by_dns, self.by_connections)


def sets_needed(network: Network, book: LoadBook) -> tuple[SetsNeeded, ...]:
    """The sets of each trust zone, in order of their names."""
    demand = network.demand
    cases = [book.of(case) for case in (Case.MEDIAN_LOST, Case.TAIL_LOST)]
    names = sorted(cases[0].zones)
    return tuple(
        SetsNeeded(
            trust_zone=name,
            has=demand.zone_of[name].sets,
            by_dns=_most(busiest(one.zones[name].dns_packets, one.lost) / dns for one in cases),
            by_connections=_most(busiest(one.zones[name].connections, one.lost) / ports for one in cases),
            by_new_connections=_most(_new(one, name) / new for one in cases),
        )
        for dns, ports, new in [_limits(network)]
        for name in names
    )


def _limits(network: Network) -> tuple[float, float, float]:
    return (
        network.limit("dns_packets_per_eni"),
        network.limit("eni_connections"),
        network.limit("eni_new_connections") or 1.0,
    )


def _new(loads: Loads, name: str) -> float:
    zone = loads.zones[name]
    return max(busiest(zone.new_connections, loads.lost), zone.burst)


def _most(shares: Iterable[float]) -> int:
    return max(1, *(up(share) for share in shares))
