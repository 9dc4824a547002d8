"""Peers on a thread that run one script on each connection."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from adapters.profiles.values import Endpoint

Script = Callable[[socket.socket], None]


@contextmanager
def peer(script: Script) -> Iterator[Endpoint]:
    """A server that runs the script on each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_quietly, args=(script, accepted), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield Endpoint("127.0.0.1", listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def _quietly(script: Script, accepted: socket.socket) -> None:
    with accepted, contextlib.suppress(OSError):
        script(accepted)


def saying(data: bytes) -> Script:
    """A peer that says this at once, and then waits until the other goes."""

    def script(accepted: socket.socket) -> None:
        accepted.sendall(data)
        while accepted.recv(65536):
            pass

    return script


def answering(data: bytes) -> Script:
    """A peer that answers the first words with this, and ends the connection."""

    def script(accepted: socket.socket) -> None:
        accepted.recv(65536)
        accepted.sendall(data)

    return script
