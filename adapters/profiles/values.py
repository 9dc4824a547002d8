"""A profile as frozen values. Times are seconds, sizes bytes; a constructor refuses what is impossible.

What is refused is collected by whoever reads a document: `ValueError` with one sentence a fault.
"""

import enum
import re
from dataclasses import dataclass, field

from .hosts import LARGEST_PORT, bracketed, is_host, parted

_REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}")
_PATH = re.compile(r"/[\x21\x22\x24-\x3e\x40-\x7e]*")


class Secret:
    """A text that never shows: its `repr`, `str` and format are `[redacted]`; `reveal` gives it to a protocol."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __repr__(self) -> str:
        return "[redacted]"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port; `az` is the zone that it stands in, where that is known (`euw1-az1`)."""

    host: str
    port: int
    az: str = ""

    def __post_init__(self) -> None:
        if not is_host(self.host):
            message = f"endpoint host {self.host!r} is not a host"
            raise ValueError(message)
        if not 1 <= self.port <= LARGEST_PORT:
            message = f"endpoint port {self.port} is not between 1 and {LARGEST_PORT}"
            raise ValueError(message)

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


class ProxyKind(enum.Enum):
    """What a proxy on the way speaks; SOCKS5 resolves names at the proxy."""

    CONNECT = "connect"
    SOCKS5 = "socks5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy on the way to the target, and how it is asked."""

    kind: ProxyKind
    endpoint: Endpoint
    user: str = ""
    password: Secret = field(default_factory=lambda: Secret(""))


class ProxyProtocol(enum.Enum):
    """The PROXY protocol header that the target wants at the beginning of a connection."""

    V1 = 1
    V2 = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the target is reached: its endpoints, own zone first, through a proxy or directly."""

    endpoints: tuple[Endpoint, ...]
    proxy: Proxy | None = None
    proxy_protocol: ProxyProtocol | None = None
    connect_timeout: float = 2.0

    def __post_init__(self) -> None:
        if not self.endpoints:
            message = "endpoints is empty"
            raise ValueError(message)
        if self.connect_timeout <= 0:
            message = "connect_timeout must be above zero"
            raise ValueError(message)


class TlsMode(enum.Enum):
    """Whether the target proves who it is. Off and unverified take these names; nothing falls back to them."""

    VERIFY = "verify"
    UNVERIFIED = "unverified"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How the target proves itself: the name in its certificate (never the hop's) and the CA that signed it.

    `ca_file` None: the system's. `certificate_file` and `key_file`: what the client shows. `lenient_x509` accepts old
    corporate CAs that Python 3.13 refuses for their form (VERIFY_X509_STRICT); it verifies all the same.
    """

    mode: TlsMode = TlsMode.VERIFY
    name: str = ""
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    lenient_x509: bool = False

    def __post_init__(self) -> None:
        if self.mode is not TlsMode.VERIFY and (self.name or self.ca_file):
            message = f"tls.mode {self.mode.value} verifies nothing: leave name and ca_file out"
            raise ValueError(message)
        if self.name and not is_host(self.name):
            message = f"tls.name {self.name!r} is not a host"
            raise ValueError(message)
        if bool(self.certificate_file) != bool(self.key_file):
            message = "tls.certificate_file and tls.key_file belong together"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticCredentials:
    """A user and a password, as they stand in the profile (for tests and local runs)."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretCredentials:
    """A secret of Secrets Manager, in the form that rotation writes (`username`, `password`)."""

    secret: str
    max_age: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IamCredentials:
    """A database user that logs in with tokens signed by the function's role."""

    user: str
    region: str

    def __post_init__(self) -> None:
        if not _REGION.fullmatch(self.region):
            message = f"region {self.region[:60]!r} is no Region of AWS, as eu-west-1"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCredentials:
    """A JSON file with `username` and `password`, read again when it changes."""

    path: str


Credentials = StaticCredentials | SecretCredentials | IamCredentials | FileCredentials


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What the target may be asked for: infra writes the figures.

    `environments` is the function's reserved concurrency, `connections` what the target grants to all of them. Both
    None: not stated.
    """

    environments: int | None = None
    connections: int | None = None

    def __post_init__(self) -> None:
        if self.environments is not None and self.connections is not None and self.environments > self.connections:
            message = f"{self.environments} environments may hold {self.connections} connections: each needs one"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseProfile:
    """A MySQL or MariaDB database on-premises. `shadow`: the profile that shadowed requests use instead."""

    name: str
    way: Way
    tls: Tls
    credentials: Credentials
    database: str = ""
    handshake_timeout: float = 3.0
    read_timeout: float = 10.0
    write_timeout: float = 10.0
    statement_timeout: float | None = None
    idle_recycle: float = 300.0
    ping_after: float = 1.0
    ping_timeout: float = 0.25
    sql_comments: bool = False
    budget: Budget = Budget()
    shadow: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProfile:
    """An HTTP service on-premises. `host` is `HOST[:PORT]`, as its `Host` header; `base_path` stands before every path.

    `read_timeout` bounds each of: sending, waiting for the answer's head, reading its body. HTTP has no ping, so a
    connection that was idle for `idle_recycle` is not used again: less than the 5 s after which Apache and Node.js
    close, and any black hole on the way costs nothing. Source: httpd 2.4 KeepAliveTimeout, Node.js
    server.keepAliveTimeout.
    """

    name: str
    way: Way
    tls: Tls
    host: str
    base_path: str = ""
    handshake_timeout: float = 3.0
    read_timeout: float = 10.0
    retries: int = 2
    largest_answer: int = 10 * 1024 * 1024
    idle_recycle: float = 4.0
    budget: Budget = Budget()
    shadow: str | None = None

    def __post_init__(self) -> None:
        # Both stand in the head of every request.
        if parted(self.host) is None:
            message = f"host is {self.host!r}, not HOST or HOST:PORT"
            raise ValueError(message)
        if self.base_path and not _PATH.fullmatch(self.base_path):
            message = f"base_path is {self.base_path!r}: it begins with / and has no space, ? or #"
            raise ValueError(message)
