"""The PROXY protocol's header: who the client is, said before anything else on a connection.

Source: haproxy.org, "The PROXY protocol", versions 1 and 2, sections 2.1 and 2.2.
"""

import ipaddress
import socket
import struct

from ..profiles.values import ProxyProtocol

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_PROXY, _STREAM = 0x21, 0x01  # version 2 and the command PROXY; over TCP
_INET, _INET6 = 0x10, 0x20


def header(version: ProxyProtocol, sock: socket.socket) -> bytes:
    """The header that tells the peer of `sock` its two addresses."""
    source, destination = sock.getsockname(), sock.getpeername()
    addresses = [ipaddress.ip_address(one[0].partition("%")[0]) for one in (source, destination)]
    is_6 = any(one.version == 6 for one in addresses)  # noqa: PLR2004 - an IP version
    if version is ProxyProtocol.V1:
        family = "TCP6" if is_6 else "TCP4"
        return f"PROXY {family} {addresses[0]} {addresses[1]} {source[1]} {destination[1]}\r\n".encode()
    body = b"".join(one.packed for one in addresses) + struct.pack("!HH", source[1], destination[1])
    return _SIGNATURE + struct.pack("!BBH", _PROXY, (_INET6 if is_6 else _INET) | _STREAM, len(body)) + body
