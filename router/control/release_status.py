"""What people and plans are told of releases: each ramp's step, weight, time left, evidence, verdict and why."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ..gate.evidence import SideEvidence
from ..ledger.records import Desired, ReleaseRecord
from ..ramp.machine import due
from ..ramp.state import RampState
from ..release.values import Ramp
from .judging import Look
from .ramping import Ramping
from .running import Live
from .state import weight_of


def releases_status(ramping: Ramping, past: Iterable[ReleaseRecord], now: datetime) -> dict[str, Any]:
    """The parts of the status document that tell of releases: those that run, the last that ended, and a freeze."""
    desired = ramping.parts.keeper.desired
    running: dict[str, dict[str, Any]] = {}
    for live in ramping.parts.running.live(desired):
        told = running.setdefault(live.release.id, release_json(live.release) | {"ramps": []})
        told["ramps"].append(_ramp(ramping, live, now))
    for unread in ramping.parts.running.unread(desired):
        told = running.setdefault(unread.release.id, release_json(unread.release) | {"ramps": []})
        told["ramps"].append(unread.to_json(desired))
    ended = [release_json(one) for one in past if one.outcome is not None]
    return {"releases": list(running.values()), "ended": ended, "frozen": frozen_json(desired)}


def release_json(release: ReleaseRecord) -> dict[str, Any]:
    """A release as JSON values."""
    return {
        "release": release.name,
        "id": release.id,
        "plan": release.plan,
        "started_at": release.started_at.isoformat(),
        "by": release.actor,
        "reason": release.reason,
        "outcome": release.outcome,
        "ended_at": release.ended_at.isoformat() if release.ended_at else None,
    }


def frozen_json(desired: Desired) -> dict[str, str] | None:
    """Who froze all movement towards Lambda, when and why."""
    frozen = desired.frozen
    return {"by": frozen.by, "at": frozen.at.isoformat(), "reason": frozen.reason} if frozen else None


def _ramp(ramping: Ramping, live: Live, now: datetime) -> dict[str, Any]:
    state, ramp = live.state, live.ramp
    step = ramp.steps[state.step]
    look = ramping.looks.get(live.key)
    problem = ramping.parts.warming.problems.get(live.key)
    return {
        "ramp": ramp.name,
        "routes": [_route(ramping.parts.keeper.desired, route, look) for route in ramp.routes],
        "step": step.number,
        "steps": ramp.last_number,
        "doing": str(step),
        "phase": state.phase.value,
        "weight": state.weight.parts,
        "weight_text": str(state.weight),
        "shadow": state.shadow,
        "in_force": state.evidence_since is not None,
        "since": state.since.isoformat(),
        "seconds_left": _seconds_left(ramp, state, now),
        "verdict": state.outcome or None,
        "reason": problem or state.reason or state.doubt,
        "paused": state.paused or None,
        "dry_run": ramp.gate.dry_run,
    }


def _seconds_left(ramp: Ramp, state: RampState, now: datetime) -> float | None:
    """Until the ramp may do something by itself; None: it waits for a person, a node or a verdict."""
    if state.is_over:
        return None
    then = due(ramp, state, now)
    return max(0.0, round((then - now).total_seconds(), 1)) if then else None


def _route(desired: Desired, route: str, look: Look | None) -> dict[str, Any]:
    window = look.windows.get(route) if look else None
    verdict = next((one.verdict for one in look.judged.verdicts if one.route == route), None) if look else None
    evidence = window.evidence if window else None
    return {
        "route": route,
        "weight": weight_of(desired, route).parts,
        "evidence": {"legacy": _side(evidence.legacy), "lambda": _side(evidence.lambda_)} if evidence else None,
        "verdict": verdict.to_json() if verdict else None,
    }


def _side(side: SideEvidence) -> Mapping[str, int]:
    counts = side.buckets.values()
    failed = sum(n for one in counts for status, n in one.by_status.items() if status >= 500)  # noqa: PLR2004 - HTTP's
    return {
        "requests": side.requests,
        "buckets_of_users": side.buckets_seen,
        "server_errors": failed,
        "fallbacks": sum(one.fallbacks for one in counts),
    }
