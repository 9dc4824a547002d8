"""What a finding says, in words."""

from collections.abc import Callable
from math import ceil, inf
from typing import Final

from .quantiles import Latencies
from .values import QUANTILES, Metric, Relation
from .verdict import Finding

_COLD: Final = 0.95
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_NAMES: Final = {
    Metric.SERVER_ERRORS: "failed requests (5xx and fallbacks)",
    Metric.UNAUTHORIZED: "401 and 403",
    Metric.NOT_FOUND: "404 and 410",
    Metric.TOO_MANY_REQUESTS: "429",
    Metric.OTHER_CLIENT_ERRORS: "other 4xx",
    Metric.PARITY: "answers that differ",
}


def name(metric: Metric) -> str:
    """The metric's name for people."""
    return _NAMES.get(metric, metric.value.replace("_", " "))


def words(finding: Finding) -> str:
    """One sentence: what was seen on both sides, what is known of the difference, what is allowed."""
    if finding.estimate is None:
        return f"{name(finding.metric)}: not enough to compare yet"
    relative = finding.relation is Relation.LEGACY
    write = _writer(finding.metric, finding.relation)
    low = "" if finding.lower is None else f" at least {write(finding.lower)}"
    high = "" if finding.upper is None else f" at most {write(finding.upper)}"
    known = " and".join(part for part in (low, high) if part) or " nothing"
    allowed = f"limit {write(finding.limit)}, tolerated {write(finding.tolerated)}"
    against = f", legacy {_side(finding.metric, finding.legacy_count, finding.legacy_requests)}" if relative else ""
    mine = _side(finding.metric, finding.lambda_count, finding.lambda_requests)
    return f"{name(finding.metric)}: Lambda {mine}{against}: {write(finding.estimate)}, surely{known}; {allowed}"


def cold_starts(cold: Latencies, warm: Latencies) -> str:
    """One sentence on the requests that started an environment, which no latency metric counts."""
    both = cold.requests + warm.requests
    share = cold.requests / both if both else 0.0
    slowest = cold.quantile(_COLD)
    took = f"{slowest:.0f} ms" if slowest < inf else f"more than {cold.bounds[-1]:.0f} ms" if cold.bounds else "nothing"
    return f"cold starts, left out of latencies: {cold.requests} of {both} requests ({share:.2%}), 95 % within {took}"


def limits_kept(number: int) -> str:
    """What a pass says."""
    return "the limit is kept" if number == 1 else f"all {number} limits are kept"


def duration(seconds: float) -> str:
    """Seconds as people say them, rounded up to a unit that fits."""
    if seconds < 2 * _MINUTE:
        return f"{ceil(seconds)} s"
    if seconds < 2 * _HOUR:
        return f"{ceil(seconds / _MINUTE)} minutes"
    return f"{ceil(seconds / _HOUR)} hours" if seconds < 2 * _DAY else f"{ceil(seconds / _DAY)} days"


def _writer(metric: Metric, relation: Relation) -> Callable[[float], str]:
    relative = relation is Relation.LEGACY
    if metric in QUANTILES:
        return "{:.2f} times".format if relative else "{:.0f} ms".format
    if metric is Metric.RESPONSE_SIZE:
        return "{:.2f} times".format if relative else "{:.0f} bytes".format
    return _points if relative else "{:.2%}".format


def _points(value: float) -> str:
    return f"{100 * value:+.2f} points"


def _side(metric: Metric, count: float, requests: int) -> str:
    if metric in QUANTILES:
        return f"{count:.0f} ms of {requests}"
    return f"{count:.0f} bytes of {requests}" if metric is Metric.RESPONSE_SIZE else f"{count:.0f} of {requests}"
