"""The estate as its normal form: the file's shape with everything explicit, which reads back to the same estate.

It is what `fig compile` writes as `estate.json` and what control keeps; whoever writes it sorts its keys.
"""

import re
from typing import Any

from strangler_fig.units import format_bytes, format_seconds

from ..estate import (
    Candidate,
    Endpoint,
    Entry,
    Estate,
    Health,
    HttpUpstream,
    LambdaFunction,
    LegacyService,
    Match,
    Rewrite,
    Route,
    Sticky,
    StickyKind,
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
    }


def _legacy(service: LegacyService) -> dict[str, Any]:
    return {
        "endpoints": [str(one) for one in service.endpoints],
        "tls": _tls(service.tls),
        "health": _health(service.health),
        "connect_timeout": format_seconds(service.connect_timeout_seconds),
    }


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
