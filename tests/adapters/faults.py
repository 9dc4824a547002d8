"""A TCP proxy that misbehaves on demand: black holes, resets, half-open connections, silence, slow bytes."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_NAP = 0.01
_RESET = struct.pack("ii", 1, 0)


@dataclass
class FaultProxy:
    """A proxy to one port. `mode` counts for every byte from now on, of old connections too.

    pass: as if it were not there · hole: bytes vanish, both sides stay connected · drip: a byte every 20 ms ·
    reset: connections are reset at their next byte · silent: new connections are accepted and never forwarded.
    """

    target: int
    port: int = 0
    mode: str = "pass"
    accepted: int = 0
    _lost: set[socket.socket] = field(default_factory=set)
    _open: list[socket.socket] = field(default_factory=list)

    def cut(self) -> None:
        """Reset all connections now."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def lose(self) -> None:
        """Forget the connections that are open: their bytes vanish from now on, those of new ones pass."""
        self._lost.update(self._open)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.append(client)
            if self.mode != "silent":
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:  # the target is away
                    client.close()
                    continue
                self._open.append(server)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.mode == "reset":
                    self.cut()
                    return
                if self.mode == "drip":
                    for position in range(len(data)):
                        sink.sendall(data[position : position + 1])
                        time.sleep(_NAP * 2)
                elif self.mode != "hole" and source not in self._lost:
                    sink.sendall(data)
        if self.mode != "hole" and source not in self._lost:
            for one in (source, sink):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


@contextmanager
def fault_proxy(target: int) -> Iterator[FaultProxy]:
    """A proxy to that port until the block ends."""
    proxy = FaultProxy(target)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.port = listener.getsockname()[1]
        threading.Thread(target=proxy._serve, args=(listener,), daemon=True).start()  # noqa: SLF001 - its own
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            proxy.cut()
