"""The Hyperplane ENIs: how many, their connections, new connections, and packets to the VPC's resolver.

How many ENIs a set of security groups has in a subnet is a lower bound, so what one ENI carries is an upper bound.
"""

from collections.abc import Iterator

from ..arithmetic import number
from ..interfaces import hyperplane_enis
from ..spoke import enis_by_az, subnet_loads, worst_az
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
    by_az = enis_by_az(subnet_loads(network.demand, loads.environments, loads.lost, network.limits))
    counts = sorted(by_az.values(), reverse=True)[: max(1, len(by_az) - loads.lost)]
    others = network.limits["eni_other_consumers"].whole
    limit = network.limits["eni_per_vpc"]
    return Measure(
        kind=QUOTA,
        subject="",
        load=sum(counts) + others,
        capacity=limit.value,
        limit=limit,
        load_of=f"at least {number(sum(counts))}" + (f" + {number(others)} of others" if others else ""),
    )


def _zone(name: str, zone: ZoneLoad, lost: int, network: Network) -> Iterator[Measure]:
    sets = network.demand.zone_of[name].sets
    held = busiest(zone.connections, lost) / sets
    enis = hyperplane_enis(held, network.limits)
    ports = network.limits["eni_connections"]
    yield Measure(kind=PORTS, subject=name, load=held, capacity=ports.value, limit=ports)
    each = sets * enis
    opened = max(busiest(zone.new_connections, lost) / each, zone.burst / each)
    new = network.limits["eni_new_connections"]
    yield Measure(kind=NEW, subject=name, load=opened, capacity=new.value, limit=new)
    packets = busiest(zone.dns_packets, lost)
    dns = network.limits["dns_packets_per_eni"]
    yield Measure(
        kind=DNS,
        subject=name,
        load=packets / each,
        capacity=dns.value,
        limit=dns,
        load_of=f"{number(packets)}/s in a subnet / {number(each)} ENI{'' if each == 1 else 's'}",
    )


def busiest(by_azs: dict[tuple[str, ...], float], lost: int) -> float:
    """What the busiest zone carries."""
    return max(worst_az(by_azs, lost).values(), default=0.0)
