"""Makes functions ready before a step: so many calls at once that they find environments started, or what was reserved.

One task for each ramp and step: the loop asks for it at every look, and hears when it is done. After a restart it is
done again, which changes nothing.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from ..errors import RouterFailed
from ..ledger.records import RampKey
from ..release.values import Ready
from .running import Live

_AGAIN_SECONDS = 5.0


class WarmingFailed(RouterFailed):
    """A function could not be made ready; the ramp waits, and it is tried again."""


Warm = Callable[[tuple[str, ...], Ready], Coroutine[Any, Any, None]]
"""Makes these routes' functions ready, and returns when they are. Raises `WarmingFailed`."""


@dataclass(slots=True)
class Warming:
    """What is being made ready, for which ramp and step."""

    warm: Warm
    again_seconds: float = _AGAIN_SECONDS
    problems: dict[RampKey, str] = field(default_factory=dict)
    _tasks: dict[tuple[RampKey, int], asyncio.Task[None]] = field(default_factory=dict)
    _failed_at: dict[tuple[RampKey, int], float] = field(default_factory=dict)

    def begin(self, live: Live, wake: Callable[[], None]) -> None:
        """Begin to make the ramp's step ready, unless that goes on already; `wake` is called when it is over."""
        key, ready = (live.key, live.state.step), live.ramp.steps[live.state.step].ready
        if ready is None or key in self._tasks:
            return
        if time.monotonic() - self._failed_at.get(key, -self.again_seconds) < self.again_seconds:
            return
        task = asyncio.create_task(self._run(key, live.ramp.routes, ready))
        self._tasks[key] = task
        task.add_done_callback(lambda _: wake())

    def is_done(self, live: Live) -> bool:
        """Whether the step was made ready since it was asked for."""
        task = self._tasks.get((live.key, live.state.step))
        return task is not None and task.done()

    def close(self) -> None:
        """End what goes on."""
        for task in self._tasks.values():
            task.cancel()

    async def _run(self, key: tuple[RampKey, int], routes: tuple[str, ...], ready: Ready) -> None:
        try:
            await self.warm(routes, ready)
            self.problems.pop(key[0], None)
        except WarmingFailed as error:
            sys.stderr.write(f"control: {error}\n")
            self.problems[key[0]] = str(error)
            self._failed_at[key] = time.monotonic()
            self._tasks.pop(key, None)
