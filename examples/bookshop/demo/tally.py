"""Counts of what the users saw: since the beginning for the summary, over the last seconds for the table. No I/O."""

from collections import deque
from dataclasses import dataclass, field

from .traffic import Seen

WINDOW_SECONDS = 2.0
_MEDIAN, _NEARLY_ALL = 0.50, 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """One side over the last seconds, by who answered; latencies in milliseconds, None where nothing was answered."""

    per_second: float
    errors: int
    p50_ms: float | None
    p99_ms: float | None


@dataclass(slots=True)
class Tally:
    """The counts; `faults` keeps the first few in words."""

    requests: int = 0
    failed: int = 0
    reads: int = 0
    fallbacks: int = 0
    by_lambda: int = 0
    silent: int = 0
    """Reads whose answer did not say which side it came from."""
    faults: list[str] = field(default_factory=list)
    _recent: deque[tuple[float, Seen]] = field(default_factory=deque)

    def add(self, seen: Seen, now: float) -> None:
        """Count one request that ended at `now` (monotonic seconds)."""
        self.requests += 1
        self.reads += seen.is_read
        if seen.fault is not None:
            self.failed += 1
            if len(self.faults) < 5:  # noqa: PLR2004 - enough to see what it is
                self.faults.append(seen.fault)
        elif seen.is_read:
            self.fallbacks += seen.fell_back
            self.by_lambda += seen.side == "lambda"
            self.silent += not (seen.assigned and seen.side)
        self._recent.append((now, seen))

    def rates(self, side: str, now: float) -> Rates:
        """The side's answers to reads over the last `WINDOW_SECONDS`; what got no answer at all counts for legacy."""
        while self._recent and self._recent[0][0] < now - WINDOW_SECONDS:
            self._recent.popleft()
        mine = [seen for _, seen in self._recent if seen.is_read and (seen.side or seen.assigned or "legacy") == side]
        took = sorted(seen.seconds * 1000 for seen in mine if seen.fault is None)
        return Rates(
            per_second=len(mine) / WINDOW_SECONDS,
            errors=sum(seen.fault is not None for seen in mine),
            p50_ms=quantile(took, _MEDIAN),
            p99_ms=quantile(took, _NEARLY_ALL),
        )

    def fallbacks_per_second(self) -> float:
        """Reads that legacy answered for Lambda, over the last seconds."""
        return sum(seen.fell_back for _, seen in self._recent) / WINDOW_SECONDS


def quantile(ordered: list[float], share: float) -> float | None:
    """The value that `share` of the ordered values do not exceed; None of no values."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
