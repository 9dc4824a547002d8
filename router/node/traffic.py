"""What Envoy counted for each moving route and assigned side, cumulative since Envoy started.

Only moving routes are counted, so the answer stays small: reading everything at 10,000 routes would hold up Envoy's
main thread for 287 ms, and weights with it.
"""

from typing import Any

from strangler_fig.names import ASSIGNED_ATTRIBUTE, ROUTE_ATTRIBUTE, SIDE_ATTRIBUTE

from ..snapshot.faults import STATUS_TAG
from .admin import Admin
from .samples import Sample, samples, target

_TARGET = target("^fig[.]requests")
_INFINITE = "+Inf"


async def read_traffic(admin: Admin) -> dict[str, Any] | None:
    """The cumulative counters by route and assigned side; `epoch` changes when they restart. Raises `Unreachable`."""
    text = await admin.text(_TARGET)
    return {"epoch": str(await admin.process_id()), "routes": parse(text)}


def parse(text: bytes) -> dict[str, dict[str, Any]]:
    """The readings by route and side.

    Requests, statuses, fallbacks, and latency as cumulative buckets (milliseconds).
    """
    routes: dict[str, dict[str, Any]] = {}
    for sample in samples(text):
        assigned = sample.tag(ASSIGNED_ATTRIBUTE)
        if not assigned:
            continue  # the router answered by itself, before a side was asked
        side = routes.setdefault(sample.tag(ROUTE_ATTRIBUTE), {}).setdefault(assigned, _nothing_yet())
        match sample.name:
            case "fig_requests_total":
                _add(side, sample)
            case "fig_requests_duration_bucket" if sample.labels["le"] != _INFINITE:
                side["latency_ms"]["bounds"].append(float(sample.labels["le"]))
                side["latency_ms"]["counts"].append(sample.value)
    return routes


def _add(side: dict[str, Any], sample: Sample) -> None:
    side["requests"] += sample.value
    status = sample.tag(STATUS_TAG) or "0"
    side["by_status"][status] = side["by_status"].get(status, 0) + sample.value
    if sample.tag(ASSIGNED_ATTRIBUTE) == "lambda" and sample.tag(SIDE_ATTRIBUTE) == "legacy":
        side["fallbacks"] += sample.value


def _nothing_yet() -> dict[str, Any]:
    return {"requests": 0, "by_status": {}, "fallbacks": 0, "latency_ms": {"bounds": [], "counts": []}}
