"""Whether a counter fell from one reading to the next: then no difference of the two means anything.

The same as trying the difference, several times quicker: every reading of every node is looked at.
"""

from collections.abc import Iterator, Mapping

from ..gate.evidence import Histogram, Reading, RouteEvidence, SideEvidence

_NOTHING = RouteEvidence()


def fell(later: Reading, earlier: Reading) -> bool:
    """Whether any counter of the same epoch is lower than it was, or counted between other bounds."""
    if later.epoch != earlier.epoch:
        return False
    return any(
        _side_fell(new, old)
        for route, before in earlier.routes.items()
        for new, old in _sides(later.routes.get(route, _NOTHING), before)
    )


def _sides(new: RouteEvidence, old: RouteEvidence) -> Iterator[tuple[SideEvidence, SideEvidence]]:
    yield new.legacy, old.legacy
    yield new.lambda_, old.lambda_


def _side_fell(new: SideEvidence, old: SideEvidence) -> bool:
    try:
        new.columns.minus(old.columns)
    except ValueError:
        return True
    if _folds_fell(new.latency, old.latency) or _folds_fell(new.cold_latency, old.cold_latency):
        return True
    if old.parity is None or new.parity is None:
        return False
    compared = new.parity.compared - old.parity.compared
    return not 0 <= new.parity.different - old.parity.different <= compared


def _folds_fell(new: Mapping[int, Histogram], old: Mapping[int, Histogram]) -> bool:
    for fold, before in old.items():
        after = new.get(fold)
        if after is None:
            if any(before.counts):
                return True
        elif after.bounds != before.bounds or any(a < b for a, b in zip(after.counts, before.counts, strict=True)):
            return True
    return False
