"""Users who prove who they are by a bearer token: the filter that verifies it, and where it gets the issuer's keys.

`jwt_authn` reads a file of keys once and never again (seen on Envoy 1.40.0, `watched_directory` or not), and what it
fetches is forgotten with its listener. So it asks a listener of this Envoy, on a socket in the state directory:
`keys.lua` there answers from the file, or from the issuer's host, or with the last good answer. It asks ahead of time
and on Envoy's main thread, which reaches no internal listener: hence a socket. No request waits for a host that is
down, as long as there ever were keys.
"""

import math
from collections.abc import Sequence

from ..estate import Endpoint, Jwks, JwtIdentity
from . import connections, endpoints, names
from .identity_files import KEYS_SOCKET, kept_keys
from .proto import Json, extension, seconds
from .scripts import lua

FILE_SECONDS = 2.0
"""How often a file of keys is read: so long may a renewed one take to count."""
URL_SECONDS = 300.0
"""How often an issuer's host is asked for its keys."""

_AGAIN_SECONDS = 10.0  # after a question that gave no keys at all; requests ask for themselves meanwhile
_HOST_SECONDS = 2.0
_CONNECT_SECONDS = 1.0
_IDLE_SECONDS = 4.0
_HTTPS_PORT = 443
_MARK, _FAILED = "envoy.filters.http.jwt_authn", "failed"
_NO_KEYS = r"Jwks (remote fetch is failed|doesn't have any valid public key)"


_UNKNOWN: Json = {"name": "_unknown", "match": {"prefix": ""}, "direct_response": {"status": 503}}


def proof(identity: JwtIdentity) -> Json:
    """The filter that verifies the identity's tokens; its claims are metadata under the identity's name."""
    local = identity.jwks.file is not None
    provider = {
        "issuer": identity.issuer,
        "audiences": list(identity.audiences),
        # A token without an end would be good for ever; one in the query would be in every log.
        "require_expiration": True,
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        "forward": True,
        "payload_in_metadata": identity.name,
        "failed_status_in_metadata": _FAILED,
        "clock_skew_seconds": max(1, math.ceil(identity.clock_skew_seconds)),  # 0 would mean Envoy's default, 60
        "remote_jwks": {
            "http_uri": {
                "uri": f"http://{names.IDENTITY_KEYS}/{identity.name}",
                "cluster": names.own_cluster(names.IDENTITY_KEYS),
                "timeout": seconds(_HOST_SECONDS + 1),
            },
            "cache_duration": seconds(FILE_SECONDS if local else URL_SECONDS),
            "async_fetch": {"failed_refetch_duration": seconds(_AGAIN_SECONDS)},
            # A connection to a listener that was replaced meanwhile knows nothing of a new identity, and is closed.
            "retry_policy": {"num_retries": 3, "retry_back_off": {"base_interval": "0.01s", "max_interval": "0.05s"}},
        },
    }
    return extension(
        "filters.http.jwt_authn.v3.JwtAuthentication",
        providers={identity.name: provider},
        rules=[{"match": {"prefix": ""}, "requires": {"provider_name": identity.name}}],
        bypass_cors_preflight=True,
        stat_prefix=f"{identity.name}.",
    )


def lacks_keys() -> list[Json]:
    """The conditions on which a token was refused because there are no keys to verify it with."""
    message = [{"key": _FAILED}, {"key": "message"}]
    found = {"filter": _MARK, "path": message, "value": {"string_match": {"safe_regex": {"regex": _NO_KEYS}}}}
    return [{"metadata_filter": {"matcher": found, "match_if_key_not_found": False}}]


def listeners(identities: Sequence[JwtIdentity]) -> list[Json]:
    """The listener that answers Envoy's own questions for keys."""
    if not identities:
        return []
    script = extension("filters.http.lua.v3.Lua", source_codes={"keys": lua("keys.lua")}, clear_route_cache=False)
    router = extension("filters.http.router.v3.Router", suppress_envoy_headers=True)
    manager = extension(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=names.IDENTITY_KEYS,
        generate_request_id=False,
        skip_xff_append=True,
        http_filters=[
            {"name": "keys", "disabled": True, "typed_config": script},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
        route_config={
            "name": names.IDENTITY_KEYS,
            "virtual_hosts": [
                {"name": names.IDENTITY_KEYS, "domains": ["*"], "routes": [*map(_route, identities), _UNKNOWN]}
            ],
        },
    )
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return [
        {
            "name": names.IDENTITY_KEYS,
            "address": {"pipe": {"path": KEYS_SOCKET, "mode": 0o600}},
            "filter_chains": [chain],
        }
    ]


def clusters(identities: Sequence[JwtIdentity]) -> list[Json]:
    """The way to that listener, and from there to the hosts of issuers."""
    if not identities:
        return []
    own = {
        "name": names.own_cluster(names.IDENTITY_KEYS),
        "type": "STATIC",
        "connect_timeout": seconds(_CONNECT_SECONDS),
        "load_assignment": {
            "cluster_name": names.own_cluster(names.IDENTITY_KEYS),
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": KEYS_SOCKET}}}}]}],
        },
    }
    hosts = [_host(one.name, one.jwks, one.jwks.endpoint) for one in identities if one.jwks.endpoint is not None]
    return [own, *hosts]


def _host(name: str, jwks: Jwks, endpoint: Endpoint) -> Json:
    assert jwks.tls is not None, "keys are fetched over TLS only"  # noqa: S101
    return {
        **endpoints.cluster(names.identity_cluster(name), [endpoint], {}, _CONNECT_SECONDS),
        **connections.to_candidate(idle_seconds=_IDLE_SECONDS, connect_seconds=_CONNECT_SECONDS),
        **endpoints.tls(jwks.tls),
    }


def _route(identity: JwtIdentity) -> Json:
    jwks, context = identity.jwks, {"kept": kept_keys(identity.jwks)}
    if jwks.endpoint is None:
        context["file"] = jwks.file or ""
        action: Json = {"direct_response": {"status": 404}}
    else:
        host, port = jwks.endpoint.host, jwks.endpoint.port
        ask = {
            "cluster": names.identity_cluster(identity.name),
            "host_rewrite_literal": host if port == _HTTPS_PORT else str(jwks.endpoint),
            "regex_rewrite": {"pattern": {"regex": "^.*$"}, "substitution": jwks.path.replace("\\", "\\\\")},
            "timeout": seconds(_HOST_SECONDS),
        }
        action = {"route": ask}
    script = extension("filters.http.lua.v3.LuaPerRoute", name="keys", filter_context=context)
    return {
        "name": identity.name,
        "match": {"path": f"/{identity.name}"},
        **action,
        "typed_per_filter_config": {"keys": script},
    }
