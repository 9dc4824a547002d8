"""Hosts: which are addresses, which patterns take which names, and which pattern is the most specific.

A pattern is a lower-case host or `*.` and a name: `*.example` takes every name below `example`, at any depth, not
`example` itself. Envoy picks the most specific pattern that takes a request's host and looks nowhere else.
"""

import ipaddress
from collections.abc import Iterator

EVERY_HOST = "*"


def is_ip(host: str) -> bool:
    """Whether the host is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    return host == "localhost" or (is_ip(host) and ipaddress.ip_address(host).is_loopback)


def without_port(authority: str) -> str:
    """A Host header's host in lower case, without its port."""
    host, colon, port = authority.lower().rpartition(":")
    return host if colon and port.isdigit() and (":" not in host or host.endswith("]")) else authority.lower()


def patterns_for(host: str) -> Iterator[str]:
    """Every pattern that takes `host` (or takes all that the pattern `host` takes), most specific first."""
    yield host
    rest = host.removeprefix("*.").partition(".")[2]
    while rest:
        yield f"*.{rest}"
        rest = rest.partition(".")[2]
    if host != EVERY_HOST:
        yield EVERY_HOST


def specificity(pattern: str) -> tuple[int, int]:
    """A sort key that puts exact hosts first, then wildcards, longer ones first, then every host."""
    if pattern == EVERY_HOST:
        return 2, 0
    return (1, -len(pattern)) if pattern.startswith("*.") else (0, 0)
