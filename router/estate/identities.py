"""Who users are, how they prove it, and who may use a route."""

from dataclasses import dataclass

from .addresses import Endpoint, Tls


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
