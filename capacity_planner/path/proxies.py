"""The proxies: ports to each destination, connections, memory and bandwidth, of all that still stand.

A port is taken while its connection is open, and for TIME_WAIT after it was closed.
"""

from collections.abc import Iterator

from ..arithmetic import number
from ..demand.network import Proxies, ProxyTls, Software, Way
from ..interfaces import live
from .loads import DestinationLoad, Loads
from .measure import Basis, Kind, Measure, Over
from .network import Network

HOP = "proxies"
PORTS = Kind("proxy-ports", HOP, "proxies' ports to a destination", "ports", Basis.BOTH, Over.DESTINATION)
CONNECTIONS = Kind(
    "proxy-connections", HOP, "proxies' connections to one", "connections", Basis.CONCURRENCY, Over.DESTINATION
)
MEMORY = Kind("proxy-memory", HOP, "proxies' connections by memory", "connections", Basis.CONCURRENCY, Over.WAY)
BANDWIDTH = Kind("proxy-bandwidth", HOP, "proxies' bandwidth", "Gbps", Basis.RATE, Over.WAY)
_GBPS = 8 / 1e9
_MEMORY_KEYS = {
    ProxyTls.NONE: "haproxy_connections_per_gb",
    ProxyTls.CLIENT: "haproxy_tls_connections_per_gb",
    ProxyTls.BOTH: "haproxy_tls_both_connections_per_gb",
}


def measures(loads: Loads, network: Network) -> Iterator[Measure]:
    """The limits of the proxies in one case."""
    if Way.ENDPOINT not in loads.ways:
        return
    standing = network.proxies_per_az * live(len(network.demand.azs), loads.lost)
    endpoints = endpoints_of(network)
    for (way, name), load in sorted(loads.destinations.items(), key=lambda one: one[0][1]):
        if way is Way.ENDPOINT:
            yield from _destination(name, load, standing, endpoints.get(name, 1), network)
    yield from _whole(loads, standing, network)


def endpoints_of(network: Network) -> dict[str, int]:
    """How many IP and port pairs each destination listens on."""
    demand = network.demand
    of_databases = {one.name: one.endpoints for one in demand.databases}
    return {**{one.name: one.endpoints for one in demand.services}, **of_databases}


def _destination(
    name: str, load: DestinationLoad, standing: int, endpoints: int, network: Network
) -> Iterator[Measure]:
    proxies = network.demand.path.proxies
    ports_limit, wait_limit = network.limits["linux_ephemeral_ports"], network.limits["linux_time_wait_seconds"]
    ports = proxies.ports or ports_limit.whole
    wait = wait_limit.value if proxies.time_wait_seconds is None else proxies.time_wait_seconds
    held, opened = sum(load.connections.values()), sum(load.new_connections.values())
    yield Measure(
        kind=PORTS,
        subject=name,
        load=held + opened * wait,
        capacity=standing * proxies.addresses * endpoints * ports,
        limit=ports_limit,
        load_of=f"{number(held)} open + {number(opened)}/s x {number(wait)} s",
        capacity_of=f"{standing} proxies x {proxies.addresses * endpoints} addresses x {number(ports)}",
    )
    most = _most_connections(proxies, network)
    if most is not None:
        limit = network.limits["envoy_max_connections"]
        yield Measure(
            kind=CONNECTIONS,
            subject=name,
            load=held,
            capacity=standing * most,
            limit=limit,
            capacity_of=f"{standing} proxies x {number(most)}",
        )


def _most_connections(proxies: Proxies, network: Network) -> int | None:
    """How many connections one proxy opens to one destination; None where nothing says."""
    if proxies.max_connections is not None:
        return proxies.max_connections
    return network.limits["envoy_max_connections"].whole if proxies.software is Software.ENVOY else None


def _whole(loads: Loads, standing: int, network: Network) -> Iterator[Measure]:
    proxies = network.demand.path.proxies
    way = loads.ways[Way.ENDPOINT]
    if proxies.software is Software.HAPROXY:
        limit = network.limits[_MEMORY_KEYS[proxies.tls]]
        gb = proxies.memory_bytes / 2**30
        yield Measure(
            kind=MEMORY,
            subject=Way.ENDPOINT.value,
            load=sum(way.connections.values()),
            capacity=standing * gb * limit.value,
            limit=limit,
            capacity_of=f"{standing} proxies x {number(gb)} GB x {number(limit.value)}",
        )
    limit = network.limits["instance_flow_gbps"]
    carried = sum(way.request_bytes.values()) + sum(way.response_bytes.values())
    yield Measure(
        kind=BANDWIDTH,
        subject=Way.ENDPOINT.value,
        load=carried * (1 + network.limit("wire_overhead")) * _GBPS,
        capacity=standing * proxies.gbps,
        limit=limit,
        capacity_of=f"{standing} proxies x {number(proxies.gbps)} Gbps",
    )
