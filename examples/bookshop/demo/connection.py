"""One keep-alive HTTP/1.1 connection, as small as it can be.

Why not a client library: one takes about a millisecond of CPU per request in Python, this a tenth of it, and on two
cores the demo would measure its own client instead of the router.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass


class ConnectionBroken(Exception):  # noqa: N818 - it is what happened
    """The connection failed before a whole answer had arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; header names in lower case, of repeated ones the last."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """A connection that is opened when it is needed, and again after it was closed."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request and return its answer. Raises `ConnectionBroken`."""
        lines = [f"{method} {path} HTTP/1.1", f"host: {self._host}:{self._port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"content-length: {len(body)}")
        try:
            reader, writer = await self._streams()
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            answer = await _answer(reader, has_body=method != "HEAD")
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            self.close()
            message = f"{method} {path}: {error!r}"
            raise ConnectionBroken(message) from error
        except asyncio.CancelledError:
            self.close()  # half an answer may be on its way
            raise
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._writer:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the socket with it
                self._writer.close()
        self._reader = self._writer = None

    async def _streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.close()
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self._reader, self._writer


async def _answer(reader: asyncio.StreamReader, *, has_body: bool) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].removeprefix("HTTP/1.1 ")[:3])  # anything else is a ValueError
    headers = {}
    for line in head[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    if not has_body or status in (204, 304):
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Answer(status, headers, await _chunks(reader))
    return Answer(status, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        chunk = await reader.readexactly(size + 2)
        if size == 0:
            return body
        body += chunk[:-2]
