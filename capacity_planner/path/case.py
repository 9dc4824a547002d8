"""When a hop is judged: requests at their median or all of them slow, all there or one lost."""

import enum


class Case(enum.Enum):
    """One of the four cases. `tail`: every request takes the 99th percentile. `one lost`: a zone, or a circuit."""

    MEDIAN = "p50"
    MEDIAN_LOST = "p50, one lost"
    TAIL = "tail"
    TAIL_LOST = "tail, one lost"

    @property
    def slow(self) -> bool:
        """Whether all requests are slow."""
        return self in (Case.TAIL, Case.TAIL_LOST)

    @property
    def lost(self) -> bool:
        """Whether one is lost."""
        return self in (Case.MEDIAN_LOST, Case.TAIL_LOST)
