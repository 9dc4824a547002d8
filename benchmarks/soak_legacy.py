"""A legacy host for the soak: answers everything, and writes down each request that it ran.

python benchmarks/soak_legacy.py ADDRESS PORT JOURNAL
"""

import asyncio
import os
import sys

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n" + b'{"side":"legacy"}'


class Host(asyncio.Protocol):
    """One connection; requests may come in pieces, and bodies have a length."""

    def __init__(self, journal: int) -> None:
        self._journal = journal
        self._data = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Run every request that is whole."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            whole = end + 4 + int(_value(head, b"content-length") or 0)
            if len(self._data) < whole:
                return
            self._data = self._data[whole:]
            if name := _value(head, b"x-soak-id"):
                os.write(self._journal, name + b" legacy\n")
            if self._transport is not None:
                self._transport.write(_ANSWER)


def _value(head: bytes, name: bytes) -> bytes:
    at = head.find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 :].split(b"\r\n", 1)[0].strip() if at >= 0 else b""


async def main(address: str, port: str, journal: str) -> None:
    """Serve until the process is ended."""
    file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    server = await asyncio.get_running_loop().create_server(lambda: Host(file), address, int(port), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
