"""Evidence as JSON: what a node sends to control.

    {node, epoch, weights_version, at, routes: {<route>: {<legacy | lambda>: {
        "0": {requests, by_status: {"200": n}, fallbacks, throttles, timeouts, response_bytes}, ... "63",
        latency_ms: {"0": {bounds, counts}, ... "7"}, cold_latency_ms: the same,
        executed_version: {"41": n}, parity: {compared, different} | absent}}}}

Latencies are keyed by fold. Counts that are zero, and buckets, folds and parts that are empty, may be absent.
"""

from collections.abc import Mapping
from typing import Any

from .counts import PLAIN, Columns, Counts
from .evidence import Histogram, Parity, Reading, RouteEvidence, SideEvidence


def to_json(reading: Reading) -> dict[str, Any]:
    """The reading as JSON values."""
    return {
        "node": reading.node,
        "epoch": reading.epoch,
        "weights_version": reading.weights_version,
        "at": reading.at,
        "routes": {name: evidence_to_json(evidence) for name, evidence in reading.routes.items()},
    }


def from_json(values: Mapping[str, Any]) -> Reading:
    """The reading that JSON values stand for.

    Raises `KeyError`, `TypeError` or `ValueError` when they are none: whoever took them from outside turns that into a
    refusal.
    """
    return Reading(
        node=str(values["node"]),
        epoch=str(values["epoch"]),
        weights_version=int(values["weights_version"]),
        at=float(values["at"]),
        routes={name: evidence_from_json(evidence) for name, evidence in values["routes"].items()},
    )


def evidence_to_json(evidence: RouteEvidence) -> dict[str, Any]:
    """Both sides of a route as JSON values."""
    return {"legacy": _side_to_json(evidence.legacy), "lambda": _side_to_json(evidence.lambda_)}


def evidence_from_json(values: Mapping[str, Any]) -> RouteEvidence:
    """Both sides of a route, from JSON values; raises as `from_json` does."""
    return RouteEvidence(legacy=_side(values.get("legacy", {})), lambda_=_side(values.get("lambda", {})))


def _side_to_json(side: SideEvidence) -> dict[str, Any]:
    values: dict[str, Any] = {str(bucket): _counts_to_json(counts) for bucket, counts in sorted(side.buckets.items())}
    for name, folds in (("latency_ms", side.latency), ("cold_latency_ms", side.cold_latency)):
        if folds:
            values[name] = {
                str(fold): {"bounds": list(one.bounds), "counts": list(one.counts)} for fold, one in folds.items()
            }
    if side.executed_versions:
        values["executed_version"] = dict(side.executed_versions)
    if side.parity:
        values["parity"] = {"compared": side.parity.compared, "different": side.parity.different}
    return values


def _counts_to_json(counts: Counts) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(counts, name) for name in PLAIN}
    return values | {"by_status": {str(status): count for status, count in sorted(counts.by_status.items())}}


def _side(values: Mapping[str, Any]) -> SideEvidence:
    parity = values.get("parity")
    return SideEvidence(
        buckets=_columns([(int(key), counts) for key, counts in values.items() if key.isdigit()]),
        latency=_folds(values.get("latency_ms", {})),
        cold_latency=_folds(values.get("cold_latency_ms", {})),
        executed_versions={str(name): int(count) for name, count in values.get("executed_version", {}).items()},
        parity=None if parity is None else Parity(compared=int(parity["compared"]), different=int(parity["different"])),
    )


def _columns(told: list[tuple[int, Mapping[str, Any]]]) -> Columns:
    plain = [[int(counts.get(name, 0)) for _, counts in told] for name in PLAIN]
    rows = [counts.get("by_status", {}) for _, counts in told]
    by_status = {int(status): [int(row.get(status, 0)) for row in rows] for status in set[str]().union(*rows)}
    return Columns(tuple(number for number, _ in told), plain, by_status)


def _folds(values: Mapping[str, Any]) -> dict[int, Histogram]:
    return {
        int(fold): Histogram(
            bounds=tuple(float(bound) for bound in one["bounds"]), counts=tuple(int(count) for count in one["counts"])
        )
        for fold, one in values.items()
    }
