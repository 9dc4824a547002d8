"""Bodies of HTTP/1.1 requests, read piece by piece: sized and chunked.

One rule: at most `limit` bytes are kept. A longer body is still read to its end, and dropped, so that the client gets
the answer and not a reset; a body beyond `DRAIN_LIMIT` is given up.
Source: RFC 9112 sections 6.2, 6.3 and 7.1 (message body length, chunked coding).
"""

import re
from typing import Protocol

DRAIN_LIMIT = 64 * 2**20
"""Bytes after which a body is no longer read."""

_LINE_LIMIT = 8192
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,12}")


class Malformed(Exception):  # noqa: N818 - named as the protocol names it
    """The bytes are not an HTTP/1.1 request; the connection cannot go on."""


class Body(Protocol):
    """A body in the middle of being read."""

    abandoned: bool

    def feed(self, data: bytes) -> bytes | None:
        """What follows the body once it is complete, else None. Raises `Malformed`."""

    def content(self) -> bytes | None:
        """The whole body, or None when it is longer than the limit."""


class SizedBody:
    """A body whose length the head announced."""

    __slots__ = ("_keep", "_missing", "_pieces", "abandoned")

    def __init__(self, length: int, limit: int) -> None:
        self._missing = length
        self._keep = length <= limit
        self._pieces: list[bytes] = []
        self.abandoned = length > DRAIN_LIMIT

    def feed(self, data: bytes) -> bytes | None:
        """What follows the body once it is complete, else None."""
        if self.abandoned:
            return b""
        size = len(data)
        if size < self._missing:
            self._missing -= size
            if self._keep and data:
                self._pieces.append(data)
            return None
        if self._keep:
            self._pieces.append(data if size == self._missing else data[: self._missing])
        return data[self._missing :]

    def content(self) -> bytes | None:
        """The whole body, or None when it is longer than the limit."""
        return b"".join(self._pieces) if self._keep else None


class ChunkedBody:
    """A body that comes in chunks; extensions and trailers are dropped."""

    __slots__ = ("_buffer", "_content", "_limit", "_missing", "_seen", "_step", "abandoned")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = b""
        self._content = bytearray()
        self._seen = 0
        self._missing = 0
        self._step = self._size
        self.abandoned = False

    def feed(self, data: bytes) -> bytes | None:
        """What follows the body once it is complete, else None. Raises `Malformed`."""
        self._buffer = self._buffer + data if self._buffer else data
        while (done := self._step()) is False:
            if self._seen > DRAIN_LIMIT:
                self.abandoned = True
                return b""
        return self._buffer if done else None

    def content(self) -> bytes | None:
        """The whole body, or None when it is longer than the limit."""
        return bytes(self._content) if self._seen <= self._limit else None

    # Each step answers True when the body is complete, False when the next step can go on, None when bytes are missing.

    def _size(self) -> bool | None:
        line = self._line()
        if line is None:
            return None
        size = line.partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(size):
            message = "a chunk without a size"
            raise Malformed(message)
        self._missing = int(size, 16)
        self._step = self._data if self._missing else self._trailer
        return False

    def _data(self) -> bool | None:
        if not self._buffer:
            return None
        piece, self._buffer = self._buffer[: self._missing], self._buffer[self._missing :]
        self._missing -= len(piece)
        self._seen += len(piece)
        if self._seen <= self._limit:
            self._content += piece
        if not self._missing:
            self._step = self._end_of_data
        return False

    def _end_of_data(self) -> bool | None:
        line = self._line()
        if line is None:
            return None
        if line:
            message = "a chunk longer than its size"
            raise Malformed(message)
        self._step = self._size
        return False

    def _trailer(self) -> bool | None:
        line = self._line()
        return None if line is None else not line

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n", 0, _LINE_LIMIT)
        if end < 0:
            if len(self._buffer) >= _LINE_LIMIT:
                message = "a chunk header or trailer that is too long"
                raise Malformed(message)
            return None
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line
