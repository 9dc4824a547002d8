"""The Hyperplane ENIs: how many, their connections, new connections, and packets to the VPC's resolver.

A set of security groups has one ENI in a subnet at least, so what one ENI carries here is an upper bound.
"""

from collections.abc import Iterator

from ..arithmetic import count, number
from ..spoke import enis_by_az, subnet_loads_of, worst_az
from .loads import Loads, ZoneLoad
from .measure import Basis, Kind, Measure, Over
from .network import Network

HOP = "ENI"
QUOTA = Kind("eni-quota", HOP, "ENIs in the VPC", "ENIs", Basis.CONCURRENCY, Over.ALL)
PORTS = Kind(
    "eni-ports", HOP, "connections of an ENI", "connections", Basis.CONCURRENCY, Over.TRUST_ZONE, refuses=False
)
NEW = Kind(
    "eni-new-connections", HOP, "new connections of an ENI", "connections/s", Basis.BOTH, Over.TRUST_ZONE, refuses=False
)
DNS = Kind("dns-packets", HOP, "DNS packets of an ENI", "packets/s", Basis.RATE, Over.TRUST_ZONE)


def measures(loads: Loads, network: Network) -> Iterator[Measure]:
    """The limits of ENIs in one case."""
    yield _quota(loads, network)
    for name, zone in sorted(loads.zones.items()):
        yield from _zone(name, zone, loads.lost, network)


def _quota(loads: Loads, network: Network) -> Measure:
    connections = {name: zone.connections for name, zone in loads.zones.items()}
    by_az = enis_by_az(subnet_loads_of(connections, network.demand, loads.lost, network.limits))
    most = sorted(by_az.values(), reverse=True)[: max(1, len(by_az) - loads.lost)]
    others = network.limits["eni_other_consumers"].whole
    limit = network.limits["eni_per_vpc"]
    return Measure(
        kind=QUOTA,
        subject="",
        load=sum(most) + others,
        capacity=limit.value,
        limit=limit,
        load_of=f"at least {number(sum(most))}" + (f" + {number(others)} of others" if others else ""),
    )


def _zone(name: str, zone: ZoneLoad, lost: int, network: Network) -> Iterator[Measure]:
    """One ENI for each set: those that Lambda adds are not counted on, as nobody says when it does."""
    sets = network.demand.zone_of[name].sets
    held = busiest(zone.connections, lost)
    opened = max(busiest(zone.new_connections, lost), zone.burst)
    packets = busiest(zone.dns_packets, lost)
    for kind, key, load in (
        (PORTS, "eni_connections", held),
        (NEW, "eni_new_connections", opened),
        (DNS, "dns_packets_per_eni", packets),
    ):
        limit = network.limits[key]
        yield Measure(
            kind=kind,
            subject=name,
            load=load / sets,
            capacity=limit.value,
            limit=limit,
            load_of=f"{number(load)} in a subnet / {count(sets, 'set')}",
        )


def busiest(by_azs: dict[tuple[str, ...], float], lost: int) -> float:
    """What the busiest zone carries."""
    return max(worst_az(by_azs, lost).values(), default=0.0)
