"""One keep-alive HTTP/1.1 connection, as small as the agent needs it: for Envoy's admin socket and for control.

A general client costs the agent 15 MB and a flip of a weight most of a millisecond. Bodies are read whole; a
connection that the peer closed while it was idle is opened again once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from .errors import Unreachable

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body."""

    status: int
    body: bytes


class Connection:
    """A peer that answers one request at a time; `name` is for messages, `host` goes into the Host header."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]], *, name: str, host: str) -> None:
        self._connect = connect
        self._name = name
        self._host = host
        self._streams: Streams | None = None
        self._turn = asyncio.Lock()

    async def exchange(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 10.0,
    ) -> Answer:
        """Send one request and read its whole answer. Raises `Unreachable`."""
        head = [f"{method} {target} HTTP/1.1", f"host: {self._host}", f"content-length: {len(body)}"]
        head += [f"{name}: {value}" for name, value in (headers or {}).items()]
        request = "\r\n".join([*head, "", ""]).encode() + body
        async with self._turn:
            try:
                async with asyncio.timeout(timeout_seconds):
                    return await self._send(request)
            except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
                self.close()
                reason = str(error) or type(error).__name__
                message = f"{self._name} does not answer: {reason}"
                raise Unreachable(message) from error
            except asyncio.CancelledError:
                self.close()  # the answer to a request that nobody waits for must not reach the next one
                raise

    def close(self) -> None:
        """Drop the connection; the next exchange opens a new one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def streams(self) -> Streams:
        """The open connection, opened when it is not. Raises `OSError`."""
        if self._streams is None:
            self._streams = await self._connect()
        return self._streams

    async def _send(self, request: bytes) -> Answer:
        reused = self._streams is not None
        try:
            return await self._round_trip(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            if not reused:
                raise
            self.close()
            return await self._round_trip(request)

    async def _round_trip(self, request: bytes) -> Answer:
        reader, writer = await self.streams()
        writer.write(request)
        await writer.drain()
        status, fields = _head(await reader.readuntil(b"\r\n\r\n"))
        if status in _NO_BODY:
            body = b""
        elif fields.get("transfer-encoding", "").lower() == "chunked":
            body = await _chunks(reader)
        elif "content-length" in fields:
            body = await reader.readexactly(int(fields["content-length"]))
        else:
            body = await reader.read()
            self.close()
        if fields.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, body)


def _head(data: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = data.decode("latin-1").split("\r\n")
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return int(first.split(" ", 2)[1]), fields


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts: list[bytes] = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(parts)
