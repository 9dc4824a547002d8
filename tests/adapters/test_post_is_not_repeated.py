import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from adapters import HttpService
from adapters.errors import ConnectionLost
from adapters.profiles.document import service


class Silent:
    """A server that reads requests, counts them, and never answers."""

    def __init__(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        self.requests = 0
        self._listener = listener

    def serve(self) -> None:
        """Read until the listener is closed."""
        with contextlib.ExitStack() as kept, contextlib.suppress(OSError):
            while True:
                accepted = kept.enter_context(self._listener.accept()[0])
                self.requests += b"POST" in accepted.recv(65536)


@pytest.fixture
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = Silent(listener)
        thread = threading.Thread(target=one.serve, daemon=True)
        thread.start()
        yield one
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_post_that_was_not_answered_in_time_is_sent_once(silent: Silent) -> None:
    """A read timeout leaves open whether a POST was done: it is not sent again, and legacy must not do it either."""
    document = {"endpoints": [f"127.0.0.1:{silent.port}"], "tls": {"mode": "off"}, "read_timeout": "100ms"}
    with pytest.raises(ConnectionLost) as caught:
        HttpService(service("core", document)).post("/payments", json_body={"amount": 5})
    assert (caught.value.nothing_done, caught.value.retry) == (False, False)
    assert silent.requests == 1
