"""Which CloudWatch metric shows how near a limit is; a limit that no metric shows is named, with the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

SHARES = (70, 90)
"""At which percentages of a limit alarms go off: the first for the network team's week, the second for its night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A limit that a metric shows: alarms compare the metric with shares of `value`."""

    limit: str
    value: float
    namespace: str
    metric: str
    dimensions: tuple[tuple[str, Any], ...]
    statistic: str = "Maximum"
    period: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatched:
    """A limit that no metric of AWS shows, and who sees it instead."""

    limit: str
    reason: str


UNSEEN: Mapping[str, str] = {
    "eni_per_vpc": "no metric counts ENIs: `fig cidr check --live` does, and Service Quotas where it is enabled",
    "eni_connections": "no metric counts an ENI's connections; when they run out Lambda adds ENIs",
    "cidrs_per_vpc": "fixed by the template: `fig infra check` compares it with the plan",
    "subnets_per_vpc": "fixed by the template: `fig infra check` compares it with the plan",
    "nlb_free_addresses": "needed once, when the balancer is made",
    "database-sessions": "on-premises: the database's own monitoring; reserved concurrency keeps it",
    "proxy-ports": "the hosts' own metric fig.proxy.ports, by the collector",
    "dns-packets": "the drivers' counter linklocal_allowance_exceeded, by the collector on hosts; functions have none",
    "direct-connect-bandwidth": "the account that owns the circuits: AWS/DX ConnectionBpsIngress",
}
"""Source: CloudWatch metrics of Lambda, VPC, NLB, PrivateLink and Direct Connect, their user guides, 2025."""


def of_function(name: str, reserved: int) -> Watched:
    """Executions at once of a function against what it may have."""
    return Watched(
        limit=f"reserved-concurrency {name}",
        value=reserved,
        namespace="AWS/Lambda",
        metric="ConcurrentExecutions",
        dimensions=(("FunctionName", name),),
    )


def of_account(concurrency: float) -> Watched:
    """Executions at once in the region against the account's quota."""
    return Watched(
        limit="lambda_account_concurrency",
        value=concurrency,
        namespace="AWS/Lambda",
        metric="ConcurrentExecutions",
        dimensions=(),
    )


def of_vpc(name: str, vpc_id: Any, units: float) -> Watched:
    """A VPC's network address units against their quota; the VPC must have the metric switched on."""
    return Watched(
        limit=f"nau_per_vpc {name}",
        value=units,
        namespace="AWS/EC2",
        metric="NetworkAddressUsage",
        dimensions=(("Per-VPC Metrics", vpc_id),),
        period=86_400,
    )


def of_balancer(full_name: Any, connections: float) -> Watched:
    """Connections of the proxies' load balancer against 55,000 for each of its addresses and hosts."""
    return Watched(
        limit="nlb_connections_per_target",
        value=connections,
        namespace="AWS/NetworkELB",
        metric="ActiveFlowCount",
        dimensions=(("LoadBalancer", full_name),),
    )


def alarm_properties(watched: Watched, topic: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each share: a word for the alarm's name, and its properties."""
    for share in SHARES:
        threshold = watched.value * share / 100
        yield (
            f"{share}",
            {
                "AlarmName": f"fig {watched.limit} {share}%",
                "AlarmDescription": f"{watched.metric} is above {share}% of {watched.limit} ({watched.value:g})",
                "Namespace": watched.namespace,
                "MetricName": watched.metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in watched.dimensions],
                "Statistic": watched.statistic,
                "Period": watched.period,
                "EvaluationPeriods": 1 if watched.period > 60 else 3,  # noqa: PLR2004 - a daily metric has no second chance
                "Threshold": round(threshold, 3),
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": [topic],
            },
        )
