"""A server that asks for the password as it is, over a connection that anybody may answer."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from adapters import Database
from adapters.errors import AdaptersFailed

_PASSWORD = "SECRETPW"  # noqa: S105 - it opens nothing


class Greedy:
    """Greets as MySQL does, then asks for the password in clear text; `heard` is what it was sent afterwards."""

    def __init__(self) -> None:
        self.asked = False
        self.heard = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(5)
            capabilities = 0x000FF7FF  # without TLS
            greeting = b"\x0a8.0.0\0" + struct.pack("<I", 1) + b"12345678\0"
            greeting += struct.pack("<HBHHB", capabilities & 0xFFFF, 33, 2, capabilities >> 16, 21) + bytes(10)
            self._send(connection, 0, greeting + b"123456789012\0mysql_native_password\0")
            self.asked = bool(connection.recv(4096))
            self._send(connection, 2, b"\xfemysql_clear_password\0")
            try:
                self.heard = connection.recv(4096)
            except OSError:
                self.heard = b""

    @staticmethod
    def _send(connection: socket.socket, number: int, payload: bytes) -> None:
        connection.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)


@pytest.fixture
def greedy() -> Iterator[Greedy]:
    server = Greedy()
    server.thread.start()
    yield server
    server.listener.close()
    server.thread.join(10)


def test_no_password_is_given_away_without_tls(greedy: Greedy) -> None:
    """Without verified TLS a server that asks for the password in clear text is refused, and gets nothing."""
    port = greedy.listener.getsockname()[1]
    database = Database.from_url(f"mysql+onprem://app:{_PASSWORD}@127.0.0.1:{port}/shop?tls=off")
    with pytest.raises(AdaptersFailed), database.begin():
        pass
    greedy.thread.join(10)
    assert greedy.asked
    assert _PASSWORD.encode() not in greedy.heard
