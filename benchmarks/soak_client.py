"""The soak's users, and the VIP between them and the nodes.

The VIP is one that corporate networks have: it asks each node's entry twice a second whether it is well, gives a new
connection to a node that is, tries the other node where a connect fails, and repeats nothing that was sent.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import xxhash

_TIMEOUT_SECONDS = 8.0
_USERS = 2000
_SHORT = 0.1  # of the connections: closed after one request, as old clients do
_POSTS = 0.4


@dataclass(frozen=True, slots=True)
class Sent:
    """One request and what came of it; times of the monotonic clock, `fault` empty when it was answered well.

    `assigned` and `answered` are sides: the user's, and whose answer it was.
    """

    id: str
    route: str
    place: int
    method: str
    began: float
    ended: float
    node: int
    assigned: str
    answered: str
    fault: str


class Vip:
    """Which nodes are well, and connections to them."""

    def __init__(self, addresses: Sequence[str], port: int) -> None:
        self._addresses = tuple(addresses)
        self._port = port
        self._well = [True] * len(self._addresses)
        self._turn = itertools.count()

    async def watch(self) -> None:
        """Ask the nodes for as long as the soak runs; two bad answers take a node out, a good one lets it back."""
        bad = [0] * len(self._addresses)
        while True:
            for node in range(len(self._addresses)):
                bad[node] = 0 if await self.asked(node) else bad[node] + 1
                self._well[node] = bad[node] < 2
            await asyncio.sleep(0.5)

    async def asked(self, node: int) -> bool:
        """Whether that node answers the monitor well."""
        try:
            async with asyncio.timeout(1.0):
                reader, writer = await asyncio.open_connection(self._addresses[node], self._port)
                try:
                    writer.write(b"GET /fig-health HTTP/1.1\r\nHost: vip\r\nConnection: close\r\n\r\n")
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    async def connect(self) -> "Connection | None":
        """A connection to a node that is well, else to any, else None."""
        first = next(self._turn) % len(self._addresses)
        order = [(first + step) % len(self._addresses) for step in range(len(self._addresses))]
        for node in sorted(order, key=lambda one: not self._well[one]):
            if connection := await self.connect_to(node):
                return connection
        return None

    async def connect_to(self, node: int) -> "Connection | None":
        """A connection to that node, or None when it takes none."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(1.0):
                _, made = await loop.create_connection(lambda: Connection(node), self._addresses[node], self._port)
        except (OSError, TimeoutError):
            return None
        return made


class Connection(asyncio.Protocol):
    """One client connection: one request at a time, answers with a length."""

    def __init__(self, node: int) -> None:
        self.node = node
        self.usable = True
        self._data = b""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[bytes, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """The answer's head in lower case and its body. Raises `OSError` or `TimeoutError`."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await self._answer

    def data_received(self, data: bytes) -> None:
        """Give the answer to who waits once it is whole."""
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._data[:end].lower()
        length = header(head, b"content-length")
        whole = end + 4 + int(length or 0)
        if len(self._data) < whole:
            return
        body, self._data = self._data[end + 4 : whole], b""
        self.usable = header(head, b"connection") != b"close" and length != b""
        if self._answer and not self._answer.done():
            self._answer.set_result((head, body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        self.usable = False
        if self._answer and not self._answer.done():
            self._answer.set_exception(exc if isinstance(exc, OSError) else ConnectionResetError("closed"))

    def close(self) -> None:
        """Give the connection up."""
        self.usable = False
        if self._transport:
            self._transport.close()


def header(head: bytes, name: bytes) -> bytes:
    """A header's value in a lower-cased head, or nothing."""
    at = head.find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip() if at >= 0 else b""


class Users:
    """Users who send so many requests a second over so many connections, as long as they may."""

    def __init__(self, vip: Vip, *, rate: float, seed: int, connections: int = 64) -> None:
        self._vip = vip
        self._rate = rate
        self._random = random.Random(seed)
        self._connections = connections
        self._number = itertools.count()
        self._began = self._until = 0.0
        self.sent: list[Sent] = []

    async def run(self, until: float) -> None:
        """Send until that time of the monotonic clock, or until `stop`."""
        self._began, self._until = time.monotonic(), until
        async with asyncio.TaskGroup() as group:
            for _connection in range(self._connections):
                group.create_task(self._one_connection())

    def stop(self) -> None:
        """Let what is under way come to its end, and send no more."""
        self._until = time.monotonic()

    async def _one_connection(self) -> None:
        connection: Connection | None = None
        while True:
            number = next(self._number)
            due = self._began + number / self._rate
            if due > self._until or time.monotonic() > self._until:
                break
            # Who is behind the plan sends without pause; where that is not enough, fewer requests are sent.
            if (early := due - time.monotonic()) > 0:
                await asyncio.sleep(early)
            if connection is None or not connection.usable:
                connection = await self._vip.connect()
            if connection is None:
                self.sent.append(
                    Sent(str(number), "", 0, "", time.monotonic(), time.monotonic(), -1, "", "", "no node")
                )
                continue
            await self._request(connection, number)
            if self._random.random() < _SHORT:
                connection.close()
        if connection is not None:
            connection.close()

    async def _request(self, connection: Connection, number: int) -> None:
        user = self._random.randrange(_USERS)
        route = "by-header" if number % 2 else "by-cookie"
        method = "POST" if self._random.random() < _POSTS else "GET"
        self.sent.append(await self.ask(connection, str(number), route, user, method))

    def place(self, route: str, user: int) -> int:
        """Where a user stands on a route, in parts per 10,000: on Lambda when the weight is above it."""
        return xxhash.xxh64_intdigest(f"{route}:{_key(user)}".encode()) % 10_000

    async def ask(self, connection: Connection, name: str, route: str, user: int, method: str) -> Sent:
        """Send one request of that user and see what comes of it."""
        known = f"X-User: {_key(user)}" if route == "by-header" else f"Cookie: theme=dark; sid={_key(user)}"
        body = b'{"quantity":1}' if method == "POST" else b""
        length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        path = "/h/books" if route == "by-header" else "/c/books"
        head = f"{method} {path} HTTP/1.1\r\nHost: shop.example\r\n{known}\r\nX-Soak-Id: {name}\r\n{length}\r\n"
        began, assigned, answered, fault = time.monotonic(), "", "", ""
        try:
            answer, _body = await connection.ask(head.encode() + body)
            assigned = header(answer, b"x-fig-assigned").decode()
            answered = header(answer, b"x-fig-side").decode()
            status = answer[9:12].decode()
            fault = "" if status == "200" else f"status {status}"
        except TimeoutError:
            fault = "timeout"
            connection.close()
        except OSError:
            fault = "connection lost"
        place = self.place(route, user)
        ended = time.monotonic()
        return Sent(name, route, place, method, began, ended, connection.node, assigned, answered, fault)


def _key(user: int) -> str:
    return f"0b814a4e-44ef-4638-b0d5-{user:012x}"
