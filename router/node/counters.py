"""What Envoy counted that should not be: faults by route, odd paths, alarms, what the telemetry receiver did not take.

Cumulative since Envoy started. Read every ten seconds and told once: there may be thousands of routes in it, while
the report goes out each second.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from strangler_fig.names import (
    ASSIGNED_ATTRIBUTE,
    CLUSTER_ATTRIBUTE,
    FLAGS_ATTRIBUTE,
    REASON_ATTRIBUTE,
    ROLE_ATTRIBUTE,
    ROLE_SHADOW,
    ROUTE_ATTRIBUTE,
    SIDE_ATTRIBUTE,
    UPSTREAM_ATTRIBUTE,
)

from ..snapshot.faults import FLAGS, STATUS_TAG, STATUSES
from ..snapshot.names import TELEMETRY
from .admin import Admin
from .samples import Sample, samples, target

_EVERY_SECONDS = 10.0
_TARGET = target(f"^(fig[.](faults|paths|alarms)[.]|cluster[.]{TELEMETRY}[.]upstream_rq_(completed|2xx)$)")
_ALARM = "fig_alarms_"

Reading = dict[str, Any]


class Counters:
    """The latest reading, as long as control has not heard of it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = clock()
        self._untold: Reading | None = None

    async def read(self, admin: Admin) -> None:
        """Read the counters when it is time again. Raises `Unreachable`."""
        if self._clock() < self._due:
            return
        text = await admin.text(_TARGET)
        self._untold = {"epoch": str(await admin.process_id()), **parse(samples(text))}
        self._due = self._clock() + _EVERY_SECONDS

    def untold(self) -> Reading | None:
        """The reading that control has not heard of; None where it heard of all."""
        return self._untold

    def told(self, reading: Reading | None) -> None:
        """Control has heard of this reading."""
        if reading is self._untold:
            self._untold = None


def parse(found: Iterable[Sample]) -> Reading:
    """The counters by route, alarm and service."""
    reading: Reading = {"routes": {}, "odd_paths": {}, "alarms": {}, "telemetry": {}}
    for sample in found:
        match sample.name:
            case "fig_faults_requests":
                for kind in faults(sample):
                    _add(sample.value, reading, "routes", sample.tag(ROUTE_ATTRIBUTE), "requests", kind)
            case "fig_faults_calls":
                calls = "shadow_calls" if sample.tag(ROLE_ATTRIBUTE) == ROLE_SHADOW else "calls"
                reason = sample.tag(REASON_ATTRIBUTE)
                _add(sample.value, reading, "routes", sample.tag(ROUTE_ATTRIBUTE), calls, reason)
            case "fig_paths_odd":
                _add(sample.value, reading, "odd_paths", sample.tag(ROUTE_ATTRIBUTE))
            case name if name.startswith(_ALARM):
                alarm, service = name.removeprefix(_ALARM), sample.tag(UPSTREAM_ATTRIBUTE)
                _add(sample.value, reading, "alarms", alarm, service)
            case "cluster_upstream_rq_completed" if sample.tag(CLUSTER_ATTRIBUTE) == TELEMETRY:
                _add(sample.value, reading, "telemetry", "batches")
                _add(sample.value, reading, "telemetry", "lost")
            case "cluster_upstream_rq_2xx" if sample.tag(CLUSTER_ATTRIBUTE) == TELEMETRY:
                _add(-sample.value, reading, "telemetry", "lost")
    return reading


def faults(sample: Sample) -> frozenset[str]:
    """What did not go as it should with the requests of this counter."""
    side = sample.tag(SIDE_ATTRIBUTE)
    flagged = {FLAGS[flag] for flag in sample.tag(FLAGS_ATTRIBUTE).split(",") if flag in FLAGS}
    status = sample.tag(STATUS_TAG)
    # What an upstream answers by itself is its own affair: a login of its own begins with a 401.
    if not side and not flagged and status.isdigit() and int(status) in STATUSES:
        return frozenset({STATUSES[int(status)]})
    fallback = {"fallback"} if side == "legacy" and sample.tag(ASSIGNED_ATTRIBUTE) == "lambda" else set()
    return frozenset(flagged | fallback)


def _add(value: int, reading: Reading, *path: str) -> None:
    *folders, last = path
    for folder in folders:
        reading = reading.setdefault(folder, {})
    reading[last] = reading.get(last, 0) + value
