"""The access log (JSON lines) and the counters of moving routes.

No bodies, no query strings, no tokens: the user appears as a keyed pseudonym, the path without its query.
"""

from . import alarms
from .paths import odd_path_counter
from .proto import Json, extension

LOG_FILE = "logs/access.jsonl"

_FELL_BACK = (
    "xds.cluster_metadata.filter_metadata['fig']['side'] == 'lambda' && "
    "xds.upstream_host_metadata.filter_metadata['fig']['side'] == 'legacy'"
)
_FIELDS = {
    "time": "%START_TIME%",
    "trace_id": "%TRACE_ID%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "route": "%ROUTE_NAME%",
    "assigned": "%METADATA(CLUSTER:fig:side)%",
    "answered": "%UPSTREAM_METADATA(fig:side)%",
    "weight": "%DYNAMIC_METADATA(fig:request:weight)%",
    # "legacy" when it answered after Lambda failed, else null
    "fallback": f'%CEL({_FELL_BACK} ? "legacy" : response.headers["x-fig-none"])%',
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "duration_ms": "%DURATION%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "user": "%DYNAMIC_METADATA(fig:request:user)%",
}


def access_logs() -> list[Json]:
    """The loggers of the entry: the file, and the counters that the node reads each second."""
    formatter = {
        "name": "envoy.formatter.req_without_query",
        "typed_config": extension("formatter.req_without_query.v3.ReqWithoutQuery"),
    }
    file = extension(
        "access_loggers.file.v3.FileAccessLog",
        path=LOG_FILE,
        log_format={"json_format": _FIELDS, "formatters": [formatter]},
    )
    return [
        # The VIP's monitor asks every few seconds, from each of its hosts: that is nobody's traffic.
        {"name": "envoy.access_loggers.file", "filter": {"not_health_check_filter": {}}, "typed_config": file},
        _counters(),
        odd_path_counter(),
        *alarms.loggers(),
    ]


def _counters() -> Json:
    tags = {
        "route": "%ROUTE_NAME%",
        "side": "%METADATA(CLUSTER:fig:side)%",
        "answered": "%UPSTREAM_METADATA(fig:side)%",
        "status": "%RESPONSE_CODE%",
    }
    sides = [{"name": name, "value_format": tags[name]} for name in ("route", "side")]
    every = [{"name": name, "value_format": value} for name, value in tags.items()]
    moving = {
        "metadata_filter": {
            "matcher": {
                "filter": "fig",
                "path": [{"key": "request"}, {"key": "moving"}],
                "value": {"bool_match": True},
            },
            "match_if_key_not_found": False,
        }
    }
    return {
        "name": "envoy.access_loggers.stats",
        "filter": moving,
        "typed_config": extension(
            "access_loggers.stats.v3.Config",
            stat_prefix="fig.requests",
            counters=[{"stat": {"name": "total", "tags": every}, "value_fixed": 1}],
            histograms=[
                {"stat": {"name": "duration", "tags": sides}, "unit": "Milliseconds", "value_format": "%DURATION%"}
            ],
        ),
    }
