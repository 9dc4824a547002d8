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


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The listener that the VIP sends to.

    Sizes in bytes; `default` names the legacy service that takes everything else.
    """

    address: Endpoint
    default: str
    max_body_bytes: int | None = None
    max_header_bytes: int = 64 * 1024
    expose_side: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyService:
    """An application on-premises."""

    name: str
    endpoints: tuple[Endpoint, ...]
    tls: Tls | None = None
    health: Health | None = None
    connect_timeout_seconds: float = 1.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """What replaces the matched path for one side: the prefix of a prefix route, the whole path of an exact one."""

    path: str


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
    _by_name: dict[str, Route] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {route.name: route for route in self.routes})

    def route(self, name: str) -> Route | None:
        """The route of that name, or None."""
        return self._by_name.get(name)
