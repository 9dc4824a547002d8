"""A load that counts what became of every single request, for tests that claim that nothing was lost.

What counts as lost, seen from a VIP that keeps connections to the router and closes some after one request:

- A request is *answered* when a whole response with the expected status came. Everything else is a failure, with its
  reason: another status, a refused or reset connection, a response that breaks off, no answer within ten seconds.
- A client that kept a connection may find it closed when it wants to use it again. When the response before said
  `connection: close`, the client does not use it again: that is no event at all.
- When nothing was said, the close and the request may cross on the wire. HTTP allows a client to send an idempotent
  request again if no byte of a response came (RFC 9110, 9.2.2); so a GET is sent once more, on a new connection, and
  counted in `repeated` as well. A POST is never sent again: it is a failure.
- Each request carries an id of its own in `x-load-id`; what the stand-ins received under it tells whether anything ran
  twice or without its answer.
"""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ID = "x-load-id"
_SECONDS = 10.0


@dataclass
class Counts:
    """What was sent and what became of it; `failures` has the reasons, `repeated` the ids of GETs sent twice."""

    sent: int = 0
    answered: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    repeated: set[str] = field(default_factory=set)
    posted: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return (
            f"sent {self.sent}, answered {self.answered}, repeated {len(self.repeated)}, failed {dict(self.failures)}"
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Who sends what: clients that keep their connections, clients that do not; of each, half GET and half POST."""

    keeping: int = 4
    short: int = 2
    path: str = "/books/1"
    pause_seconds: float = 0.01


class _CutError(Exception):
    """The connection ended before the first byte of a response."""


@contextmanager
def load(ports: list[int], plan: Plan | None = None) -> Iterator[Counts]:
    """Send until the block ends, each client's connections to `ports` in turn; the list may change while it runs."""
    counts = Counts()
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_run(ports, plan or Plan(), counts, over)))
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join(30)


@contextmanager
def vip(members: list[int], ports: list[int], path: str, *, bypass: int) -> Iterator[list[tuple[float, int, str]]]:
    """Keep `ports` at the members that answer the monitor with 200, or at the bypass when none does.

    Yields what the monitor was told, as it changes: when, by which member, and what. Source of the manner: the VIPs of
    `docs/operate.md`, asking twenty times as often.
    """
    told: list[tuple[float, int, str]] = []
    over = threading.Event()

    def watch() -> None:
        last: dict[int, str] = {}
        while not over.wait(0.05):
            for member in members:
                if (answer := monitored(member, path)) != last.get(member):
                    told.append((time.monotonic(), member, answer))
                    last[member] = answer
            ports[:] = [member for member in members if last[member] == "200"] or [bypass]

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join(10)


def monitored(port: int, path: str) -> str:
    """What the monitor of a VIP is told there: a status, or the error's name."""
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as wire:
            wire.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            return wire.recv(100).split(b" ")[1].decode()
    except (OSError, IndexError) as error:
        return type(error).__name__


async def _run(ports: list[int], plan: Plan, counts: Counts, over: threading.Event) -> None:
    clients = [
        _Client(ports, plan, counts, name=f"{'kept' if number < plan.keeping else 'short'}-{number}")
        for number in range(plan.keeping + plan.short)
    ]
    await asyncio.gather(*(client.run(over) for client in clients))


class _Client:
    def __init__(self, ports: list[int], plan: Plan, counts: Counts, *, name: str) -> None:
        self._ports = ports
        self._plan = plan
        self._counts = counts
        self._name = name
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._connections = 0

    async def run(self, over: threading.Event) -> None:
        number = 0
        while not over.is_set():
            number += 1
            identifier = f"{self._name}-{number}"
            self._counts.sent += 1
            try:
                async with asyncio.timeout(_SECONDS):
                    await self._ask(identifier, post=number % 2 == 0)
            except (OSError, EOFError, ValueError, _CutError, asyncio.LimitOverrunError) as error:
                method = "POST" if number % 2 == 0 else "GET"
                self._counts.failures[f"{method} {self._name.split('-')[0]}: {error!r}"] += 1
                self._close()
                await asyncio.sleep(0.02)  # a node that refuses must not be all that is measured
            else:
                self._counts.answered += 1
            if self._plan.pause_seconds:
                await asyncio.sleep(self._plan.pause_seconds)
        self._close()

    async def _ask(self, identifier: str, *, post: bool) -> None:
        kept = self._streams is not None
        if post:
            self._counts.posted.add(identifier)
        try:
            await self._exchange(identifier, post=post)
        except _CutError:
            self._close()
            if post or not kept:
                raise
            self._counts.repeated.add(identifier)
            await self._exchange(identifier, post=post)

    async def _exchange(self, identifier: str, *, post: bool) -> None:
        if self._streams is None:
            ports = tuple(self._ports)
            self._streams = await asyncio.open_connection("127.0.0.1", ports[self._connections % len(ports)])
            self._connections += 1
        reader, writer = self._streams
        keeps = self._name.startswith("kept")
        body = b"x" * 500 if post else b""
        head = [
            f"{'POST' if post else 'GET'} {self._plan.path} HTTP/1.1",
            f"host: shop\r\n{ID}: {identifier}\r\nx-user: {identifier}\r\ncontent-length: {len(body)}",
            "connection: keep-alive" if keeps else "connection: close",
        ]
        try:
            writer.write("\r\n".join([*head, "", ""]).encode() + body)
            await writer.drain()
            answer = await reader.readuntil(b"\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if isinstance(error, asyncio.IncompleteReadError) and error.partial:
                raise
            raise _CutError(repr(error)) from error
        text = answer.decode("latin-1").lower()
        await reader.readexactly(int(text.partition("content-length:")[2].split("\r\n")[0]))
        if not keeps or "connection: close" in text:
            self._close()
        if text.split(" ")[1] != "200":
            message = f"status {text.split(' ')[1]}"
            raise ValueError(message)

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
