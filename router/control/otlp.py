"""Decisions and weights as OTLP/HTTP in its JSON encoding. Pure: values in, what is sent out.

Source: opentelemetry-proto 1.x, "JSON Protobuf Encoding" (64-bit integers are strings), read 2026-11-26.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from strangler_fig.names import (
    ACTOR_ATTRIBUTE,
    CONTROL_SERVICE,
    ENTRIES_ATTRIBUTE,
    EVENT_PREFIX,
    HEAD_ATTRIBUTE,
    RELEASE_ATTRIBUTE,
    ROUTE_ATTRIBUTE,
    STEP_ATTRIBUTE,
    VERDICT_ATTRIBUTE,
    WEIGHT_ATTRIBUTE,
    WEIGHT_METRIC,
)

from ..ledger.chain import Head
from ..ledger.records import NewEntry

_INFO = 9  # Source: opentelemetry-proto, logs.proto, SeverityNumber
_SCOPE = {"name": "fig.control"}
_NANOSECONDS = 1_000_000_000

Json = dict[str, Any]


def event(entry: NewEntry) -> Json:
    """The log event of a history entry; its body says why."""
    details = json.loads(entry.details) if entry.details else {}
    attributes = {
        ROUTE_ATTRIBUTE: entry.route,
        WEIGHT_ATTRIBUTE: entry.after.parts if entry.after is not None else None,
        RELEASE_ATTRIBUTE: entry.release,
        STEP_ATTRIBUTE: entry.step,
        VERDICT_ATTRIBUTE: details.get("verdict") or None,
        ACTOR_ATTRIBUTE: entry.actor,
    }
    return _record(EVENT_PREFIX + entry.kind.value, entry.reason, entry.at, attributes)


def head_event(head: Head, at: datetime) -> Json:
    """The log event that says how far the ledger is: with it a history that was written anew is found."""
    return _record(
        f"{EVENT_PREFIX}ledger.head", head.digest, at, {HEAD_ATTRIBUTE: head.digest, ENTRIES_ATTRIBUTE: head.entries}
    )


def logs(records: Sequence[Json]) -> Json:
    """What is sent to `/v1/logs`."""
    return {"resourceLogs": [_resource() | {"scopeLogs": [{"scope": _SCOPE, "logRecords": list(records)}]}]}


def metrics(weights: Mapping[str, int], at: datetime) -> Json:
    """What is sent to `/v1/metrics`: the weight of each route, parts per 10,000."""
    points = [
        {"timeUnixNano": _nanoseconds(at), "asInt": str(parts), "attributes": _attributes({ROUTE_ATTRIBUTE: route})}
        for route, parts in sorted(weights.items())
    ]
    gauge = {"name": WEIGHT_METRIC, "unit": "1", "gauge": {"dataPoints": points}}
    return {"resourceMetrics": [_resource() | {"scopeMetrics": [{"scope": _SCOPE, "metrics": [gauge]}]}]}


def _record(name: str, body: str, at: datetime, attributes: Mapping[str, str | int | None]) -> Json:
    return {
        "timeUnixNano": _nanoseconds(at),
        "severityNumber": _INFO,
        "severityText": "INFO",
        "eventName": name,
        "body": {"stringValue": body},
        "attributes": _attributes(attributes),
    }


def _resource() -> Json:
    return {"resource": {"attributes": _attributes({"service.name": CONTROL_SERVICE})}}


def _attributes(values: Mapping[str, str | int | None]) -> list[Json]:
    return [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in values.items()
        if value is not None
    ]


def _nanoseconds(at: datetime) -> str:
    return str(int(at.timestamp() * 1_000_000) * (_NANOSECONDS // 1_000_000))
