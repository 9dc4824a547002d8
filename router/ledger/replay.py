"""The present as the history tells it: each line, taken in order, says what the other tables must hold after it.

A line is written in one transaction with what it tells of. So where a table says otherwise, somebody changed one of
them beside control. `deviations` compares; this module reads lines alone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .chain import Line
from .records import Kind

OVER = ("rolled back", "aborted", "completed")
"""The phases of a ramp that is over, and the outcomes of releases; of several ramps' the first of these counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightTold:
    """What the last line about a route's weight says: the parts that it may be at after it, and the line's number.

    A publish without the route says 0, but the weight stays until every node has switched, and if the route comes back.
    """

    line: int
    parts: tuple[int, ...]


@dataclass(slots=True)
class RampTold:
    """What the last lines about a ramp say. `came_at`: when it came to its phase in its step; `step` as people count.

    `index` None: the line is of a version that did not tell it.
    """

    line: int = 0
    routes: set[str] = field(default_factory=set)
    phase: str = ""
    step: int | None = None
    index: int | None = None
    parts: dict[str, int | None] = field(default_factory=dict)
    came_at: datetime | None = None
    is_paused: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it moves no more by itself."""
        return self.phase in OVER

    def take(self, line: Line, said: Mapping[str, Any]) -> None:
        """Take a line about it."""
        phase, step, index = str(said["phase"]), line["step"], said.get("index")
        if phase != self.phase or self._is_other(step, index):
            self.came_at = datetime.fromisoformat(line["at"])
        self.line, self.phase = line["id"], phase
        if step is not None:  # one that could not be read has none
            self.step, self.index = step, index
        self.routes.add(line["route"])
        self.parts[line["route"]] = line["after_parts"]
        if line["kind"] in {Kind.PAUSE.value, Kind.RESUME.value}:
            self.is_paused = line["kind"] == Kind.PAUSE.value

    def _is_other(self, step: int | None, index: int | None) -> bool:
        """Whether that is another step: two of them may have one number, the last share and the end of its holdback."""
        if step is None or step != self.step:
            return step is not None
        return index is not None and self.index is not None and index != self.index


@dataclass(slots=True, kw_only=True)
class ReleaseTold:
    """What the lines since a release was started say. `last_at`: the time of the last one about its ramps."""

    line: int
    document: str | None
    actor: str
    reason: str
    started_at: str
    plan: str | None
    ramps: dict[str, RampTold] = field(default_factory=dict)
    last_at: str = ""

    @property
    def outcome(self) -> str | None:
        """How it ended; None while a ramp is not over."""
        phases = {ramp.phase for ramp in self.ramps.values()}
        if not phases or not phases <= set(OVER):
            return None
        return next(phase for phase in OVER if phase in phases)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenTold:
    """The freeze that a line began."""

    line: int
    by: str
    at: str
    reason: str


@dataclass(slots=True)
class Told:
    """All that the lines so far say of the present. `releases` by id, as `2026.11.2#1`."""

    weights: dict[str, WeightTold] = field(default_factory=dict)
    releases: dict[str, ReleaseTold] = field(default_factory=dict)
    frozen: FrozenTold | None = None
    frozen_line: int = 0
    snapshot: str | None = None
    previous: str | None = None
    snapshot_line: int = 0
    _times: dict[str, int] = field(default_factory=dict)

    def follow(self, lines: Iterator[Line]) -> Iterator[Line]:
        """The same lines, each of which was taken."""
        for line in lines:
            self.take(line)
            yield line

    def take(self, line: Line) -> None:
        """Take the next line."""
        kind = line["kind"]
        if line["route"] is not None:
            self._weight(line)
        elif line["snapshot"] is not None:
            self._snapshot(line)
        elif kind in {Kind.FREEZE.value, Kind.THAW.value}:
            self.frozen_line = line["id"]
            freezes = kind == Kind.FREEZE.value
            self.frozen = (
                FrozenTold(line=line["id"], by=line["actor"], at=line["at"], reason=line["reason"]) if freezes else None
            )
        if line["release_name"] is not None:
            self._release(line)

    def _weight(self, line: Line) -> None:
        before, after = line["before_parts"], line["after_parts"]
        if after is None or (line["node"] is not None and before is None):
            return  # a node's own move of a route that control did not know says nothing of control's weights
        stays = before if line["kind"] == Kind.PUBLISH.value else after
        parts = tuple({after, stays if stays is not None else after})
        self.weights[line["route"]] = WeightTold(line=line["id"], parts=parts)

    def _snapshot(self, line: Line) -> None:
        self.snapshot_line = line["id"]
        if line["kind"] == Kind.ROLLBACK.value:
            self.snapshot, self.previous = self.previous, None
        else:
            self.snapshot, self.previous = line["snapshot"], self.snapshot

    def _release(self, line: Line) -> None:
        name, said = line["release_name"], _said(line)
        if line["kind"] == Kind.STARTED.value:
            self._times[name] = self._times.get(name, 0) + 1
            self.releases[f"{name}#{self._times[name]}"] = ReleaseTold(
                line=line["id"],
                document=line["evidence"],
                actor=line["actor"],
                reason=line["reason"],
                started_at=line["at"],
                plan=said.get("plan"),
            )
            return
        release = self.releases.get(f"{name}#{self._times.get(name, 0)}")
        if release is not None and "ramp" in said and "phase" in said:
            release.ramps.setdefault(said["ramp"], RampTold()).take(line, said)
            release.last_at = line["at"]


def _said(line: Line) -> Mapping[str, Any]:
    """The line's details; one whose details were changed is a fault of the chain, and says nothing here."""
    try:
        said = json.loads(line["details"] or "{}")
    except (ValueError, TypeError):
        return {}
    return said if isinstance(said, dict) else {}
