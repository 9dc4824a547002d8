"""A record in CloudWatch's Embedded Metric Format for each invocation, by Powertools.

    namespace -> {service, side, route} -> Duration, Errors, ColdStart

Each set of dimensions is a metric that is paid for: the side is one word, routes are those that the router or the
decorator names, and beyond `MAX_ROUTES` of them in one environment they are `other`. The trace is metadata, which costs
nothing. Shadows are left out: their answers are nobody's.
"""

from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from .answer import has_failed
from .process import LAMBDA

MAX_ROUTES = 100
OTHER = "other"
_MAX_LENGTH = 250
"""Characters of a dimension's value. Source: CloudWatch API reference, "Dimension" (255, with some room)."""
_routes: set[str] = set()


def tell(namespace: str, invocation: Any) -> None:
    """Print the invocation's record."""
    if invocation.request.is_shadow:
        return
    metrics = EphemeralMetrics(namespace=namespace, service=invocation.service)
    metrics.add_dimension("side", LAMBDA)
    metrics.add_dimension("route", _bounded(invocation.route or invocation.request.http_route or "none"))
    metrics.add_metric("Duration", MetricUnit.Milliseconds, round(invocation.seconds * 1000, 3))
    metrics.add_metric("Errors", MetricUnit.Count, int(invocation.has_raised or has_failed(invocation.status)))
    metrics.add_metric("ColdStart", MetricUnit.Count, int(invocation.cold))
    metrics.add_metadata("trace_id", invocation.trace_id)
    metrics.flush_metrics()


def _bounded(route: str) -> str:
    known = route[:_MAX_LENGTH]
    if known not in _routes:
        if len(_routes) >= MAX_ROUTES:
            return OTHER
        _routes.add(known)
    return known
