"""How many requests a route takes: what exceeds it is answered 429 with Retry-After, before anything else is asked.

The buckets stand at the top of the route table, not at the routes: a route has several entries, and several virtual
hosts have it, but it has one bucket. A route's bucket is the fleet's, and a request costs as many of its tokens as
there are nodes, which `limit.lua` knows; a client's bucket is each node's own, because a client's requests come to one
node as long as its connection lasts.
"""

import math

from ..estate import Estate, Limit, LimitBy, Route
from .figures import UNTOLD_NODES
from .proto import UNLIMITED, Json, extension, seconds
from .scripts import lua

STAT_PREFIX = "fig.limits"
MOST_CLIENTS = 10_000
"""How many clients' buckets are kept for each distinct limit; the one that was unused for longest goes."""
IPV6_CLIENT_BITS = 64
"""A client with an IPv6 address is its network, of which it may have every address."""

_FILTER = "envoy.filters.http.local_ratelimit"
_COST_FILTER = "limit"
_SHORTEST_FILL_SECONDS = 0.05  # Source: Envoy API v3, LocalRateLimit.token_bucket
_ALWAYS = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
_TOO_MANY = 429
_OVERLOADED_RETRY_SECONDS = 1


def filters(estate: Estate) -> list[Json]:
    """The entry's filters that count requests: what a request costs, then the buckets."""
    if not any(route.limit for route in estate.routes):
        return []
    cost = extension("filters.http.lua.v3.Lua", source_codes={_COST_FILTER: lua("limit.lua")}, clear_route_cache=False)
    return [
        {"name": _COST_FILTER, "disabled": True, "typed_config": cost},
        {"name": _FILTER, "typed_config": extension("filters.http.local_ratelimit.v3.LocalRateLimit", stat_prefix="-")},
    ]


def per_route(route: Route) -> Json:
    """What those filters do on a route, by filter name."""
    limit = route.limit
    if limit is None or limit.by is LimitBy.CLIENT:
        return {}
    context = {
        "requests": limit.requests,
        "per": limit.per_seconds,
        "burst": limit.burst,
        "untold": UNTOLD_NODES,
    }
    return {_COST_FILTER: extension("filters.http.lua.v3.LuaPerRoute", name=_COST_FILTER, filter_context=context)}


def marked(route: Route, entry: Json) -> Json:
    """The route's entry with the facts by which its requests find their bucket."""
    limit = route.limit
    if limit is None:
        return entry
    facts: Json = {"route": route.name}
    if limit.by is LimitBy.CLIENT:
        facts = {
            "clients": _kind(limit),
            "route_of_client": route.name,
            "retry_after": str(max(1, math.ceil(limit.per_seconds / limit.requests))),
        }
    return {**entry, "metadata": {"filter_metadata": {"fig": {"limit": facts}}}}


def buckets(estate: Estate) -> Json:
    """The fields of the route table that hold the buckets of all its routes."""
    limited = [(route.name, route.limit) for route in estate.routes if route.limit]
    if not limited:
        return {}
    by_client = {_kind(limit): limit for _, limit in limited if limit.by is LimitBy.CLIENT}
    descriptors = [_bucket(limit, route=name) for name, limit in limited if limit.by is LimitBy.ROUTE]
    # One for each kind of limit, not for each route: Envoy tries those without a fixed value one after the other.
    descriptors += [
        _bucket(limit, clients=kind, route_of_client="", masked_remote_address="") for kind, limit in by_client.items()
    ]
    config = extension(
        "filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="-",
        filter_enabled=_ALWAYS,
        filter_enforced=_ALWAYS,
        # Of requests that no limit concerns.
        token_bucket={"max_tokens": UNLIMITED, "tokens_per_fill": UNLIMITED, "fill_interval": "1s"},
        always_consume_default_token_bucket=False,
        max_dynamic_descriptors=MOST_CLIENTS,
        descriptors=descriptors,
        rate_limits=[_by_route(), _by_client()],
        response_headers_to_add=[_retry_after(_COST.format("retry_after")), _retry_after(_FACT.format("retry_after"))],
    )
    return {"typed_per_filter_config": {_FILTER: config}}


def loggers(estate: Estate) -> list[Json]:
    """The access loggers that count what was refused, by route."""
    if not any(route.limit for route in estate.routes):
        return []
    tags = [{"name": "route", "value_format": "%ROUTE_NAME%"}]
    refused = extension(
        "access_loggers.stats.v3.Config",
        stat_prefix=STAT_PREFIX,
        counters=[{"stat": {"name": "refused", "tags": tags}, "value_fixed": 1}],
    )
    flag = {"response_flag_filter": {"flags": ["RL"]}}
    return [{"name": "envoy.access_loggers.stats", "filter": flag, "typed_config": refused}]


def reply_mappers() -> list[Json]:
    """What a client is told when a limit is reached."""
    overflow = {"response_flag_filter": {"flags": ["UO"]}}
    again = {"header": {"key": "retry-after", "value": str(_OVERLOADED_RETRY_SECONDS)}}
    refused = {
        "status_code_filter": {
            "comparison": {"op": "EQ", "value": {"default_value": _TOO_MANY, "runtime_key": "fig.never_set"}}
        }
    }
    return [
        {"filter": overflow, "body": _text("The service is at its limit.\n"), "headers_to_add": [again]},
        {"filter": refused, "body": _text("Too many requests.\n")},
    ]


_COST = "%DYNAMIC_METADATA(fig:limit:{})%"
_FACT = "%METADATA(ROUTE:fig:limit:{})%"


def _by_route() -> Json:
    return {"actions": [_action("route")], "hits_addend": {"format": _COST.format("cost")}}


def _by_client() -> Json:
    address = {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": IPV6_CLIENT_BITS}
    return {"actions": [_action("clients"), _action("route_of_client"), {"masked_remote_address": address}]}


def _action(fact: str) -> Json:
    """The part of a descriptor that is a fact of the route; a route that has none has no such descriptor."""
    key = {"key": "fig", "path": [{"key": "limit"}, {"key": fact}]}
    return {"metadata": {"descriptor_key": fact, "source": "ROUTE_ENTRY", "metadata_key": key}}


def _bucket(limit: Limit, **entries: str) -> Json:
    fills = max(1, math.ceil(_SHORTEST_FILL_SECONDS / limit.per_seconds))
    return {
        "entries": [{"key": key, "value": value} if value else {"key": key} for key, value in entries.items()],
        "token_bucket": {
            "max_tokens": limit.burst,
            "tokens_per_fill": limit.requests * fills,
            "fill_interval": seconds(limit.per_seconds * fills),
        },
    }


def _kind(limit: Limit) -> str:
    return f"{limit.requests}/{seconds(limit.per_seconds)}/{limit.burst}"


def _retry_after(value: str) -> Json:
    return {"header": {"key": "retry-after", "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _text(text: str) -> Json:
    return {"inline_string": text}
