"""Between AWS and the data centre: Transit Gateway, Direct Connect, and the Resolver endpoint.

Circuits are full duplex: each direction is added up for itself, requests into AWS and answers of the databases one way,
answers of functions and requests to databases the other. Where the router is in the hub, a request that legacy answers
crosses the circuit twice in each direction (a hairpin), and bodies are not yet encoded as events.
"""

from collections.abc import Iterable, Iterator

from ..arithmetic import number, up
from ..demand.network import Circuit, RouterPlace, Way
from ..interfaces import live
from .loads import Loads
from .measure import Basis, Kind, Measure, Over
from .network import Network

TRANSIT = "Transit Gateway"
CIRCUIT = "Direct Connect"
TRANSIT_BANDWIDTH = Kind(
    "transit-gateway-bandwidth", TRANSIT, "attachment, zone and direction", "Gbps", Basis.RATE, Over.ALL
)
TRANSIT_PACKETS = Kind(
    "transit-gateway-packets", TRANSIT, "attachment's packets, zone", "packets/s", Basis.RATE, Over.ALL
)
TRANSIT_ROUTES = Kind(
    "transit-gateway-routes", TRANSIT, "routes of the Transit Gateway", "routes", Basis.FIXED, Over.ALL
)
BANDWIDTH = Kind("direct-connect-bandwidth", CIRCUIT, "circuits, one direction", "Gbps", Basis.RATE, Over.ALL)
HAIRPIN = Kind("direct-connect-hairpin", CIRCUIT, "circuits while legacy answers", "Gbps", Basis.RATE, Over.ALL)
PREFIXES_IN = Kind("direct-connect-prefixes-in", CIRCUIT, "prefixes to AWS", "prefixes", Basis.FIXED, Over.ALL)
PREFIXES_OUT = Kind(
    "direct-connect-prefixes-out", CIRCUIT, "prefixes to on-premises", "prefixes", Basis.FIXED, Over.ALL
)
RESOLVER = Kind("resolver-queries", "resolver", "Resolver endpoint's queries", "queries/s", Basis.RATE, Over.ALL)
_GBPS = 8 / 1e9


def measures(loads: Loads, network: Network) -> Iterator[Measure]:
    """The limits between AWS and the data centre that follow the traffic, in one case."""
    path = network.demand.path
    if path.transit_gateway is not None:
        yield from _transit(loads, network)
    if path.direct_connect is not None:
        yield from _circuits(loads, network, path.direct_connect.circuits)
    if path.resolver is not None:
        yield _resolver(loads, network)


def fixed(network: Network) -> tuple[Measure, ...]:
    """Those that do not follow the traffic: routes and prefixes."""
    path = network.demand.path
    counts: list[tuple[Kind, str, int]] = []
    if path.transit_gateway is not None:
        counts.append((TRANSIT_ROUTES, "transit_gateway_routes", path.transit_gateway.routes))
    if path.direct_connect is not None:
        counts.append((PREFIXES_IN, "direct_connect_prefixes_in", path.direct_connect.prefixes_in))
        counts.append((PREFIXES_OUT, "direct_connect_prefixes_out", path.direct_connect.prefixes_out))
    limits = network.limits
    return tuple(
        Measure(kind=kind, subject="", load=load, capacity=limits[key].value, limit=limits[key])
        for kind, key, load in counts
    )


def _ingress(loads: Loads, network: Network) -> tuple[float, float]:
    """Bytes per second of requests and of answers between VIP and AWS."""
    one = loads.ingress
    if network.demand.path.ingress.router is RouterPlace.HUB:
        return one.plain_request, one.plain_response
    return one.event_request, one.event_response


def _egress(loads: Loads, ways: Iterable[Way]) -> tuple[float, float]:
    """Bytes per second of requests to on-premises and of their answers."""
    found = [loads.ways[way] for way in ways if way in loads.ways]
    requests = sum(sum(one.request_bytes.values()) for one in found)
    return requests, sum(sum(one.response_bytes.values()) for one in found)


def _both_directions(loads: Loads, network: Network, ways: Iterable[Way], *, with_ingress: bool) -> tuple[float, float]:
    """Gbps towards AWS and towards on-premises."""
    request, response = _ingress(loads, network) if with_ingress else (0.0, 0.0)
    asked, answered = _egress(loads, ways)
    wire = (1 + network.limit("wire_overhead")) * _GBPS
    return (request + answered) * wire, (response + asked) * wire


def _transit(loads: Loads, network: Network) -> Iterator[Measure]:
    """The hub's attachment carries ingress and what the proxies pass on; a spoke's what goes there without them."""
    azs = live(len(network.demand.azs), loads.lost)
    limit, packets = network.limits["transit_gateway_gbps_per_az"], network.limits["transit_gateway_packets_per_az"]
    direct = [way for way in (Way.NAT, Way.DIRECT) if way in loads.ways]
    for vpc, ways in (("hub", [Way.ENDPOINT]), ("spoke", direct)):
        if vpc == "spoke" and not direct:
            continue
        is_hub = vpc == "hub"
        towards_aws, towards_home = _both_directions(loads, network, ways, with_ingress=is_hub)
        yield Measure(
            kind=TRANSIT_BANDWIDTH,
            subject=vpc,
            load=max(towards_aws, towards_home) / azs,
            capacity=limit.value,
            limit=limit,
        )
        count = sum(sum(loads.ways[way].packets.values()) for way in ways if way in loads.ways)
        count += loads.ingress.packets if is_hub else 0.0
        yield Measure(kind=TRANSIT_PACKETS, subject=vpc, load=count / azs, capacity=packets.value, limit=packets)


def _circuits(loads: Loads, network: Network, circuits: tuple[Circuit, ...]) -> Iterator[Measure]:
    left = _without_the_largest(circuits) if loads.lost and len(circuits) > 1 else circuits
    capacity = sum(one.gbps * (1 - one.used_share) for one in left)
    limit = network.limits["direct_connect_gbps"]
    towards_aws, towards_home = _both_directions(loads, network, Way, with_ingress=True)
    shown = " + ".join(f"{number(one.gbps)} x {1 - one.used_share:.0%}" for one in left)
    yield Measure(
        kind=BANDWIDTH,
        subject="",
        load=max(towards_aws, towards_home),
        capacity=capacity,
        limit=limit,
        load_of=f"{number(towards_aws)} to AWS, {number(towards_home)} to on-premises",
        capacity_of=shown,
    )
    if network.demand.path.ingress.router is RouterPlace.HUB:
        crossing = loads.ingress.plain_request + loads.ingress.plain_response
        yield Measure(
            kind=HAIRPIN,
            subject="",
            load=crossing * (1 + network.limit("wire_overhead")) * _GBPS,
            capacity=capacity,
            limit=limit,
            load_of="requests and answers, in each direction",
            capacity_of=shown,
        )


def _without_the_largest(circuits: tuple[Circuit, ...]) -> tuple[Circuit, ...]:
    largest = max(circuits, key=lambda one: (one.gbps * (1 - one.used_share), one.name))
    return tuple(one for one in circuits if one is not largest)


def _resolver(loads: Loads, network: Network) -> Measure:
    resolver = network.demand.path.resolver
    assert resolver is not None, "the caller asked"  # noqa: S101
    limit = network.limits["resolver_endpoint_queries"]
    gone = up(resolver.addresses * loads.lost / len(network.demand.azs))
    left = max(0, resolver.addresses - gone)
    return Measure(
        kind=RESOLVER,
        subject="",
        load=loads.queries * resolver.forwarded_share,
        capacity=limit.value * left,
        limit=limit,
        capacity_of=f"{left} addresses x {number(limit.value)}",
    )
