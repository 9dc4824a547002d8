"""What the ledger keeps, as frozen values: history entries, held weights, and the desired state of all nodes."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..weight import Weight


class Kind(enum.Enum):
    """What a history entry records. `fold`: weights at rest were compiled into the routes; nobody's side changed."""

    SHIFT = "shift"
    PUBLISH = "publish"
    ROLLBACK = "rollback"
    FOLD = "fold"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A history entry that is about to be written. `node` and `move_id` name a move that a node made on its own."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A history entry as it was written; `id` only grows."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A route's weight, who set it when, and whether it is a runtime key (`moving`) or built into the route."""

    weight: Weight
    since: datetime
    by: str
    moving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What every node should run. `revision` and `weights_version` only ever grow, also over restarts.

    `previous` is the snapshot to return to when a node rejects `snapshot`; None when there is nothing to return to.
    """

    revision: int = 0
    weights_version: int = 0
    snapshot: str | None = None
    previous: str | None = None
    weights: Mapping[str, Held] = field(default_factory=dict)

    def moving(self) -> dict[str, int]:
        """The weights that travel as runtime keys, parts per 10,000 by route."""
        return {route: held.weight.parts for route, held in self.weights.items() if held.moving}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of the desired state and the history entries that tell of it; it is written whole or not at all."""

    before: Desired
    after: Desired
    entries: tuple[NewEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A published snapshot's estate, as normalised JSON text, and when the snapshot was first published."""

    digest: str
    estate: str
    published_at: datetime
