"""The bootstrap: what Envoy reads once at start. Where two estates have the same one, no restart lies between them."""

from collections.abc import Mapping

from ..estate import Estate
from . import counters, names, telemetry
from .proto import Json, extension, watched
from .runtime import LAYER

ADMIN_SOCKET = "admin.sock"
# About 25 % from one to the next, so that an interpolated p99 is right to a few percent.
_LATENCY_BOUNDS_MS = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 125, 150, 200, 250, 300, 400, 500, 600, 800),
    *(1000, 1250, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10_000, 15_000, 20_000, 30_000, 60_000),
)

# Every stat is visited by each reading, whatever its filter: what nobody reads is not kept. With all of them a
# reading at 1,000 routes holds Envoy's main thread for 15 to 20 ms, with these for 2.
_KEPT_STATS = [
    *(
        {"prefix": prefix}
        for prefix in ("fig.", "runtime.", "server.", "cluster_manager.", "listener_manager.", "http.entry.")
    ),
    *({"exact": f"cluster.{names.TELEMETRY}.{name}"} for name in ("upstream_rq_completed", "upstream_rq_2xx")),
    *(
        {"suffix": f".{suffix}"}
        for suffix in (
            "membership_healthy",
            "outlier_detection.ejections_active",
            "upstream_cx_active",
            "upstream_cx_connect_fail",
            "upstream_cx_overflow",
            "upstream_rq_active",
            "upstream_rq_active_overflow",
            "upstream_rq_total",
            "upstream_rq_timeout",
            "upstream_rq_retry_overflow",
            "upstream_rq_pending_active",
            "upstream_rq_pending_overflow",
            "ssl.fail_verify_error",
        )
    ),
]
_STATS = {
    "use_all_default_tags": False,
    "stats_matcher": {"inclusion_list": {"patterns": _KEPT_STATS}},
    "histogram_bucket_settings": [{"match": {"prefix": "fig.requests.duration"}, "buckets": list(_LATENCY_BOUNDS_MS)}],
}
# Envoy's start waits for each name's first look-up: a name server that is silent must not hold it for a minute.
_RESOLVER = extension("network.dns_resolver.cares.v3.CaresDnsResolverConfig", query_timeout_seconds=2, query_tries=2)


def bootstrap(estate: Estate) -> Json:
    """The bootstrap; every path in it is relative to the node's state directory."""
    return {
        **_always(),
        "stats_config": _STATS | telemetry.stats_tags(estate),
        **telemetry.bootstrap(estate),
        "layered_runtime": {
            "layers": [
                *_fixed_layer(telemetry.runtime(estate)),
                {"name": LAYER, "rtds_layer": {"name": LAYER, "rtds_config": watched("rtds")}},
            ],
        },
        "dynamic_resources": {"cds_config": watched("cds"), "lds_config": watched("lds")},
    }


def inlined(bootstrap: Json, *, clusters: list[Json], listeners: list[Json]) -> Json:
    """The bootstrap with everything that it watches in it, because Envoy's validation does not read watched files."""
    rest = {key: value for key, value in bootstrap.items() if key != "dynamic_resources"}
    static = bootstrap.get("static_resources", {})
    return {
        **rest,
        "layered_runtime": {"layers": [{"name": LAYER, "static_layer": {}}]},
        "static_resources": {
            "clusters": [*static.get("clusters", []), *clusters],
            "listeners": [*static.get("listeners", []), *listeners],
        },
    }


def _fixed_layer(values: Mapping[str, int]) -> list[Json]:
    return [{"name": "fixed", "static_layer": dict(values)}] if values else []


def _always() -> Json:
    return {
        "admin": {"address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}}},
        "stats_flush_interval": "1s",
        "stats_eviction_interval": f"{counters.EVICTION_SECONDS}s",
        # What reading a large configuration took is given back to the host, little by little.
        "memory_allocator_manager": {"bytes_to_release": 1024 * 1024, "memory_release_interval": "1s"},
        "typed_dns_resolver_config": {"name": "envoy.network.dns_resolver.cares", "typed_config": _RESOLVER},
        "bootstrap_extensions": [
            {
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": extension("bootstrap.internal_listener.v3.InternalListener"),
            }
        ],
    }
