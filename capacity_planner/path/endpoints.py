"""PrivateLink between spoke and hub: interface endpoints and the Network Load Balancer; the Lambda API's endpoint."""

from collections.abc import Iterator

from ..arithmetic import number
from ..demand.network import Way
from ..interfaces import live
from ..spoke import worst_az
from .loads import Loads
from .measure import Basis, Kind, Measure, Over
from .network import Network

HOP = "endpoint"
NLB = "NLB"
LAMBDA_API = Kind("lambda-endpoint-bandwidth", "ingress", "Lambda API's endpoint", "Gbps", Basis.RATE, Over.ALL)
BANDWIDTH = Kind("endpoint-bandwidth", HOP, "endpoint's bandwidth, zone", "Gbps", Basis.RATE, Over.WAY)
COUNT = Kind("endpoints-per-vpc", HOP, "interface endpoints of a VPC", "endpoints", Basis.FIXED, Over.ALL)
CONNECTIONS = Kind(
    "nlb-connections", NLB, "connections through the NLB, zone", "connections", Basis.CONCURRENCY, Over.WAY
)
NEW = Kind("nlb-new-connections", NLB, "new connections, zone", "connections/min", Basis.RATE, Over.WAY)
TARGETS = Kind("nlb-targets", NLB, "targets of the NLB, zone", "targets", Basis.FIXED, Over.ALL)
GBPS = 8 / 1e9


def measures(loads: Loads, network: Network) -> Iterator[Measure]:
    """The limits of endpoints and load balancer in one case."""
    yield _lambda_api(loads, network)
    if Way.ENDPOINT in loads.ways:
        yield _bandwidth(loads, network)
        yield from _load_balancer(loads, network)


def fixed(network: Network) -> tuple[Measure, ...]:
    """What does not follow the traffic: how many endpoints and targets there are."""
    nlb = network.demand.path.nlb
    registered = network.targets_per_az * (len(network.demand.azs) if nlb.cross_zone else 1)
    limit = network.limits["nlb_targets_per_az"]
    targets = Measure(kind=TARGETS, subject="", load=registered, capacity=limit.value, limit=limit)
    return (*_counts(network), targets)


def _lambda_api(loads: Loads, network: Network) -> Measure:
    """Each zone's share of the events and answers of all functions."""
    limit = network.limits["endpoint_gbps_per_az"]
    azs = live(len(network.demand.azs), loads.lost)
    carried = loads.ingress.event_request + loads.ingress.event_response
    return Measure(
        kind=LAMBDA_API,
        subject="",
        load=carried * (1 + network.limit("wire_overhead")) * GBPS / azs,
        capacity=limit.value,
        limit=limit,
    )


def _counts(network: Network) -> Iterator[Measure]:
    limit = network.limits["interface_endpoints_per_vpc"]
    path = network.demand.path
    for vpc, names in (("hub", path.hub.endpoints), ("spoke", path.spoke.endpoints)):
        yield Measure(kind=COUNT, subject=vpc, load=len(names), capacity=limit.value, limit=limit)


def _bandwidth(loads: Loads, network: Network) -> Measure:
    limit = network.limits["endpoint_gbps_per_az"]
    way = loads.ways[Way.ENDPOINT]
    carried = {azs: way.request_bytes[azs] + way.response_bytes[azs] for azs in way.request_bytes}
    most = max(worst_az(carried, loads.lost).values())
    return Measure(
        kind=BANDWIDTH,
        subject=Way.ENDPOINT.value,
        load=most * (1 + network.limit("wire_overhead")) * GBPS,
        capacity=limit.value,
        limit=limit,
    )


def _load_balancer(loads: Loads, network: Network) -> Iterator[Measure]:
    """One zone's connections against the ports of its NLB address to the targets that it may use."""
    nlb = network.demand.path.nlb
    addresses = 1 + nlb.secondary_addresses
    azs = live(len(network.demand.azs), loads.lost)
    targets = network.targets_per_az * (azs if nlb.cross_zone else 1)
    way = loads.ways[Way.ENDPOINT]
    held = max(worst_az(way.connections, loads.lost).values())
    opened = max(worst_az(way.new_connections, loads.lost).values()) * 60
    for kind, key, load in (
        (CONNECTIONS, "nlb_connections_per_target", held),
        (NEW, "nlb_new_connections_per_target", opened),
    ):
        limit = network.limits[key]
        yield Measure(
            kind=kind,
            subject=Way.ENDPOINT.value,
            load=load,
            capacity=limit.value * addresses * targets,
            limit=limit,
            capacity_of=f"{number(limit.value)} x {addresses} addresses x {targets} targets",
        )
