"""Sums over buckets of users, which is all that shares and sizes need of the evidence."""

from collections.abc import Sequence
from itertools import compress
from operator import add, mul
from typing import Final, NamedTuple

from .evidence import Columns
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
    sent: Sequence[int]
    shares: dict[Metric, Share]
    freedom: float


def moments(side: Columns) -> Moments:
    """The sums over buckets that sent anything.

    Written for speed, because it is a good part of a look: sums of columns, which run in C.
    """
    sent = side.requests
    seen = len(sent) - sent.count(0)
    is_whole = seen == len(sent)
    columns: dict[Metric, Sequence[int]] = {}
    for status, column in side.by_status.items():
        metric = BY_STATUS.get(status)
        if metric is not None:
            columns[metric] = list(map(add, columns[metric], column)) if metric in columns else column
    if any(side.fallbacks):
        answered = columns.get(Metric.SERVER_ERRORS, [0] * len(sent))
        columns[Metric.SERVER_ERRORS] = list(map(min, sent, map(add, answered, side.fallbacks)))
        columns[Metric.FALLBACKS] = side.fallbacks
    columns[Metric.THROTTLES], columns[Metric.TIMEOUTS] = side.throttles, side.timeouts
    columns[Metric.RESPONSE_SIZE] = side.response_bytes
    if not is_whole:
        columns = {metric: list(compress(column, sent)) for metric, column in columns.items()}
        sent = list(compress(sent, sent))
    shares = {metric: Share(total, column) for metric, column in columns.items() if (total := sum(column))}
    requests, squares = sum(sent), sum(map(mul, sent, sent))
    freedom = requests * requests / squares - 1 if squares else 0.0
    return Moments(requests, seen, sent, shares, freedom)
