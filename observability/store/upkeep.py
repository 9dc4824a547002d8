"""What the store forgets, and what it merges.

Raw rows go by age, and the oldest of them by size; minutes outlive them by far. Minutes are written as they come,
several rows of a kind; a minute that nothing is added to any more is merged into one row of each kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from ..tables import Batch, otel_traces, route_minute
from .database import delete_before, used_bytes

DAY = 86_400 * 1_000_000_000
_MINUTE = 60 * 1_000_000_000
_SETTLED = 2 * _MINUTE
_SLICE = 0.1
"""The share of all spans that goes at once when the file is too large."""
_MAX_SLICES = 8

_MERGE = """
CREATE OR REPLACE TEMP TABLE merged AS
SELECT Minute, Route, Side, Source, Bucket, sum(Requests)::UINTEGER AS Requests, sum(Errors)::UINTEGER AS Errors,
  sum(Fallbacks)::UINTEGER AS Fallbacks, sum(Milliseconds) AS Milliseconds, arg_max(Weight, WeightAt) AS Weight,
  max(WeightAt) AS WeightAt
FROM route_minute WHERE Minute >= make_timestamp_ns($1) AND Minute < make_timestamp_ns($2) GROUP BY ALL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long and how much is kept."""

    raw: int = 7 * DAY
    minutes: int = 90 * DAY
    max_bytes: int = 20 * 10**9


class Upkeep:
    """Retention and merging over one connection; used by the writer's thread alone."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, keep: Keep) -> None:
        self.connection = connection
        self._keep = keep
        self._dirty: set[int] = self._unmerged()

    def noticed(self, batches: Iterable[Batch]) -> None:
        """Take note of the minutes that were added to."""
        for batch in batches:
            self._dirty.update(int(row[0]) for row in batch.rows.get(route_minute.name, ()))  # type: ignore[call-overload]  # its first column

    def run(self, now: int) -> None:
        """Forget and merge what is due."""
        self.merge(now)
        delete_before(self.connection, now - self._keep.raw)
        self.connection.execute(
            "DELETE FROM route_minute WHERE Minute < make_timestamp_ns(?)", [now - self._keep.minutes]
        )
        self._shrink()

    def merge(self, now: int) -> None:
        """Merge the minutes that are over."""
        done = sorted(minute for minute in self._dirty if minute + _SETTLED < now)
        for first, last in _stretches(done):
            self._merge(first, last)
        self._dirty.difference_update(done)

    def _merge(self, first: int, last: int) -> None:
        run = self.connection.execute
        run("BEGIN")
        run(_MERGE, [first, last])
        run(
            "DELETE FROM route_minute WHERE Minute >= make_timestamp_ns(?) AND Minute < make_timestamp_ns(?)",
            [first, last],
        )
        run("INSERT INTO route_minute SELECT * FROM merged")
        run("COMMIT")

    def _unmerged(self) -> set[int]:
        """The minutes with several rows of a kind: left over from a process that ended before it merged them."""
        rows = self.connection.execute(
            "SELECT DISTINCT epoch_ns(Minute) FROM (SELECT Minute FROM route_minute"
            " WHERE Minute >= (SELECT max(Minute) FROM route_minute) - INTERVAL 2 HOURS"
            " GROUP BY Minute, Route, Side, Source, Bucket HAVING count(*) > 1)"
        ).fetchall()
        return {int(row[0]) for row in rows}

    def _shrink(self) -> None:
        """Forget the oldest rows until what is left fits."""
        for _ in range(_MAX_SLICES):
            if used_bytes(self.connection) <= self._keep.max_bytes:
                return
            row = self.connection.execute(
                f"SELECT epoch_ns(quantile_disc(Timestamp, {_SLICE})) + 1 FROM {otel_traces.name}"  # noqa: S608 - our own names
            ).fetchone()
            if row is None or row[0] is None or not delete_before(self.connection, int(row[0])):
                return
            self.connection.execute("CHECKPOINT")


def _stretches(minutes: list[int]) -> list[tuple[int, int]]:
    """Minutes that follow each other, as beginnings and ends: one late batch must not have a month merged."""
    found: list[tuple[int, int]] = []
    for minute in minutes:
        if found and found[-1][1] == minute:
            found[-1] = (found[-1][0], minute + _MINUTE)
        else:
            found.append((minute, minute + _MINUTE))
    return found
