"""Whether what is sent on would come back: to this process itself, or once around through another one."""

import socket
from urllib.parse import urlsplit

FORWARDED_HEADER = "x-fig-forwarded"
"""Marks what a `fig observe` sends on; one that receives it keeps it, and does not send it on again."""
_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
_PORTS = {"http": 80, "https": 443}


def is_own(url: str, listening: tuple[str, int]) -> bool:
    """Whether the URL leads to the socket of this process that listens there, as far as its name is known here."""
    parts = urlsplit(url)
    bound, port = listening
    if (parts.port or _PORTS[parts.scheme]) != port:
        return False
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = {str(one[4][0]) for one in found}
    return bound in addresses or (bound in _EVERY_ADDRESS and any(_is_this_machine(one) for one in addresses))


def _is_this_machine(address: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as trying:
            trying.bind((address, 0))
    except OSError:
        return False
    return True
