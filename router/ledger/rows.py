"""Between the ledger's rows and its values: one pair of functions for each table that has both."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from ..weight import Weight
from .records import Entry, Frozen, Held, Kind, NewEntry, RampKey, RampRecord, ReleaseRecord


def held_row(route: str, held: Held) -> dict[str, Any]:
    """The row of `weights`."""
    since = held.since.isoformat()
    return {"route": route, "parts": held.weight.parts, "since": since, "by": held.by, "moving": held.moving}


def held_in(row: Row[Any]) -> Held:
    """The value in a row of `weights`."""
    since = datetime.fromisoformat(row.since)
    return Held(weight=Weight(row.parts), since=since, by=row.by, moving=row.moving)


def release_row(release: ReleaseRecord) -> dict[str, Any]:
    """The row of `releases`."""
    return {
        "id": release.id,
        "name": release.name,
        "document": release.document,
        "plan": release.plan,
        "actor": release.actor,
        "reason": release.reason,
        "started_at": release.started_at.isoformat(),
        "outcome": release.outcome,
        "ended_at": release.ended_at.isoformat() if release.ended_at else None,
    }


def release_in(row: Row[Any]) -> ReleaseRecord:
    """The value in a row of `releases`."""
    return ReleaseRecord(
        id=row.id,
        name=row.name,
        document=row.document,
        plan=row.plan,
        actor=row.actor,
        reason=row.reason,
        started_at=datetime.fromisoformat(row.started_at),
        outcome=row.outcome,
        ended_at=datetime.fromisoformat(row.ended_at) if row.ended_at else None,
    )


def ramp_row(key: RampKey, ramp: RampRecord) -> dict[str, Any]:
    """The row of `ramps`."""
    release, name = key
    routes = " ".join(ramp.routes)  # a route's name has no space
    return {"release_id": release, "ramp": name, "routes": routes, "state": ramp.state, "at": ramp.at.isoformat()}


def ramp_in(row: Row[Any]) -> tuple[RampKey, RampRecord]:
    """The key and the value in a row of `ramps`."""
    ramp = RampRecord(routes=tuple(row.routes.split()), state=row.state, at=datetime.fromisoformat(row.at))
    return (row.release_id, row.ramp), ramp


def frozen_row(frozen: Frozen | None) -> dict[str, Any]:
    """The columns of `desired`."""
    return {
        "frozen_by": frozen.by if frozen else None,
        "frozen_at": frozen.at.isoformat() if frozen else None,
        "frozen_reason": frozen.reason if frozen else None,
    }


def frozen_in(row: Row[Any]) -> Frozen | None:
    """The value in the row of `desired`."""
    if row.frozen_at is None:
        return None
    return Frozen(by=row.frozen_by, at=datetime.fromisoformat(row.frozen_at), reason=row.frozen_reason)


def entry_row(entry: NewEntry) -> dict[str, Any]:
    """The row of `history`, but for its place in the chain."""
    return {
        "at": entry.at.isoformat(),
        "kind": entry.kind.value,
        "route": entry.route,
        "before_parts": entry.before.parts if entry.before is not None else None,
        "after_parts": entry.after.parts if entry.after is not None else None,
        "actor": entry.actor,
        "reason": entry.reason,
        "snapshot": entry.snapshot,
        "node": entry.node,
        "move_id": entry.move_id,
        "release_name": entry.release,
        "step": entry.step,
        "evidence": entry.evidence,
        "details": entry.details,
    }


def entry_in(row: Row[Any]) -> Entry:
    """The value in a row of `history`."""
    return Entry(
        id=row.id,
        at=datetime.fromisoformat(row.at),
        kind=Kind(row.kind),
        actor=row.actor,
        reason=row.reason,
        route=row.route,
        before=Weight(row.before_parts) if row.before_parts is not None else None,
        after=Weight(row.after_parts) if row.after_parts is not None else None,
        snapshot=row.snapshot,
        node=row.node,
        release=row.release_name,
        step=row.step,
        evidence=row.evidence,
        details=row.details,
        previous=row.previous,
        digest=row.digest,
    )


def differing(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> dict[Any, Any]:
    """What is new or another in `after`; values that were carried over are the very same objects."""
    if before is after:
        return {}
    return {key: value for key, value in after.items() if before.get(key) is not value}
