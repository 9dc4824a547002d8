"""The access log (JSON lines) and the counters of moving routes.

No bodies, no query strings, no tokens: the user appears as a keyed pseudonym, the path without its query. Nothing here
is computed that a reader can: a fallback is a line whose `assigned` is lambda and whose `answered` is legacy.
"""

from strangler_fig.names import ASSIGNED_ATTRIBUTE, REASON_ATTRIBUTE, ROUTE_ATTRIBUTE, SIDE_ATTRIBUTE

from ..estate import Estate
from . import alarms, counters, faults, telemetry
from .faults import STATUS_TAG
from .paths import odd_path_counter
from .proto import Json, extension

LOG_FILE = "logs/access.jsonl"
SCOPE = "fig.requests"
REQUESTS, BYTES, DURATION, LIMITED_CALLS = "total", "bytes", "duration", "limited_calls"
BUCKET_TAG, FOLD_TAG, COLD_TAG = "fig.bucket", "fig.fold", "fig.cold"
"""Buckets of users, and folds of buckets: absent where more routes move than user.lua puts into buckets.

`COLD_TAG` is `1` on the latencies of requests that started an environment of the function, as the function says.
"""

_FIELDS = {
    "time": "%START_TIME%",
    "traceparent": "%REQ(TRACEPARENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "route": "%ROUTE_NAME%",
    "assigned": "%METADATA(CLUSTER:fig:side)%",
    "answered": "%UPSTREAM_METADATA(fig:side)%",
    "weight": "%DYNAMIC_METADATA(fig:request:weight)%",
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


def access_logs(estate: Estate) -> list[Json]:
    """The loggers of the entry: the file, the counters that the node reads, and what telemetry wants."""
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
        faults.request_counter(),
        odd_path_counter(),
        *alarms.loggers(),
        *telemetry.access_logs(estate),
    ]


def limited_call_counter() -> Json:
    """The inner hop's logger of throttled and timed-out calls by bucket of users, whoever answered in the end."""
    tags = {
        ROUTE_ATTRIBUTE: "%DYNAMIC_METADATA(fig:asked:route)%",
        REASON_ATTRIBUTE: "%DYNAMIC_METADATA(fig:answer:reason)%",
        BUCKET_TAG: "%DYNAMIC_METADATA(fig:answer:bucket)%",
    }
    in_a_bucket = counters.noted(["answer", "bucket"], {"present_match": True})
    return counters.counting(SCOPE, [counters.counter(LIMITED_CALLS, tags)], only=in_a_bucket)


def _counters() -> Json:
    """What a gate judges: requests and bytes by bucket of users, latencies by fold; of routes that move."""
    sides = {ROUTE_ATTRIBUTE: "%ROUTE_NAME%", ASSIGNED_ATTRIBUTE: "%METADATA(CLUSTER:fig:side)%"}
    bucket = {BUCKET_TAG: "%DYNAMIC_METADATA(fig:request:bucket)%"}
    answered = {SIDE_ATTRIBUTE: "%UPSTREAM_METADATA(fig:side)%", STATUS_TAG: "%RESPONSE_CODE%"}
    fold = {FOLD_TAG: "%DYNAMIC_METADATA(fig:request:fold)%", COLD_TAG: "%DYNAMIC_METADATA(fig:cold)%"}
    return counters.counting(
        SCOPE,
        [counters.counter(REQUESTS, sides | answered | bucket), counters.total(BYTES, sides | bucket, "%BYTES_SENT%")],
        only=counters.noted(["request", "moving"], {"bool_match": True}),
        histograms=[counters.milliseconds(DURATION, sides | fold)],
    )
