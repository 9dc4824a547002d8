"""The bootstrap: what Envoy reads once at start. It is the same for every estate, so a new estate needs no restart."""

from .proto import Json, extension, watched
from .runtime import LAYER

ADMIN_SOCKET = "admin.sock"


def bootstrap() -> Json:
    """The bootstrap; every path in it is relative to the node's state directory."""
    return {
        **_always(),
        "layered_runtime": {
            "layers": [{"name": LAYER, "rtds_layer": {"name": LAYER, "rtds_config": watched("rtds")}}],
        },
        "dynamic_resources": {"cds_config": watched("cds"), "lds_config": watched("lds")},
    }


def static_bootstrap(*, clusters: list[Json], listeners: list[Json], runtime: Json) -> Json:
    """The same configuration with everything inlined, because Envoy's validation does not read watched files."""
    return {
        **_always(),
        "layered_runtime": {"layers": [{"name": LAYER, "static_layer": runtime}]},
        "static_resources": {"clusters": clusters, "listeners": listeners},
    }


def _always() -> Json:
    return {
        "admin": {"address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}}},
        "stats_flush_interval": "1s",
        "bootstrap_extensions": [
            {
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": extension("bootstrap.internal_listener.v3.InternalListener"),
            }
        ],
        "stats_config": {"use_all_default_tags": False},
    }
