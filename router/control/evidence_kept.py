"""An evidence window as the ledger keeps it, so that a restart of control loses at most a minute of nothing.

Nothing is counted twice: for each node two things are kept that were true in the same moment, what the window had and
the node's counters. Whoever goes on from there adds what the counters gained *since*, and no more. What was counted
while control was away is in that difference, because the counters are the node's and only grow; where they began at
zero meanwhile (another epoch), all that they have came after.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ..gate.evidence import RouteEvidence
from ..gate.wire import evidence_from_json, evidence_to_json

_VERSION = 1
_LEVEL = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One node in a window: what it had counted there (`so_far`), and its counters in that moment, both by route.

    `seconds` is how long it had counted, `at` the node's time of that moment; None where that was not kept.
    """

    epoch: str
    counters: Mapping[str, RouteEvidence]
    so_far: Mapping[str, RouteEvidence]
    seconds: float | None = None
    at: float | None = None


def packed(parts: Mapping[str, Part]) -> bytes:
    """The window's parts, by node, as the ledger keeps them."""
    nodes = {
        node: {
            "epoch": part.epoch,
            "counters": _json(part.counters),
            "so_far": _json(part.so_far),
            "seconds": part.seconds,
            "at": part.at,
        }
        for node, part in parts.items()
    }
    return zlib.compress(orjson.dumps({"version": _VERSION, "nodes": nodes}), _LEVEL)


def unpacked(content: bytes) -> dict[str, Part]:
    """The parts that `packed` made. Raises `ValueError`, `KeyError` or `TypeError` when it did not."""
    try:
        plain = orjson.loads(zlib.decompress(content))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if plain["version"] != _VERSION:
        message = f"it is of version {plain['version']}"
        raise ValueError(message)
    return {
        str(node): Part(
            epoch=str(one["epoch"]),
            counters=_read(one["counters"]),
            so_far=_read(one["so_far"]),
            seconds=_seconds(one.get("seconds")),
            at=_seconds(one.get("at")),
        )
        for node, one in plain["nodes"].items()
    }


def _json(routes: Mapping[str, RouteEvidence]) -> dict[str, Any]:
    return {route: evidence_to_json(evidence) for route, evidence in routes.items()}


def _seconds(plain: Any) -> float | None:
    return None if plain is None else float(plain)


def _read(plain: Mapping[str, Any]) -> dict[str, RouteEvidence]:
    return {route: evidence_from_json(evidence) for route, evidence in plain.items()}
