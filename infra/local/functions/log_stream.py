"""The output of one handler process: lines to a sink, and the last 4 KiB of an invocation for its caller.

The handler writes before it answers, so everything an invocation printed is in the pipe when its answer arrives:
`read` takes it out there and then, and no line is missing from the tail.
Source for 4 KiB: Lambda API reference, Invoke, header X-Amz-Log-Result.
"""

import os
from collections.abc import Callable
from contextlib import suppress

TAIL_BYTES = 4096

_MAX_LINE = 64 * 2**10
_READ = 64 * 2**10

Sink = Callable[[str], None]


class LogStream:
    """Reads a pipe that never blocks; `sink` gets whole lines, each after `prefix`."""

    __slots__ = ("_line", "_pipe", "_prefix", "_sink", "_tail")

    def __init__(self, pipe: int, *, prefix: str, sink: Sink) -> None:
        self._pipe = pipe
        self._prefix = prefix
        self._sink = sink
        self._line = b""
        self._tail: bytearray | None = None

    def begin(self) -> None:
        """Start a tail: an invocation begins."""
        self.read()
        self._tail = bytearray()

    def end(self) -> bytes:
        """The last 4 KiB that were printed since `begin`."""
        self.read()
        tail, self._tail = self._tail, None
        return bytes(tail or b"")

    def read(self) -> bool:
        """Take out what the pipe holds; False when the other end is closed."""
        while True:
            try:
                data = os.read(self._pipe, _READ)
            except BlockingIOError:
                return True
            if not data:
                return False
            self._take(data)
            if len(data) < _READ:
                return True

    def close(self) -> None:
        """Take out the rest, an unfinished line included, and close the pipe."""
        self.read()
        if self._line:
            self._print(self._line)
        os.close(self._pipe)

    def _take(self, data: bytes) -> None:
        if self._tail is not None:
            self._tail += data
            del self._tail[:-TAIL_BYTES]
        whole, newline, rest = (self._line + data).rpartition(b"\n")
        if newline:
            self._print(whole)
        if len(rest) > _MAX_LINE:
            self._print(rest)
            rest = b""
        self._line = rest

    def _print(self, lines: bytes) -> None:
        # The runtime separates the lines of a stack trace by carriage returns, to keep it one log event.
        text = lines.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        with suppress(OSError):  # who read our logs has gone; the invocation must not suffer for it
            self._sink("".join(f"{self._prefix}{line}\n" for line in text.split("\n")))
