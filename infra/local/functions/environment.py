"""One execution environment: a handler process, and the Runtime API that it alone talks to.

        STARTING --asks for next--> READY: waiting, or told an invocation, or both for the moment between an answer and
            the runtime's next call --exit, kill--> ENDED

An environment counts as free from the moment it answers; an invocation that it is given before the runtime's next call
waits for that call, and goes back to the function when the process dies first: it provably did not run.
Freezing needs no lock: stop and continue are sent by this one thread, the stop only while the runtime waits in `next`,
the continue before an event is written; and each of the two signals cancels the other where it is pending (POSIX).
"""

import asyncio
import enum
import math
import signal
import time
from dataclasses import replace
from typing import Protocol

from . import runtime_api
from .http_server import Connection, Exchange
from .invocation import Invocation
from .launch import HandlerProcess, start, variables
from .log_stream import TAIL_BYTES, LogStream, Sink
from .outcome import MAX_ANSWER, Ending, Outcome, answer_too_large, exited, not_started, reported, timed_out
from .settings import FunctionSettings, Settings

INIT_SECONDS = 10.0
"""How long a handler's module may take to import. Source: Lambda developer guide, "Execution environment lifecycle"."""

_EXIT_GRACE_SECONDS = 1.0


class Owner(Protocol):
    """Who gives an environment its invocations: the function."""

    def free(self, environment: "Environment") -> None:
        """The environment can take an invocation."""

    def delivered(self) -> None:
        """A handler was given an event."""

    def finished(self, invocation: Invocation, outcome: Outcome) -> None:
        """An invocation came to an end."""

    def again(self, invocation: Invocation) -> None:
        """An invocation was never delivered: it needs another environment."""

    def lost(self, environment: "Environment", ending: Ending | None) -> None:
        """The environment is no more; `ending` says why it never started, where it did not."""


class _State(enum.Enum):
    STARTING = enum.auto()
    READY = enum.auto()
    ENDED = enum.auto()


class Environment:
    """One process of one version of a function, from its start to its end."""

    def __init__(
        self, function: FunctionSettings, version: str, *, settings: Settings, owner: Owner, sink: Sink
    ) -> None:
        self.version = version
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._function = function
        self._settings = settings
        self._owner = owner
        self._sink = sink
        self._loop = asyncio.get_running_loop()
        self._state = _State.STARTING
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._process: HandlerProcess | None = None
        self._logs: LogStream | None = None
        self._waiting: Exchange | None = None  # the runtime's open call of `next`
        self._invocation: Invocation | None = None
        self._delivered_at: float | None = None  # monotonic seconds
        self._deadline: float | None = None  # the loop's seconds
        self._timer: asyncio.TimerHandle | None = None
        self._init_error: bytes | None = None
        self._started_at = time.monotonic()
        self._init_seconds: float | None = None  # until it was reported once
        self._frozen = False
        self._return_code: int | None = None

    @property
    def process_id(self) -> int | None:
        """The id of the handler's process, once it was started."""
        return self._process.process.pid if self._process else None

    async def start(self) -> None:
        """Open the Runtime API and start the process; a failure is told to the owner."""
        try:
            self._server = await self._loop.create_server(self._connection, "127.0.0.1", 0)
            if self._state is _State.ENDED:
                self._release()
                return
            host, port = self._server.sockets[0].getsockname()[:2]
            names = variables(self._function, self.version, self._settings, f"{host}:{port}")
            self._process = start(self._function, names)
        except OSError as error:
            self._end(not_started(f"no process for {self._function.name} on this machine: {error}"))
            self._release()
            return
        self._logs = LogStream(self._process.output, prefix=f"{self._function.name} | ", sink=self._sink)
        self._loop.add_reader(self._process.output, self._read_logs)
        self._loop.add_reader(self._process.exit, self._exited)
        self._set_deadline(INIT_SECONDS + self._function.timeout_seconds)

    def assign(self, invocation: Invocation) -> None:
        """Run an invocation; the environment must be free. Its timeout begins now."""
        self._invocation = invocation
        self._set_deadline(self._function.timeout_seconds)
        if self._waiting is not None:
            self._deliver(self._waiting, invocation)

    def kill(self) -> None:
        """End the process, at once and whatever it does; `closed` is done when it has gone."""
        self._end(exited(-signal.SIGKILL))
        self._signal(signal.SIGKILL)

    # What the runtime calls

    def asks_for_next(self, exchange: Exchange) -> None:
        """The runtime is ready: deliver what waits for it, else keep the call open (and freeze)."""
        if self._delivered_at is not None:
            runtime_api.refuse(exchange, 403, "InvalidStateTransition", "the last invocation has no answer yet")
            return
        self._waiting = exchange
        if self._state is _State.STARTING:
            self._state = _State.READY
            self._init_seconds = time.monotonic() - self._started_at
            self._cancel_timer()
            self._owner.free(self)
        elif self._invocation is not None:
            self._deliver(exchange, self._invocation)
        if self._waiting is not None and self._function.freeze:
            self._frozen = True
            self._signal(signal.SIGSTOP)

    def answers(self, exchange: Exchange, request_id: str, *, failed: bool) -> None:
        """The handler's answer, or its error, for the invocation that was delivered."""
        invocation, body = self._invocation, exchange.body
        if invocation is None or self._delivered_at is None or invocation.request_id != request_id:
            runtime_api.refuse(exchange, 400, "InvalidRequestID", f"no invocation {request_id} runs here")
            return
        self._deadline = None
        fits = body is not None and len(body) <= MAX_ANSWER
        outcome = Outcome(payload=body, failed=failed) if body is not None and fits else answer_too_large()
        outcome = self._with_log(invocation, outcome)
        self._invocation = self._delivered_at = None
        if not fits:
            # The runtime ends itself on this status, as in the service: it must not be given another event.
            runtime_api.refuse(exchange, 413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
            self._end(exited(-signal.SIGKILL))
            self._owner.finished(invocation, outcome)
            return
        self._owner.free(self)
        self._owner.finished(invocation, outcome)
        runtime_api.accept(exchange)

    def failed_to_start(self, exchange: Exchange) -> None:
        """The handler could not be imported; the process exits next."""
        self._init_error = exchange.body or b"{}"
        runtime_api.accept(exchange)

    # What happens to the process

    def _connection(self) -> Connection:
        connection = Connection(
            lambda exchange: runtime_api.serve(self, exchange), max_body=runtime_api.MAX_BODY, closed=self._disconnected
        )
        self._connections.add(connection)
        return connection

    def _deliver(self, exchange: Exchange, invocation: Invocation) -> None:
        self._waiting = None
        if self._frozen:
            self._frozen = False
            self._signal(signal.SIGCONT)
        if invocation.wants_log and self._logs is not None:
            self._logs.begin()
        self._delivered_at = time.monotonic()
        deadline_ms = int((time.time() + self._function.timeout_seconds) * 1000)
        runtime_api.deliver(exchange, invocation, deadline_ms=deadline_ms)
        self._owner.delivered()

    def _set_deadline(self, seconds: float) -> None:
        """Kill the process after so long. A timer that runs is left alone: it fires earlier, and looks again."""
        self._deadline = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)

    def _look_at_deadline(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)
            return
        self._end(timed_out(self._function.timeout_seconds))
        self._signal(signal.SIGKILL)

    def _exited(self) -> None:
        """The process has gone; what it sent before may still be in its sockets, and is read first."""
        process = self._process
        if process is None:
            return
        self._loop.remove_reader(process.exit)
        self._return_code = process.reap()
        if self._connections and self._state is not _State.ENDED:
            self._loop.call_later(_EXIT_GRACE_SECONDS, self._exit_is_known)
        else:
            self._exit_is_known()

    def _disconnected(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if self._waiting is not None and self._waiting.is_gone:
            self._waiting = (
                None  # an event written now would be lost; what is assigned waits for the exit, and goes back
            )
        if not self._connections and self._return_code is not None:
            self._exit_is_known()

    def _exit_is_known(self) -> None:
        if self.closed.done() or self._return_code is None:
            return
        ending = exited(self._return_code) if self._init_error is None else reported(self._init_error)
        self._end(ending, ran_only=True)
        self._release()

    def _end(self, ending: Ending, *, ran_only: bool = False) -> None:
        """Take no more work, and say what became of the work at hand; `ran_only`: give back what did not run."""
        if self._state is _State.ENDED:
            return
        never_started = self._state is _State.STARTING
        self._state = _State.ENDED
        self._cancel_timer()
        invocation, self._invocation = self._invocation, None
        self._owner.lost(self, ending if never_started else None)
        if invocation is None:
            return
        if ran_only and self._delivered_at is None:
            self._owner.again(invocation)
        else:
            self._owner.finished(invocation, self._with_log(invocation, ending(invocation.request_id)))

    def _release(self) -> None:
        """Give everything back to the machine; the process was reaped, or never was."""
        if self._logs is not None and self._process is not None:
            self._loop.remove_reader(self._process.output)
            self._logs.close()
        if self._server is not None:
            self._server.close()
        if not self.closed.done():
            self.closed.set_result(None)
        for connection in tuple(self._connections):
            connection.abort()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.signal(number)

    def _read_logs(self) -> None:
        if self._logs is not None and not self._logs.read() and self._process is not None:
            self._loop.remove_reader(self._process.output)

    def _with_log(self, invocation: Invocation, outcome: Outcome) -> Outcome:
        """The outcome with the tail of the log, between the lines that the service writes around it."""
        if not invocation.wants_log or self._logs is None or self._process is None or self._delivered_at is None:
            return outcome
        printed, name = self._logs.end(), invocation.request_id
        spent = (time.monotonic() - self._delivered_at) * 1000
        report = (
            f"REPORT RequestId: {name}\tDuration: {spent:.2f} ms\tBilled Duration: {math.ceil(spent)} ms\t"
            f"Memory Size: {self._function.memory_mb} MB\tMax Memory Used: {self._process.peak_memory_mb()} MB\t"
        )
        if self._init_seconds is not None:
            report += f"Init Duration: {self._init_seconds * 1000:.2f} ms\t"
        self._init_seconds = None
        before = f"START RequestId: {name} Version: {self.version}\n".encode()
        after = f"END RequestId: {name}\n{report}\n".encode()
        return replace(outcome, log=(before + printed + after)[-TAIL_BYTES:])

    def _cancel_timer(self) -> None:
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
