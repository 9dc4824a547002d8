"""Users who have a session in a legacy application, which is asked about each of their requests; no answer is kept.

`ext_authz` asks an internal listener, where `session.lua` turns the question into a GET with the session's cookie alone
and the answer into claims. It goes to the service's own cluster, so that it counts among the service's requests, and to
the very host that knows the user's session.
"""

from collections.abc import Sequence

from ..estate import Affinity, AffinityKind, Estate, SessionIdentity
from . import affinity, connections, names, retries
from .proto import MAX_HEADERS, UNLIMITED, Json, extension, headers, seconds
from .scripts import lua

_CLAIM_PREFIX = "x-fig-claim-"
_ASKED_WITH = ("cookie", "x-forwarded-for", "x-forwarded-proto", "x-request-id", "x-fig-hops")
_PREFLIGHT = ("origin", "access-control-request-method")
_TOLD = ("content-type", "cache-control", "www-authenticate")
_ABOUT_THE_CLIENT = {"x-fig-client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "x-fig-for": "%REQ(X-FORWARDED-FOR)%"}
_NO_LIMITS = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests"), UNLIMITED)
_LEADS = {AffinityKind.HEADER: "header", AffinityKind.COOKIE: "cookie", AffinityKind.CLIENT_ADDRESS: "client"}


def proof(identity: SessionIdentity, estate: Estate) -> Json:
    """The filter that asks about the session; what it hears are metadata of `ext_authz`."""
    kept = _affinity(identity, estate)
    # What leads to the user's host, and what tells a preflight, comes along; the application does not get it.
    leads = [kept.name] if kept.kind is AffinityKind.HEADER else []
    return extension(
        "filters.http.ext_authz.v3.ExtAuthz",
        stat_prefix=identity.name,
        failure_mode_allow=False,
        status_on_error={"code": "ServiceUnavailable"},
        clear_route_cache=False,
        allowed_headers=_exactly([*_ASKED_WITH, *_PREFLIGHT, *leads]),
        http_service={
            "server_uri": {
                "uri": f"http://{names.INNER_SESSIONS}",
                "cluster": names.own_cluster(f"sessions.{identity.name}"),
                "timeout": seconds(identity.timeout_seconds),
            },
            "path_prefix": f"/{identity.name}",
            "authorization_request": {
                "headers_to_add": [{"key": name, "value": value} for name, value in _ABOUT_THE_CLIENT.items()]
            },
            "authorization_response": {
                "allowed_client_headers": _exactly(_TOLD),
                "dynamic_metadata_from_headers": {"patterns": [{"prefix": _CLAIM_PREFIX}]},
            },
        },
    )


def clusters(identities: Sequence[SessionIdentity]) -> list[Json]:
    """The ways to the internal listener: one for each, so that none begins on a connection that was there before it."""
    return [_way(names.own_cluster(f"sessions.{one.name}"), one.name) for one in identities]


def _way(name: str, identity: str) -> Json:
    address = {"envoy_internal_address": {"server_listener_name": names.INNER_SESSIONS, "endpoint_id": identity}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "circuit_breakers": {"thresholds": [_NO_LIMITS]},
        **connections.inner(),
    }


def listeners(identities: Sequence[SessionIdentity], estate: Estate) -> list[Json]:
    """The internal listener that asks applications."""
    if not identities:
        return []
    source = lua("identities.lua", "session.lua")
    script = extension("filters.http.lua.v3.Lua", source_codes={"session": source}, clear_route_cache=False)
    router = extension("filters.http.router.v3.Router", suppress_envoy_headers=True)
    host = {
        "name": names.INNER_SESSIONS,
        "domains": ["*"],
        "retry_policy": retries.policy(),
        "request_headers_to_add": headers(retries.request_headers()),
        "routes": [*(_route(one, estate) for one in identities), _UNKNOWN],
    }
    manager = extension(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=names.INNER_SESSIONS,
        codec_type="HTTP2",
        generate_request_id=False,
        skip_xff_append=True,
        max_request_headers_kb=estate.entry.max_header_bytes // 1024 + 16,
        common_http_protocol_options={"max_headers_count": MAX_HEADERS},
        http_filters=[
            {"name": "session", "disabled": True, "typed_config": script},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
        route_config={"name": names.INNER_SESSIONS, "virtual_hosts": [host]},
    )
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return [{"name": names.INNER_SESSIONS, "internal_listener": {}, "filter_chains": [chain]}]


def _route(identity: SessionIdentity, estate: Estate) -> Json:
    kept = _affinity(identity, estate)
    leads = {"affinity": _LEADS[kept.kind], "name": kept.name} if kept.kind in _LEADS else {}
    lists = {identity.scopes_claim, identity.roles_claim} & {claim for _, claim in identity.claim_headers}
    context = {
        "identity": identity.name,
        "path": identity.path,
        "cookie": identity.cookie,
        "claims": dict(identity.claim_headers),
        "lists": dict.fromkeys(sorted(lists), True),
        **leads,
    }
    script = extension("filters.http.lua.v3.LuaPerRoute", name="session", filter_context=context)
    return {
        "name": identity.name,
        "match": {"prefix": f"/{identity.name}/"},
        "route": {
            "cluster": names.legacy_cluster(identity.service),
            "timeout": seconds(identity.timeout_seconds),
        },
        "typed_per_filter_config": {"session": script},
    }


_UNKNOWN: Json = {"name": "_unknown", "match": {"prefix": ""}, "direct_response": {"status": 503}}


def _affinity(identity: SessionIdentity, estate: Estate) -> Affinity:
    service = next((one for one in estate.legacy if one.name == identity.service), None)
    return affinity.of(service, estate.routes) if service else Affinity(AffinityKind.NONE)


def _exactly(names: Sequence[str]) -> Json:
    return {"patterns": [{"exact": name, "ignore_case": True} for name in names]}
