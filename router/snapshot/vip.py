"""What the entry owes the VIP in front of it: its word about the client, and its monitor.

One rule: who the client is, is decided once, by `client_address`; whatever needs to know (sides, limits, loops, logs,
upstreams) reads that, and nothing that a client wrote.
"""

from ..estate import ClientAddress, Entry, Estate, ProxyProtocol, StickyKind, WithoutKey
from .entries import CLIENT_ADDRESS_HEADER
from .proto import UNLIMITED, Json, address_range, extension, headers

_NOBODY = "0.0.0.0/32"  # an address that no peer has
_SLOW_START_SECONDS = "15s"


def client_address(entry: Entry) -> Json:
    """The connection manager's fields that say who the client is.

    The peer is appended to X-Forwarded-For, and X-Forwarded-Proto and X-Forwarded-Client-Cert stay as they came:
    a VIP that ends TLS says there what legacy has to know.
    """
    return {
        "original_ip_detection_extensions": [
            {"name": "envoy.http.original_ip_detection.xff", "typed_config": _believed(entry.client_address)}
        ],
        # No peer is one of Envoy's own kind, whose x-envoy-* headers would be obeyed.
        "internal_address_config": {"cidr_ranges": [address_range(_NOBODY)]},
        "forward_client_cert_details": "ALWAYS_FORWARD_ONLY",
    }


def listener_filters(entry: Entry) -> Json:
    """The listener's fields that read what precedes HTTP on a connection."""
    if entry.proxy_protocol is None:
        return {}
    optional = entry.proxy_protocol is ProxyProtocol.OPTIONAL
    reader = extension(
        "filters.listener.proxy_protocol.v3.ProxyProtocol", allow_requests_without_proxy_protocol=optional
    )
    return {
        "listener_filters": [{"name": "envoy.filters.listener.proxy_protocol", "typed_config": reader}],
        "listener_filters_timeout": _SLOW_START_SECONDS,
        # A VIP may open connections ahead of use; where the header is required nothing passes without it.
        "continue_on_listener_filters_timeout": optional,
    }


def filters(estate: Estate) -> list[Json]:
    """The filters in front of all others: the answer to the VIP's monitor, and the client's address for the routes."""
    found = []
    if estate.entry.health_path is not None:
        found += [_hidden_health(), _health(estate.entry.health_path)]
    if _routes_by_address(estate):
        found += _address()
    return found


def _believed(whom: ClientAddress | None) -> Json:
    if whom is None:
        believed: Json = {"xff_num_trusted_hops": UNLIMITED}  # more than a header can name: nobody
    elif whom.hops is None:
        believed = {"xff_trusted_cidrs": {"cidrs": [address_range(one) for one in whom.trusted]}}
    else:
        believed = {"xff_num_trusted_hops": whom.hops - 1}  # the last address is what the proxy in front of us wrote
    return extension("http.original_ip_detection.xff.v3.XffConfig", skip_xff_append=False, **believed)


def _health(path: str) -> Json:
    asked = [{"name": ":path", "string_match": {"exact": path}}]
    check = extension("filters.http.health_check.v3.HealthCheck", pass_through_mode=False, headers=asked)
    return {"name": "envoy.filters.http.health_check", "typed_config": check}


def _hidden_health() -> Json:
    """What the health filter tells other Envoys, while this one drains in every answer, is no client's business."""
    told = ("x-envoy-immediate-health-check-fail", "x-envoy-upstream-healthchecked-cluster")
    removed = {"response_mutations": [{"remove": name} for name in told]}
    mutation = extension("filters.http.header_mutation.v3.HeaderMutation", mutations=removed)
    return {"name": "hidden-health", "typed_config": mutation}


def _routes_by_address(estate: Estate) -> bool:
    """Whether a route needs the client's address: sides are drawn by it, or calls of functions are told by it."""
    sided = [route for route in estate.routes if route.has_two_sides]
    return (bool(estate.entry.proxies) and bool(sided)) or any(
        route.sticky.kind is StickyKind.CLIENT_ADDRESS
        or (route.sticky.kind is StickyKind.HEADER and route.sticky.without_key is WithoutKey.ASSIGN)
        for route in sided
    )


def _address() -> list[Json]:
    """The client's address in a header, after which the route is chosen again.

    Envoy knows the address only after it chose a route for the first time. That one decides which filters run, so the
    two may differ in their side, never in the route's name.
    """
    written = headers({CLIENT_ADDRESS_HEADER: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"})
    mutation = extension(
        "filters.http.header_mutation.v3.HeaderMutation",
        mutations={"request_mutations": [{"append": one} for one in written]},
    )
    again = extension(
        "filters.http.set_filter_state.v3.Config",
        on_request_headers=[
            {
                "object_key": "fig.address",
                "factory_key": "envoy.string",
                "format_string": {"text_format_source": {"inline_string": "known"}},
            }
        ],
        clear_route_cache=True,
    )
    return [
        {"name": "client-address", "typed_config": mutation},
        {"name": "choose-again", "typed_config": again},
    ]
