"""Routes: the route table of the entry, in match order, one virtual host for each host that the estate names.

A two-sided route is up to four entries with one name: with the sticky key (the weighted split, its shadow sample
first), without it but drawn anyway, and without it to legacy. What every route shares stands on the virtual host,
once: 10,000 routes must stay small.
"""

import re
from collections.abc import Iterable, Mapping
from typing import assert_never

from strangler_fig.names import (
    ASSIGNED_HEADER,
    CLIENT_HEADER,
    ORIGIN_HEADER,
    ROUTE_HEADER,
    SHADOW_HEADER,
    SIDE_HEADER,
    USER_HEADER,
)
from strangler_fig.units import FULL_SHARE

from ..estate import Estate, Match, PathKind, Rewrite, Route, StickyKind, WithoutKey
from ..precedence import virtual_hosts
from ..weight import LEGACY_ONLY, Weight
from . import identities, limits, loops, names, retries
from .proto import Json, extension, headers, seconds

BODY_BUFFER_BYTES = 16 * 1024 * 1024
"""How much of a request is kept so that legacy can answer after Lambda failed: more than any event can carry."""

CLIENT_ADDRESS_HEADER = "x-envoy-external-address"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_MIRROR_HEADER = "x-fig-mirror"
_MIRROR = {
    "cluster_header": _MIRROR_HEADER,
    "disable_shadow_host_suffix_append": True,
    "request_headers_mutations": [{"remove": _MIRROR_HEADER}, {"append": headers({SHADOW_HEADER: "1"})[0]}],
}
_UPGRADES = {"websocket": "websocket", "connect": "CONNECT"}


def route_configuration(estate: Estate, weights: Mapping[str, Weight]) -> Json:
    """The route table.

    Each virtual host has its own routes and those without a host, because Envoy picks the host first.
    """
    entries = {route.name: _governed(route, weights.get(route.name, LEGACY_ONLY)) for route in estate.routes}
    default = _default_entries(estate)
    return {
        "name": names.ENTRY,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [
            _virtual_host(estate, host, [entry for route in routes for entry in entries[route.name]] + default)
            for host, routes in virtual_hosts(estate.routes).items()
        ],
    }


def _virtual_host(estate: Estate, host: str, routes: list[Json]) -> Json:
    answered = {SIDE_HEADER: "%UPSTREAM_METADATA(fig:side)%", ASSIGNED_HEADER: "%METADATA(CLUSTER:fig:side)%"}
    return {
        "name": host,
        "domains": [host],
        "routes": [loops.hop_limit_entry(estate.entry), *routes],
        "request_body_buffer_limit": BODY_BUFFER_BYTES,
        "retry_policy": retries.policy(),
        "request_headers_to_add": headers(
            {
                ROUTE_HEADER: "%ROUTE_NAME%",
                SIDE_HEADER: "%METADATA(CLUSTER:fig:side)%",
                CLIENT_HEADER: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                USER_HEADER: "%DYNAMIC_METADATA(fig:request:key)%",
                **retries.request_headers(),
            }
        ),
        "request_headers_to_remove": [CLIENT_ADDRESS_HEADER, ORIGIN_HEADER],
        "response_headers_to_remove": [retries.REPLAY_HEADER, "x-fig-fallback", "x-fig-outcome", SIDE_HEADER, ASSIGNED_HEADER],
        **({"response_headers_to_add": headers(answered)} if estate.entry.expose_side else {}),
    }


def _default_entries(estate: Estate) -> list[Json]:
    cluster = names.legacy_cluster(estate.entry.default)
    action = _unbounded(cluster) | {"upgrade_configs": [{"upgrade_type": "websocket", "enabled": True}]}
    return [{"name": "default", "match": {"prefix": "/"}, "route": action}]


def _governed(route: Route, weight: Weight) -> list[Json]:
    """The route's entries with what it asks of its users: filters are told by route, whichever entry takes it."""
    entries = _entries(route, weight)
    asked = limits.per_route(route) | identities.per_route(route)
    if not asked:
        return entries
    key = "typed_per_filter_config"
    return [{**entry, key: {**entry.get(key, {}), **asked}} for entry in entries]


def _entries(route: Route, weight: Weight) -> list[Json]:
    match = _match(route.match)
    if route.candidate is None:
        return [_legacy_entry(route, match)]
    if route.legacy is None:
        action = _rewritten(_bounded(route) | {"cluster": names.candidate_cluster(route.candidate)}, route, None)
        return [{"name": route.name, "match": match, "route": action, **_lambda_path(route)}]
    return _split_entries(route, match, weight)


def _legacy_entry(route: Route, match: Json) -> Json:
    cluster = names.legacy_cluster(route.legacy or "")
    action = _unbounded(cluster) if route.stream or route.upgrade else _bounded(route) | {"cluster": cluster}
    if route.upgrade:
        action["upgrade_configs"] = [{"upgrade_type": _UPGRADES[route.upgrade], "enabled": True}]
        if route.upgrade == "connect":
            action["upgrade_configs"][0]["connect_config"] = {}
            match = {"connect_matcher": {}, **({"headers": match["headers"]} if "headers" in match else {})}
    return {"name": route.name, "match": match, "route": _rewritten(action, route, route.rewrite_legacy)}


def _split_entries(route: Route, match: Json, weight: Weight) -> list[Json]:
    """The entries of a two-sided route; the first that matches wins."""
    sticky = route.sticky
    to_legacy = _legacy_entry(route, match)
    match sticky.kind:
        case StickyKind.CLIENT_ADDRESS:
            return _by_header(route, match, weight, CLIENT_ADDRESS_HEADER)
        case StickyKind.HEADER:
            absent = {"name": sticky.name, "string_match": {"exact": ""}, "treat_missing_header_as_empty": True}
            if sticky.without_key is WithoutKey.LEGACY:
                keyless = [_conditional(to_legacy, absent)]
            else:
                drawn = _by_header(route, match, weight, CLIENT_ADDRESS_HEADER)
                keyless = [_conditional(entry, absent) for entry in drawn]
            return [*keyless, *_by_header(route, match, weight, sticky.name)]
        case StickyKind.COOKIE:
            return _cookie_entries(route, match, weight, to_legacy)
        case _:
            assert_never(sticky.kind)


def _by_header(route: Route, match: Json, weight: Weight, header: str) -> list[Json]:
    """The entries that split by a header's value: those of the shadow sample first."""
    entry = _split(route, match, weight, _hash(route, header, "^(.*)$"))
    return _with_user(route, weight, _sampled(route, entry), "header", header)


def _cookie_entries(route: Route, match: Json, weight: Weight, to_legacy: Json) -> list[Json]:
    sticky = route.sticky
    pattern = cookie_pattern(sticky.name)
    present = {"name": "cookie", "string_match": {"safe_regex": {"regex": pattern}}}
    keyed = _conditional(_split(route, match, weight, _hash(route, "cookie", pattern)), present)
    entries = _with_user(route, weight, _sampled(route, keyed), "cookie", sticky.name)
    if sticky.without_key is WithoutKey.ASSIGN:
        drawn = _split(route, match, weight, _hash(route, "x-request-id", "^(.*)$"))
        drawn["match"] = {
            **drawn["match"],
            # On only while the weight is above zero: at zero the router changes nothing that a user could see.
            "runtime_fraction": {
                "default_value": {"numerator": 100 if weight.parts else 0, "denominator": "HUNDRED"},
                "runtime_key": names.assign_key(route.name),
            },
        }
        entries += _with_user(route, weight, [drawn], "issue", sticky.name)
    return [*entries, to_legacy]


def cookie_pattern(name: str) -> str:
    """The RE2 pattern of a Cookie header that has a non-empty cookie `name`; group 1 is the first one's value."""
    return rf"^(?:.*?;)??\s*{re.escape(name)}=([^;]+)(?:;.*)?$"


def _split(route: Route, match: Json, weight: Weight, hash_policy: Json) -> Json:
    # Lambda first and the total constant, so that users only ever move forward while the weight rises.
    to_lambda: Json = {"name": names.lambda_side_cluster(route), "weight": weight.parts}
    if path := _lambda_path_headers(route):
        to_lambda["request_headers_to_add"] = headers(path)
    entries = [to_lambda, {"name": names.legacy_cluster(route.legacy or ""), "weight": FULL_SHARE - weight.parts}]
    action = _bounded(route) | {
        "weighted_clusters": {
            "runtime_key_prefix": names.weight_prefix(route.name),
            "use_hash_policy": True,
            "clusters": entries,
        },
        "hash_policy": [hash_policy],
    }
    return {"name": route.name, "match": match, "route": _rewritten(action, route, route.rewrite_legacy)}


def _sampled(route: Route, entry: Json) -> list[Json]:
    """The entry, and before it the one of its shadow sample: safe methods, mirrored to the side that does not serve.

    The sample is drawn once, where the route is chosen, so that whatever else looks at shadows hangs on one entry.
    """
    if route.match.methods and not set(route.match.methods) & set(_SAFE_METHODS):
        return [entry]
    action = entry["route"]
    to_lambda, to_legacy = action["weighted_clusters"]["clusters"]
    others = (names.legacy_cluster(route.legacy or ""), names.candidate_cluster(route.candidate or ""))
    clusters = [
        {**side, "request_headers_to_add": [*side.get("request_headers_to_add", []), *headers({_MIRROR_HEADER: other})]}
        for side, other in zip((to_lambda, to_legacy), others, strict=True)
    ]
    mirrored = {
        **action,
        "weighted_clusters": {**action["weighted_clusters"], "clusters": clusters},
        "request_mirror_policies": [_MIRROR],
    }
    sample = {
        "default_value": {"numerator": 0, "denominator": "TEN_THOUSAND"},
        "runtime_key": names.shadow_key(route.name),
    }
    safe = {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(_SAFE_METHODS)}}}
    first = _conditional({**entry, "route": mirrored}, safe)
    return [{**first, "match": {**first["match"], "runtime_fraction": sample}}, entry]


def _hash(route: Route, header: str, pattern: str) -> Json:
    """Hash `<salt>:<key>`: the pattern's first group is the key."""
    salt = route.salt.replace("\\", "\\\\")
    rewrite = {"pattern": {"regex": pattern}, "substitution": f"{salt}:\\1"}
    return {"header": {"header_name": header, "regex_rewrite": rewrite}, "terminal": True}


def _with_user(route: Route, weight: Weight, entries: Iterable[Json], kind: str, name: str) -> list[Json]:
    """The entries with the Lua filter on, which needs to know where the key is and what the weight's runtime key is."""
    script = "issue" if kind == "issue" else "user"
    context = {
        "key": f"{names.weight_prefix(route.name)}.{names.lambda_side_cluster(route)}",
        "weight": weight.parts,
        "kind": "cookie" if kind == "issue" else kind,
        "name": name,
    }
    per_route = extension("filters.http.lua.v3.LuaPerRoute", name=script, filter_context=context)
    return [{**entry, "typed_per_filter_config": {"user": per_route}} for entry in entries]


def _conditional(entry: Json, header: Json) -> Json:
    match = entry["match"]
    return {**entry, "match": {**match, "headers": [*match.get("headers", []), header]}}


def _match(match: Match) -> Json:
    conditions: list[Json] = []
    if len(match.methods) == 1:
        conditions.append({"name": ":method", "string_match": {"exact": match.methods[0]}})
    elif match.methods:
        pattern = "|".join(re.escape(method) for method in match.methods)
        conditions.append({"name": ":method", "string_match": {"safe_regex": {"regex": pattern}}})
    conditions += [{"name": name, "string_match": {"exact": value}} for name, value in match.headers]
    return {**_path(match), **({"headers": conditions} if conditions else {})}


def _path(match: Match) -> Json:
    value = match.path.value
    match match.path.kind:
        case PathKind.EXACT:
            return {"path": value}
        case PathKind.PREFIX:
            return {"prefix": value} if value.endswith("/") else {"path_separated_prefix": value}
        case PathKind.REGEX:
            return {"safe_regex": {"regex": value}}
        case _:
            assert_never(match.path.kind)


def _bounded(route: Route) -> Json:
    timeout = route.timeout_seconds
    return {"timeout": seconds(timeout) if timeout else "0s"}


def _unbounded(cluster: str) -> Json:
    return {"cluster": cluster, "timeout": "0s", "idle_timeout": "0s"}


def _rewritten(action: Json, route: Route, rewrite: Rewrite | None) -> Json:
    if rewrite is None:
        return action
    path = route.match.path
    if path.kind is PathKind.EXACT:
        return {**action, "regex_rewrite": _replace("^.*$", rewrite.path)}
    target = rewrite.path.rstrip("/")
    old = re.escape(path.value.rstrip("/"))
    return {
        **action,
        "regex_rewrite": _replace(f"^{old}/?", f"{target}/") if not target else _replace(f"^{old}", target),
    }


def _replace(pattern: str, substitution: str) -> Json:
    return {"pattern": {"regex": pattern}, "substitution": substitution.replace("\\", "\\\\")}


def _lambda_path(route: Route) -> Json:
    values = _lambda_path_headers(route)
    return {"request_headers_to_add": headers(values)} if values else {}


def _lambda_path_headers(route: Route) -> dict[str, str]:
    """What the inner hop needs to give the function its own path: the original, and how to rewrite it."""
    if route.rewrite_legacy is None and route.rewrite_lambda is None:
        return {}
    values = {"x-fig-path": "%REQ(:PATH)%"}
    if route.rewrite_lambda is not None:
        cut = route.match.path.value
        values["x-fig-cut"] = str(len(cut if route.match.path.kind is PathKind.EXACT else cut.rstrip("/")))
        values["x-fig-put"] = route.rewrite_lambda.path
    return values
