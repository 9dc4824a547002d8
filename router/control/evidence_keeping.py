"""Keeps what ramps counted in the ledger, each minute and at the end, and gives it back after a restart.

A step's end needs nothing here: the decision's own document has its evidence, and the next window begins at nothing.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import LedgerFailed
from ..ledger.records import CountedWindow, RampKey
from ..ledger.store import Ledger
from .evidence import Evidence
from .evidence_kept import Part, packed, unpacked
from .judging import window_key
from .running import Live

EVERY_SECONDS = 60.0


@dataclass(slots=True)
class EvidenceKeeping:
    """The way of open windows into the ledger and back. `clock` counts seconds."""

    evidence: Evidence
    ledger: Ledger
    clock: Callable[[], float]
    _last: float | None = None
    _has_rows: bool = False

    def due(self, lives: Iterable[Live]) -> dict[RampKey, tuple[int, dict[str, Part]]] | None:
        """What is to be kept now, or None while a minute is not over."""
        now = self.clock()
        if self._last is not None and now < self._last + EVERY_SECONDS:
            return None
        is_first, self._last = self._last is None, now
        return None if is_first else self.now(lives)

    def now(self, lives: Iterable[Live]) -> dict[RampKey, tuple[int, dict[str, Part]]]:
        """What is to be kept of these ramps; one that warms up has nothing yet."""
        found: dict[RampKey, tuple[int, dict[str, Part]]] = {}
        for live in lives:
            parts = None if live.state.is_over else self.evidence.parts(window_key(live), live.ramp.routes)
            if parts:
                found[live.key] = (live.state.window, parts)
        return found

    def write(self, counted: dict[RampKey, tuple[int, dict[str, Part]]]) -> None:
        """Keep it, and nothing of other ramps; blocks. What cannot be kept is tried again in a minute."""
        if not counted and not self._has_rows:
            return  # where no release runs nothing is written, and control ends at once
        rows = {key: CountedWindow(window=window, counted=packed(parts)) for key, (window, parts) in counted.items()}
        try:
            self.ledger.keep_counted(rows)
            self._has_rows = bool(rows)
        except LedgerFailed as error:
            sys.stderr.write(f"control: {error}\n")

    def recall(self, lives: Iterable[Live]) -> None:
        """Let the windows of these ramps go on from what was kept of them; blocks. Raises `LedgerFailed`."""
        kept = self.ledger.counted()
        self._has_rows = bool(kept)
        for live in lives:
            row = kept.get(live.key)
            if row is None or row.window != live.state.window or live.state.evidence_since is None:
                continue
            try:
                self.evidence.restore(window_key(live), unpacked(row.counted))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                name = f"{live.release.name}, {live.ramp.name}"
                sys.stderr.write(f"control: the kept evidence of {name} cannot be read, it begins anew: {error!r}\n")
