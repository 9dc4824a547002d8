"""A small HTTP/1.1 server on asyncio's protocols: keep-alive, sized and chunked bodies, limits.

Why not the ASGI stack that other services here use: a warm invocation is three requests (the caller's, and the
runtime's two), so the server's own cost counts three times in a budget of 400 microseconds at 2,500 invocations a
second. A protocol that hands over a request in the callback that read it leaves most of that to the handler's process.

One request at a time on a connection; what a client sends ahead waits. Source: RFC 9112.
"""

import asyncio
import http
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from .request_body import Body, ChunkedBody, Malformed, SizedBody

MAX_HEAD = 64 * 2**10
"""Bytes of a request line and headers; more is answered with 431."""

_MAX_AHEAD = 256 * 2**10
_READ = 32 * 2**10
_END = b"\r\n\r\n"
_CLOSE = "Connection: close\r\n\r\n"
_HEAD = re.compile(r"([A-Z]{1,20}) ([!-~\x80-\xff]+) HTTP/1\.([01])((?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*)*)")
_LENGTH = re.compile(r"[0-9]{1,15}")
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in http.HTTPStatus}
_NO_BODY = frozenset({204, 304})


class Exchange:
    """One request, and the way to answer it once; `body` is None when it was longer than the server's limit.

    Header names are lower case; repeated headers are joined by commas.
    """

    __slots__ = ("_connection", "body", "headers", "method", "target")

    def __init__(self, connection: "Connection", head: "_Head") -> None:
        self._connection = connection
        self.method = head.method
        self.target = head.target
        self.headers: Mapping[str, str] = head.headers
        self.body: bytes | None = b""

    @property
    def is_gone(self) -> bool:
        """Whether an answer would reach nobody: it was given, or the client has left."""
        return not self._connection.serves(self)

    def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send the answer; nothing happens when the client has gone or an answer was sent."""
        self._connection.send(self, status, headers, body)

    def reset(self) -> None:
        """Break the connection off without an answer."""
        self._connection.abort()


Serve = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    method: str
    target: str
    headers: Mapping[str, str]
    keep_alive: bool
    length: int | None  # None: chunked
    expects_continue: bool


class Connection(asyncio.BufferedProtocol):
    """One client's connection. `closed` is called once, when it has gone.

    It reads into a buffer of its own: asyncio's other kind of protocol allocates 256 KiB for each read, which the C
    library may take from the kernel and give back each time (20 microseconds, measured).
    """

    __slots__ = (
        "_ahead",
        "_body",
        "_buffer",
        "_closed",
        "_exchange",
        "_keep_alive",
        "_limit",
        "_serve",
        "_serving",
        "_transport",
    )

    def __init__(self, serve: Serve, *, max_body: int, closed: Callable[["Connection"], None]) -> None:
        self._serve = serve
        self._limit = max_body
        self._closed = closed
        self._transport: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(_READ))
        self._ahead = b""
        self._body: Body | None = None
        self._exchange: Exchange | None = None  # being read
        self._serving: Exchange | None = None  # handed over, not answered
        self._keep_alive = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the request in service: its answer has nowhere to go."""
        self._transport = None
        self._serving = None
        self._closed(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Where to read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take bytes in, and serve a request when one is complete."""
        data = bytes(self._buffer[:nbytes])
        self._ahead = self._ahead + data if self._ahead else data
        if self._serving is None:
            self._advance()
        elif len(self._ahead) > _MAX_AHEAD and self._transport is not None:
            self._transport.pause_reading()

    def serves(self, exchange: Exchange) -> bool:
        """Whether this request waits for its answer."""
        return self._serving is exchange

    def abort(self) -> None:
        """Break off at once."""
        if self._transport is not None:
            self._transport.abort()

    def send(self, exchange: Exchange, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Answer the request in service, and go on with what the client sent ahead."""
        transport = self._transport
        if exchange is not self._serving or transport is None:
            return
        self._serving = None
        lines = [_STATUS_LINES[status], *[f"{name}: {value}\r\n" for name, value in headers.items()]]
        if status not in _NO_BODY:
            lines.append(f"Content-Length: {len(body)}\r\n")
        lines.append("\r\n" if self._keep_alive else _CLOSE)
        head = "".join(lines).encode("latin-1")
        transport.write(head if exchange.method == "HEAD" else head + body)
        if not self._keep_alive:
            transport.close()
        elif self._ahead:
            transport.resume_reading()
            # Through the loop: a client that pipelines must neither starve the others nor deepen the stack.
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._serving is None and self._transport is not None:
            self._advance()

    def _advance(self) -> None:
        try:
            if self._body is None and not self._begin():
                return
            body, exchange = cast("Body", self._body), cast("Exchange", self._exchange)
            rest = body.feed(self._ahead)
        except Malformed as malformed:
            self._refuse(400, str(malformed))
            return
        if rest is None:
            self._ahead = b""
            return
        self._ahead = rest
        self._body = self._exchange = None
        if body.abandoned:
            self._keep_alive = False
        exchange.body = body.content()
        self._serving = exchange
        self._serve(exchange)

    def _begin(self) -> bool:
        """Whether a head was complete and is now the request being read."""
        ahead = self._ahead
        while ahead.startswith(b"\r\n"):
            ahead = ahead[2:]
        end = ahead.find(_END)
        if end < 0 or end > MAX_HEAD:
            if len(ahead) > MAX_HEAD:
                self._refuse(431, f"more than {MAX_HEAD} bytes of headers")
            return False
        head = _parse_head(ahead[:end])
        self._ahead = ahead[end + len(_END) :]
        self._keep_alive = head.keep_alive
        self._body = ChunkedBody(self._limit) if head.length is None else SizedBody(head.length, self._limit)
        self._exchange = Exchange(self, head)
        if head.expects_continue and not self._ahead and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _refuse(self, status: int, reason: str) -> None:
        if self._transport is None:
            return
        body = f"{reason}\n".encode()
        head = f"{_STATUS_LINES[status]}Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        self._transport.write(f"{head}{_CLOSE}".encode() + body)
        self._transport.close()
        self._ahead = b""


@lru_cache(maxsize=128)  # a runtime's `next` and many clients send the very same head each time
def _parse_head(head: bytes) -> _Head:
    """The head that the bytes before the empty line are. Raises `Malformed`."""
    found = _HEAD.fullmatch(head.decode("latin-1"))
    if not found:
        message = "not the head of an HTTP/1.1 request"
        raise Malformed(message)
    method, target, minor, lines = found.groups()
    headers: dict[str, str] = {}
    for line in lines.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    connection = headers.get("connection", "").lower()
    return _Head(
        method=method,
        target=target,
        headers=headers,
        keep_alive="keep-alive" in connection if minor == "0" else "close" not in connection,
        length=_body_length(headers),
        expects_continue=headers.get("expect", "").lower() == "100-continue",
    )


def _body_length(headers: Mapping[str, str]) -> int | None:
    """Bytes of the body, None when it is chunked. Two ways to say it at once are how requests are smuggled: refused."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            message = "a body must be sized or chunked, and not both"
            raise Malformed(message)
        return None
    if length is None:
        return 0
    if not _LENGTH.fullmatch(length):
        message = "a content-length that is not one number"
        raise Malformed(message)
    return int(length)
