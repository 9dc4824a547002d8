"""How long to wait before the next try: at once, then longer and longer, with jitter.

Without the jitter a fleet that lost something at one moment would come back for it at one moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Delays in seconds: `first`, then doubling from `low` to `high`, each between half and all of its length.

    `draw` gives a number from 0 to 1.
    """

    draw: Callable[[], float]
    first: float = 0.0
    low: float = 0.2
    high: float = 10.0
    _failures: int = field(default=0, init=False)

    def next_delay(self) -> float:
        """The seconds to wait after one more failure."""
        self._failures += 1
        if self._failures == 1:
            return self.first
        length = min(self.high, self.low * 2.0 ** min(self._failures - 2, 30))
        return length * (0.5 + self.draw() / 2)

    def reset(self) -> None:
        """Start over: it worked."""
        self._failures = 0
