"""Who runs an invocation: one function's environments, its concurrency and its counts.

An invocation takes an idle environment of its version, the one used last first, so that a quiet function keeps few of
them warm. With none idle it waits for whichever comes first: a new environment that is started for it, or a busy one
that gets free. As every waiting invocation has started one environment, there are never more waiting than starting. An
environment that fails to start answers the longest waiting invocation with the reason, as the service does.
"""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass

from .environment import Environment
from .invocation import Invocation
from .log_stream import Sink
from .outcome import Ending, Outcome
from .settings import FunctionSettings, Settings


@dataclass(slots=True)
class Counts:
    """What happened since the start. `invocations`: events that a handler was given, so 0 proves that it never ran."""

    invocations: int = 0
    succeeded: int = 0
    function_errors: int = 0
    timeouts: int = 0
    throttles: int = 0
    cold_starts: int = 0
    faults: int = 0
    events_dropped: int = 0


class Function:
    """One function and all that runs of it."""

    def __init__(self, function: FunctionSettings, settings: Settings, *, sink: Sink) -> None:
        self.settings = function
        self.counts = Counts()
        self._estate = settings
        self._sink = sink
        self._in_flight = 0
        self._environments: set[Environment] = set()
        self._starting: dict[str, set[Environment]] = defaultdict(set)
        self._idle: dict[str, list[Environment]] = defaultdict(list)
        self._pending: dict[str, deque[Invocation]] = defaultdict(deque)
        self._queued: deque[Invocation] = deque()  # for a place within the concurrency
        self._closing: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The ids of the handler processes that live."""
        return tuple(pid for one in self._environments if (pid := one.process_id) is not None)

    @property
    def in_flight(self) -> int:
        """Invocations that were admitted and have no outcome yet."""
        return self._in_flight

    def submit(self, invocation: Invocation) -> bool:
        """Run an invocation; False when the concurrency is used up, and it was not taken."""
        if self._in_flight >= self.settings.concurrency:
            self.counts.throttles += 1
            return False
        self._in_flight += 1
        self._place(invocation)
        return True

    def submit_when_possible(self, invocation: Invocation) -> None:
        """Run an invocation as soon as the concurrency allows."""
        if self._in_flight >= self.settings.concurrency:
            self._queued.append(invocation)
        else:
            self._in_flight += 1
            self._place(invocation)

    async def stop(self) -> None:
        """Kill every environment, and return when the last process has gone."""
        self._stopped = True
        self._queued.clear()
        for environment in tuple(self._environments):
            environment.kill()
        while self._closing:
            await asyncio.wait(tuple(self._closing))

    # What environments tell

    def free(self, environment: Environment) -> None:
        """Give the environment the longest waiting invocation of its version, else keep it."""
        pending = self._pending[environment.version]
        self._starting[environment.version].discard(environment)
        if pending:
            environment.assign(pending.popleft())
        else:
            self._idle[environment.version].append(environment)

    def delivered(self) -> None:
        """Count an event that a handler was given."""
        self.counts.invocations += 1

    def finished(self, invocation: Invocation, outcome: Outcome) -> None:
        """Tell the caller, and let the next one in."""
        if outcome.timed_out:
            self.counts.timeouts += 1
        if outcome.failed:
            self.counts.function_errors += 1
        else:
            self.counts.succeeded += 1
        self._in_flight -= 1
        invocation.done(invocation, outcome)
        if self._queued and self._in_flight < self.settings.concurrency:
            self._in_flight += 1
            self._place(self._queued.popleft())

    def again(self, invocation: Invocation) -> None:
        """Find another environment for an invocation that did not run."""
        self._place(invocation)

    def lost(self, environment: Environment, ending: Ending | None) -> None:
        """Forget an environment; one that never started costs the longest waiting invocation its try."""
        self._starting[environment.version].discard(environment)
        self._environments.discard(environment)
        idle = self._idle[environment.version]
        if environment in idle:
            idle.remove(environment)
        pending = self._pending[environment.version]
        if ending is not None and pending:
            invocation = pending.popleft()
            self.finished(invocation, ending(invocation.request_id))

    def _place(self, invocation: Invocation) -> None:
        idle = self._idle[invocation.version]
        if idle:
            idle.pop().assign(invocation)
            return
        pending = self._pending[invocation.version]
        pending.append(invocation)
        if len(self._starting[invocation.version]) < len(pending) and not self._stopped:
            self._start(invocation.version)

    def _start(self, version: str) -> None:
        if len(self._environments) >= self.settings.concurrency:
            self._evict(version)
        environment = Environment(self.settings, version, settings=self._estate, owner=self, sink=self._sink)
        self.counts.cold_starts += 1
        self._environments.add(environment)
        self._starting[version].add(environment)
        self._closing.add(environment.closed)
        environment.closed.add_done_callback(self._closing.discard)
        task = asyncio.get_running_loop().create_task(environment.start())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _evict(self, version: str) -> None:
        """End an idle environment of another version, so that versions share the function's concurrency."""
        for other, idle in self._idle.items():
            if other != version and idle:
                idle[0].kill()
                return
