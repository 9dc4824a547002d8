"""The estate as its normal form: the file's shape with everything explicit, which reads back to the same estate.

It is what `fig compile` writes as `estate.json` and what control keeps; whoever writes it sorts its keys.
"""

import re
from typing import Any

from strangler_fig.units import format_bytes, format_seconds, format_share

from ..estate import (
    Affinity,
    Authorize,
    Candidate,
    Claims,
    Cohort,
    Endpoint,
    Entry,
    Estate,
    Health,
    HttpUpstream,
    Identity,
    Jwks,
    JwtIdentity,
    LambdaFunction,
    LegacyService,
    Limit,
    Match,
    Protect,
    Rewrite,
    Route,
    SessionIdentity,
    Sticky,
    StickyKind,
    Telemetry,
    Tls,
)

_LOOKS_LIKE_A_VARIABLE = re.compile(r"\$\$|\$\{[A-Za-z_]")


def estate_json(estate: Estate) -> dict[str, Any]:
    """The estate as JSON values; `load_estate(json.dumps(...))` gives the same estate back."""
    normal = {
        "version": 1,
        "entry": _entry(estate.entry),
        "legacy": {one.name: _legacy(one) for one in estate.legacy},
        "lambda": {one.name: _candidate(one) for one in estate.candidates},
        "identities": {one.name: _identity(one) for one in estate.identities} or None,
        "telemetry": _telemetry(estate.telemetry),
        "routes": {one.name: _route(one) for one in estate.routes},
    }
    explicit: dict[str, Any] = _without_nothing(normal)
    return explicit


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "address": str(entry.address),
        "default": entry.default,
        "max_body": None if entry.max_body_bytes is None else format_bytes(entry.max_body_bytes),
        "max_headers": format_bytes(entry.max_header_bytes),
        "expose_side": entry.expose_side,
        "client_address": {"trusted": list(entry.client_address.trusted) or None, "hops": entry.client_address.hops}
        if entry.client_address
        else None,
        "proxy_protocol": entry.proxy_protocol.value if entry.proxy_protocol else None,
        "health": {"path": entry.health_path} if entry.health_path else None,
        "tls": {
            "certificate": entry.tls.certificate_file,
            "key": entry.tls.key_file,
            "client_ca": entry.tls.client_ca_file,
            "client_names": list(entry.tls.client_names) or None,
        }
        if entry.tls
        else None,
        "paths": entry.paths.value,
        "idle_timeout": format_seconds(entry.idle_timeout_seconds),
        "max_connections": entry.max_connections,
        "proxies": list(entry.proxies) or None,
        "max_hops": entry.max_hops,
    }


def _legacy(service: LegacyService) -> dict[str, Any]:
    return {
        "endpoints": [str(one) for one in service.endpoints],
        "tls": _tls(service.tls),
        "health": _health(service.health),
        "connect_timeout": format_seconds(service.connect_timeout_seconds),
        "affinity": _affinity(service.affinity),
        "connections": service.connections.value,
        "protocol": service.protocol.value,
        "idle_timeout": format_seconds(service.idle_timeout_seconds),
        "protect": _protect(service.protect),
    }


def _affinity(affinity: Affinity | None) -> dict[str, Any] | None:
    if affinity is None:
        return None
    return {affinity.kind.value: affinity.name or True}


def _protect(protect: Protect) -> dict[str, Any] | None:
    if protect == Protect():
        return None
    return {"connections": protect.connections, "requests": protect.requests, "pending": protect.pending}


def _candidate(candidate: Candidate) -> dict[str, Any]:
    limits = {
        "timeout": format_seconds(candidate.timeout_seconds),
        "connect_timeout": format_seconds(candidate.connect_timeout_seconds),
        "max_concurrency": candidate.max_concurrency,
    }
    match candidate:
        case LambdaFunction():
            scheme = "https" if candidate.tls else "http"
            return limits | {
                "arn": candidate.arn.text,
                "endpoint": _url(scheme, candidate.endpoint),
                "tls": _tls(candidate.tls),
                "region": candidate.region,
            }
        case HttpUpstream():
            return limits | {
                "http": {
                    "endpoints": [str(one) for one in candidate.endpoints],
                    "tls": _tls(candidate.tls),
                    "health": _health(candidate.health),
                    "host": candidate.host,
                }
            }


def _url(scheme: str, endpoint: Endpoint) -> str:
    return f"{scheme}://{endpoint}"


def _tls(tls: Tls | None) -> dict[str, Any] | None:
    return None if tls is None else {"ca": tls.ca_file, "name": tls.name}


def _health(health: Health | None) -> dict[str, Any] | None:
    if health is None:
        return None
    return {
        "path": health.path,
        "interval": format_seconds(health.interval_seconds),
        "timeout": format_seconds(health.timeout_seconds),
    }


def _route(route: Route) -> dict[str, Any]:
    rewrite = {"legacy": _rewrite(route.rewrite_legacy), "lambda": _rewrite(route.rewrite_lambda)}
    return {
        "match": _match(route.match),
        "legacy": route.legacy,
        "lambda": route.candidate,
        "timeout": None if route.timeout_seconds is None else format_seconds(route.timeout_seconds),
        "sticky": _sticky(route.sticky),
        "salt": route.salt,
        "fallback": route.fallback,
        "rewrite": rewrite if any(rewrite.values()) else None,
        "stream": route.stream,
        "upgrade": route.upgrade,
        "paths": route.paths.value,
        "shadow": route.shadow,
        "cohort": _cohort(route.cohort),
        "authorize": _authorize(route.authorize),
        "limit": _limit(route.limit),
    }


def _cohort(cohort: Cohort | None) -> dict[str, Any] | None:
    return None if cohort is None else {"header": cohort.header, "values": list(cohort.values)}


def _authorize(authorize: Authorize | None) -> dict[str, Any] | None:
    if authorize is None:
        return None
    return {
        "identity": authorize.identity,
        "scopes": list(authorize.scopes) or None,
        "roles": list(authorize.roles) or None,
    }


def _limit(limit: Limit | None) -> dict[str, Any] | None:
    if limit is None:
        return None
    return {
        "requests": limit.requests,
        "per": format_seconds(limit.per_seconds),
        "burst": limit.burst,
        "by": limit.by.value,
    }


def _identity(identity: Identity) -> dict[str, Any]:
    shared = {
        "scopes_claim": identity.scopes_claim,
        "roles_claim": identity.roles_claim,
        "claims": _claims(identity.claims),
    }
    match identity:
        case JwtIdentity():
            return shared | {
                "jwt": {
                    "issuer": identity.issuer,
                    "audiences": list(identity.audiences),
                    "jwks": _jwks(identity.jwks),
                    "clock_skew": format_seconds(identity.clock_skew_seconds),
                }
            }
        case SessionIdentity():
            return shared | {
                "session": {
                    "service": identity.service,
                    "path": identity.path,
                    "cookie": identity.cookie,
                    "claims": {claim: header for header, claim in identity.claim_headers},
                    "timeout": format_seconds(identity.timeout_seconds),
                }
            }


def _claims(claims: Claims | None) -> dict[str, Any] | None:
    if claims is None:
        return None
    key = {"secret_env": claims.key.environment, "secret_file": claims.key.file}
    return {"key": key, "lifetime": format_seconds(claims.lifetime_seconds)}


def _jwks(jwks: Jwks) -> dict[str, Any]:
    url = _url("https", jwks.endpoint) + jwks.path if jwks.endpoint else None
    return {"file": jwks.file, "url": url, "tls": _tls(jwks.tls)}


def _telemetry(telemetry: Telemetry | None) -> dict[str, Any] | None:
    if telemetry is None:
        return None
    scheme = "https" if telemetry.tls else "http"
    return {
        "otlp": _url(scheme, telemetry.otlp) + telemetry.path,
        "tls": _tls(telemetry.tls),
        "sample": format_share(telemetry.sample),
    }


def _rewrite(rewrite: Rewrite | None) -> str | None:
    return rewrite.path if rewrite else None


def _match(match: Match) -> dict[str, Any]:
    return {
        "hosts": list(match.hosts) or None,
        "path": {match.path.kind.value: match.path.value},
        "methods": list(match.methods) or None,
        "headers": dict(match.headers) or None,
    }


def _sticky(sticky: Sticky) -> dict[str, Any]:
    if sticky.kind is StickyKind.CLIENT_ADDRESS:
        return {"client_address": True}
    return {sticky.kind.value: sticky.name, "without_key": sticky.without_key.value}


def _without_nothing(value: Any) -> Any:
    """The value without absent keys, and with `$` doubled where the reader would take it for a variable."""
    match value:
        case str():
            return value.replace("$", "$$") if "$" in value and _LOOKS_LIKE_A_VARIABLE.search(value) else value
        case dict():
            return {
                key: one if one is True or one is False else _without_nothing(one)
                for key, one in value.items()
                if one is not None
            }
        case list():
            return [_without_nothing(item) for item in value]
        case _:
            return value
