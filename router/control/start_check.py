"""What control does about a ledger that was changed while it was down: it says so, and lets no weight in by it.

Towards Lambda no weight moves without a record before it, and a row that somebody edited is none. So of each weight
the smaller one counts, of the table's and the last recorded one, and that is recorded before anybody is served.
"""

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime

from ..ledger.records import Kind, NewEntry, Step
from ..ledger.verification import StrayWeight
from ..weight import Weight
from .keeper import Keeper
from .state import stepped_to, weight_of

_CONTROL = "control"
_MOST_TOLD = 5


def check_at_start(keeper: Keeper, now: datetime) -> None:
    """Hold the ledger against its history; what is found is told in `found_at_start` and on stderr. Blocks."""
    found = keeper.ledger.verify().faults
    if not found:
        return
    mended = tuple(_mended(keeper, keeper.ledger.stray_weights(), now))
    more = len(found) - _MOST_TOLD
    words = [f"at control's start the ledger was not what its history says: {one}" for one in found[:_MOST_TOLD]]
    if more > 0:
        words.append(f"and {more} more deviations at control's start: fig history --verify tells those that remain")
    keeper.found_at_start = (*words, *mended)
    for one in keeper.found_at_start:
        sys.stderr.write(f"control: {one}\n")


def _mended(keeper: Keeper, strays: Mapping[str, StrayWeight], now: datetime) -> Iterator[str]:
    """Put each stray weight at the smaller one; a sentence for each."""
    if not strays:
        return
    weights = {route: Weight(stray.least) for route, stray in strays.items()}
    entries = tuple(
        NewEntry(
            at=now,
            kind=Kind.ROLLBACK,
            actor=_CONTROL,
            reason=(
                f"the table had {Weight(stray.table)} when control started, the history {Weight(stray.recorded)}: "
                "the smaller one counts"
            ),
            route=route,
            before=Weight(stray.recorded),
            after=weights[route],
        )
        for route, stray in strays.items()
    )
    step: Step = stepped_to(keeper.desired, weights, entries)
    keeper.adopt_at_start(step)
    for route in strays:
        yield f"{route} is at {weight_of(keeper.desired, route)} since then, the smaller one, and the history says so"
