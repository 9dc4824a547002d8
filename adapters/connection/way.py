"""From a `Way` to a connected socket: own zone first, the next endpoint on failure, through a proxy or directly.

Nothing has been sent to the target when this fails, but for the PROXY protocol's header: every failure is `Unreachable`
or, when the invocation's time is over, `DeadlineExceeded`.
"""

import socket
from collections.abc import Sequence
from typing import Any, cast

from ..deadline import Deadline, bounded, current, in_force
from ..errors import DeadlineExceeded, ProxyRefused, Unreachable
from ..profiles.values import Endpoint, Proxy, ProxyKind, Way
from .proxy_header import header
from .sockets import BoundedSocket, connect
from .tunnel import open_tunnel
from .zone import own_zone


def dial(way: Way, name: str) -> tuple[BoundedSocket, Endpoint]:
    """A socket to the first endpoint that can be reached, and which one that is; `name` is the profile's.

    Each endpoint has `connect_timeout`, or what remains of the invocation. Raises `Unreachable` with what each endpoint
    said, `ProxyRefused`, `DeadlineExceeded`.
    """
    doing = f"connecting to {name}"
    said: list[str] = []
    through = f" through the proxy {way.proxy.endpoint}" if way.proxy else ""
    for endpoint in in_order(way.endpoints, own_zone()):
        seconds = bounded(way.connect_timeout, doing, nothing_done=True)
        try:
            with in_force(Deadline(seconds or 0.0)):
                return _reach(way, endpoint), endpoint
        except TimeoutError:
            said.append(f"{endpoint}{through}: no answer within {seconds:.1f} s")
        except OSError as error:
            said.append(f"{endpoint}{through}: {error.strerror or error}")
        deadline = current()
        if deadline is not None and deadline.remaining() <= 0:
            doing += f" ({'; '.join(said)})"
            raise DeadlineExceeded(doing, nothing_done=True)
    message = f"{name} cannot be reached: {'; '.join(said)}"
    raise Unreachable(message)


def in_order(endpoints: Sequence[Endpoint], zone: str) -> list[Endpoint]:
    """The endpoints of this zone first, else in their order."""
    return sorted(endpoints, key=lambda one: bool(zone) and one.az != zone)


def _reach(way: Way, endpoint: Endpoint) -> BoundedSocket:
    sock = connect(endpoint.host, endpoint.port, None) if way.proxy is None else _through(way.proxy, endpoint)
    try:
        if way.proxy_protocol is not None:
            sock.sendall(header(way.proxy_protocol, sock))
    except OSError:
        sock.close()
        raise
    return sock


def _through(proxy: Proxy, endpoint: Endpoint) -> BoundedSocket:
    """A socket through the proxy; it resolves the endpoint's name. Raises `ProxyRefused` and `OSError`."""
    if proxy.kind is ProxyKind.SOCKS5:
        return _through_socks(proxy, endpoint)
    sock = connect(proxy.endpoint.host, proxy.endpoint.port, None)
    try:
        open_tunnel(sock, proxy, endpoint)
    except BaseException:
        sock.close()
        raise
    return sock


class _ToProxy:
    """The connection to the proxy itself, in the form in which python-socks takes a proxy before this one."""

    def connect(self, dest_host: str, dest_port: int, timeout: float | None = None) -> socket.socket:  # noqa: ARG002
        """A socket that keeps to the deadline, so that what is said to the proxy does, too."""
        return connect(dest_host, dest_port, None)


def _through_socks(proxy: Proxy, endpoint: Endpoint) -> BoundedSocket:
    from python_socks import ProxyError, ProxyTimeoutError, ProxyType  # noqa: PLC0415 - most functions need none
    from python_socks.sync import Proxy as Tunnel  # noqa: PLC0415

    tunnel = Tunnel(
        proxy_type=ProxyType.SOCKS5,
        host=proxy.endpoint.host,
        port=proxy.endpoint.port,
        username=proxy.user or None,
        password=proxy.password.reveal() or None,
        rdns=True,
        forward=cast("Any", _ToProxy()),
    )
    try:
        return cast("BoundedSocket", tunnel.connect(endpoint.host, endpoint.port))
    except ProxyTimeoutError as error:
        raise TimeoutError(str(error)) from error
    except ProxyError as error:
        message = f"the proxy {proxy.endpoint} refused {endpoint}: {error}"
        raise ProxyRefused(message) from error
