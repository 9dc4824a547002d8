"""What the router tells about requests by OTLP: traces, and where the estate has `telemetry`, logs and metrics too.

One rule: no request waits for the receiver. What it cannot take is dropped, and how much may wait for it is bounded.
Query strings are told to nobody: the path stands without them, and Envoy's own `http.url` ends before the path.
"""

from collections.abc import Mapping

from strangler_fig import names as shared

from ..estate import Estate, Telemetry
from . import endpoints, names
from .faults import FELL_BACK
from .proto import Json, api_type, extension

CLUSTER = names.TELEMETRY
_TIMEOUT = "5s"
_AT_ONCE = 32
"""How many batches may be on their way, of all workers together; what exceeds it is dropped."""
_BATCH_SPANS = 256
_BATCH_LOG_BYTES = 256 * 1024
_BATCH_POINTS = 2_000
_FLUSH_MS = 1_000

_NO_VALUE = "response.headers['x-fig-none']"  # CEL has no null that Envoy leaves out; a header that is not there is one
_ATTRIBUTES = {
    shared.ROUTE_ATTRIBUTE: "%ROUTE_NAME%",
    shared.SIDE_ATTRIBUTE: "%UPSTREAM_METADATA(fig:side)%",
    shared.ASSIGNED_ATTRIBUTE: "%METADATA(CLUSTER:fig:side)%",
    shared.WEIGHT_ATTRIBUTE: "%DYNAMIC_METADATA(fig:request:weight)%",
    shared.FALLBACK_ATTRIBUTE: f"%CEL({FELL_BACK} ? 'legacy' : {_NO_VALUE})%",
    "url.path": "%PATH(NQ:ORIG_OR_PATH)%",
}
"""What a span and a log record both say. Each value costs a request about 1 % of what it costs without telemetry."""
_SPANNED = {**_ATTRIBUTES, shared.UPSTREAM_ATTRIBUTE: "%UPSTREAM_METADATA(fig:service)%"}
_LOGGED = {
    **_ATTRIBUTES,
    "http.request.method": "%REQ(:METHOD)%",
    "http.response.status_code": "%RESPONSE_CODE%",
    "http.request.body.size": "%BYTES_RECEIVED%",
    "http.response.body.size": "%BYTES_SENT%",
    "client.address": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    shared.FLAGS_ATTRIBUTE: "%RESPONSE_FLAGS%",
    shared.DURATION_ATTRIBUTE: "%DURATION%",
    shared.REQUEST_ATTRIBUTE: "%REQ(X-REQUEST-ID)%",
    shared.USER_ATTRIBUTE: "%DYNAMIC_METADATA(fig:request:user)%",
}
_NUMBERS = {shared.WEIGHT_ATTRIBUTE}


def tracing(estate: Estate) -> Json:
    """The manager's field for tracing: trace context is kept, sampling decision included, or started.

    Without telemetry there is none: a client's trace passes as it is. One that began here and is seen by nobody would
    switch off the tracing of every application behind that follows its parent, and an idle tracer costs each request.
    """
    told = estate.telemetry
    if told is None:
        return {}
    return {"tracing": {"provider": {"name": "envoy.tracers.opentelemetry", "typed_config": _tracer(told)}, **_SPANS}}


def access_logs(estate: Estate) -> list[Json]:
    """The access logger that tells of every request, sampled or not; none without telemetry."""
    told = estate.telemetry
    if told is None:
        return []
    logger = extension(
        "access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
        http_service=_service(told, "logs"),
        log_name="fig.access",
        disable_builtin_labels=True,
        resource_detectors=_resource(),
        body={"string_value": "%REQ(:METHOD)% %PATH(NQ:ORIG_OR_PATH)% %RESPONSE_CODE%"},
        # Not `attributes`: those are told even where a request has no such thing, as "-".
        custom_tags=_tags(_LOGGED),
        buffer_size_bytes=_BATCH_LOG_BYTES,
        buffer_flush_interval=f"{_FLUSH_MS / 1000:g}s",
    )
    # The VIP's monitor is nobody's traffic.
    only: Json = {"not_health_check_filter": {}}
    return [{"name": "envoy.access_loggers.open_telemetry", "filter": only, "typed_config": logger}]


def bootstrap(estate: Estate) -> Json:
    """The bootstrap's fields that send metrics, as deltas: Envoy 1.40 gives cumulative ones a wrong beginning."""
    told = estate.telemetry
    if told is None:
        return {}
    sink = extension(
        "stat_sinks.open_telemetry.v3.SinkConfig",
        http_service=_service(told, "metrics"),
        resource_detectors=_resource(),
        report_counters_as_deltas=True,
        report_histograms_as_deltas=True,
        max_data_points_per_request=_BATCH_POINTS,
    )
    return {"stats_sinks": [{"name": "envoy.stat_sinks.open_telemetry", "typed_config": sink}]}


def stats_tags(estate: Estate) -> Json:
    """The fields of the statistics' settings that take clusters' names out of metrics' names, where those are told."""
    tag = {"tag_name": shared.CLUSTER_ATTRIBUTE, "regex": r"^cluster\.((.+)\.)(?:membership_|outlier_|ssl\.|upstream_)"}
    return {"stats_tags": [tag]} if estate.telemetry else {}


def runtime(estate: Estate) -> Mapping[str, int]:
    """The runtime keys, besides the weights, that make batches of spans: Envoy's default is five spans to a request."""
    prefix = "tracing.opentelemetry"
    keys = {f"{prefix}.min_flush_spans": _BATCH_SPANS, f"{prefix}.flush_interval_ms": _FLUSH_MS}
    return keys if estate.telemetry else {}


def clusters(estate: Estate) -> list[Json]:
    """The clusters that telemetry goes to."""
    told = estate.telemetry
    if told is None:
        return []
    limits = {"max_connections": _AT_ONCE, "max_pending_requests": _AT_ONCE, "max_requests": _AT_ONCE}
    return [
        {
            **endpoints.cluster(CLUSTER, [told.otlp], {}, 1.0),
            **endpoints.tls(told.tls),
            "circuit_breakers": {"thresholds": [limits]},
        }
    ]


def _tracer(told: Telemetry) -> Json:
    sample = {"numerator": told.sample, "denominator": "TEN_THOUSAND"}
    ratio = extension("tracers.opentelemetry.samplers.v3.TraceIdRatioBasedSamplerConfig", sampling_percentage=sample)
    sampler = extension(
        "tracers.opentelemetry.samplers.v3.ParentBasedSamplerConfig",
        wrapped_sampler={"name": "envoy.tracers.opentelemetry.samplers.trace_id_ratio_based", "typed_config": ratio},
    )
    return api_type(
        "envoy.config.trace.v3.OpenTelemetryConfig",
        service_name=shared.ROUTER_SERVICE,
        http_service=_service(told, "traces"),
        sampler={"name": "envoy.tracers.opentelemetry.samplers.parent_based", "typed_config": sampler},
        resource_detectors=_resource(),
    )


def _service(told: Telemetry, signal: str) -> Json:
    scheme = "https" if told.tls else "http"
    uri = f"{scheme}://{told.otlp}{told.path.rstrip('/')}/v1/{signal}"
    return {"http_uri": {"uri": uri, "cluster": CLUSTER, "timeout": _TIMEOUT}}


def _resource() -> list[Json]:
    """Who tells: the node says which one it is in the environment of its Envoy, because all share one snapshot."""
    detectors = "tracers.opentelemetry.resource_detectors.v3"
    name = {"service.name": shared.ROUTER_SERVICE}
    return [
        {
            "name": "envoy.tracers.opentelemetry.resource_detectors.environment",
            "typed_config": extension(f"{detectors}.EnvironmentResourceDetectorConfig"),
        },
        {
            "name": "envoy.tracers.opentelemetry.resource_detectors.static_config",
            "typed_config": extension(f"{detectors}.StaticConfigResourceDetectorConfig", attributes=name),
        },
    ]


def _tags(values: Mapping[str, str]) -> list[Json]:
    kinds = {name: "INT" if name in _NUMBERS else "STRING" for name in values}
    return [{"tag": name, "value": value, "value_type": kinds[name]} for name, value in values.items()]


_SPANS: Json = {
    # The hop to legacy or to Lambda is a span of its own, a child of the request's: one for each try.
    "spawn_upstream_span": True,
    "operation": "%REQ(:METHOD)% %ROUTE_NAME%",
    "upstream_operation": "%UPSTREAM_METADATA(fig:side)% %UPSTREAM_METADATA(fig:service)%",
    "max_path_tag_length": 0,
    "custom_tags": [
        *_tags(_SPANNED),
        {"tag": shared.ROLE_ATTRIBUTE, "literal": {"value": shared.ROLE_PRIMARY}},
    ],
}
