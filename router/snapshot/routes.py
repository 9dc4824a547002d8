"""Routes: the route table of the entry, one virtual host for each host that the estate names.

What every route shares stands on the virtual host, once: 10,000 routes must stay small.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from strangler_fig.names import ASSIGNED_HEADER, CLIENT_HEADER, ORIGIN_HEADER, ROUTE_HEADER, SIDE_HEADER

from ..estate import Estate, Route
from ..precedence import virtual_hosts
from ..weight import LEGACY_ONLY, Weight
from . import limits, loops, names, retries
from .entries import ANY, CLIENT_ADDRESS_HEADER, entries, ungoverned_entries
from .match_tree import PATH_HEADER, action, match_tree, with_preflights
from .paths import refused_by_default
from .proto import Json, headers

BODY_BUFFER_BYTES = 16 * 1024 * 1024
"""How much of a request is kept so that legacy can answer after Lambda failed: more than any event can carry."""


def route_configuration(estate: Estate, weights: Mapping[str, Weight]) -> Json:
    """The route table.

    Each virtual host has its own routes and those without a host, because Envoy picks the host first.
    """
    actions = {
        route.name: action(route.name, entries(route, weights.get(route.name, LEGACY_ONLY))) for route in estate.routes
    }
    # What a function calls back is legacy's, wherever legacy is a side.
    legacy = {
        route.name: action(route.name, entries(replace(route, candidate=None, fallback=False), LEGACY_ONLY))
        for route in (estate.routes if estate.entry.proxies else ())
        if route.has_two_sides
    }
    default = action("default", [*refused_by_default(estate.entry), _default_entry(estate)])

    preflights = {
        route.name: action(route.name, ungoverned_entries(route, weights.get(route.name, LEGACY_ONLY)))
        for route in estate.routes
        if route.limit  # the filters of identities see for themselves what is a preflight
    }

    def matcher(groups: Sequence[Sequence[Route]]) -> Json:
        called_back = match_tree(groups, {**actions, **legacy}, default) if legacy else None
        tree = with_preflights(groups, preflights, match_tree(groups, actions, default))
        return loops.guarded(estate.entry, tree, called_back)

    return {
        "name": names.ENTRY,
        "ignore_port_in_host_matching": True,
        **limits.buckets(estate),
        "virtual_hosts": [
            _virtual_host(estate, host, matcher(groups)) for host, groups in virtual_hosts(estate.routes).items()
        ],
    }


def _virtual_host(estate: Estate, host: str, matcher: Json) -> Json:
    answered = {SIDE_HEADER: "%UPSTREAM_METADATA(fig:side)%", ASSIGNED_HEADER: "%METADATA(CLUSTER:fig:side)%"}
    return {
        "name": host,
        "domains": [host],
        "matcher": matcher,
        "request_body_buffer_limit": BODY_BUFFER_BYTES,
        "retry_policy": retries.policy(),
        "request_headers_to_add": headers(
            {
                ROUTE_HEADER: "%ROUTE_NAME%",
                SIDE_HEADER: "%METADATA(CLUSTER:fig:side)%",
                names.CANDIDATE_HEADER: "%METADATA(CLUSTER:fig:candidate)%",
                CLIENT_HEADER: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                **retries.request_headers(),
            }
        ),
        "request_headers_to_remove": [CLIENT_ADDRESS_HEADER, PATH_HEADER, ORIGIN_HEADER],
        "response_headers_to_remove": [
            *(retries.REPLAY_HEADER, "x-fig-fallback", "x-fig-outcome"),
            *(SIDE_HEADER, ASSIGNED_HEADER),
        ],
        **({"response_headers_to_add": headers(answered)} if estate.entry.expose_side else {}),
    }


def _default_entry(estate: Estate) -> Json:
    upgrades = [{"upgrade_type": "websocket", "enabled": True}]
    cluster = names.legacy_cluster(estate.entry.default)
    unbounded = {"cluster": cluster, "timeout": "0s", "idle_timeout": "0s", "upgrade_configs": upgrades}
    return {"name": "default", "match": ANY, "route": unbounded}
