"""Alarms on a metric that shows how near a limit is: at 70 % and at 90 % of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SHARES = (70, 90)
"""At which percentages of a limit alarms go off: the first for the network team's week, the second for its night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A limit that a metric shows: alarms compare the metric with shares of `value`, which is in the metric's unit."""

    limit: str
    value: float
    namespace: str
    metric: str
    dimensions: tuple[tuple[str, Any], ...]
    statistic: str = "Maximum"
    period: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatched:
    """A limit that no metric shows, and who sees it instead."""

    limit: str
    reason: str


def of_function(name: str, reserved: int) -> Watched:
    """Executions at once of a function against what it may have."""
    return Watched(
        limit=f"function-reserved {name}",
        value=reserved,
        namespace="AWS/Lambda",
        metric="ConcurrentExecutions",
        dimensions=(("FunctionName", name),),
    )


def alarm_properties(watched: Watched, topic: Any, owner: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each share: a word for the alarm's name, and its properties. `owner`: what the names of one topology share.

    Three minutes in a row, so that one burst wakes nobody; a metric of longer periods once.
    """
    for share in SHARES:
        yield (
            f"{share}",
            {
                "AlarmName": f"{owner} {watched.limit} {share}%",
                "AlarmDescription": f"{watched.metric} is above {share}% of {watched.limit} ({watched.value:g})",
                "Namespace": watched.namespace,
                "MetricName": watched.metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in watched.dimensions],
                "Statistic": watched.statistic,
                "Period": watched.period,
                "EvaluationPeriods": 1 if watched.period > 60 else 3,  # noqa: PLR2004 - a minute's metric has three
                "Threshold": round(watched.value * share / 100, 3),
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
                "AlarmActions": [topic],
            },
        )
