"""What Envoy counted for each moving route: for people, by assigned side, and for gates, by bucket of users.

Cumulative since Envoy started. Only moving routes are counted, so the answer stays small: reading everything at 10,000
routes would hold up Envoy's main thread for 287 ms, and weights with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import add
from typing import Any

from strangler_fig.names import ASSIGNED_ATTRIBUTE, ROUTE_ATTRIBUTE, SIDE_ATTRIBUTE

from ..snapshot.faults import STATUS_TAG
from ..snapshot.manifest import Manifest
from .admin import Admin
from .evidence import Evidence, evidence
from .samples import Sample, samples, target

TARGET = target("^fig[.](requests|calls)[.]")
_REQUESTS, _LATENCY = "fig_requests_total", "fig_requests_duration_bucket"
_FAILED = 500
_BADLY, _BAD_SHARE = 2, 0.03
"""Failures, and their share of what Lambda was asked: where it is more, each of four readings a second is told."""
_OURS = {_REQUESTS, _LATENCY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One reading of Envoy's counters, as reports tell it: `routes` with their sides, and the evidence of gates.

    The epoch changes when the counters restart.
    """

    epoch: str
    routes: dict[str, dict[str, Any]]
    evidence: Evidence | None

    def to_json(self) -> dict[str, Any]:
        """What people look at."""
        return {"epoch": self.epoch, "routes": self.routes}


async def read_traffic(admin: Admin, serving: Manifest | None) -> Traffic:
    """The counters of a node that serves this. Raises `Unreachable`."""
    found = list(samples(await admin.text(TARGET)))
    epoch = str(await admin.process_id())
    judged = evidence(found, epoch=epoch, serving=serving) if serving else None
    return Traffic(epoch=epoch, routes=parse(found), evidence=judged)


def has_failed_again(before: Traffic | None, now: Traffic) -> bool:
    """Whether more requests that were meant for Lambda failed, or were answered by legacy, than had at `before`."""
    return before is not None and before.epoch == now.epoch and _failed(now) > _failed(before)


def fails_badly(before: Traffic | None, now: Traffic) -> bool:
    """Whether so much failed on Lambda since `before` that a gate's breaker may have waited for it."""
    if before is None or before.epoch != now.epoch:
        return False
    return any(_is_bad(before.routes.get(name, {}), sides) for name, sides in now.routes.items())


def _is_bad(before: dict[str, Any], now: dict[str, Any]) -> bool:
    failed = _side_failed(now) - _side_failed(before)
    return failed >= _BADLY and failed >= _BAD_SHARE * (_side_asked(now) - _side_asked(before))


def _failed(traffic: Traffic) -> int:
    return sum(map(_side_failed, traffic.routes.values()))


def _side_failed(sides: dict[str, Any]) -> int:
    side = sides.get("lambda", {"by_status": {}, "fallbacks": 0})
    failed = [int(count) for status, count in side["by_status"].items() if int(status) >= _FAILED]
    return sum(failed) + int(side["fallbacks"])


def _side_asked(sides: dict[str, Any]) -> int:
    return int(sides.get("lambda", {}).get("requests", 0))


def parse(found: Iterable[Sample]) -> dict[str, dict[str, Any]]:
    """The readings by route and side.

    Requests, statuses, fallbacks, and latency as cumulative buckets (milliseconds).
    """
    routes: dict[str, dict[str, Any]] = {}
    latencies: dict[tuple[str, str], tuple[tuple[float, ...], list[int]]] = {}
    for sample in found:
        if sample.name not in _OURS:
            continue
        assigned = sample.tag(ASSIGNED_ATTRIBUTE)
        if not assigned:
            continue  # the router answered by itself, before a side was asked
        route = sample.tag(ROUTE_ATTRIBUTE)
        side = routes.setdefault(route, {}).setdefault(assigned, _nothing_yet())
        if sample.name == _REQUESTS:
            _add(side, sample)
        elif (known := latencies.get((route, assigned))) and known[0] == sample.bounds:
            known[1][:] = map(add, known[1], sample.counts)
        else:
            latencies[route, assigned] = (sample.bounds, list(sample.counts))
    for (route, assigned), (bounds, counts) in latencies.items():
        routes[route][assigned]["latency_ms"] = {"bounds": list(bounds), "counts": counts}
    return routes


def _add(side: dict[str, Any], sample: Sample) -> None:
    side["requests"] += sample.value
    status = sample.tag(STATUS_TAG) or "0"
    side["by_status"][status] = side["by_status"].get(status, 0) + sample.value
    if sample.tag(ASSIGNED_ATTRIBUTE) == "lambda" and sample.tag(SIDE_ATTRIBUTE) == "legacy":
        side["fallbacks"] += sample.value


def _nothing_yet() -> dict[str, Any]:
    return {"requests": 0, "by_status": {}, "fallbacks": 0, "latency_ms": {"bounds": [], "counts": []}}
