"""The estate: all that exists, as frozen values. Every later stage takes these and may trust them.

`source` builds them from text, `check` judges them, `snapshot` compiles them. A value here is possible by construction;
whether it is wise is `check`'s business.
"""

import enum
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """A host (DNS name or IP) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How an upstream proves who it is: a CA bundle (None: the system's) and the name its certificate must carry."""

    name: str
    ca_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """An active health check by GET."""

    path: str
    interval_seconds: float = 5.0
    timeout_seconds: float = 2.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionArn:
    """A Lambda function's ARN, with its qualifier (an alias or a version; None where there is none)."""

    text: str
    region: str
    account: str
    function: str
    qualifier: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaFunction:
    """A function behind the Lambda Invoke API. `max_concurrency` None means unlimited."""

    name: str
    arn: FunctionArn
    endpoint: Endpoint
    tls: Tls | None
    host: str
    region: str
    timeout_seconds: float
    max_concurrency: int | None = None
    connect_timeout_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpUpstream:
    """A new side that is plain HTTP: an internal ALB or a private API Gateway. `host` rewrites the Host header."""

    name: str
    endpoints: tuple[Endpoint, ...]
    timeout_seconds: float
    tls: Tls | None = None
    health: Health | None = None
    host: str | None = None
    max_concurrency: int | None = None
    connect_timeout_seconds: float = 1.0


Candidate = LambdaFunction | HttpUpstream


class PathKind(enum.Enum):
    """How a route's path is compared."""

    EXACT = "exact"
    PREFIX = "prefix"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class PathMatch:
    """A path condition. A prefix matches whole segments: `/books` takes `/books` and `/books/7`, never `/booksale`."""

    kind: PathKind
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a route takes. `hosts` empty: every host; a host may be `*.example.com`. `methods` empty: every method.

    `headers`: (lower-case name, exact value) pairs that must all be there.
    """

    path: PathMatch
    hosts: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


class StickyKind(enum.Enum):
    """What identifies a user."""

    HEADER = "header"
    COOKIE = "cookie"
    CLIENT_ADDRESS = "client_address"


class WithoutKey(enum.Enum):
    """What happens to a request that carries no key: legacy takes it, or a side is assigned to it.

    Assigned means: by a cookie that the router issues (cookie), by the client's address (header).
    """

    LEGACY = "legacy"
    ASSIGN = "assign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticky:
    """By what a user stays on a side. `name` is the header's or the cookie's; empty for the client's address."""

    kind: StickyKind
    name: str
    without_key: WithoutKey

    @property
    def issues_cookie(self) -> bool:
        """Whether the router gives a cookie to users who have none."""
        return self.kind is StickyKind.COOKIE and self.without_key is WithoutKey.ASSIGN


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where a node finds a secret: an environment variable or a file, exactly one; never the secret itself."""

    environment: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """How an identity's claims reach the upstream: signed with `key` (HS256), valid for `lifetime_seconds`."""

    key: SecretReference
    lifetime_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Jwks:
    """Where a token's keys are: a file, or an HTTPS URL (host, port, path) with the TLS it is verified by."""

    file: str | None = None
    endpoint: Endpoint | None = None
    path: str = ""
    tls: Tls | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtIdentity:
    """Users prove who they are by a bearer token. `claims` None: the upstream gets the token alone, as it came."""

    name: str
    issuer: str
    audiences: tuple[str, ...]
    jwks: Jwks
    scopes_claim: str = "scope"
    roles_claim: str = "roles"
    clock_skew_seconds: float = 60.0
    claims: Claims | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionIdentity:
    """Users have a session in a legacy application, which is asked about it: GET `path` with the cookie.

    It answers 200 with the claims in headers (`claim_headers`: header, claim), anything else refuses.
    """

    name: str
    service: str
    path: str
    cookie: str
    claim_headers: tuple[tuple[str, str], ...]
    claims: Claims
    scopes_claim: str = "scope"
    roles_claim: str = "roles"
    timeout_seconds: float = 1.0


Identity = JwtIdentity | SessionIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    """Who may use a route: users of `identity` with all `scopes` and one of `roles`, where given."""

    identity: str
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class LimitBy(enum.Enum):
    """What a limit counts: all requests of the route, or each client's."""

    ROUTE = "route"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `requests` in each `per_seconds`, `burst` at once; what exceeds it is answered 429."""

    requests: int
    per_seconds: float
    burst: int
    by: LimitBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Where traces, logs and metrics go by OTLP/HTTP; `sample`: parts per 10,000 of requests that begin a trace."""

    otlp: Endpoint
    tls: Tls | None
    path: str
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """What replaces the matched path for one side: the prefix of a prefix route, the whole path of an exact one."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Named users: those whose request header has one of the values."""

    header: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A match and its two sides: names of a legacy service and of a candidate; either may be None, never both.

    `stream` covers SSE, gRPC and long downloads, `upgrade` WebSocket and CONNECT; both are legacy-only without timeout.
    `salt` decorrelates users between routes: xxh64 of `<salt>:<key>` modulo 10,000 is compared with the weight.
    """

    name: str
    match: Match
    legacy: str | None
    candidate: str | None
    sticky: Sticky
    salt: str
    timeout_seconds: float | None
    fallback: bool = True
    stream: bool = False
    upgrade: str | None = None
    rewrite_legacy: Rewrite | None = None
    rewrite_lambda: Rewrite | None = None
    paths: Paths = Paths.AS_IS
    shadow: bool = False
    cohort: Cohort | None = None
    authorize: Authorize | None = None
    limit: Limit | None = None

    @property
    def has_two_sides(self) -> bool:
        """Whether the route can be shifted."""
        return self.legacy is not None and self.candidate is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """All that exists, each kind sorted by name; the order of matching is `precedence`'s business."""

    entry: Entry
    legacy: tuple[LegacyService, ...]
    candidates: tuple[Candidate, ...]
    routes: tuple[Route, ...]
    identities: tuple[Identity, ...] = ()
    telemetry: Telemetry | None = None
    _by_name: dict[str, Route] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {route.name: route for route in self.routes})

    def route(self, name: str) -> Route | None:
        """The route of that name, or None."""
        return self._by_name.get(name)
