"""Whether this host can listen where an estate wants its entry: asked before Envoy is, which would share the port."""

import errno
import socket
from collections.abc import Callable

from ..estate import Endpoint
from .errors import Rejection


def check_entry(entry: Endpoint, *, family: Callable[..., socket.socket] = socket.socket) -> None:
    """Check that this host can listen on the entry's address. Raises `Rejection` when another process does."""
    try:
        kind, _, _, _, place = socket.getaddrinfo(entry.host, entry.port, type=socket.SOCK_STREAM)[0]
        with family(kind, socket.SOCK_STREAM) as probe:
            # Without SO_REUSEPORT, which Envoy sets: with it, two routers would share the port and its requests.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
    except OSError as error:
        reason = "the address is in use" if error.errno == errno.EADDRINUSE else str(error)
        message = f"the entry cannot listen on {entry}: {reason}"
        raise Rejection(message) from error
