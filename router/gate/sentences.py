"""What a finding says, in words."""

from collections.abc import Callable
from math import ceil
from typing import Final

from .bounds import Bounds
from .values import QUANTILES, Limit, Metric, Relation

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


def finding(limit: Limit, found: Bounds) -> str:
    """One sentence: what was seen on both sides, what is known of the difference, what is allowed."""
    if found.estimate is None:
        return f"{name(limit.metric)}: not enough to compare yet"
    relative = limit.relation is Relation.LEGACY
    write = _writer(limit)
    low = "" if found.lower is None else f" at least {write(found.lower)}"
    high = "" if found.upper is None else f" at most {write(found.upper)}"
    known = " and".join(part for part in (low, high) if part) or " nothing"
    allowed = f"limit {write(limit.limit)}, tolerated {write(limit.tolerated)}"
    against = f", legacy {_side(limit, found.legacy_count, found.legacy_requests)}" if relative else ""
    mine = _side(limit, found.lambda_count, found.lambda_requests)
    return f"{name(limit.metric)}: Lambda {mine}{against}: {write(found.estimate)}, surely{known}; {allowed}"


def duration(seconds: float) -> str:
    """Seconds as people say them, rounded up to a unit that fits."""
    if seconds < 2 * _MINUTE:
        return f"{ceil(seconds)} s"
    if seconds < 2 * _HOUR:
        return f"{ceil(seconds / _MINUTE)} minutes"
    return f"{ceil(seconds / _HOUR)} hours" if seconds < 2 * _DAY else f"{ceil(seconds / _DAY)} days"


def _writer(limit: Limit) -> Callable[[float], str]:
    if limit.is_share:
        return _points if limit.relation is Relation.LEGACY else "{:.2%}".format
    if limit.relation is Relation.LEGACY:
        return "{:.2f} times".format
    return "{:.0f} ms".format if limit.metric in QUANTILES else "{:.0f} bytes".format


def _points(value: float) -> str:
    return f"{100 * value:+.2f} points"


def _side(limit: Limit, count: float, requests: int) -> str:
    if limit.metric in QUANTILES:
        return f"{count:.0f} ms of {requests}"
    return f"{count:.0f} bytes of {requests}" if limit.metric is Metric.RESPONSE_SIZE else f"{count:.0f} of {requests}"
