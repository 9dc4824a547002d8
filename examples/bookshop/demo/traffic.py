"""Many users who read books, and order one now and then, at a steady rate.

Each user sends one request after the other on one connection, so what a user sees has an order. Users take turns.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .connection import Connection, ConnectionBroken
from .sides import Mark

READ_STATUS, ORDER_STATUS = 200, 201
BOOKS = 20
_LIST_EVERY, _ORDER_EVERY, _STOCK_EVERY = 10, 20, 10
"""Of a connection's requests every tenth reads the list, every tenth asks how many there are of a book, every twentieth
is an order; the others read one book."""
_TIMEOUT_SECONDS = 20.0
_PAUSE_AFTER_FAULT_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much traffic: the users, the requests per second of all of them together, and the connections they share."""

    users: Sequence[str]
    requests_per_second: float = 250.0
    connections: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as its user saw it.

    `assigned` and `side` are empty where the answer did not say; `fault` is None when the answer was the expected one;
    `mark`: where the story stood when the request was sent.
    """

    user: str
    is_read: bool
    mark: Mark
    status: int
    assigned: str
    side: str
    seconds: float
    fault: str | None

    @property
    def fell_back(self) -> bool:
        """Whether legacy answered for Lambda."""
        return self.assigned == "lambda" and self.side == "legacy"


class Traffic:
    """The users. `mark` says where the story stands; `seen` gets each request when it is over."""

    def __init__(
        self, host: str, port: int, load: Load, *, mark: Callable[[], Mark], seen: Callable[[Seen], None]
    ) -> None:
        self._host, self._port = host, port
        self._load = load
        self._mark = mark
        self._seen = seen
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Send until `stop` is called; requests on their way are finished."""
        connections = min(self._load.connections, len(self._load.users))
        async with asyncio.TaskGroup() as group:
            for index in range(connections):
                group.create_task(self._use(index, connections))

    def stop(self) -> None:
        """Send no further request."""
        self._stopping.set()

    async def _use(self, index: int, connections: int) -> None:
        connection = Connection(self._host, self._port)
        interval = connections / self._load.requests_per_second
        due = time.monotonic() + interval * index / connections
        choice = random.Random(index)  # noqa: S311 - the same books in every run
        users = itertools.cycle(self._load.users[index::connections])
        try:
            for count in itertools.count(index):
                # behind the plan, the rate falls; it never catches up in a burst
                due = max(due + interval, time.monotonic())
                if await self._stopped_until(due):
                    return
                seen = await self._request(connection, next(users), count, choice)
                self._seen(seen)
                if seen.status == 0:
                    await asyncio.sleep(_PAUSE_AFTER_FAULT_SECONDS)
        finally:
            connection.close()

    async def _stopped_until(self, due: float) -> bool:
        pause = due - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        return self._stopping.is_set()

    async def _request(self, connection: Connection, user: str, count: int, choice: random.Random) -> Seen:
        is_read = count % _ORDER_EVERY != 0
        book = choice.randint(1, BOOKS)
        headers = {"x-user": user}
        mark, begun = self._mark(), time.perf_counter()
        status, answer_headers, fault = 0, {}, None
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                if is_read:
                    answer = await connection.send("GET", _read(count, book), headers)
                else:
                    body = b'{"book": %d}' % book
                    answer = await connection.send(
                        "POST", "/orders", {**headers, "content-type": "application/json"}, body
                    )
            status, answer_headers = answer.status, dict(answer.headers)
            if status != (READ_STATUS if is_read else ORDER_STATUS):
                fault = f"status {status}: {answer.body[:200]!r}"
        except ConnectionBroken as error:
            fault = str(error)
        except TimeoutError:
            fault = f"no answer in {_TIMEOUT_SECONDS:g} s"
        return Seen(
            user=user,
            is_read=is_read,
            mark=mark,
            status=status,
            assigned=answer_headers.get("x-fig-assigned", ""),
            side=answer_headers.get("x-fig-side", ""),
            seconds=time.perf_counter() - begun,
            fault=fault,
        )


def _read(count: int, book: int) -> str:
    """The path of a connection's read of that number."""
    if count % _LIST_EVERY == 1:
        return "/books"
    return f"/books/{book}/stock" if count % _STOCK_EVERY == 2 else f"/books/{book}"  # noqa: PLR2004 - its turn
