"""What would lift a limit: for each kind the changes that suffice, the cheapest first.

The order is that of effort: a setting, a request for a quota, more of what is there already, more lines.
"""

from collections.abc import Callable

from ..arithmetic import number, up
from ..concurrency import protected_by
from ..demand.values import FunctionDemand
from .measure import Measure
from .network import Network

_MOST_SECONDARY = 7
_MOST_PORTS = 64_512


def remedies(measure: Measure, network: Network) -> tuple[str, ...]:
    """The changes that would bring a load within its capacity, the cheapest first."""
    if measure.capacity <= 0:
        return _where_nothing_is_left(measure, network)
    return tuple(_REMEDIES[measure.kind.code](measure, network))


def _where_nothing_is_left(measure: Measure, network: Network) -> tuple[str, ...]:
    """What to do where the capacity is nothing at all, so that no factor says how much is missing."""
    if measure.kind.code == "resolver-queries":
        return (f"an address of the Resolver endpoint in each zone: {len(network.demand.azs)}",)
    return (f"{number(measure.load)} {measure.kind.unit} where there are none",)


def _account(measure: Measure, _network: Network) -> list[str]:
    to = measure.limit.adjustable_to or "more"
    return [f"ask AWS to raise the account's quota to {number(up(measure.load))} (raised to {to})"]


def _reserved_total(measure: Measure, network: Network) -> list[str]:
    needed = up(measure.load + network.limit("lambda_unreserved_minimum"))
    return [f"ask AWS to raise the account's quota to {number(needed)}", "reserve less"]


def _reserved(measure: Measure, _network: Network) -> list[str]:
    return [
        f"reserve {number(up(measure.load))} for {measure.subject}, if its databases can bear it",
        "leave the rest to legacy: what is throttled falls back",
    ]


def _scaling(measure: Measure, _network: Network) -> list[str]:
    return [f"move weight in steps, or keep environments provisioned: {measure.load_of}"]


def _environment(measure: Measure, _network: Network) -> list[str]:
    return [f"send less in one request of {measure.subject}, by 1/{number(measure.utilisation)}"]


def _payload(measure: Measure, _network: Network) -> list[str]:
    return [f"keep the route of {measure.subject} on legacy, or move large bodies to object storage"]


def _eni_quota(measure: Measure, _network: Network) -> list[str]:
    return [
        "let functions share trust zones: each set of security groups has ENIs of its own in every subnet",
        f"ask AWS to raise the quota to {number(up(measure.load))} (raised to {measure.limit.adjustable_to})",
        "spread the functions over another VPC",
    ]


def _eni_ports(measure: Measure, network: Network) -> list[str]:
    sets = network.demand.zone_of[measure.subject].sets
    return [
        "hold fewer connections in an environment",
        f"spread {measure.subject} over {up(sets * measure.utilisation)} sets of security groups",
    ]


def _eni_new(measure: Measure, network: Network) -> list[str]:
    sets = network.demand.zone_of[measure.subject].sets
    return [
        "keep connections open between requests",
        f"spread {measure.subject} over {up(sets * measure.utilisation)} sets of security groups",
    ]


def _dns(measure: Measure, network: Network) -> list[str]:
    sets = network.demand.zone_of[measure.subject].sets
    more = 1 - 1 / measure.utilisation
    return [
        f"answer {more:.0%} of the look-ups in {measure.subject} that leave it now from a cache in the environment",
        f"spread {measure.subject} over {up(sets * measure.utilisation)} sets of security groups",
    ]


def _lambda_api(measure: Measure, _network: Network) -> list[str]:
    return [f"another endpoint for the Lambda API: {up(measure.utilisation)} in all", "smaller bodies"]


def _endpoint(measure: Measure, _network: Network) -> list[str]:
    return [f"{up(measure.utilisation)} endpoints, each with a part of the functions"]


def _endpoint_count(measure: Measure, _network: Network) -> list[str]:
    return [f"ask AWS to raise the quota to {number(measure.load)}", "share endpoints from another VPC"]


def _nlb(measure: Measure, network: Network) -> list[str]:
    addresses = 1 + network.demand.path.nlb.secondary_addresses
    wanted = up(addresses * measure.utilisation) - 1
    secondary = [f"{wanted} secondary addresses of the NLB in each subnet"] if wanted <= _MOST_SECONDARY else []
    targets = up(network.targets_per_az * measure.utilisation)
    return [*secondary, f"{targets} targets of the NLB in each zone instead of {network.targets_per_az}"]


def _nlb_targets(measure: Measure, _network: Network) -> list[str]:
    return [f"another NLB: {up(measure.utilisation)} in all"]


def _proxy_ports(measure: Measure, network: Network) -> list[str]:
    proxies = network.demand.path.proxies
    ports = proxies.ports or network.limits["linux_ephemeral_ports"].whole
    wider = ["let the proxies use ports 1024-65535"] if ports * measure.utilisation <= _MOST_PORTS else []
    return [
        *wider,
        f"keep connections to {measure.subject} open between requests, or reuse them in the proxies",
        _more_proxies(measure, network),
        f"{up(proxies.addresses * measure.utilisation)} addresses for each proxy",
    ]


def _proxy_connections(measure: Measure, network: Network) -> list[str]:
    each = up(measure.load / measure.capacity * network.limit("envoy_max_connections"))
    given = network.demand.path.proxies.max_connections
    wanted = up(given * measure.utilisation) if given else each
    return [f"raise the proxies' max_connections to {number(wanted)}", _more_proxies(measure, network)]


def _more_proxies(measure: Measure, network: Network) -> str:
    wanted = up(network.proxies_per_az * measure.utilisation)
    return f"{wanted} proxies in each zone instead of {network.proxies_per_az}"


def _proxy_size(measure: Measure, network: Network) -> list[str]:
    return [f"proxies of {number(measure.utilisation)} times the size", _more_proxies(measure, network)]


def _nat_ports(measure: Measure, network: Network) -> list[str]:
    nat = network.demand.path.nat
    addresses = up((nat.addresses if nat else 1) * measure.utilisation)
    most = network.limits["nat_addresses"].whole
    more = [f"{addresses} addresses for each NAT gateway"] if addresses <= most else []
    return [*more, "keep connections open between requests", "let the functions go through endpoint and proxies"]


def _nat_size(measure: Measure, _network: Network) -> list[str]:
    return [f"{up(measure.utilisation)} NAT gateways in each zone, each with a part of the subnets"]


def _transit(measure: Measure, _network: Network) -> list[str]:
    return [f"spread the {measure.subject} over {up(measure.utilisation)} VPCs, each with its attachment"]


def _routes(measure: Measure, _network: Network) -> list[str]:
    return [f"summarise to {number(measure.capacity)} routes or fewer", "ask AWS to raise the quota"]


def _circuits(measure: Measure, _network: Network) -> list[str]:
    missing = number(measure.load - measure.capacity)
    return ["compress bodies, or send less in a request", f"{missing} Gbps more that are free, with one circuit lost"]


def _hairpin(measure: Measure, network: Network) -> list[str]:
    return ["run the router on-premises: what legacy answers never crosses", *_circuits(measure, network)]


def _prefixes(measure: Measure, _network: Network) -> list[str]:
    more = f", or ask AWS for up to {measure.limit.adjustable_to}" if measure.limit.adjustable_to else ""
    return [f"summarise to {number(measure.capacity)} prefixes or fewer{more}"]


def _resolver(measure: Measure, network: Network) -> list[str]:
    resolver = network.demand.path.resolver
    wanted = up((resolver.addresses if resolver else 1) * measure.utilisation)
    return ["cache names in the environment", f"{wanted} addresses for the Resolver endpoint"]


def _sessions(measure: Measure, network: Network) -> list[str]:
    """Reserved concurrency protects at once; the rest needs a queue, a pooler, or shorter requests."""
    holders = [one for one in network.demand.functions if measure.subject in dict(one.database_sessions)]
    shorter = 1 / measure.utilisation if measure.capacity else 0.0
    return [
        f"{_reservation(measure, holders)} and let a queue or legacy take the rest",
        "a pooler before the database, so that environments share sessions",
        f"requests of {shorter:.0%} of their duration",
        f"{number(up(measure.load))} sessions for functions instead of {number(measure.capacity)}",
    ]


def _reservation(measure: Measure, holders: list[FunctionDemand]) -> str:
    if len(holders) == 1:
        sessions = dict(holders[0].database_sessions)[measure.subject]
        return f"reserve {number(protected_by(int(measure.capacity), sessions))} for {holders[0].name}"
    return f"reserve concurrency for {len(holders)} functions, {number(measure.capacity)} sessions in all"


_REMEDIES: dict[str, Callable[[Measure, Network], list[str]]] = {
    "account-concurrency": _account,
    "reserved-concurrency": _reserved_total,
    "function-reserved": _reserved,
    "function-scaling": _scaling,
    "environment-bandwidth": _environment,
    "invocation-payload": _payload,
    "eni-quota": _eni_quota,
    "eni-ports": _eni_ports,
    "eni-new-connections": _eni_new,
    "dns-packets": _dns,
    "lambda-endpoint-bandwidth": _lambda_api,
    "endpoint-bandwidth": _endpoint,
    "endpoints-per-vpc": _endpoint_count,
    "nlb-connections": _nlb,
    "nlb-new-connections": _nlb,
    "nlb-targets": _nlb_targets,
    "proxy-ports": _proxy_ports,
    "proxy-connections": _proxy_connections,
    "proxy-memory": _proxy_size,
    "proxy-bandwidth": _proxy_size,
    "nat-ports": _nat_ports,
    "nat-new-connections": _nat_ports,
    "nat-bandwidth": _nat_size,
    "nat-packets": _nat_size,
    "transit-gateway-bandwidth": _transit,
    "transit-gateway-packets": _transit,
    "transit-gateway-routes": _routes,
    "direct-connect-bandwidth": _circuits,
    "direct-connect-hairpin": _hairpin,
    "direct-connect-prefixes-in": _prefixes,
    "direct-connect-prefixes-out": _prefixes,
    "resolver-queries": _resolver,
    "database-sessions": _sessions,
}
