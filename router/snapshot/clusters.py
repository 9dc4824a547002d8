"""Clusters.

Legacy services, candidates' inner hops, composites (Lambda, then legacy), and what is behind the inner hops.
"""

from ..estate import Candidate, Estate, Health, LambdaFunction, LegacyService
from . import affinity, connections, endpoints, identities, names, telemetry
from .figures import built_in, of_candidate, of_service
from .proto import UNLIMITED, Json, extension, seconds
from .retries import TRIES

INNER_BUFFER_BYTES = 8 * 1024 * 1024
"""What the inner hop may buffer of one request or answer.

Above Lambda's 6 MiB, so that the API decides, not the buffer.
"""

_IDLE_SECONDS = 4.0  # below the 5 s after which common application servers close an idle connection
_API_IDLE_SECONDS = 60.0  # Source: AWS SDK for Java 2.x, connectionMaxIdleTime's default, November 2026
_NO_LIMITS = {
    "max_connections": UNLIMITED,
    "max_pending_requests": UNLIMITED,
    "max_requests": UNLIMITED,
    "retry_budget": {"budget_percent": {"value": 100}, "min_retry_concurrency": 1_000_000},
}

# A black hole costs five requests; then legacy answers at once, without any control plane.
_EJECTION = {"interval": "1s", "base_ejection_time": "10s", "max_ejection_time": "60s", "max_ejection_percent": 100}
_BAD_ANSWERS = {"consecutive_5xx": 5, "enforcing_consecutive_5xx": 100, "enforcing_success_rate": 0}
# A 5xx of a plain HTTP upstream may be the application's own: only what never was an answer ejects it.
_BAD_CONNECTIONS = {"split_external_local_origin_errors": True, "consecutive_local_origin_failure": 5}


def clusters(estate: Estate) -> list[Json]:
    """Every cluster of the estate, by name."""
    found = [_legacy(service, estate) for service in estate.legacy]
    for candidate in estate.candidates:
        found += [_inner_hop(candidate), _upstream(candidate)]
    pairs = {(route.candidate, route.legacy) for route in estate.routes if route.has_two_sides and route.fallback}
    found += [_composite(candidate or "", legacy or "") for candidate, legacy in pairs]
    found += [*identities.clusters(estate), *telemetry.clusters(estate)]
    return sorted(found, key=lambda cluster: str(cluster["name"]))


def _legacy(service: LegacyService, estate: Estate) -> Json:
    name = names.legacy_cluster(service.name)
    return {
        **endpoints.cluster(name, service.endpoints, _legacy_facts(service), service.connect_timeout_seconds),
        "circuit_breakers": {"thresholds": [_NO_LIMITS | built_in(of_service(service))]},
        "metadata": {"filter_metadata": {"fig": {"side": "legacy"}}},
        **connections.to_legacy(service),
        **affinity.load_balancing(affinity.of(service, estate.routes), led=identities.asks(estate, service)),
        **endpoints.tls(service.tls),
        **_health(service.health),
    }


def _inner_hop(candidate: Candidate) -> Json:
    name = names.candidate_cluster(candidate.name)
    is_function = isinstance(candidate, LambdaFunction)
    # Envoy needs an id to tell this cluster's connections from those of others to the same listener.
    listener = {
        "server_listener_name": names.INNER_FUNCTIONS if is_function else names.INNER_UPSTREAMS,
        "endpoint_id": candidate.name,
    }
    hop = endpoints.endpoint({"address": {"envoy_internal_address": listener}}, _facts("lambda", candidate.name))
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "per_connection_buffer_limit_bytes": 2 * INNER_BUFFER_BYTES,
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [hop]}]},
        "circuit_breakers": {"thresholds": [_NO_LIMITS]},
        "metadata": {"filter_metadata": {"fig": {"side": "lambda", "candidate": candidate.name}}},
        **connections.inner(),
    }


def _composite(candidate: str, legacy: str) -> Json:
    # One member for each try: after the candidate, legacy may be asked again too.
    then = [{"name": names.legacy_cluster(legacy)} for _ in range(TRIES - 1)]
    members = [{"name": names.candidate_cluster(candidate)}, *then]
    return {
        "name": names.fallback_cluster(candidate, legacy),
        "connect_timeout": "1s",
        "lb_policy": "CLUSTER_PROVIDED",
        "circuit_breakers": {"thresholds": [_NO_LIMITS]},
        "metadata": {"filter_metadata": {"fig": {"side": "lambda", "candidate": candidate}}},
        "cluster_type": {
            "name": "envoy.clusters.composite",
            "typed_config": extension("clusters.composite.v3.ClusterConfig", clusters=members),
        },
    }


def _upstream(candidate: Candidate) -> Json:
    name = names.upstream_cluster(candidate.name)
    is_function = isinstance(candidate, LambdaFunction)
    hosts = (candidate.endpoint,) if isinstance(candidate, LambdaFunction) else candidate.endpoints
    gateway = {"com.amazonaws.lambda": {"egress_gateway": True}} if is_function else {}
    return {
        **endpoints.cluster(name, hosts, {"side": "lambda"}, candidate.connect_timeout_seconds),
        "per_connection_buffer_limit_bytes": INNER_BUFFER_BYTES,
        "circuit_breakers": {"thresholds": [_NO_LIMITS | built_in(of_candidate(candidate))]},
        "metadata": {"filter_metadata": {"fig": {"side": "lambda"}, **gateway}},
        "outlier_detection": {**_EJECTION, **(_BAD_ANSWERS if is_function else _BAD_CONNECTIONS)},
        **connections.to_candidate(
            idle_seconds=_API_IDLE_SECONDS if is_function else _IDLE_SECONDS,
            connect_seconds=candidate.connect_timeout_seconds,
        ),
        **endpoints.tls(candidate.tls),
        **(_health(candidate.health) if not isinstance(candidate, LambdaFunction) else {}),
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},  # with no host left, legacy answers
    }


def _legacy_facts(service: LegacyService) -> dict[str, str]:
    """What loggers may say of each of the service's endpoints."""
    return {**_facts("legacy", service.name), "connections": service.connections.value}


def _facts(side: str, name: str) -> dict[str, str]:
    return {"side": side, "service": name}


def _health(health: Health | None) -> Json:
    if health is None:
        return {}
    check = {
        "timeout": seconds(health.timeout_seconds),
        "interval": seconds(health.interval_seconds),
        "unhealthy_threshold": 3,
        "healthy_threshold": 1,
        "no_traffic_interval": seconds(health.interval_seconds),
        "http_health_check": {"path": health.path},
    }
    # With every host unhealthy the requests still go out: the application may know better than its check.
    return {"health_checks": [check], "common_lb_config": {"healthy_panic_threshold": {"value": 50}}}
