"""Lambda's own limits: the account's and a function's concurrency, how fast it scales, what one environment carries."""

from collections.abc import Callable, Iterator

from ..arithmetic import exceeds, number
from ..concurrency import ramp_seconds
from ..demand.values import FunctionDemand
from .loads import Loads, base64_bytes
from .measure import Basis, Kind, Measure, Over
from .network import Network

HOP = "Lambda"
ACCOUNT = Kind("account-concurrency", HOP, "account's concurrency", "environments", Basis.CONCURRENCY, Over.ALL)
RESERVED_TOTAL = Kind("reserved-concurrency", HOP, "concurrency reserved in all", "environments", Basis.FIXED, Over.ALL)
RESERVED = Kind(
    "function-reserved", HOP, "function's reserved concurrency", "environments", Basis.CONCURRENCY, Over.FUNCTION
)
SCALING = Kind(
    "function-scaling", HOP, "scaling from cold, 10 s", "environments", Basis.CONCURRENCY, Over.FUNCTION, refuses=False
)
BANDWIDTH = Kind("environment-bandwidth", HOP, "environment's bandwidth", "Mbps", Basis.FIXED, Over.FUNCTION)
PAYLOAD = Kind("invocation-payload", HOP, "invocation's payload", "bytes", Basis.FIXED, Over.FUNCTION)
MBPS = 8 / 1e6
_OWN_LIMITS = {BANDWIDTH.code: "lambda_environment_bandwidth", PAYLOAD.code: "lambda_payload_bytes"}


def measures(loads: Loads, network: Network) -> Iterator[Measure]:
    """Lambda's limits that follow the traffic, in one case."""
    yield _account(loads, network)
    yield from _reserved(loads, network)
    if loads.environments:
        yield _scaling(loads, network)


def fixed(network: Network) -> tuple[Measure, ...]:
    """Lambda's limits that do not follow the traffic: the same in every case."""
    functions = network.demand.functions
    reserved = [_reserved_total(network)] if any(one.reserved is not None for one in functions) else []
    return (*reserved, *_each(network, BANDWIDTH, _environment_mbps), *_each(network, PAYLOAD, _payload))


def _account(loads: Loads, network: Network) -> Measure:
    """What functions without a reservation use, of what the reservations leave them."""
    reserved = sum(function.reserved or 0 for function, _count in loads.environments)
    others = sum(count for function, count in loads.environments if function.reserved is None)
    limit = network.limits["lambda_account_concurrency"]
    return Measure(
        kind=ACCOUNT,
        subject="",
        load=others,
        capacity=max(0, limit.value - reserved),
        limit=limit,
        capacity_of=f"{number(limit.value)} - {number(reserved)} reserved" if reserved else "",
    )


def _reserved_total(network: Network) -> Measure:
    reserved = sum(function.reserved or 0 for function in network.demand.functions)
    account, least = network.limit("lambda_account_concurrency"), network.limit("lambda_unreserved_minimum")
    return Measure(
        kind=RESERVED_TOTAL,
        subject="",
        load=reserved,
        capacity=account - least,
        limit=network.limits["lambda_unreserved_minimum"],
        capacity_of=f"{number(account)} - {number(least)}",
    )


def _reserved(loads: Loads, network: Network) -> Iterator[Measure]:
    """What functions need of their reserved concurrency; beyond it requests are throttled, and legacy answers."""
    limit = network.limits["lambda_unreserved_minimum"]
    for function, _count in loads.environments:
        if function.reserved is not None:
            needed = loads.needed[function.name]
            yield Measure(kind=RESERVED, subject=function.name, load=needed, capacity=function.reserved, limit=limit)


def _scaling(loads: Loads, network: Network) -> Measure:
    function, count = max(loads.environments, key=lambda one: (one[0].rate * one[0].durations.p99, one[0].name))
    limit = network.limits["lambda_scaling_environments"]
    seconds = ramp_seconds(count, network.limits)
    return Measure(
        kind=SCALING,
        subject=function.name,
        load=count,
        capacity=limit.value,
        limit=limit,
        load_of=f"{seconds} s from cold",
    )


def _each(network: Network, kind: Kind, load_of: Callable[[FunctionDemand, Network], float]) -> Iterator[Measure]:
    """Every function that is beyond a limit which each has for itself; else the one that comes nearest."""
    limit = network.limits[_OWN_LIMITS[kind.code]]
    found = sorted(((load_of(one, network), one.name) for one in network.demand.functions), reverse=True)
    beyond = [one for one in found if exceeds(one[0], limit.value)]
    for load, name in beyond or found[:1]:
        yield Measure(kind=kind, subject=name, load=load, capacity=limit.value, limit=limit)


def _environment_mbps(function: FunctionDemand, network: Network) -> float:
    ingress, egress = function.ingress, function.egress
    carried = ingress.request + ingress.response + egress.request + egress.response
    return carried * (1 + network.limit("wire_overhead")) * MBPS / function.durations.p50


def _payload(function: FunctionDemand, network: Network) -> float:
    share = network.demand.path.ingress.base64_share
    request = base64_bytes(function.ingress.request, share) + network.limit("event_overhead_bytes")
    return max(request, base64_bytes(function.ingress.response, share))
