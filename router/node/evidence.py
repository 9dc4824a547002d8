"""What a gate judges, as this node counted it: requests by bucket of users, latencies by fold, versions by function.

Cumulative since Envoy started, of routes that move. The shape is the gate's; nothing here judges.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import add, sub
from typing import Any

from strangler_fig.names import (
    ASSIGNED_ATTRIBUTE,
    REASON_ATTRIBUTE,
    ROUTE_ATTRIBUTE,
    SIDE_ATTRIBUTE,
    UPSTREAM_ATTRIBUTE,
)

from ..snapshot.access_log import BUCKET_TAG, COLD_TAG, FOLD_TAG
from ..snapshot.faults import STATUS_TAG
from ..snapshot.manifest import Manifest
from ..snapshot.names import candidate_of
from .samples import Sample

VERSION_TAG = "faas.version"
_NO_VERSION = "none"
_TIMED_OUT = "504"

Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A reading: which Envoy counted, when it was read (Unix seconds), and the counts by route and assigned side."""

    epoch: str
    at: float
    routes: Mapping[str, Values]

    def to_json(self, *, node: str, weights_version: int) -> Values:
        """The reading as control takes it, told by `node` while it had these weights in force."""
        told = {"node": node, "epoch": self.epoch, "weights_version": weights_version, "at": self.at}
        return {**told, "routes": self.routes}


def evidence(
    found: Iterable[Sample], *, epoch: str, serving: Manifest, clock: Callable[[], float] = time.time
) -> Evidence:
    """The reading that these counters are. `serving` says which function a route's Lambda side is."""
    tally = _Tally()
    for sample in found:
        add = _KINDS.get(sample.name)
        if add is not None:
            add(tally, sample)
    for name, sides in tally.routes.items():
        keys = serving.routes.get(name)
        versions = tally.versions.get(candidate_of(keys.lambda_key)) if keys else None
        if versions:
            sides.setdefault("lambda", {})["executed_version"] = versions
    return Evidence(epoch=epoch, at=clock(), routes=tally.routes)


@dataclass(slots=True)
class _Tally:
    """The counts so far. What has no bucket is left out: nobody's side was drawn, or too many routes move."""

    routes: dict[str, dict[str, Values]] = field(default_factory=dict)
    versions: dict[str, dict[str, int]] = field(default_factory=dict)

    def side(self, sample: Sample, assigned: str) -> Values:
        return self.routes.setdefault(sample.tag(ROUTE_ATTRIBUTE), {}).setdefault(assigned, {})

    def requests(self, sample: Sample) -> None:
        assigned, bucket, status = (sample.tag(tag) for tag in (ASSIGNED_ATTRIBUTE, BUCKET_TAG, STATUS_TAG))
        if not bucket or not assigned:
            return
        counts = self.side(sample, assigned).setdefault(bucket, {})
        _add(counts, "requests", sample.value)
        if status.isdigit() and int(status):
            _add(counts.setdefault("by_status", {}), status, sample.value)
        if assigned == "lambda" and sample.tag(SIDE_ATTRIBUTE) == "legacy":
            _add(counts, "fallbacks", sample.value)
        elif assigned == "legacy" and status == _TIMED_OUT:
            _add(counts, "timeouts", sample.value)  # Lambda's are counted where they are known, fallback or not

    def bytes(self, sample: Sample) -> None:
        assigned, bucket = sample.tag(ASSIGNED_ATTRIBUTE), sample.tag(BUCKET_TAG)
        if bucket and assigned:
            _add(self.side(sample, assigned).setdefault(bucket, {}), "response_bytes", sample.value)

    def limited_calls(self, sample: Sample) -> None:
        kind = "timeouts" if sample.tag(REASON_ATTRIBUTE) == "timeout" else "throttles"
        _add(self.side(sample, "lambda").setdefault(sample.tag(BUCKET_TAG), {}), kind, sample.value)

    def latency(self, sample: Sample) -> None:
        assigned, fold = sample.tag(ASSIGNED_ATTRIBUTE), sample.tag(FOLD_TAG)
        if not fold or not assigned:
            return
        kind = "cold_latency_ms" if assigned == "lambda" and sample.tag(COLD_TAG) else "latency_ms"
        apart = map(sub, (*sample.counts, sample.value), (0, *sample.counts))
        folds = self.side(sample, assigned).setdefault(kind, {})
        if fold in folds:  # of a legacy that marks cold starts: they are as good as its other answers
            apart = map(add, folds[fold]["counts"], list(apart))
        folds[fold] = {"bounds": list(sample.bounds), "counts": list(apart)}

    def outcomes(self, sample: Sample) -> None:
        version = sample.tag(VERSION_TAG)
        if version and version != _NO_VERSION:
            _add(self.versions.setdefault(sample.tag(UPSTREAM_ATTRIBUTE), {}), version, sample.value)


_KINDS: Mapping[str, Callable[[_Tally, Sample], None]] = {
    "fig_requests_total": _Tally.requests,
    "fig_requests_bytes": _Tally.bytes,
    "fig_requests_limited_calls": _Tally.limited_calls,
    "fig_requests_duration_bucket": _Tally.latency,
    "fig_calls_outcomes": _Tally.outcomes,
}


def _add(counts: dict[str, int], name: str, value: int) -> None:
    counts[name] = counts.get(name, 0) + value
