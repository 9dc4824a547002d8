"""What Envoy counted for each moving route and assigned side, cumulative since Envoy started.

Only moving routes are counted, so the answer stays small: reading everything at 10,000 routes would hold up Envoy's
main thread for 287 ms, and weights with it. Prometheus' text is the one format in which tags stay apart from names.
"""

import re
from typing import Any
from urllib.parse import quote

from .admin import Admin

_TARGET = f"/stats?format=prometheus&filter={quote('^fig[.]requests')}"
_SAMPLE = re.compile(r"^envoy_fig_requests_(total|duration_bucket|duration_count)\{(.*)\} (\d+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


async def read_traffic(admin: Admin) -> dict[str, Any] | None:
    """The cumulative counters by route and assigned side; `epoch` changes when they restart. Raises `Unreachable`."""
    text = (await admin.text(_TARGET)).decode(errors="replace")
    return {"epoch": str(await admin.process_id()), "routes": parse(text)}


def parse(text: str) -> dict[str, dict[str, Any]]:
    """The readings by route and side.

    Requests, statuses, fallbacks, and latency as cumulative buckets (milliseconds).
    """
    routes: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        found = _SAMPLE.match(line)
        if not found:
            continue
        labels = dict(_LABEL.findall(found[2]))
        count = int(found[3])
        side = routes.setdefault(labels["route"], {}).setdefault(labels["side"], _nothing_yet())
        match found[1]:
            case "total":
                _add(side, labels, count)
            case "duration_bucket" if labels["le"] != "+Inf":
                side["latency_ms"]["bounds"].append(float(labels["le"]))
                side["latency_ms"]["counts"].append(count)
    return routes


def _add(side: dict[str, Any], labels: dict[str, str], count: int) -> None:
    side["requests"] += count
    status = labels.get("status", "0")
    side["by_status"][status] = side["by_status"].get(status, 0) + count
    if labels["side"] == "lambda" and labels.get("answered") == "legacy":
        side["fallbacks"] += count


def _nothing_yet() -> dict[str, Any]:
    return {"requests": 0, "by_status": {}, "fallbacks": 0, "latency_ms": {"bounds": [], "counts": []}}
