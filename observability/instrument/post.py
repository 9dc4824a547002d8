"""The way out over OTLP/HTTP: sent before an invocation ends, its answer read when there is one.

    items -> `send` -> on its way (`_Flight`) -> `settle`: stored, lost, or back into the queue

A collector answers when it has stored something, which takes it tens of milliseconds; an invocation does not wait for
that. It waits until the bytes are on the wire, which they are when the kernel has them and the connection is an open
one. The answer is read at the end of a later invocation. Over TLS the first answer of a connection is waited for:
before it stand the session tickets, which look like an answer. At most `MAX_FLIGHTS` answers are awaited.

A collector that cannot be reached costs one invocation what it may wait at most, and then nobody anything for a while
that doubles up to a minute. What was sent and never acknowledged is sent again, so a collector may see it twice.
"""

import http.client
import select
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .connection import opened, path_of, proxy_headers
from .encode import Json, as_bytes, as_protobuf
from .variables import Target

MAX_FLIGHTS = 4
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
MAX_IDLE_SECONDS = 30.0
"""After that a connection is not used again: collectors close idle ones, and a freeze hides that they did."""
_LEAST_SECONDS = 0.005
_OK = range(200, 300)
_AGAIN = frozenset({408, 429, 502, 503, 504})
_FAULTS = (OSError, http.client.HTTPException, ssl.SSLError)


class Batch(NamedTuple):
    """A request, and what happens to what it holds when it could not be delivered."""

    target: Target
    request: Json
    items: Sequence[Any]
    back: Callable[[Sequence[Any]], None]
    lost: Callable[[Sequence[Any], str], None]


class _Flight(NamedTuple):
    connection: http.client.HTTPConnection
    batch: Batch
    since: float


class Post:
    """Connections to collectors, and what is on its way on them. For one thread at a time."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._idle: dict[tuple[str, str, int], list[tuple[http.client.HTTPConnection, float]]] = {}
        self._flights: list[_Flight] = []
        self._pause = FIRST_PAUSE_SECONDS
        self._not_before = 0.0
        self._is_in_doubt = False
        self.failure = ""
        """Why nothing can be sent now; empty where it can."""

    def is_open(self) -> bool:
        """Whether sending may be tried."""
        return self._clock() >= self._not_before

    def send(self, batch: Batch, until: float) -> None:
        """Put a batch on the wire, waiting until `until` at most; what fails goes back. Never raises."""
        if not self.is_open() or not self._has_room(until):
            batch.back(batch.items)
            return
        try:
            self._sent(batch, until)
        except _FAULTS as error:
            batch.back(batch.items)
            self._failed(error)

    def settle(self, until: float | None = None) -> None:
        """Read the answers that have come; with `until` wait for those that have not, but no longer."""
        for flight in list(self._flights):
            if not any(flight is one for one in self._flights):  # all were given up when one failed
                continue
            wait = 0.0 if until is None else max(until - self._clock(), 0.0)
            is_late = self._clock() - flight.since > flight.batch.target.timeout_seconds
            if _is_readable(flight.connection, wait):
                self._read(flight, max(wait, 0.05))
            elif is_late:
                self._given_up(OSError(f"{flight.batch.target.host} took a request and never answered"))

    def close(self) -> None:
        """Close every connection."""
        for flight in self._flights:
            flight.connection.close()
        for connections in self._idle.values():
            for connection, _ in connections:
                connection.close()
        self._flights.clear()
        self._idle.clear()

    def _has_room(self, until: float) -> bool:
        """Whether another answer may be awaited; waits for the first of those that are.

        After a failure one answer is awaited, and nobody waits for it: it comes, or is late, or fails.
        """
        if self._is_in_doubt:
            return not self._flights
        if len(self._flights) < MAX_FLIGHTS:
            return True
        wait = max(until - self._clock(), 0.0)
        sockets = [one.connection.sock for one in self._flights if one.connection.sock is not None]
        if sockets and not select.select(sockets, [], [], wait)[0]:
            self._given_up(OSError(f"{self._flights[0].batch.target.host} takes requests and does not answer"))
            return False
        self.settle()
        return len(self._flights) < MAX_FLIGHTS and self.is_open()

    def _sent(self, batch: Batch, until: float) -> None:
        connection, is_new = self._connection(batch.target, until)
        body, headers = _body(batch)
        try:
            self._write(connection, batch.target, body, headers, until)
        except _FAULTS:
            connection.close()
            if is_new:
                raise
            # The collector closed it meanwhile, as after a freeze: once more on a new one.
            connection = opened(batch.target, self._left(until))
            is_new = True
            self._write(connection, batch.target, body, headers, until)
        flight = _Flight(connection, batch, self._clock())
        self._flights.append(flight)
        if is_new and batch.target.scheme == "https":
            self._read(flight, self._left(until))

    def _write(
        self,
        connection: http.client.HTTPConnection,
        target: Target,
        body: bytes,
        headers: dict[str, str],
        until: float,
    ) -> None:
        connection.sock.settimeout(self._left(until))
        connection.request("POST", path_of(target), body, headers)

    def _connection(self, target: Target, until: float) -> tuple[http.client.HTTPConnection, bool]:
        idle = self._idle.get(target.place, [])
        while idle:
            connection, since = idle.pop()
            is_fresh = self._clock() - since < MAX_IDLE_SECONDS
            if is_fresh and connection.sock is not None and not _is_readable(connection, 0.0):  # readable means closed
                return connection, False
            connection.close()
        return opened(target, self._left(until)), True

    def _read(self, flight: _Flight, seconds: float) -> None:
        connection, batch = flight.connection, flight.batch
        try:
            connection.sock.settimeout(seconds)
            answer = connection.getresponse()
            answer.read()
        except _FAULTS as error:
            self._landed(flight)
            connection.close()
            batch.back(batch.items)
            if self._clock() - flight.since < MAX_IDLE_SECONDS:  # else it went with a freeze, which is no failure
                self._failed(error)
            return
        self._landed(flight)
        if answer.will_close:
            connection.close()
        else:
            self._idle.setdefault(batch.target.place, []).append((connection, self._clock()))
        self._answered(batch, answer.status)

    def _landed(self, flight: _Flight) -> None:
        self._flights = [one for one in self._flights if one is not flight]

    def _answered(self, batch: Batch, status: int) -> None:
        if status in _OK:
            self._pause, self._is_in_doubt, self.failure = FIRST_PAUSE_SECONDS, False, ""
        elif status in _AGAIN:
            batch.back(batch.items)
            self._failed(OSError(f"{batch.target.host} answered {status}"))
        else:
            batch.lost(batch.items, str(status))
            self.failure = f"{batch.target.host}{batch.target.path} answered {status}"

    def _given_up(self, error: Exception) -> None:
        """Take everything back that is on its way."""
        flights, self._flights = self._flights, []
        for flight in flights:
            flight.connection.close()
            flight.batch.back(flight.batch.items)
        self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._is_in_doubt = True
        self.failure = str(error) or type(error).__name__
        self._not_before = self._clock() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    def _left(self, until: float) -> float:
        return max(until - self._clock(), _LEAST_SECONDS)


def _body(batch: Batch) -> tuple[bytes, dict[str, str]]:
    target = batch.target
    body = as_protobuf(batch.request) if target.is_protobuf else as_bytes(batch.request)
    headers = {
        "Content-Type": "application/x-protobuf" if target.is_protobuf else "application/json",
        "User-Agent": "strangler-fig-instrument",
        **proxy_headers(target),
        **dict(target.headers),
    }
    if target.is_gzip:
        import gzip  # noqa: PLC0415 - for those who asked for it

        body = gzip.compress(body, 1)
        headers["Content-Encoding"] = "gzip"
    return body, headers


def _is_readable(connection: http.client.HTTPConnection, seconds: float) -> bool:
    sock = connection.sock
    if sock is None:
        return True
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    return bool(select.select([sock], [], [], seconds)[0])
