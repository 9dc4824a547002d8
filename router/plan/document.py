"""The plan file: JSON that holds what will be applied, the digests of what it was made on, and its own.

`apply` reads it back, sends `document` and `basis` to control, and control refuses when anything has moved since.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from strangler_fig.diagnostics import Diagnostic, Refused

from ..ledger.chain import text_digest
from .course import Arrival
from .load import FunctionLoad
from .values import PlannedRamp, PlannedStep, ReleasePlan

VERSION = 2
NOT_A_PLAN = "PL301"
RELEASE, ESTATE = "release", "estate"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A plan as `apply` needs it.

    `kind` is `release` or `estate`; `document` the release's text or the normalised estate's; `basis` what control
    compares (for an estate the published one's digest), None: control was not seen. `digest` names the plan.
    """

    kind: str
    name: str
    digest: str
    document: str
    basis: str | None
    files: Mapping[str, str]
    plain: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstatePlan:
    """A plan of a changed estate: its normalised text, what it changes, and the published one (`base`), if seen."""

    text: str
    made_at: datetime
    base: str | None
    ledger: str | None
    changes: tuple[Mapping[str, str], ...]
    unseen: tuple[str, ...]
    running: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The releases that run, with their routes that it changes."""


def release_document(plan: ReleasePlan, files: Mapping[str, str]) -> dict[str, Any]:
    """The plan file's content. `files`: the SHA-256 of each file that was read, by its path."""
    inputs = plan.inputs
    return _sealed(
        {
            "version": VERSION,
            "kind": RELEASE,
            "made_at": plan.made_at.isoformat(),
            "release": plan.release.name,
            "ticket": plan.release.ticket,
            "document": plan.text,
            "inputs": {
                "release": inputs.release,
                "estate": inputs.estate,
                "ledger": inputs.ledger,
                "basis": inputs.basis,
                "capacity": inputs.capacity,
                "seen": dict(inputs.seen) if inputs.seen is not None else None,
                "files": dict(files),
            },
            "is_applicable": plan.is_applicable,
            "problems": [one.to_json() for one in plan.problems],
            "unseen": list(plan.unseen),
            "legacy": plan.legacy,
            "traffic": list(plan.traffic),
            "ramps": [_ramp(one) for one in plan.ramps],
        }
    )


def estate_document(plan: EstatePlan, files: Mapping[str, str]) -> dict[str, Any]:
    """The plan file's content for an estate."""
    return _sealed(
        {
            "version": VERSION,
            "kind": ESTATE,
            "made_at": plan.made_at.isoformat(),
            "document": plan.text,
            "inputs": {
                "estate": text_digest(plan.text),
                "ledger": plan.ledger,
                "basis": plan.base,
                "running": {name: list(routes) for name, routes in plan.running.items()},
                "files": dict(files),
            },
            "is_applicable": True,
            "problems": [],
            "unseen": list(plan.unseen),
            "changes": [dict(one) for one in plan.changes],
        }
    )


def read_plan(text: str, file: str) -> PlanFile:
    """The plan that a file's text holds. Raises `Refused` when it is none, or was changed since it was written."""
    try:
        plain = json.loads(text)
        content = {key: value for key, value in plain.items() if key != "digest"}
        if plain["version"] != VERSION or plain["kind"] not in {RELEASE, ESTATE}:
            raise _refused(file, "it is of another version or kind")
        if _digest(content) != plain["digest"]:
            raise _refused(file, "it was changed after it was written")
        found = PlanFile(
            kind=plain["kind"],
            name=plain.get("release", "estate"),
            digest=plain["digest"],
            document=plain["document"],
            basis=plain["inputs"]["basis"],
            files=plain["inputs"]["files"],
            plain=plain,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _refused(file, "it is not what fig plan writes") from error
    return found


def render(document: Mapping[str, Any]) -> str:
    """The file's text."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _sealed(content: dict[str, Any]) -> dict[str, Any]:
    return content | {"digest": _digest(content)}


def _digest(content: Mapping[str, Any]) -> str:
    return text_digest(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def _refused(file: str, reason: str) -> Refused:
    message = f"{file} is not a plan that can be applied: {reason}"
    return Refused([Diagnostic(code=NOT_A_PLAN, message=message, hint="write one by fig plan FILE -o PLAN")])


def _ramp(one: PlannedRamp) -> dict[str, Any]:
    return {
        "ramp": one.ramp.name,
        "routes": list(one.ramp.routes),
        "from": dict(one.now),
        "begins_at": one.ramp.start.parts,
        "to": one.ramp.highest.parts,
        "on_breach": one.ramp.on_breach.value,
        "dry_run": one.ramp.gate.dry_run,
        "ends": _arrival(one.ends),
        "steps": [_step(step) for step in one.steps],
        "last_attempt": {
            route: {
                "release": attempt.release,
                "outcome": attempt.outcome,
                "ended_at": attempt.ended_at,
                "reason": attempt.reason,
            }
            for route, attempt in one.attempts.items()
        },
    }


def _step(one: PlannedStep) -> dict[str, Any]:
    step, users = one.step, one.users
    return {
        "step": step.number,
        "what": str(step),
        "kind": step.kind.value,
        "weight": step.weight.parts,
        "shadow": step.shadow,
        "hold_seconds": step.hold_seconds,
        "glide_seconds": step.glide_seconds,
        "earliest": _arrival(one.arrives),
        "users": {"number": users.number, "is_least": users.is_least} if users else None,
        "requests_per_second": None if one.requests_per_second is None else round(one.requests_per_second, 3),
        "verdict_seconds": None if one.verdict_seconds is None else round(one.verdict_seconds, 1),
        "is_undecidable": one.is_undecidable,
        "undecided": list(one.undecided),
        "is_doubtful": one.is_doubtful,
        "functions": [_load(load) for load in one.loads],
        "scaling": [
            {"function": each.function, "executions": round(each.executions, 1), "seconds": round(each.seconds, 2)}
            for each in one.scaling
        ],
    }


def _load(load: FunctionLoad) -> dict[str, Any]:
    ceiling = load.ceiling
    return {
        "function": load.function,
        "requests_per_second": round(load.total, 3),
        "of_others": round(load.others, 3),
        "max_rps": ceiling.requests_per_second if ceiling else None,
        "is_carried": load.is_carried,
        "binding_limit": ceiling.binding if ceiling else None,
    }


def _arrival(arrival: Arrival | None) -> dict[str, Any] | None:
    if arrival is None:
        return None
    return {"at": arrival.at.isoformat(), "after_approvals": arrival.approvals, "is_least": arrival.is_least}
