"""Routes: the route table of the entry, one virtual host for each host that the estate names.

What every route shares stands on the virtual host, once: 10,000 routes must stay small.
"""

from collections.abc import Mapping

from strangler_fig.names import ASSIGNED_HEADER, CLIENT_HEADER, ROUTE_HEADER, SIDE_HEADER

from ..estate import Estate
from ..precedence import virtual_hosts
from ..weight import LEGACY_ONLY, Weight
from . import names
from .entries import ANY, CANDIDATE_HEADER, CLIENT_ADDRESS_HEADER, entries, ungoverned_entries
from .match_tree import PATH_HEADER, action, match_tree, with_preflights
from .paths import refused_by_default
from .proto import Json, headers

REPLAY_HEADER = "x-fig-replay"
BODY_BUFFER_BYTES = 16 * 1024 * 1024
"""How much of a request is kept so that legacy can answer after Lambda failed: more than any event can carry."""


def route_configuration(estate: Estate, weights: Mapping[str, Weight]) -> Json:
    """The route table.

    Each virtual host has its own routes and those without a host, because Envoy picks the host first.
    """
    actions = {
        route.name: action(route.name, entries(route, weights.get(route.name, LEGACY_ONLY))) for route in estate.routes
    }
    default = action("default", [*refused_by_default(estate.entry), _default_entry(estate)])
    preflights = {
        route.name: action(route.name, ungoverned_entries(route, weights.get(route.name, LEGACY_ONLY)))
        for route in estate.routes
        if route.authorize or route.limit
    }
    return {
        "name": names.ENTRY,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [
            _virtual_host(estate, host, with_preflights(groups, preflights, match_tree(groups, actions, default)))
            for host, groups in virtual_hosts(estate.routes).items()
        ],
    }


def _virtual_host(estate: Estate, host: str, matcher: Json) -> Json:
    answered = {SIDE_HEADER: "%UPSTREAM_METADATA(fig:side)%", ASSIGNED_HEADER: "%METADATA(CLUSTER:fig:side)%"}
    return {
        "name": host,
        "domains": [host],
        "matcher": matcher,
        "request_body_buffer_limit": BODY_BUFFER_BYTES,
        "retry_policy": {
            "retry_on": "retriable-headers,connect-failure,reset-before-request,refused-stream",
            "retriable_headers": [{"name": REPLAY_HEADER, "present_match": True}],
            "num_retries": 1,
            "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.001s"},
        },
        "request_headers_to_add": headers(
            {
                ROUTE_HEADER: "%ROUTE_NAME%",
                SIDE_HEADER: "%METADATA(CLUSTER:fig:side)%",
                CANDIDATE_HEADER: "%METADATA(CLUSTER:fig:candidate)%",
                CLIENT_HEADER: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
            }
        ),
        "request_headers_to_remove": [CLIENT_ADDRESS_HEADER, PATH_HEADER],
        "response_headers_to_remove": [REPLAY_HEADER, "x-fig-fallback", "x-fig-outcome", SIDE_HEADER, ASSIGNED_HEADER],
        **({"response_headers_to_add": headers(answered)} if estate.entry.expose_side else {}),
    }


def _default_entry(estate: Estate) -> Json:
    upgrades = [{"upgrade_type": "websocket", "enabled": True}]
    cluster = names.legacy_cluster(estate.entry.default)
    unbounded = {"cluster": cluster, "timeout": "0s", "idle_timeout": "0s", "upgrade_configs": upgrades}
    return {"name": "default", "match": ANY, "route": unbounded}
