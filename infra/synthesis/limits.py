"""Which metric shows how near each limit of the planner is; a limit that none shows is named, with who sees it instead.

The rule: every limit that the verdicts or the plan name is in exactly one of the two lists. Where a metric adds up what
the planner looks at apart (zones, destinations), it is compared with the one all the same, so that the alarm is early
and never late. Source: CloudWatch metrics of Lambda, VPC, NLB, PrivateLink, Transit Gateway, NAT gateways, EC2 and the
CloudWatch agent, their user guides, 2025.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..artefacts.capacity import Capacity, PathLimit
from ..artefacts.plan import Plan, Purpose, Vpc
from ..constructs.alarms import Unwatched, Watched
from ..constructs.endpoints import service_name
from ..constructs.proxy_files import METRICS

UNSEEN: Mapping[str, str] = {
    "function-scaling": "no metric counts how fast environments are added: AWS/Lambda Throttles shows the result",
    "environment-bandwidth": "no metric without Lambda Insights, whose extension publishes tx_bytes and rx_bytes",
    "invocation-payload": "the router's inner hop refuses what is too large and counts it: `fig observe`",
    "eni-quota": "no metric counts ENIs: `fig cidr check --live` does, each week or before a release",
    "eni-ports": "no metric counts an ENI's connections; when they run out Lambda adds ENIs",
    "eni-new-connections": "no metric counts an ENI's new connections; adapters see them as time to connect",
    "dns-packets": "no metric shows a function's ENI; adapters count look-ups that took long, Resolver query logs all",
    "endpoints-per-vpc": "fixed by the template: `fig infra check` compares it with the plan",
    "nlb-targets": "fixed by the template: the Auto Scaling group's largest size",
    "transit-gateway-routes": "the account that owns the Transit Gateway: its route tables",
    "direct-connect-bandwidth": "the account that owns the circuits: AWS/DX ConnectionBpsIngress and -Egress",
    "direct-connect-hairpin": "the account that owns the circuits: AWS/DX ConnectionBpsIngress and -Egress",
    "direct-connect-prefixes-in": "the account that owns the circuits, and the routers on-premises: BGP's own counters",
    "direct-connect-prefixes-out": "the account that owns the circuits, and the routers on-premises",
    "resolver-queries": "who owns the Resolver endpoint: AWS/Route53Resolver OutboundQueryVolume of each address",
    "database-sessions": "on-premises: the database's own monitoring; reserved concurrency keeps it, and has alarms",
    "legacy-rate": "on-premises: the router counts it, `fig observe` and `fig status` show it",
    "legacy-concurrency": "on-premises: the router counts it, `fig observe` and `fig status` show it",
    "legacy-sessions": "on-premises: the database's own monitoring",
    "eni_per_vpc": "no metric counts ENIs: `fig cidr check --live` does, each week or before a release",
    "cidrs_per_vpc": "fixed by the template: `fig infra check` compares it with the plan",
    "subnets_per_vpc": "fixed by the template: `fig infra check` compares it with the plan",
    "nlb_free_addresses": "needed once, when the balancer is made",
}
"""Limits that no metric shows, or none of this account's."""

_NO_FLEET = "there is no fleet: the settings name no target, or the plan has no hub"
_NO_AGENT = "the hosts' agent has no way to CloudWatch: add `monitoring` to path.hub.endpoints, and plan again"
_NO_PLACE = "the thing is not in these templates (another way into the VPC, or an endpoint that the plan leaves out)"
_BYTES = 1e9 / 8
_MINUTE, _FIVE_MINUTES, _DAY = 60, 300, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """What is asked for limits: plan, verdicts, whether proxies stand, and the SSM value at a path below the name."""

    plan: Plan
    capacity: Capacity
    name: str
    has_proxies: bool
    attaches: bool
    value_at: Callable[[str], Any]
    cn_endpoints: tuple[str, ...] = ()

    @property
    def has_agent(self) -> bool:
        """Whether the proxies' hosts can publish metrics of their own."""
        return self.plan.hub is not None and "monitoring" in self.plan.hub.endpoints


def watched(topology: Topology) -> tuple[Watched, ...]:
    """Every limit that a metric shows, each place once."""
    found = [one for limit in _tightest(topology.capacity.limits) for one in _of_path(limit, topology)]
    units = topology.plan.limits.get("nau_per_vpc")
    found += [_of_vpc(vpc, units.value, topology) for vpc in topology.plan.vpcs] if units else []
    return tuple(found)


def unwatched(topology: Topology) -> tuple[Unwatched, ...]:
    """Every other limit, with the reason; a limit that is found here and above is watched where it stands."""
    seen = {one.limit.split(" ", maxsplit=1)[0] for one in watched(topology)}
    named = dict.fromkeys(one.code for one in topology.capacity.limits)
    named |= dict.fromkeys(one.binding.code for one in topology.capacity.verdicts.values())
    named |= dict.fromkeys(key for key in topology.plan.limits if key in UNSEEN)
    return tuple(
        Unwatched(limit=key, reason=UNSEEN.get(key) or _reason(key, topology))
        for key in named
        if key not in seen and key != "function-reserved"  # each function's stack has its alarms
    )


def _reason(code: str, topology: Topology) -> str:
    if not topology.has_proxies and code.startswith(("proxy-", "nlb-", "endpoint-")):
        return _NO_FLEET
    return _NO_AGENT if code in _SOCKETS and not topology.has_agent else _NO_PLACE


def _tightest(limits: tuple[PathLimit, ...]) -> list[PathLimit]:
    """Each limit of a place once: of several destinations the one with the least, since the metric adds them up."""
    found: dict[tuple[str, str], PathLimit] = {}
    for one in limits:
        key = (one.code, one.subject if one.code.startswith("transit-gateway") else "")
        if key not in found or one.value < found[key].value:
            found[key] = one
    return list(found.values())


def _of_path(limit: PathLimit, topology: Topology) -> Iterator[Watched]:
    if limit.code in _ACCOUNT:
        metric = _ACCOUNT[limit.code]
        yield Watched(limit=limit.code, value=limit.value, namespace="AWS/Lambda", metric=metric, dimensions=())
    elif limit.code in _BALANCER and topology.has_proxies:
        yield from _of_balancer(limit, topology)
    elif limit.code in _SOCKETS and topology.has_proxies and topology.has_agent:
        yield _of_sockets(limit, topology)
    elif limit.code == "proxy-bandwidth" and topology.has_proxies:
        yield _of_hosts(limit, topology)
    elif limit.code == "lambda-endpoint-bandwidth":
        yield from _of_lambda_endpoint(limit, topology)
    elif limit.code in _TRANSIT:
        yield from _of_attachments(limit, topology)
    elif limit.code in _NAT:
        yield from _of_nat(limit, topology)


_ACCOUNT = {"account-concurrency": "ConcurrentExecutions", "reserved-concurrency": "ClaimedAccountConcurrency"}
_BALANCER = {
    "nlb-connections": ("ActiveFlowCount", "Maximum", 1.0),
    "nlb-new-connections": ("NewFlowCount", "Sum", 1.0),
    "endpoint-bandwidth": ("ProcessedBytes", "Sum", _BYTES * _MINUTE),
}
_SOCKETS = ("proxy-ports", "proxy-connections", "proxy-memory")
_TRANSIT = {
    "transit-gateway-bandwidth": ("Bytes", _BYTES * _MINUTE),
    "transit-gateway-packets": ("Packets", float(_MINUTE)),
}
_NAT = {
    "nat-ports": (("ActiveConnectionCount",), "Maximum", 1.0),
    "nat-new-connections": (("ConnectionAttemptCount",), "Sum", float(_MINUTE)),
    "nat-bandwidth": (("BytesOutToDestination", "BytesInFromDestination"), "Sum", _BYTES * _MINUTE),
    "nat-packets": (("PacketsOutToDestination", "PacketsInFromDestination"), "Sum", float(_MINUTE)),
}
"""By the planner's code: the metrics, the statistic, and what one of the limit's unit is in the metric's."""

SEEN = frozenset(
    {*_ACCOUNT, *_BALANCER, *_SOCKETS, *_TRANSIT, *_NAT, "proxy-bandwidth", "lambda-endpoint-bandwidth"}
    | {"function-reserved"}  # in the stack of each function
)
"""The planner's codes that a metric shows, where the thing is in the templates."""


def _of_vpc(vpc: Vpc, units: float, topology: Topology) -> Watched:
    """A VPC's network address units against their quota; the VPC must have the metric switched on."""
    return Watched(
        limit=f"nau_per_vpc {vpc.name}",
        value=units,
        namespace="AWS/EC2",
        metric="NetworkAddressUsage",
        dimensions=(("Per-VPC Metrics", topology.value_at(f"{vpc.name}/vpc-id")),),
        period=_DAY,
    )


def _of_balancer(limit: PathLimit, topology: Topology) -> Iterator[Watched]:
    """The balancer in each zone, where all spokes' endpoints come together."""
    metric, statistic, factor = _BALANCER[limit.code]
    hub = topology.plan.hub
    for az in dict.fromkeys(one.az for one in hub.of(Purpose.PROXIES)) if hub else ():
        yield Watched(
            limit=f"{limit.code} {az}",
            value=limit.value * factor,
            namespace="AWS/NetworkELB",
            metric=metric,
            dimensions=(
                ("LoadBalancer", topology.value_at("proxies/load-balancer-name")),
                ("AvailabilityZone", az),
            ),
            statistic=statistic,
        )


def _of_sockets(limit: PathLimit, topology: Topology) -> Watched:
    """The established sockets of all hosts: two for each connection, one on each side."""
    return Watched(
        limit=limit.code,
        value=2 * limit.value,
        namespace=METRICS,
        metric="netstat_tcp_established",
        dimensions=(("fleet", f"{topology.name}-proxies"),),
        statistic="Sum",
    )


def _of_hosts(limit: PathLimit, topology: Topology) -> Watched:
    """What all hosts send; what they receive is the same again. EC2 publishes it every five minutes."""
    return Watched(
        limit=limit.code,
        value=limit.value * _BYTES * _FIVE_MINUTES,
        namespace="AWS/EC2",
        metric="NetworkOut",
        dimensions=(("AutoScalingGroupName", topology.value_at("proxies/hosts-group-name")),),
        statistic="Sum",
        period=_FIVE_MINUTES,
    )


def _of_lambda_endpoint(limit: PathLimit, topology: Topology) -> Iterator[Watched]:
    hub = topology.plan.hub
    if hub and "lambda" in hub.endpoints:
        yield Watched(
            limit=limit.code,
            value=limit.value * _BYTES * _MINUTE,
            namespace="AWS/PrivateLinkEndpoints",
            metric="BytesProcessed",
            dimensions=(
                ("Endpoint Type", "Interface"),
                ("Service Name", service_name("lambda", topology.cn_endpoints)),
                ("VPC Endpoint Id", topology.value_at(f"{hub.name}/endpoints/lambda/id")),
                ("VPC Id", topology.value_at(f"{hub.name}/vpc-id")),
            ),
            statistic="Sum",
        )


def _of_attachments(limit: PathLimit, topology: Topology) -> Iterator[Watched]:
    """Both directions of each VPC's attachment, all zones together, against what one zone carries."""
    stem, factor = _TRANSIT[limit.code]
    hub = topology.plan.hub
    hubs = (hub,) if hub and topology.attaches else ()
    spokes = tuple(one for one in topology.plan.spokes if one.way in ("nat", "direct"))
    for vpc in hubs if limit.subject == "hub" else spokes:
        for metric in (f"{stem}In", f"{stem}Out"):
            yield Watched(
                limit=f"{limit.code} {vpc.name} {metric}",
                value=limit.value * factor,
                namespace="AWS/TransitGateway",
                metric=metric,
                dimensions=(
                    ("TransitGateway", topology.value_at(f"{vpc.name}/transit-gateway-id")),
                    ("TransitGatewayAttachment", topology.value_at(f"{vpc.name}/attachment-id")),
                ),
                statistic="Sum",
            )


def _of_nat(limit: PathLimit, topology: Topology) -> Iterator[Watched]:
    """Each NAT gateway, all its destinations together."""
    metrics, statistic, factor = _NAT[limit.code]
    for vpc in topology.plan.spokes:
        for az in dict.fromkeys(one.az for one in vpc.of(Purpose.NAT)) if vpc.way == "nat" else ():
            for metric in metrics:
                more = f" {metric}" if len(metrics) > 1 else ""
                yield Watched(
                    limit=f"{limit.code} {vpc.name} {az}{more}",
                    value=limit.value * factor,
                    namespace="AWS/NATGateway",
                    metric=metric,
                    dimensions=(("NatGatewayId", topology.value_at(f"{vpc.name}/nat/{az}/id")),),
                    statistic=statistic,
                )
