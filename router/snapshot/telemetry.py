"""What the router tells about requests by OTLP: traces, and where the estate has `telemetry`, logs and metrics too."""

from ..estate import Estate
from . import names
from .proto import Json, api_type, extension


def tracing(estate: Estate) -> Json:  # noqa: ARG001 - nothing is exported yet
    """Trace context is kept, sampling decision included, or started unsampled; nothing is exported."""
    never = extension(
        "tracers.opentelemetry.samplers.v3.TraceIdRatioBasedSamplerConfig", sampling_percentage={"numerator": 0}
    )
    sampler = extension(
        "tracers.opentelemetry.samplers.v3.ParentBasedSamplerConfig",
        wrapped_sampler={"name": "envoy.tracers.opentelemetry.samplers.trace_id_ratio_based", "typed_config": never},
    )
    uri = {"uri": "http://telemetry.invalid/v1/traces", "cluster": names.TELEMETRY_OFF, "timeout": "1s"}
    tracer = api_type(
        "envoy.config.trace.v3.OpenTelemetryConfig",
        service_name="fig-router",
        http_service={"http_uri": uri},
        sampler={"name": "envoy.tracers.opentelemetry.samplers.parent_based", "typed_config": sampler},
    )
    return {"provider": {"name": "envoy.tracers.opentelemetry", "typed_config": tracer}}


def clusters(estate: Estate) -> list[Json]:  # noqa: ARG001 - nothing is exported yet
    """The clusters that telemetry goes to."""
    return [{"name": names.TELEMETRY_OFF, "type": "STATIC"}]
