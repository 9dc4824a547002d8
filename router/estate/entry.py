"""The entry: the listener that the VIP sends to, and what it believes of those in front of it."""

import enum
from dataclasses import dataclass

from .addresses import Endpoint


class Paths(enum.Enum):
    """What becomes of a path that two servers may read differently, as `//`, `/../`, `%2F` or a backslash.

    As it is: forwarded byte for byte by the route that it matches. Strict: never a function's business; the route's
    legacy side takes it byte for byte, and a route without one answers 400.
    """

    AS_IS = "as-is"
    STRICT = "strict"


class ProxyProtocol(enum.Enum):
    """Whether connections begin with a PROXY protocol header (v1 or v2) that says who the client is."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAddress:
    """Whose X-Forwarded-For is believed: proxies in these ranges, or so many proxies in front; one of the two."""

    trusted: tuple[str, ...] = ()
    hops: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryTls:
    """The entry's certificate; with `client_ca_file` the VIP must show one too, with one of `client_names` if given.

    Files are watched: a renewed one is used without a restart.
    """

    certificate_file: str
    key_file: str
    client_ca_file: str | None = None
    client_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The listener that the VIP sends to.

    Sizes in bytes; `default` names the legacy service that takes everything else. `health_path` answers the VIP's
    monitor. `proxies`: the ranges from which calls of functions come back, whose `x-fig-origin` is believed.
    `max_connections` None: sized at start from what the host allows.
    """

    address: Endpoint
    default: str
    max_body_bytes: int | None = None
    max_header_bytes: int = 64 * 1024
    expose_side: bool = False
    client_address: ClientAddress | None = None
    proxy_protocol: ProxyProtocol | None = None
    health_path: str | None = None
    tls: EntryTls | None = None
    paths: Paths = Paths.AS_IS
    idle_timeout_seconds: float = 3600.0
    max_connections: int | None = None
    proxies: tuple[str, ...] = ()
    max_hops: int = 10
