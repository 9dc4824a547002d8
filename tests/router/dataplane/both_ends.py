"""Both ends of a connection as bytes: a scripted legacy application, and a client that says exactly what it is told."""

import ctypes
import select
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Script = Callable[["Wire", bytes], bytes | None]
"""Given the connection and a whole request, the bytes to answer; None closes the connection."""

WITHOUT_BODY = (204, 304)
_SO_ATTACH_FILTER = 26  # Source: Linux, include/uapi/asm-generic/socket.h


class ConnectionEnded(Exception):  # noqa: N818 - not an error: connections end
    """The peer closed the connection before a message began."""


class Wire:
    """A socket that reads whole HTTP/1 messages, to the byte."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._waiting = b""

    def send(self, data: bytes) -> None:
        """Send these bytes at once."""
        self.socket.sendall(data)

    def head(self) -> bytes:
        """The next message's head, its empty line included."""
        return self._until(b"\r\n\r\n")

    def request(self) -> bytes:
        """The next whole request."""
        head = self.head()
        return head + self.body(head)

    def body(self, head: bytes) -> bytes:
        """The body of the request with this head."""
        return self._body(head, to_end=False)

    def response(self, method: str = "GET") -> bytes:
        """The next whole answer; without a length it ends with the connection."""
        head = self.head()
        status = int(head.split(None, 2)[1])
        if status < 200 or status in WITHOUT_BODY or method == "HEAD":
            return head
        return head + self._body(head, to_end=True)

    def answer(self, method: str = "GET") -> bytes:
        """All interim answers and the final one."""
        data = b""
        while (one := self.response(method))[9:10] == b"1" and not one.startswith(b"HTTP/1.1 101"):
            data += one
        return data + one

    def rest(self) -> bytes:
        """Everything until the peer closes."""
        data, self._waiting = self._waiting, b""
        while chunk := self.socket.recv(65536):
            data += chunk
        return data

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        parts = [self._waiting[:size]]
        self._waiting = self._waiting[size:]
        missing = size - len(parts[0])
        while missing:
            chunk = self.socket.recv(min(missing, 1 << 20))
            if not chunk:
                raise ConnectionEnded
            parts.append(chunk)
            missing -= len(chunk)
        return b"".join(parts)

    def arrives_within(self, seconds: float) -> bool:
        """Whether anything arrives in that time; for what must not arrive before the test lets it."""
        return bool(self._waiting or select.select([self.socket], [], [], seconds)[0])

    def _until(self, end: bytes) -> bytes:
        while end not in self._waiting:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise ConnectionEnded
            self._waiting += chunk
        at = self._waiting.index(end) + len(end)
        data, self._waiting = self._waiting[:at], self._waiting[at:]
        return data

    def _body(self, head: bytes, *, to_end: bool) -> bytes:
        values = fields(head)
        if values.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        if "content-length" in values:
            return self.exactly(int(values["content-length"]))
        return self.rest() if to_end else b""

    def _chunks(self) -> bytes:
        data = b""
        while True:
            line = self._until(b"\r\n")
            data += line
            if not int(line.split(b";")[0], 16):
                break
            data += self.exactly(int(line.split(b";")[0], 16) + 2)
        while (line := self._until(b"\r\n")) != b"\r\n":
            data += line
        return data + line


def fields(head: bytes) -> dict[str, str]:
    """The headers of a message, by lower-case name; the last of a repeated one."""
    lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def drop_packets(connection: socket.socket) -> None:
    """Let nothing that arrives on this connection be received or even acknowledged, as a cut cable would.

    A classic BPF program of one instruction, "accept 0 bytes", which Linux runs before TCP sees a segment.
    """
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    connection.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program)))


@dataclass
class Scripted:
    """A legacy application on a free loopback port: `script` answers each request, `requests` are their bytes."""

    script: Script = lambda _wire, _request: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    expected: Callable[[], bytes] | None = None
    """What to say to `Expect: 100-continue` before the body is read; a final answer ends the connection."""
    idle_seconds: float | None = None
    """How long a connection may be unused; then it is closed, or with `forgets` lost without a word."""
    forgets: bool = False
    lost: list[socket.socket] = field(default_factory=list)

    @contextmanager
    def running(self, address: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator["Scripted"]:
        """Serve until the block ends."""
        with _Server(address, _handler(self)) as server:
            self.port: int = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join(5)

    def is_used(self, wire: Wire) -> bool:
        """Whether another request begins in time."""
        if self.idle_seconds is None or wire.arrives_within(self.idle_seconds):
            return True
        if self.forgets:
            drop_packets(wire.socket)
            self.lost.append(wire.socket.dup())  # so that the end of this one is no FIN
        return False

    def next_request(self, wire: Wire) -> bytes | None:
        """The next request; None when it was refused before its body."""
        head = wire.head()
        if self.expected is not None and "expect" in fields(head):
            interim = self.expected()
            wire.send(interim)
            if not interim.startswith(b"HTTP/1.1 100"):
                return None
        return head + wire.body(head)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that went away is what some of the tests are about."""


def _handler(owner: Scripted) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            owner.connections += 1
            wire = Wire(self.request)
            try:
                while owner.is_used(wire):
                    request = owner.next_request(wire)
                    if request is None:
                        return
                    owner.requests.append(request)
                    answer = owner.script(wire, request)
                    if answer is None:
                        return
                    wire.send(answer)
            except ConnectionEnded:
                return

    return Handler


@contextmanager
def client(port: int, seconds: float = 20) -> Iterator[Wire]:
    """A connection of a client to that loopback port."""
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Wire(connection)
