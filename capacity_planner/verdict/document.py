"""`capacity.json`: the verdict as a document, which a release plan reads to refuse a weight that the way cannot carry.

The digest names the inputs, demand and limits, so that a reader sees when they changed; the date does not change it.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from ..arithmetic import count
from ..demand.values import Demand
from ..limits.values import Limits
from ..path.evaluate import evaluate
from ..path.judge import PathVerdict, verdict_on
from ..path.measure import Measure
from .allotment import allotted
from .inputs import to_plain
from .legacy import LegacyLimit, LegacyVerdict, judge_legacy, without_legacy

VERSION = 1
ASSUMED = (
    "event_overhead_bytes",
    "dns_packets_per_lookup",
    "warm_environments",
    "wire_overhead",
    "eni_fill",
    "eni_other_consumers",
)
"""The assumptions that the allotments rest on."""


def document(demand: Demand, limits: Limits, *, as_of: date) -> dict[str, Any]:
    """The verdict on a demand, as JSON values in a fixed order. `as_of`: the day it was made."""
    evaluation = evaluate(demand, limits)
    assumptions = {key: limits[key].value for key in ASSUMED}
    return {
        "version": VERSION,
        "digest": digest(demand, limits),
        "as_of": as_of.isoformat(),
        "functions": {
            one.function: {
                "max_concurrency": one.max_concurrency,
                "max_rps": _down(one.max_rate),
                "reserved_concurrency": one.reserved,
                "binding_limit": _binding(one.binding, as_of),
                "assumptions": assumptions,
            }
            for one in allotted(evaluation)
        },
        "path": _path(verdict_on(evaluation), as_of),
        "legacy": _legacy(judge_legacy(demand, limits), without_legacy(demand), as_of),
    }


def digest(demand: Demand, limits: Limits) -> str:
    """The SHA-256 of demand and limits."""
    plain = {"demand": to_plain(demand), "limits": {key: limits[key].value for key in limits}}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def render(values: Mapping[str, Any]) -> str:
    """The document's text."""
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def summary(values: Mapping[str, Any]) -> str:
    """The document in a sentence or two, for a terminal."""
    functions = values["functions"]
    path, legacy = values["path"], values["legacy"]
    stands = "exceeded" if path["exceeded"] else "within every limit"
    back = {True: "can take everything back", False: "cannot take everything back", None: "may or may not: see unknown"}
    return (
        f"{count(len(functions), 'function')}; {stands}, {path['binding_limit']['code']} binds; "
        f"legacy {back[legacy['takes_everything_back']]}"
    )


def _down(rate: float) -> float:
    """A rate with three decimals, never rounded up."""
    return math.floor(rate * 1_000) / 1_000


def _binding(measure: Measure, as_of: date) -> dict[str, Any]:
    """The limit that binds: what of it is there, and since when and by whom it is known."""
    subject = f" {measure.subject}" if measure.subject else ""
    return {
        "code": measure.kind.code,
        "hop": f"{measure.kind.hop}{subject}",
        "value": measure.capacity,
        "as_of": measure.limit.as_of or as_of.isoformat(),
        "source": measure.limit.source,
    }


def _path(verdict: PathVerdict, as_of: date) -> dict[str, Any]:
    """The verdict on the whole way as it is demanded today."""
    binding = verdict.binding
    return {
        "exceeded": [
            {"code": hop.kind.code, "subject": hop.subject, "case": hop.worst.value} for hop in verdict.exceeded
        ],
        "binding_limit": {**_binding(binding.reading, as_of), "utilisation": _finite(binding.utilisation)},
        "limits": [_limit(hop.reading, as_of) for hop in verdict.hops],
    }


def _limit(measure: Measure, as_of: date) -> dict[str, Any]:
    """A limit of the way in its worst case, for those who watch it: the place, the load, and in which unit."""
    load = round(measure.load, 3)
    return {**_binding(measure, as_of), "subject": measure.subject, "load": load, "unit": measure.kind.unit}


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _legacy(found: Iterable[LegacyVerdict], unknown: tuple[str, ...], as_of: date) -> dict[str, Any]:
    applications = {one.name: _application(one, as_of) for one in found}
    takes = all(one["takes_all"] for one in applications.values())
    return {
        "takes_everything_back": False if not takes else (None if unknown or not applications else True),
        "unknown": list(unknown),
        "applications": applications,
    }


def _application(one: LegacyVerdict, as_of: date) -> dict[str, Any]:
    return {
        "takes_all": one.takes_all,
        "functions": list(one.functions),
        "binding_limit": _legacy_limit(one.binding, as_of),
        "limits": [_legacy_limit(limit, as_of) for limit in one.limits],
    }


def _legacy_limit(limit: LegacyLimit, as_of: date) -> dict[str, Any]:
    return {
        "code": limit.code,
        "hop": f"legacy {limit.subject}" if limit.code != "legacy-sessions" else f"database {limit.subject}",
        "load": round(limit.load, 3),
        "value": limit.capacity,
        "as_of": as_of.isoformat(),
        "source": limit.source,
    }
