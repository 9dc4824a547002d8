"""What one route does with a request that it takes: its entries, tried in their order, the last of which takes all.

A two-sided route is up to four entries with one name: with the sticky key (the weighted split, its shadow sample
first), without it but drawn anyway, and without it to legacy. What every route shares stands on the virtual host,
once: 10,000 routes must stay small.
"""

import re
from collections.abc import Iterable
from typing import assert_never

from strangler_fig.names import ROLE_ATTRIBUTE, ROLE_SHADOW, SHADOW_HEADER
from strangler_fig.units import FULL_SHARE

from ..estate import PathKind, Paths, Rewrite, Route, StickyKind, WithoutKey
from ..weight import Weight
from . import identities, limits, names
from .paths import AS_IS_HEADER
from .proto import Json, extension, headers, seconds

CLIENT_ADDRESS_HEADER = "x-fig-address"
"""The client's address, where routes need it; `vip.filters` writes it."""

ANY: Json = {"prefix": ""}
"""The match of an entry without conditions of its own: those of its route stand before it, in the match tree."""

ONLY_HEADER = "x-fig-only"
"""On requests that no legacy service could take instead: the inner hop leaves none of them to legacy."""

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_MIRROR_HEADER = "x-fig-mirror"
_WHOLE = "^"
_BESIDE = "APPEND_IF_EXISTS_OR_ADD"
_UPGRADES = {"websocket": "websocket", "connect": "CONNECT"}


def entries(route: Route, weight: Weight) -> list[Json]:
    """The route's entries with what it asks of its users: filters are told by route, whichever entry takes it."""
    found = ungoverned_entries(route, weight)
    found = [limits.marked(route, entry) for entry in found]
    asked = limits.per_route(route) | identities.per_route(route)
    if not asked:
        return found
    key = "typed_per_filter_config"
    return [{**entry, key: {**entry.get(key, {}), **asked}} for entry in found]


def ungoverned_entries(route: Route, weight: Weight) -> list[Json]:
    """The route's entries without what it asks of its users: what preflights take, which carry no proof of anything."""
    if route.candidate is None:
        return [_legacy_entry(route)]
    if route.legacy is None:
        action = _rewritten(_bounded(route) | {"cluster": names.candidate_cluster(route.candidate)}, route, None)
        return [{"name": route.name, "match": ANY, "route": action, **_lambda_path(route)}]
    return [*_cohort_entries(route, weight), *_split_entries(route, weight)]


def _cohort_entries(route: Route, weight: Weight) -> list[Json]:
    """Before everybody else the named users, on Lambda while a release says so; nobody drew them: no evidence."""
    cohort = route.cohort
    if cohort is None:
        return []
    named = {"name": cohort.header, "string_match": {"safe_regex": {"regex": "|".join(map(re.escape, cohort.values))}}}
    action = _bounded(route) | {"cluster": names.lambda_side_cluster(route)}
    entry: Json = {"name": route.name, "match": ANY, "route": _rewritten(action, route, route.rewrite_legacy)}
    entry = _conditional({**entry, **_lambda_path(route)}, named)
    off = {"default_value": {"numerator": 0, "denominator": "HUNDRED"}, "runtime_key": names.cohort_key(route.name)}
    kind, name = _key_of(route)
    return _with_user(weight, [{**entry, "match": {**entry["match"], "runtime_fraction": off}}], kind, name, "named")


def _key_of(route: Route) -> tuple[str, str]:
    """Where the sticky key is: in a header or a cookie, and which one."""
    match route.sticky.kind:
        case StickyKind.CLIENT_ADDRESS:
            return "header", CLIENT_ADDRESS_HEADER
        case StickyKind.HEADER:
            return "header", route.sticky.name
        case StickyKind.COOKIE:
            return "cookie", route.sticky.name
        case _:
            assert_never(route.sticky.kind)


def _legacy_entry(route: Route) -> Json:
    cluster = names.legacy_cluster(route.legacy or "")
    action = _unbounded(cluster) if route.stream or route.upgrade else _bounded(route) | {"cluster": cluster}
    if route.upgrade:
        action["upgrade_configs"] = [{"upgrade_type": _UPGRADES[route.upgrade], "enabled": True}]
        if route.upgrade == "connect":
            action["upgrade_configs"][0]["connect_config"] = {}
    match = {"connect_matcher": {}} if route.upgrade == "connect" else ANY
    return {"name": route.name, "match": match, "route": _rewritten(action, route, route.rewrite_legacy)}


def _split_entries(route: Route, weight: Weight) -> list[Json]:
    """The entries of a two-sided route; the first that matches wins."""
    sticky = route.sticky
    to_legacy = _legacy_entry(route)
    match sticky.kind:
        case StickyKind.CLIENT_ADDRESS:
            return _by_header(route, weight, CLIENT_ADDRESS_HEADER)
        case StickyKind.HEADER:
            absent = {"name": sticky.name, "string_match": {"exact": ""}, "treat_missing_header_as_empty": True}
            if sticky.without_key is WithoutKey.LEGACY:
                keyless = [_conditional(to_legacy, absent)]
            else:
                drawn = _by_header(route, weight, CLIENT_ADDRESS_HEADER)
                keyless = [_conditional(entry, absent) for entry in drawn]
            return [*keyless, *_by_header(route, weight, sticky.name)]
        case StickyKind.COOKIE:
            return _cookie_entries(route, weight, to_legacy)
        case _:
            assert_never(sticky.kind)


def _by_header(route: Route, weight: Weight, header: str) -> list[Json]:
    """The entries that split by a header's value: those of the shadow sample first."""
    entry = _split(route, weight, _hash(route, header, _WHOLE))
    return _with_user(weight, _sampled(route, entry), "header", header)


def _cookie_entries(route: Route, weight: Weight, to_legacy: Json) -> list[Json]:
    sticky = route.sticky
    pattern = cookie_pattern(sticky.name)
    present = {"name": "cookie", "string_match": {"safe_regex": {"regex": _cookie_present(sticky.name)}}}
    keyed = _conditional(_split(route, weight, _hash(route, "cookie", pattern)), present)
    entries = _with_user(weight, _sampled(route, keyed), "cookie", sticky.name)
    if sticky.without_key is WithoutKey.ASSIGN:
        drawn = _split(route, weight, _hash(route, "x-request-id", _WHOLE))
        drawn["match"] = {
            **drawn["match"],
            # On only while the weight is above zero: at zero the router changes nothing that a user could see.
            "runtime_fraction": {
                "default_value": {"numerator": 100 if weight.parts else 0, "denominator": "HUNDRED"},
                "runtime_key": names.assign_key(route.name),
            },
        }
        entries += _with_user(weight, [drawn], "cookie", sticky.name, "issue")
    return [*entries, to_legacy]


def cookie_pattern(name: str) -> str:
    """The RE2 pattern of a Cookie header that has a non-empty cookie `name`; group 1 is the first one's value.

    A value begins with printable ASCII. The rest is matched as bytes, which need not be UTF-8, and whose automaton is
    a tenth of one for characters: each route has two of these.
    """
    return rf"^(?:\C*?;)??[ \t]*{re.escape(name)}=([!-:<-~]\C*?)(?:;\C*)?$"


def _cookie_present(name: str) -> str:
    return rf"(?:\C*;)?[ \t]*{re.escape(name)}=[!-:<-~]\C*"


def _split(route: Route, weight: Weight, hash_policy: Json) -> Json:
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
    return {"name": route.name, "match": ANY, "route": _rewritten(action, route, route.rewrite_legacy)}


def _sampled(route: Route, entry: Json) -> list[Json]:
    """The entry, and before it the one of its shadow sample: safe methods, mirrored to the side that does not serve.

    The sample is drawn once, where the route is chosen, so that whatever else looks at shadows hangs on one entry.
    """
    if not route.shadow or (route.match.methods and not set(route.match.methods) & set(_SAFE_METHODS)):
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
        "request_mirror_policies": [_mirror(route.candidate or "")],
    }
    sample = {
        "default_value": {"numerator": 0, "denominator": "TEN_THOUSAND"},
        "runtime_key": names.shadow_key(route.name),
    }
    safe = {"name": ":method", "string_match": {"safe_regex": {"regex": "|".join(_SAFE_METHODS)}}}
    first = _conditional({**entry, "route": mirrored}, safe)
    return [{**first, "match": {**first["match"], "runtime_fraction": sample}}, entry]


def _mirror(candidate: str) -> Json:
    marks = headers({SHADOW_HEADER: "1", names.CANDIDATE_HEADER: candidate})
    # Baggage goes further than our header: what a shadow calls in turn knows that it serves a shadow.
    baggage = {"header": {"key": "baggage", "value": f"{ROLE_ATTRIBUTE}={ROLE_SHADOW}"}, "append_action": _BESIDE}
    return {
        "cluster_header": _MIRROR_HEADER,
        "runtime_fraction": {"default_value": {"numerator": 100}, "runtime_key": names.SHADOWING},
        "disable_shadow_host_suffix_append": True,
        "request_headers_mutations": [{"remove": _MIRROR_HEADER}, *({"append": one} for one in (*marks, baggage))],
    }


def _hash(route: Route, header: str, pattern: str) -> Json:
    """Hash `<salt>:<key>`: the pattern's first group is the key, or the whole value is and the salt goes before it."""
    group = "" if pattern == _WHOLE else "\\1"
    rewrite = {"pattern": {"regex": pattern}, "substitution": f"{route.salt}:{group}"}
    return {"header": {"header_name": header, "regex_rewrite": rewrite}, "terminal": True}


def _with_user(weight: Weight, entries: Iterable[Json], kind: str, name: str, script: str = "user") -> list[Json]:
    """The entries with the Lua filter on, which needs to know where the key is and what the settled weight is."""
    context: Json = {kind: name}
    if weight.parts:
        context["weight"] = weight.parts
    per_route = extension("filters.http.lua.v3.LuaPerRoute", name=script, filter_context=context)
    return [{**entry, "typed_per_filter_config": {"user": per_route}} for entry in entries]


def _conditional(entry: Json, header: Json) -> Json:
    match = entry["match"]
    return {**entry, "match": {**match, "headers": [*match.get("headers", []), header]}}


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
    """What the inner hop must know: what it may not refuse, and the original path with how to rewrite it."""
    values: dict[str, str] = {}
    if route.legacy is None or not route.fallback:
        values[ONLY_HEADER] = "1"
    if route.paths is Paths.AS_IS:
        values[AS_IS_HEADER] = "1"
    if route.rewrite_legacy is None and route.rewrite_lambda is None:
        return values
    values["x-fig-path"] = "%REQ(:PATH)%"
    if route.rewrite_lambda is not None:
        cut = route.match.path.value
        values["x-fig-cut"] = str(len(cut if route.match.path.kind is PathKind.EXACT else cut.rstrip("/")))
        values["x-fig-put"] = route.rewrite_lambda.path
    return values
