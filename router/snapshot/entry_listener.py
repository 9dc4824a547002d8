"""The entry: the listener that the VIP sends to, and what happens to every request before a route is chosen."""

from strangler_fig.names import COLD_START_HEADER

from ..estate import Entry, Estate
from . import identities, limits, loops, names, strict, tls_files, vip
from .access_log import access_logs
from .connections import http1_names
from .match_tree import PATH_HEADER, PATH_VALUE
from .proto import MAX_HEADERS, Json, extension, headers, seconds, socket_address, watched
from .scripts import lua
from .telemetry import tracing

_USER_FILTER = "user"
_HOST_OF_HTTP_10 = "localhost"  # HTTP/1.0 needs no Host, but Envoy does

_HTTP2 = {
    # A VIP's connection carries many clients: what one of them does wrong ends his request, not theirs.
    "override_stream_error_on_invalid_http_message": True,
    # What a client may send ahead of what upstreams take; by default it is 24 MiB a connection.
    "initial_stream_window_size": 1024 * 1024,
    "initial_connection_window_size": 4 * 1024 * 1024,
}


def entry_listener(estate: Estate, routes: Json | None = None) -> Json:
    """The entry's listener; its routes are watched files, or inlined for validation when given."""
    source = {"rds": {"route_config_name": names.ENTRY, "config_source": watched("rds")}}
    manager = extension(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=names.ENTRY,
        preserve_external_request_id=True,
        # The id is the key of new users' draw, so nothing may change it between the draw and the cookie.
        request_id_extension={
            "typed_config": extension(
                "request_id.uuid.v3.UuidRequestIdConfig",
                pack_trace_reason=False,
                use_request_id_for_trace_sampling=False,
            )
        },
        server_header_transformation="PASS_THROUGH",
        max_request_headers_kb=max(1, -(-estate.entry.max_header_bytes // 1024)),
        common_http_protocol_options={
            "max_headers_count": MAX_HEADERS,
            "headers_with_underscores_action": "ALLOW",
            "idle_timeout": seconds(estate.entry.idle_timeout_seconds),
        },
        http_protocol_options=_http1(),
        http2_protocol_options=_HTTP2,
        proxy_100_continue=True,
        request_headers_timeout="30s",
        stream_idle_timeout="0s",
        upgrade_configs=[{"upgrade_type": kind, "enabled": False} for kind in ("websocket", "CONNECT")],
        early_header_mutation_extensions=[_inbound_headers(estate.entry)],
        **tracing(estate),
        access_log=[*access_logs(estate), *limits.loggers(estate), *identities.loggers(estate)],
        local_reply_config={"mappers": [*limits.reply_mappers(), *identities.reply_mappers(estate)]},
        **vip.client_address(estate.entry),
        http_filters=_filters(estate),
        **({"route_config": routes} if routes is not None else source),
    )
    tls = estate.entry.tls
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "name": names.entry_listener(estate.entry.address),
        "address": socket_address(estate.entry.address),
        "filter_chains": [chain | (tls_files.from_clients(tls) if tls else {})],
        **vip.listener_filters(estate.entry),
    }


def _filters(estate: Estate) -> list[Json]:
    """The filters in their order: the monitor's answer first, what refuses before what asks others, the router last."""
    entry = estate.entry
    sources = {
        "user": lua("hash.lua", "user.lua"),
        "issue": lua("hash.lua", "user.lua", "issue.lua"),
        "named": lua("hash.lua", "user.lua", "named.lua"),
    }
    user = extension("filters.http.lua.v3.Lua", source_codes=sources, clear_route_cache=False)
    filters: list[Json] = [
        *vip.filters(estate),
        *strict.filters(),
        *limits.filters(estate),
        *identities.filters(estate),
        # Last: what was refused before is no evidence about either side, and is not counted among a route's requests.
        {"name": _USER_FILTER, "disabled": True, "typed_config": user},
    ]
    if estate.candidates:
        filters.append({"name": "envoy.filters.http.header_to_metadata", "typed_config": _cold_starts()})
    if entry.max_body_bytes is not None:
        limit = extension("filters.http.body_size_limit.v3.BodySizeLimit", max_request_bytes=entry.max_body_bytes)
        filters.append({"name": "envoy.filters.http.body_size_limit", "typed_config": limit})
    router = extension("filters.http.router.v3.Router", suppress_envoy_headers=True)
    return [*filters, {"name": "envoy.filters.http.router", "typed_config": router}]


def _cold_starts() -> Json:
    """The mark of a cold start, noted for the counters; no client sees it, whoever answered it."""
    noted = {"metadata_namespace": "fig", "key": "cold", "value": "1"}
    rule = {"header": COLD_START_HEADER, "on_header_present": noted, "remove": True}
    return extension("filters.http.header_to_metadata.v3.Config", response_rules=[rule])


def _http1() -> Json:
    """What HTTP/1 clients of old applications rely on: 1.0, trailers, names in their own case, ignored offers."""
    return {
        "accept_http_10": True,
        "default_host_for_http_10": _HOST_OF_HTTP_10,
        "enable_trailers": True,
        "ignore_http_11_upgrade": [{"safe_regex": {"regex": f"(?i){_anything_but('websocket')}"}}],
        **http1_names(),
    }


def _inbound_headers(entry: Entry) -> Json:
    """What changes before routes are matched: all clients come through the entry, so none may set a header of ours."""
    path = [{"append": one} for one in headers({PATH_HEADER: PATH_VALUE})]
    mutations = [*loops.inbound_headers(entry), *strict.inbound_headers(), *path]
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": extension("http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=mutations),
    }


def _anything_but(word: str) -> str:
    """An RE2 expression (it has no negative look-ahead) of every text that is not `word`."""
    rest = _anything_but(word[1:]) if len(word) > 1 else ".+"
    return f"(?:|[^{word[0]}].*|{word[0]}{rest})"
