"""Connections to upstreams: which protocol they speak, how long an unused one is kept, when a silent peer is given up.

One rule: the router closes an unused connection before its peer does, because a request that meets the peer's close
may be lost, and only safe methods may be sent again.
"""

from ..estate import Connections, LegacyService, Protocol
from .proto import MAX_HEADERS, Json, api_type, extension, seconds

SILENCE = 20
"""How many times its connect timeout a peer may leave sent bytes unacknowledged before its connection is given up."""

_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_ANSWER_HEADERS_KB = 1024  # 60 by default, which old single sign-on systems exceed
_IPPROTO_TCP, _TCP_USER_TIMEOUT = 6, 18  # Source: Linux, include/uapi/linux/{in,tcp}.h
# Long answers that pause, and upgraded connections, must not be forgotten by a firewall on the way.
_KEEPALIVE = {"keepalive_time": 20, "keepalive_interval": 5, "keepalive_probes": 3}
_PING = {"interval": "20s", "timeout": "10s"}

# Requests of many clients share the connection to an inner listener. What HTTP/2 does not allow (an empty Host, some
# trailers) may end the request that has it, never the connection: that would lose everybody else's.
ONE_STREAM_FAILS = {"override_stream_error_on_invalid_http_message": True}


def http1_names() -> Json:
    """The HTTP/1 fields, of both ends of the router, that leave header names and reason phrases as they were sent."""
    formatter = extension(
        "http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig", forward_reason_phrase=True
    )
    return {"header_key_format": {"stateful_formatter": {"name": "preserve_case", "typed_config": formatter}}}


def to_legacy(service: LegacyService) -> Json:
    """The fields of a legacy service's cluster about its connections."""
    per_client = service.connections is Connections.PER_CLIENT
    return {
        **_options(_protocol(service.protocol), service.idle_timeout_seconds),
        **_watched(service.connect_timeout_seconds),
        **({"connection_pool_per_downstream_connection": True} if per_client else {}),
    }


def to_candidate(*, idle_seconds: float, connect_seconds: float) -> Json:
    """The fields of a candidate's upstream cluster about its connections."""
    plain: Json = {"explicit_http_config": {"http_protocol_options": {}}}
    return {**_options(plain, idle_seconds), **_watched(connect_seconds)}


def inner() -> Json:
    """The fields of the cluster that leads to an inner listener: HTTP/2, because it lets large bodies through."""
    options = api_type(_HTTP_OPTIONS, explicit_http_config={"http2_protocol_options": ONE_STREAM_FAILS})
    return {"typed_extension_protocol_options": {_HTTP_OPTIONS: options}}


def _protocol(protocol: Protocol) -> Json:
    http1 = {"http_protocol_options": {**http1_names(), "enable_trailers": True}}
    http2 = {"http2_protocol_options": {"connection_keepalive": _PING}}
    match protocol:
        case Protocol.HTTP1:
            return {"explicit_http_config": http1}
        case Protocol.HTTP2:
            return {"explicit_http_config": http2}
        case Protocol.AS_CLIENT:
            return {"use_downstream_protocol_config": http1 | http2}


def _options(protocol: Json, idle_seconds: float) -> Json:
    options = api_type(
        _HTTP_OPTIONS,
        **protocol,
        common_http_protocol_options={
            "idle_timeout": seconds(idle_seconds),
            "max_headers_count": MAX_HEADERS,
            "max_response_headers_kb": _ANSWER_HEADERS_KB,
        },
    )
    return {"typed_extension_protocol_options": {_HTTP_OPTIONS: options}}


def _watched(connect_seconds: float) -> Json:
    silence = {
        "level": _IPPROTO_TCP,
        "name": _TCP_USER_TIMEOUT,
        "int_value": round(1000 * SILENCE * connect_seconds),
        "state": "STATE_PREBIND",
    }
    return {
        "upstream_connection_options": {"tcp_keepalive": _KEEPALIVE},
        "upstream_bind_config": {"socket_options": [silence]},
    }
