"""What the ledger keeps, as frozen values: history entries, held weights, running releases, the desired state."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..weight import Weight


class Kind(enum.Enum):
    """What a history entry records. `fold`: weights at rest were compiled into the routes; nobody's side changed.

    `started` to `completed` are a release's: `step` is a move that it made, `verdict` a judgement that changed.
    """

    SHIFT = "shift"
    PUBLISH = "publish"
    ROLLBACK = "rollback"
    FOLD = "fold"
    STARTED = "started"
    STEP = "step"
    VERDICT = "verdict"
    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    FREEZE = "freeze"
    THAW = "thaw"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A history entry that is about to be written. `node` and `move_id` name a move that a node made on its own.

    `evidence` is the digest of the document that the decision was made on; `details` is JSON text.
    """

    at: datetime
    kind: Kind
    actor: str
    reason: str = ""
    route: str | None = None
    before: Weight | None = None
    after: Weight | None = None
    snapshot: str | None = None
    node: str | None = None
    move_id: str | None = None
    release: str | None = None
    step: int | None = None
    evidence: str | None = None
    details: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A history entry as it was written; `id` only grows. `digest` covers it and, by `previous`, all before it."""

    id: int
    at: datetime
    kind: Kind
    actor: str
    reason: str
    route: str | None
    before: Weight | None
    after: Weight | None
    snapshot: str | None
    node: str | None
    release: str | None
    step: int | None
    evidence: str | None
    details: str | None
    previous: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A route's weight, who set it when, and whether it is a runtime key (`moving`) or built into the route."""

    weight: Weight
    since: datetime
    by: str
    moving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRecord:
    """A release that was started. `document` and `plan` are digests; `outcome` is None while it runs.

    `id` is the name and how often it was started: `2026.11.2#1`.
    """

    id: str
    name: str
    document: str
    plan: str
    actor: str
    reason: str
    started_at: datetime
    outcome: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RampRecord:
    """How far a ramp of a release is: `state` is the machine's own JSON text, which the ledger does not read."""

    routes: tuple[str, ...]
    state: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedWindow:
    """What a ramp's evidence window had counted: its number, and bytes that the ledger does not read."""

    window: int
    counted: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Who stopped all movement towards Lambda, when and why."""

    by: str
    at: datetime
    reason: str


RampKey = tuple[str, str]
"""A release's id and the name of one of its ramps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What every node should run. `revision` and `weights_version` only ever grow, also over restarts.

    `previous` is the snapshot to return to when a node rejects `snapshot`; None when there is nothing to return to.
    `releases` are those that run and, until the next step, those that ended with this one.
    """

    revision: int = 0
    weights_version: int = 0
    snapshot: str | None = None
    previous: str | None = None
    weights: Mapping[str, Held] = field(default_factory=dict)
    releases: Mapping[str, ReleaseRecord] = field(default_factory=dict)
    ramps: Mapping[RampKey, RampRecord] = field(default_factory=dict)
    frozen: Frozen | None = None

    def ramped(self) -> frozenset[str]:
        """The routes of releases that run: their weights stay runtime keys, because only those are counted closely."""
        running = {key for key, release in self.releases.items() if release.outcome is None}
        return frozenset(route for (key, _), ramp in self.ramps.items() if key in running for route in ramp.routes)

    def moving(self) -> dict[str, int]:
        """The weights that travel as runtime keys, parts per 10,000 by route."""
        return {route: held.weight.parts for route, held in self.weights.items() if held.moving}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of the desired state and the history entries that tell of it; it is written whole or not at all.

    `documents` are texts that entries and releases name by their digests.
    """

    before: Desired
    after: Desired
    entries: tuple[NewEntry, ...] = ()
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A published snapshot's estate, as normalised JSON text, and when the snapshot was first published."""

    digest: str
    estate: str
    published_at: datetime
