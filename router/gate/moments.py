"""Sums over buckets of users, which is all that shares and sizes need of the evidence."""

from collections.abc import Iterable
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

_STATUS_METRICS: Final = tuple(dict.fromkeys(BY_STATUS.values()))
_PLACES: Final = {status: _STATUS_METRICS.index(metric) for status, metric in BY_STATUS.items()}
_ERRORS: Final = _STATUS_METRICS.index(Metric.SERVER_ERRORS)


class Share(NamedTuple):
    """Over buckets: the sum of counts, of their squares, of count times requests, and how many buckets have any.

    `column` has the counts themselves, in the order of `Moments.sent`; it is empty when there are none.
    """

    total: float
    squares: float
    products: float
    seen: int
    column: list[int]


NO_SHARE: Final = Share(0, 0, 0, 0, [])


class Moments(NamedTuple):
    """One side: its requests, the sum of their squares over buckets, how many buckets sent any, each one's, and shares.

    `RESPONSE_SIZE` holds bytes; latencies are not here.
    """

    requests: int
    squares: int
    seen: int
    sent: list[int]
    shares: dict[Metric, Share]

    @property
    def freedom(self) -> float:
        """Degrees of freedom of a variance between buckets: the effective number of buckets less one.

        A bucket with a heavy user counts for more than one, so there are fewer in effect (Kish).
        """
        return self.requests * self.requests / self.squares - 1 if self.squares else 0.0


def moments(buckets: Iterable[Counts]) -> Moments:
    """The sums over buckets.

    Written for speed, because it is most of the time of a look: a column of counts for each metric, then sums that run
    in C.
    """
    active = [counts for counts in buckets if counts.requests]
    sent = [counts.requests for counts in active]
    columns = [[0] * len(active) for _ in _STATUS_METRICS]
    places = _PLACES
    for index, counts in enumerate(active):
        for status, count in counts.by_status.items():
            if status in places:
                columns[places[status]][index] += count
    fallbacks = [counts.fallbacks for counts in active]
    if any(fallbacks):
        columns[_ERRORS] = list(map(min, sent, map(add, columns[_ERRORS], fallbacks)))
    shares = {
        Metric.FALLBACKS: _share(fallbacks, sent),
        Metric.THROTTLES: _share([counts.throttles for counts in active], sent),
        Metric.TIMEOUTS: _share([counts.timeouts for counts in active], sent),
        Metric.RESPONSE_SIZE: _share([counts.response_bytes for counts in active], sent),
    }
    shares.update(zip(_STATUS_METRICS, [_share(column, sent) for column in columns], strict=True))
    return Moments(sum(sent), sum(map(mul, sent, sent)), len(active), sent, shares)


def _share(column: list[int], sent: list[int]) -> Share:
    total = sum(column)
    if not total:
        return NO_SHARE
    seen = len(column) - column.count(0)
    return Share(total, sum(map(mul, column, column)), sum(map(mul, column, sent)), seen, column)
