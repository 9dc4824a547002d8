"""What Envoy does when it has too much: connections beyond a number are closed, memory is won back step by step.

Envoy cannot tell shadows from Lambda from legacy: to leave those first is the node's business (`node/pressure.py`),
which therefore begins at lower pressure than any step here.
"""

from collections.abc import Mapping
from typing import Any

from .proto import Json, extension

CONNECTIONS = "envoy.resource_monitors.global_downstream_max_connections"
MEMORY = "envoy.resource_monitors.fixed_heap"
PRESSURE = f"overload.{MEMORY}.pressure"
"""The gauge of the memory's pressure, in percent of what Envoy may have."""

_GIVE_BACK = 0.85
_HURRY = (0.90, 0.97)  # idle timeouts go from their whole length to the shortest
_NO_KEEPALIVE = 0.95
_REFUSE = 0.98
_SHORTEST_IDLE = "5s"


def connections(most: int | None) -> Json:
    """The bootstrap's fields that limit connections to the estate's number; none when the node shall choose it."""
    return {} if most is None else {"overload_manager": {"resource_monitors": [_connections(most)]}}


def sized(bootstrap: Mapping[str, Any], *, connections: int, memory_bytes: int) -> Json:
    """The bootstrap with a host's limits: its number of connections where the estate has none, and its memory."""
    estates = bootstrap.get("overload_manager", {}).get("resource_monitors", [])
    memory = extension("resource_monitors.fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=memory_bytes)
    monitors = [*(estates or [_connections(connections)]), {"name": MEMORY, "typed_config": memory}]
    manager = {"refresh_interval": "0.25s", "resource_monitors": monitors, "actions": _actions()}
    return {**bootstrap, "overload_manager": manager}


def _connections(most: int) -> Json:
    limit = extension(
        "resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=most,
    )
    return {"name": CONNECTIONS, "typed_config": limit}


def _actions() -> list[Json]:
    idle = {"timer": "HTTP_DOWNSTREAM_CONNECTION_IDLE", "min_timeout": _SHORTEST_IDLE}
    hurry = {"scaling_threshold": _HURRY[0], "saturation_threshold": _HURRY[1]}
    return [
        _at("shrink_heap", _GIVE_BACK),
        {
            "name": "envoy.overload_actions.reduce_timeouts",
            "triggers": [{"name": MEMORY, "scaled": hurry}],
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig",
                "timer_scale_factors": [idle],
            },
        },
        _at("disable_http_keepalive", _NO_KEEPALIVE),
        _at("stop_accepting_requests", _REFUSE),
    ]


def _at(action: str, pressure: float) -> Json:
    trigger = {"name": MEMORY, "threshold": {"value": pressure}}
    return {"name": f"envoy.overload_actions.{action}", "triggers": [trigger]}
