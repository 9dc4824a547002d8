"""Sums over buckets of users, which is all that shares and sizes need of the evidence."""

from collections.abc import Iterable, Sequence
from operator import add, mul
from typing import Final, NamedTuple

from .evidence import Counts
from .values import Metric

_SPECIAL: Final = {
    401: Metric.UNAUTHORIZED,
    403: Metric.UNAUTHORIZED,
    404: Metric.NOT_FOUND,
    410: Metric.NOT_FOUND,
    429: Metric.TOO_MANY_REQUESTS,
}
_BY_HUNDREDS: Final = {3: Metric.REDIRECTS, 4: Metric.OTHER_CLIENT_ERRORS, 5: Metric.SERVER_ERRORS}
_NOT_MODIFIED: Final = 304
BY_STATUS: Final = {
    status: _SPECIAL.get(status, _BY_HUNDREDS[status // 100]) for status in range(300, 600) if status != _NOT_MODIFIED
}
"""The metric that a status belongs to; the others are good answers."""


class Share(NamedTuple):
    """How often a metric was counted: in all, and by bucket in the order of `Moments.sent` (empty when never)."""

    total: float
    column: Sequence[float]

    @property
    def seen(self) -> int:
        """How many buckets have any."""
        return len(self.column) - self.column.count(0)


NO_SHARE: Final = Share(0, ())


class Moments(NamedTuple):
    """One side: its requests, how many buckets sent any, each one's, and the shares that are not zero.

    `RESPONSE_SIZE` holds bytes; latencies are not here. `freedom` is the degrees of freedom of a variance between
    buckets: the effective number of buckets less one. A bucket with a heavy user counts for more than one, so there are
    fewer in effect (Kish).
    """

    requests: int
    seen: int
    sent: list[int]
    shares: dict[Metric, Share]
    freedom: float


def moments(buckets: Iterable[Counts]) -> Moments:
    """The sums over buckets.

    Written for speed, because it is a good part of a look: a column of counts for each status that was seen, then sums
    that run in C.
    """
    active = [counts for counts in buckets if counts.requests]
    sent = [counts.requests for counts in active]
    by_status = [counts.by_status for counts in active]
    columns: dict[Metric, list[int]] = {}
    for status in BY_STATUS.keys() & set().union(*by_status):
        column = [counts[status] if status in counts else 0 for counts in by_status]  # noqa: SIM401 - half the time
        metric = BY_STATUS[status]
        columns[metric] = list(map(add, columns[metric], column)) if metric in columns else column
    fallbacks = [counts.fallbacks for counts in active]
    if any(fallbacks):
        failed = map(add, columns[Metric.SERVER_ERRORS], fallbacks) if Metric.SERVER_ERRORS in columns else fallbacks
        columns[Metric.SERVER_ERRORS] = list(map(min, sent, failed))
    columns[Metric.FALLBACKS] = fallbacks
    columns[Metric.THROTTLES] = [counts.throttles for counts in active]
    columns[Metric.TIMEOUTS] = [counts.timeouts for counts in active]
    columns[Metric.RESPONSE_SIZE] = [counts.response_bytes for counts in active]
    shares = {metric: Share(total, column) for metric, column in columns.items() if (total := sum(column))}
    requests, squares = sum(sent), sum(map(mul, sent, sent))
    freedom = requests * requests / squares - 1 if squares else 0.0
    return Moments(requests, len(active), sent, shares, freedom)
