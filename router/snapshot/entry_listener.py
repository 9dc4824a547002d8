"""The entry: the listener that the VIP sends to, and what happens to every request before a route is chosen."""

from strangler_fig.names import HEADER_PREFIX

from ..estate import Estate
from . import identities, limits, names, vip
from .access_log import access_logs
from .inner_listeners import lua
from .match_tree import PATH_HEADER, PATH_VALUE
from .proto import MAX_HEADERS, Json, extension, headers, socket_address, watched
from .telemetry import tracing

_USER_FILTER = "user"


def entry_listener(estate: Estate, routes: Json | None = None) -> Json:
    """The entry's listener; its routes are watched files, or inlined for validation when given."""
    source = {"rds": {"route_config_name": names.ENTRY, "config_source": watched("rds")}}
    manager = extension(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=names.ENTRY,
        preserve_external_request_id=True,
        # The id is the key of new users' draw, so nothing may change it between the draw and the cookie.
        request_id_extension={
            "typed_config": extension("request_id.uuid.v3.UuidRequestIdConfig", pack_trace_reason=False)
        },
        server_header_transformation="PASS_THROUGH",
        max_request_headers_kb=max(1, -(-estate.entry.max_header_bytes // 1024)),
        common_http_protocol_options={"max_headers_count": MAX_HEADERS, "headers_with_underscores_action": "ALLOW"},
        http_protocol_options={"accept_http_10": True},
        request_headers_timeout="30s",
        stream_idle_timeout="0s",
        upgrade_configs=[{"upgrade_type": kind, "enabled": False} for kind in ("websocket", "CONNECT")],
        early_header_mutation_extensions=[_early_headers()],
        tracing=tracing(estate),
        access_log=access_logs(),
        **vip.client_address(estate.entry),
        http_filters=_filters(estate),
        **({"route_config": routes} if routes is not None else source),
    )
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "name": names.ENTRY,
        "address": socket_address(estate.entry.address),
        "filter_chains": [chain | vip.transport_socket(estate.entry)],
        **vip.listener_filters(estate.entry),
    }


def _filters(estate: Estate) -> list[Json]:
    """The filters in their order: the monitor's answer first, what refuses before what asks others, the router last."""
    entry = estate.entry
    sources = {"user": lua("user.lua"), "issue": lua("user.lua", "issue.lua")}
    user = extension("filters.http.lua.v3.Lua", source_codes=sources, clear_route_cache=False)
    filters: list[Json] = [
        *vip.filters(entry),
        {"name": _USER_FILTER, "disabled": True, "typed_config": user},
        *limits.filters(estate),
        *identities.filters(estate),
    ]
    if entry.max_body_bytes is not None:
        limit = extension("filters.http.body_size_limit.v3.BodySizeLimit", max_request_bytes=entry.max_body_bytes)
        filters.append({"name": "envoy.filters.http.body_size_limit", "typed_config": limit})
    router = extension("filters.http.router.v3.Router", suppress_envoy_headers=True)
    return [*filters, {"name": "envoy.filters.http.router", "typed_config": router}]


def _early_headers() -> Json:
    """Before routes are matched every inbound header of ours is removed: all clients come through the entry."""
    mutations: list[Json] = [{"remove_on_match": {"key_matcher": {"prefix": HEADER_PREFIX}}}]
    mutations += [{"append": one} for one in headers({PATH_HEADER: PATH_VALUE})]
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": extension("http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=mutations),
    }
