"""Private NAT gateways, one in each zone: ports to each destination, new connections, bandwidth and packets."""

from collections.abc import Iterator

from ..arithmetic import number
from ..demand.network import Nat, Way
from ..spoke import worst_az
from .loads import DestinationLoad, Loads
from .measure import Basis, Kind, Measure, Over
from .network import Network
from .proxies import endpoints_of

HOP = "NAT"
PORTS = Kind("nat-ports", HOP, "NAT's connections to one, zone", "connections", Basis.CONCURRENCY, Over.DESTINATION)
NEW = Kind("nat-new-connections", HOP, "NAT's new connections, zone", "connections/s", Basis.RATE, Over.DESTINATION)
BANDWIDTH = Kind("nat-bandwidth", HOP, "NAT's bandwidth, zone", "Gbps", Basis.RATE, Over.WAY)
PACKETS = Kind("nat-packets", HOP, "NAT's packets, zone", "packets/s", Basis.RATE, Over.WAY)
_GBPS = 8 / 1e9


def measures(loads: Loads, network: Network) -> Iterator[Measure]:
    """The limits of the NAT gateways in one case."""
    nat = network.demand.path.nat
    if nat is None or Way.NAT not in loads.ways:
        return
    endpoints = endpoints_of(network)
    for (way, name), load in sorted(loads.destinations.items(), key=lambda one: one[0][1]):
        if way is Way.NAT:
            yield from _destination(name, load, nat, endpoints.get(name, 1), (loads.lost, network))
    yield from _whole(loads, network)


def _destination(
    name: str, load: DestinationLoad, nat: Nat, endpoints: int, where: tuple[int, Network]
) -> Iterator[Measure]:
    lost, network = where
    for kind, key, groups in (
        (PORTS, "nat_connections_per_destination", load.connections),
        (NEW, "nat_new_connections_per_destination", load.new_connections),
    ):
        limit = network.limits[key]
        yield Measure(
            kind=kind,
            subject=name,
            load=max(worst_az(groups, lost).values(), default=0.0),
            capacity=limit.value * nat.addresses * endpoints,
            limit=limit,
            capacity_of=f"{number(limit.value)} x {nat.addresses} addresses x {endpoints} endpoints",
        )


def _whole(loads: Loads, network: Network) -> Iterator[Measure]:
    way = loads.ways[Way.NAT]
    carried = {azs: way.request_bytes[azs] + way.response_bytes[azs] for azs in way.request_bytes}
    wire = (1 + network.limit("wire_overhead")) * _GBPS
    for kind, key, load in (
        (BANDWIDTH, "nat_gbps", max(worst_az(carried, loads.lost).values()) * wire),
        (PACKETS, "nat_packets", max(worst_az(way.packets, loads.lost).values())),
    ):
        limit = network.limits[key]
        yield Measure(kind=kind, subject=Way.NAT.value, load=load, capacity=limit.value, limit=limit)
