"""Sockets whose every wait ends in time: no operation lasts longer than its timeout or the deadline in force.

A peer that sends a byte now and then keeps a plain socket waiting for ever, since its timeout begins anew with each
byte. These ask before every operation how much is left. Drivers use them like any other socket; a phase, as connecting
or a handshake, is bounded by putting a nearer deadline in force around it.
"""

import contextlib
import ipaddress
import math
import socket
import ssl
from collections.abc import Sequence
from typing import Any

from ..deadline import current
from .waiting import call_within

_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""Seconds and counts: a dead peer is noticed after 90 s, well before PrivateLink forgets an idle flow (350 s)."""
_STEPS = 100.0
"""What is left of a deadline is rounded up to hundredths of a second, so that not every operation has another bound."""


class _Bounded(socket.socket):
    """What both kinds share: the bound of the next operation, set in the kernel only where it is another one."""

    _timeout: float | None = None
    _armed: float | None = None

    def settimeout(self, value: float | None) -> None:
        """Bound each single operation; the deadline in force bounds all of them."""
        self._timeout = self._armed = value
        super().settimeout(value)

    def gettimeout(self) -> float | None:
        """The bound of each single operation, as it was set: TLS takes it over from the socket that it wraps."""
        return self._timeout

    def _arm(self) -> None:
        wanted = _left(self._timeout)
        if wanted != self._armed:  # setting it is a call of the kernel
            self._armed = wanted
            super().settimeout(wanted)


class BoundedSocket(_Bounded):
    """A TCP socket that keeps to the deadline in force; its own timeout bounds each single operation."""

    def connect(self, address: Any) -> None:
        """Connect within what is left."""
        self._arm()
        super().connect(address)

    def recv(self, *arguments: Any) -> bytes:
        """Receive within what is left."""
        self._arm()
        return super().recv(*arguments)

    def recv_into(self, *arguments: Any) -> int:
        """Receive within what is left; `makefile` comes through here."""
        self._arm()
        return super().recv_into(*arguments)

    def send(self, *arguments: Any) -> int:
        """Send within what is left."""
        self._arm()
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        """Send all within what is left."""
        self._arm()
        super().sendall(*arguments)


class BoundedTlsSocket(_Bounded, ssl.SSLSocket):
    """A TLS socket that keeps to the deadline in force; made by a context whose `sslsocket_class` it is."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the standard library's signature
        """Shake hands within what is left."""
        self._arm()
        super().do_handshake(block)

    def read(self, *arguments: Any) -> Any:
        """Receive within what is left; `recv`, `recv_into` and `makefile` come through here."""
        self._arm()
        return super().read(*arguments)

    def send(self, *arguments: Any) -> int:
        """Send within what is left; `sendall` comes through here."""
        self._arm()
        return super().send(*arguments)


def connect(host: str, port: int, timeout: float | None) -> BoundedSocket:
    """A connected socket to the first address of `host` that accepts; all tries together take at most `timeout`.

    Raises `OSError`, `TimeoutError` among them.
    """
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in _addresses(host, port, _left(timeout)):
        sock = BoundedSocket(family, kind, protocol)
        try:
            sock.settimeout(timeout)
            sock.connect(address)
            tune(sock)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def _addresses(host: str, port: int, seconds: float | None) -> Sequence[Any]:
    """What `getaddrinfo` finds in that time: by itself it waits as long as a name server is silent."""
    with contextlib.suppress(ValueError):
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004
        return [(family, socket.SOCK_STREAM, 0, "", (host, port))]
    try:
        return list(call_within(seconds, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    except TimeoutError as error:
        message = f"the name {host} was not resolved"
        raise TimeoutError(message) from error


def tune(sock: socket.socket) -> None:
    """Send small packets at once, and let the kernel find out that a silent peer is dead."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        with contextlib.suppress(AttributeError, OSError):  # not every system has each of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _left(timeout: float | None) -> float | None:
    deadline = current()
    if deadline is None:
        return timeout
    left = deadline.remaining()
    if left <= 0:
        message = "timed out"
        raise TimeoutError(message)
    if timeout is not None and timeout <= left:
        return timeout
    return math.ceil(left * _STEPS) / _STEPS
