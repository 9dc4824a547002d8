"""What a node leaves when Envoy's memory runs short: shadows first, then Lambda; legacy is left last, by Envoy itself.

Shadows come back by themselves, because no user sees them. A route that was moved to legacy stays there until somebody
moves it: no weight rises because something got better, and nobody's side changes twice for one shortage.
"""

import enum
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ..snapshot.names import SHADOWING
from ..snapshot.overload import PRESSURE
from .admin import Admin
from .errors import NodeFailed, Unreachable
from .report import Problems

SHADOWS_PERCENT = 75
LAMBDA_PERCENT = 85
"""Envoy's own first step, giving memory back, is at 85 %, too; it refuses requests at 98 %."""
CALM_PERCENT = 60
CALM_SECONDS = 30.0
"""How long memory must be below `CALM_PERCENT` until shadows come back."""

_PROBLEM = "memory"
_OVERFLOW = "downstream_global_cx_overflow"
_ASKED = rf"^({re.escape(PRESSURE)}|listener\..*{_OVERFLOW})$"


class Shed(enum.IntEnum):
    """What is left out, in this order; each includes what stands before it."""

    NOTHING = 0
    SHADOWS = 1
    LAMBDA = 2


@dataclass(slots=True)
class Ladder:
    """Which step holds at which pressure: up at once, down after a time of calm."""

    step: Shed = Shed.NOTHING
    _calm_since: float | None = None

    def see(self, percent: int, now: float) -> Shed:
        """The step that holds now; `now` in seconds of a clock that only goes forward."""
        reached = (
            Shed.LAMBDA if percent >= LAMBDA_PERCENT else Shed.SHADOWS if percent >= SHADOWS_PERCENT else Shed.NOTHING
        )
        if percent >= CALM_PERCENT:
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        is_calm = self._calm_since is not None and now - self._calm_since >= CALM_SECONDS
        self.step = reached if is_calm else max(self.step, reached)
        return self.step


@dataclass(slots=True)
class PressureWatch:
    """The memory of one node's Envoy. `leave_lambda`: move every route to legacy, with this reason; how many moved."""

    admin: Admin
    problems: Problems
    leave_lambda: Callable[[str], Awaitable[int]]
    clock: Callable[[], float] = time.monotonic
    _ladder: Ladder = field(default_factory=Ladder)
    _left: int = 0
    _refused: int = 0

    async def look(self) -> None:
        """See how much Envoy has, and do what that asks for. Envoy runs."""
        try:
            found = await self.admin.stats(_ASKED)
            self._count_refused(sum(int(count) for name, count in found.items() if name.endswith(_OVERFLOW)))
            percent = int(found.get(PRESSURE, 0))
            before = self._ladder.step
            step = self._ladder.see(percent, self.clock())
            if step >= Shed.SHADOWS:
                # Each time: an Envoy that took over, or was started again, knows nothing of it.
                await self.admin.post(f"/runtime_modify?{SHADOWING}=0")
            elif before is not step:
                await self.admin.post(f"/runtime_modify?{SHADOWING}=")
            if percent >= LAMBDA_PERCENT:
                self._left += await self.leave_lambda(f"Envoy's memory is at {percent} % of what it may have")
        except Unreachable:
            return  # it ended; the supervisor says so
        except (NodeFailed, OSError) as error:
            self.problems.note("memory moves", f"routes could not be moved to legacy: {error}")
            return
        self.problems.mend("memory moves")
        self._tell(step, percent)

    def _count_refused(self, refused: int) -> None:
        if refused > self._refused:
            text = f"{refused - self._refused} connections were closed at once: there are as many as Envoy may have"
            self.problems.note("connections", text)
            self.problems.mend("connections")
        self._refused = refused  # less than before: another Envoy counts

    def _tell(self, step: Shed, percent: int) -> None:
        if step is Shed.NOTHING:
            self._left = 0
            self.problems.mend(_PROBLEM)
            return
        lambda_left = f", and {self._left} routes were moved to legacy" if self._left else ""
        text = f"Envoy's memory is at {percent} % of what it may have: nothing is shadowed{lambda_left}"
        self.problems.note(_PROBLEM, text)
