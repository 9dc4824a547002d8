"""urllib3's pool, whose connections are reached our way and verified in the service's own name."""

import socket
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from ..connection.tls import context_for
from ..connection.way import dial
from ..errors import TlsUnverified
from ..profiles.values import ServiceProfile


def make_pool(profile: ServiceProfile) -> HTTPConnectionPool:
    """A pool of one connection for the profile; HTTPS unless its TLS is off. Raises `TlsUnverified`."""

    def new_socket() -> socket.socket:
        return dial(profile.way, profile.name)[0]

    class Plain(HTTPConnection):
        """An HTTP connection over our own socket."""

        def _new_conn(self) -> socket.socket:
            return new_socket()

    class Secure(HTTPSConnection):
        """An HTTPS connection over our own socket."""

        def _new_conn(self) -> socket.socket:
            return new_socket()

    try:
        context = context_for(profile.tls)
    except OSError as error:
        message = f"{profile.name}: the files of its TLS cannot be used: {error}"
        raise TlsUnverified(message) from error
    settings: dict[str, Any] = {"maxsize": 1, "block": False, "retries": False}
    if context is None:
        plain = HTTPConnectionPool(profile.host, 80, **settings)
        plain.ConnectionCls = Plain
        return plain
    secure = HTTPSConnectionPool(
        profile.host,
        443,
        ssl_context=context,
        server_hostname=profile.tls.name or None,
        assert_hostname=profile.tls.name or None,
        **settings,
    )
    secure.ConnectionCls = Secure
    return secure
