"""Makes decisions about ramps true: recorded first towards Lambda, at once towards legacy.

Whoever decides does so on states that stand now. A record towards Lambda takes a moment: when anybody moved the ramp or
its routes meanwhile, that stands, and the decision is dropped; the ramp is looked at again anyway.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..ledger.records import Desired, NewEntry, Step
from ..ramp.events import Decision
from .keeper import Keeper
from .ramp_steps import Cause, Change, moves, stepped
from .running import Live, Running, weights_of
from .state import weight_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A live ramp and what was decided about it."""

    live: Live
    decision: Decision

    def change(self) -> Change:
        """The same for a step."""
        return Change(release=self.live.release, ramp=self.live.ramp, before=self.live.state, decision=self.decision)


def _as_it_is(step: Step) -> Step:
    return step


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Decisions and why. `entries` stand in the history before theirs; `also` changes the step further."""

    decided: Sequence[Decided]
    cause: Cause
    entries: Sequence[NewEntry] = ()
    also: Callable[[Step], Step] = _as_it_is

    def step(self, desired: Desired) -> Step:
        """The step that makes it true."""
        return self.also(stepped(desired, [one.change() for one in self.decided], self.cause, self.entries))


class Deciding:
    """Carries out decisions."""

    def __init__(self, keeper: Keeper, running: Running) -> None:
        self._keeper = keeper
        self._running = running

    def is_lowering(self, decided: Decided) -> bool:
        """Whether a weight falls."""
        desired = self._keeper.desired
        return any(to < weight_of(desired, route) for route, to in moves(desired, decided.change()).items())

    def only_words(self, decided: Decided) -> bool:
        """Whether nothing is to be kept of the decision; its words are then known already."""
        if decided.change().is_material or moves(self._keeper.desired, decided.change()):
            return False
        if decided.decision.state != decided.live.state:
            self._running.told(decided.live, decided.decision.state)
        return True

    def adopt(self, wanted: Wanted) -> Step:
        """Make it true at once: towards legacy nothing waits. The step is still to be written."""
        step = wanted.step(self._keeper.desired)
        self._keeper.adopt(step)
        return step

    async def record_first(self, wanted: Wanted) -> bool:
        """Write it, then make it true; False when somebody moved meanwhile. Raises `LedgerFailed`, nothing done."""

        def make(desired: Desired) -> Step | None:
            return wanted.step(desired) if all(_stands(desired, one.live) for one in wanted.decided) else None

        return await self._keeper.record_first(make) is not None


def _stands(desired: Desired, live: Live) -> bool:
    """Whether nobody decided about the ramp or moved its routes since."""
    return desired.ramps.get(live.key) is live.record and weights_of(desired, live.ramp) == live.weights
