"""Identities, limits and telemetry: their shapes become the estate's values."""

from ..estate import (
    Authorize,
    Claims,
    Identity,
    Jwks,
    JwtIdentity,
    Limit,
    LimitBy,
    SecretReference,
    SessionIdentity,
    Telemetry,
    Tls,
)
from .address import WebUrl
from .policy_shapes import (
    AuthorizeShape,
    ClaimsShape,
    IdentityShape,
    JwksShape,
    LimitShape,
    TelemetryShape,
)
from .tls_shape import TlsShape


def identity(name: str, shape: IdentityShape) -> Identity:
    """The identity that the shape stands for."""
    claims = _claims(shape.claims)
    if shape.jwt is not None:
        return JwtIdentity(
            name=name,
            issuer=shape.jwt.issuer,
            audiences=tuple(sorted(shape.jwt.audiences)),
            jwks=_jwks(shape.jwt.jwks),
            scopes_claim=shape.scopes_claim,
            roles_claim=shape.roles_claim,
            clock_skew_seconds=shape.jwt.clock_skew,
            claims=claims,
        )
    session = shape.session
    assert session is not None, "an identity's shape has one of the two"  # noqa: S101
    assert claims is not None, "a session's shape has claims"  # noqa: S101
    return SessionIdentity(
        name=name,
        service=session.service,
        path=session.path,
        cookie=session.cookie,
        claim_headers=tuple(sorted((header, claim) for claim, header in session.claims.items())),
        claims=claims,
        scopes_claim=shape.scopes_claim,
        roles_claim=shape.roles_claim,
        timeout_seconds=session.timeout,
    )


def authorize(shape: AuthorizeShape | None) -> Authorize | None:
    """Who may use a route; None: everybody."""
    if shape is None:
        return None
    scopes, roles = tuple(sorted(shape.scopes or ())), tuple(sorted(shape.roles or ()))
    return Authorize(identity=shape.identity, scopes=scopes, roles=roles)


def limit(shape: LimitShape | None) -> Limit | None:
    """How many requests a route takes; None: all."""
    if shape is None:
        return None
    burst = shape.burst or shape.requests
    return Limit(requests=shape.requests, per_seconds=shape.per, burst=burst, by=LimitBy(shape.by))


def telemetry(shape: TelemetryShape | None) -> Telemetry | None:
    """Where telemetry goes; None: nowhere."""
    if shape is None or shape.otlp is None:
        return None
    return Telemetry(
        otlp=shape.otlp.endpoint, tls=_url_tls(shape.otlp, shape.tls), path=shape.otlp.path, sample=shape.sample
    )


def _claims(shape: ClaimsShape | None) -> Claims | None:
    if shape is None:
        return None
    key = SecretReference(environment=shape.key.secret_env, file=shape.key.secret_file)
    return Claims(key=key, lifetime_seconds=shape.lifetime)


def _jwks(shape: JwksShape) -> Jwks:
    if shape.url is None:
        return Jwks(file=shape.file)
    return Jwks(endpoint=shape.url.endpoint, path=shape.url.path or "/", tls=_url_tls(shape.url, shape.tls))


def _url_tls(url: WebUrl, shape: TlsShape | None) -> Tls | None:
    if not url.secure:
        return None
    return Tls(name=(shape and shape.name) or url.endpoint.host, ca_file=shape.ca if shape else None)
