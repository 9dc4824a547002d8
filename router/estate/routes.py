"""Routes: what they take, how users stay on a side, and what bounds them."""

import enum
from dataclasses import dataclass

from .entry import Paths
from .identities import Authorize


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
