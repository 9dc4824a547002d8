"""A tunnel through an HTTP proxy: CONNECT, and not one byte read beyond its answer.

MySQL's server speaks first. Its greeting may come in the same segment as the proxy's 200, and a client that reads what
there is loses it: then both sides wait. Source: RFC 9110, 9.3.6 "CONNECT".
"""

import base64
import re
import socket

from ..errors import ProxyRefused
from ..profiles.values import Endpoint, Proxy

_END = b"\r\n\r\n"
_LARGEST = 16384
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r\n")


def open_tunnel(sock: socket.socket, proxy: Proxy, endpoint: Endpoint) -> None:
    """Have the proxy at the other end of `sock` connect it to the endpoint, whose name it resolves.

    Raises `ProxyRefused` with what it said, and `OSError`.
    """
    sock.sendall(_request(proxy, endpoint))
    head = _head(sock)
    found = _STATUS.match(head) if _END in head else None
    if found is None:
        message = f"the proxy {proxy.endpoint} does not speak HTTP" if head else f"the proxy {proxy.endpoint} hung up"
        raise ProxyRefused(message)
    if not found[1].startswith(b"2"):
        said = b" ".join(part for part in found.groups() if part).decode("latin-1")
        message = f"the proxy {proxy.endpoint} refused {endpoint}: {said}"
        raise ProxyRefused(message)


def _request(proxy: Proxy, endpoint: Endpoint) -> bytes:
    host = endpoint.host if endpoint.host.isascii() else endpoint.host.encode("idna").decode()
    place = str(Endpoint(host, endpoint.port))
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.user:
        login = base64.b64encode(f"{proxy.user}:{proxy.password.reveal()}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {login}")
    return "\r\n".join([*lines, "", ""]).encode()


def _head(sock: socket.socket) -> bytes:
    """The answer's status line and headers; less where the proxy ends the connection, or never ends its headers."""
    head = b""
    while _END not in head and len(head) < _LARGEST:
        waiting = sock.recv(_LARGEST, socket.MSG_PEEK)
        if not waiting:
            break
        end = (head + waiting).find(_END)
        head += sock.recv(len(waiting) if end < 0 else end + len(_END) - len(head))
    return head
