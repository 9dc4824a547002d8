"""Where the tables of the present say something else than the history: a sentence for each.

What history cannot prove is not judged here: who a weight's row names beside it, the words of a ramp's state, what
shadow and named users it has, what was counted since the last decision (`evidence`), nodes, and legacy's last request.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..weight import Weight
from .replay import RampTold, ReleaseTold, Told, WeightTold

Row = Mapping[str, Any]

_SLACK = timedelta(minutes=1)
"""A ramp's state is decided a moment before the line about it has its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The rows of the present, in the names of their columns; `shiftable`: routes of the published estate.

    `weights` by route, `releases` by id, `ramps` by release and name.
    """

    desired: Row
    weights: Mapping[str, Row] = field(default_factory=dict)
    releases: Mapping[str, Row] = field(default_factory=dict)
    ramps: Mapping[tuple[str, str], Row] = field(default_factory=dict)
    shiftable: frozenset[str] = frozenset()


def deviations(told: Told, present: Present) -> Iterator[str]:
    """Everything in the present that the history does not say."""
    yield from _weights(told, present)
    yield from _frozen(told, present.desired)
    yield from _snapshots(told, present.desired)
    for key in sorted(told.releases.keys() | present.releases.keys()):
        yield from _release(key, told.releases.get(key), present)
    for release, name in sorted(present.ramps):
        known = told.releases.get(release)
        if known is not None and name not in known.ramps:
            yield f"ramp {name} of release {release} is in the table ramps, but no line of the history tells of it"


def strays(told: Mapping[str, WeightTold], present: Present) -> Iterator[tuple[str, int | None, WeightTold | None]]:
    """The routes whose weight is not the one of their last line: parts in the table (None: no row), and that line."""
    for route in sorted(told.keys() | present.weights.keys()):
        row, said = present.weights.get(route), told.get(route)
        if row is None and route not in present.shiftable:
            continue  # a route that is gone, with its weight
        parts = row["parts"] if row is not None else None
        if (parts or 0) not in (said.parts if said is not None else (0,)):
            yield route, parts, said


def _weights(told: Told, present: Present) -> Iterator[str]:
    for route, parts, said in strays(told.weights, present):
        if said is None:
            yield f"route {route} is at {Weight(parts or 0)} in the table weights, but no line of the history moved it"
        else:
            last = Weight(max(said.parts))
            where = f"is at {Weight(parts)}" if parts is not None else "is not"
            yield f"route {route} {where} in the table weights, but line {said.line}, its last, left it at {last}"


def _frozen(told: Told, desired: Row) -> Iterator[str]:
    said = told.frozen
    kept = (desired["frozen_by"], desired["frozen_at"], desired["frozen_reason"]) if desired["frozen_at"] else None
    if said is None and kept is not None:
        by = f"since line {told.frozen_line} nothing is" if told.frozen_line else "no line of the history froze it"
        yield f"movement is frozen by {kept[0]} in the table desired, but {by}"
    elif said is not None and kept is None:
        yield f"nothing is frozen in the table desired, but line {said.line} froze all movement, and none thawed it"
    elif said is not None and kept != (said.by, said.at, said.reason):
        yield f"the freeze in the table desired is not the one of line {said.line}: who, when or why differs"


def _snapshots(told: Told, desired: Row) -> Iterator[str]:
    if not told.snapshot_line:
        if desired["snapshot"] is not None:
            yield "a snapshot is published in the table desired, but no line of the history published one"
        return
    for column, said in (("snapshot", told.snapshot), ("previous", told.previous)):
        if desired[column] != said:
            kept = (desired[column] or "none")[:12]
            yield (
                f"the {'' if column == 'snapshot' else 'previous '}snapshot is {kept} in the table desired, but by "
                f"line {told.snapshot_line} it is {(said or 'none')[:12]}"
            )


def _release(key: str, told: ReleaseTold | None, present: Present) -> Iterator[str]:
    row = present.releases.get(key)
    if told is None:
        yield f"release {key} is in the table releases, but no line of the history started it"
        return
    if row is None:
        yield f"release {key}, which line {told.line} started, is gone from the table releases"
        return
    for column, said in (("document", told.document), ("actor", told.actor), ("started_at", told.started_at)):
        if row[column] != said:
            yield f"release {key}: its {column} in the table releases is not the one of line {told.line}"
    if told.plan is not None and row["plan"] != told.plan:
        yield f"release {key}: its plan in the table releases is not the one of line {told.line}"
    if row["reason"] and row["reason"] != told.reason:
        yield f"release {key}: its reason in the table releases is not the one of line {told.line}"
    yield from _outcome(key, told, row)
    for name, ramp in sorted(told.ramps.items()):
        yield from _ramp(f"ramp {name} of release {key}", ramp, present.ramps.get((key, name)), present.desired)


def _outcome(key: str, told: ReleaseTold, row: Row) -> Iterator[str]:
    last = max((ramp.line for ramp in told.ramps.values()), default=told.line)
    if row["outcome"] != told.outcome:
        kept, said = (f"is {one}" if one else "runs" for one in (row["outcome"], told.outcome))
        yield f"release {key} {kept} in the table releases, but by line {last} it {said}"
    elif told.outcome is not None and row["ended_at"] != told.last_at:
        yield f"release {key}: the time of its end in the table releases is not the one of line {last}"


def _ramp(name: str, told: RampTold, row: Row | None, desired: Row) -> Iterator[str]:
    if row is None:
        yield f"{name}, of which line {told.line} tells, is gone from the table ramps"
        return
    if set(str(row["routes"]).split()) != told.routes:
        yield f"{name}: its routes in the table ramps are not those of line {told.line}"
    state = _state(row)
    if state is None:
        if not told.is_over:  # one that could not be read was ended without
            yield f"{name}: its state in the table ramps cannot be read"
    elif state["phase"] != told.phase:
        yield f"{name} is {state['phase']} in the table ramps, but by line {told.line} it is {told.phase}"
    elif not told.is_over:
        yield from _moving(name, told, state, is_frozen=desired["frozen_at"] is not None)


def _state(row: Row) -> Row | None:
    """The state that the row keeps, with `since` as a time; None where it is none."""
    try:
        state = json.loads(row["state"])
        known = {key: state[key] for key in ("phase", "step", "weight", "paused", "frozen")}
        return known | {"since": datetime.fromisoformat(state["since"])}
    except (ValueError, KeyError, TypeError):
        return None


def _moving(name: str, told: RampTold, state: Row, *, is_frozen: bool) -> Iterator[str]:
    """Of a ramp that is not over: its step, weight, and whatever would let it go on too early."""
    if told.index is not None and state["step"] != told.index:
        yield f"{name} is in another step in the table ramps than line {told.line} says, step {told.step}"
    if any(state["weight"] != parts for parts in told.parts.values()):
        yield f"{name}: its weight in the table ramps is not the one of line {told.line}"
    since = state["since"]
    if told.came_at is not None and since < told.came_at - _SLACK:
        yield (
            f"{name} is {told.phase} since {since:%Y-%m-%d %H:%M:%S} in the table ramps, but the history says that "
            f"this began at {told.came_at:%Y-%m-%d %H:%M:%S}"
        )
    if bool(state["paused"]) != told.is_paused:
        kept, said = ("paused" if one else "not paused" for one in (state["paused"], told.is_paused))
        yield f"{name} is {kept} in the table ramps, but by the history it is {said}"
    if is_frozen and not state["frozen"]:
        yield f"{name} is not frozen in the table ramps, but all movement is"
