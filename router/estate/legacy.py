"""Applications on-premises: where they are, what they speak, and what they may be given."""

import enum
from dataclasses import dataclass

from .addresses import Endpoint, Health, Tls


class AffinityKind(enum.Enum):
    """What keeps a client on one endpoint of a legacy service; NONE: nothing does."""

    HEADER = "header"
    COOKIE = "cookie"
    CLIENT_ADDRESS = "client_address"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Affinity:
    """By what a client stays on one endpoint. `name` is the header's or the cookie's; without it the address counts."""

    kind: AffinityKind
    name: str = ""


class Connections(enum.Enum):
    """Whether connections to a legacy service are pooled, or each client connection has its own (NTLM, Negotiate)."""

    POOLED = "pooled"
    PER_CLIENT = "per-client"


class Protocol(enum.Enum):
    """What a legacy service speaks: HTTP/1.1, HTTP/2 (gRPC needs it), or whatever its client speaks."""

    HTTP1 = "http1"
    HTTP2 = "http2"
    AS_CLIENT = "as-client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protect:
    """What a legacy service may be given at once by the whole fleet; None: unlimited."""

    connections: int | None = None
    requests: int | None = None
    pending: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyService:
    """An application on-premises.

    `affinity` None: chosen by the compiler where there are several endpoints. `idle_timeout_seconds` must be below the
    application's own.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    tls: Tls | None = None
    health: Health | None = None
    connect_timeout_seconds: float = 1.0
    affinity: Affinity | None = None
    connections: Connections = Connections.POOLED
    protocol: Protocol = Protocol.HTTP1
    idle_timeout_seconds: float = 4.0
    protect: Protect = Protect()
