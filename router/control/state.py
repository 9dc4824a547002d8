"""What a change does to the desired state: pure functions from one `Desired` to a `Step`.

A weight is either built into its route (settled) or a runtime key (moving). A shift makes it a key. A key goes only
after every node switched to routes that have the same weight built in, so that no request sees a gap.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..ledger.records import Desired, Held, Kind, NewEntry, Step
from ..snapshot.manifest import Manifest
from ..weight import LEGACY_ONLY, MOST_COUNTED, Weight

AT_REST = timedelta(minutes=15)
"""How long a weight must not have moved before it is folded into its route."""
MOST_MOVING = 200
"""With more runtime keys than this a flip takes more than a few milliseconds. Source: measured on Envoy 1.40.0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A wish to set a route's weight: by whom, why, when. `node` and `move_id` name a move that a node made alone."""

    route: str
    to: Weight
    actor: str
    reason: str
    at: datetime
    node: str | None = None
    move_id: str | None = None


def weight_of(desired: Desired, route: str) -> Weight:
    """The route's weight; one that was never shifted is all legacy."""
    held = desired.weights.get(route)
    return held.weight if held else LEGACY_ONLY


def shifted(desired: Desired, move: Move) -> Step:
    """The step that puts the route at the wished weight, as a runtime key."""
    held = Held(weight=move.to, since=move.at, by=move.actor, moving=True)
    entry = NewEntry(
        at=move.at,
        kind=Kind.ROLLBACK if move.node else Kind.SHIFT,
        actor=move.actor,
        reason=move.reason,
        route=move.route,
        before=weight_of(desired, move.route),
        after=move.to,
        node=move.node,
        move_id=move.move_id,
    )
    return _step(desired, _reweighted(desired, {**desired.weights, move.route: held}), entry)


def stepped_to(desired: Desired, weights: Mapping[str, Weight], entries: tuple[NewEntry, ...]) -> Step:
    """The step that puts these routes at these weights, as runtime keys; `entries`, one at least, tell of it."""
    return _step(desired, with_weights(desired, weights, at=entries[0].at, by=entries[0].actor), *entries)


def with_weights(desired: Desired, weights: Mapping[str, Weight], *, at: datetime, by: str) -> Desired:
    """The desired state with these routes at these weights, as runtime keys; the others stay as they are."""
    new = {route: Held(weight=weight, since=at, by=by, moving=True) for route, weight in weights.items()}
    return _reweighted(desired, {**desired.weights, **new})


def kept_moving(desired: Desired) -> Desired:
    """The same, with the weights of routes under a release as runtime keys, whether they move now or not."""
    still = {route: held for route, held in desired.weights.items() if route in desired.ramped() and not held.moving}
    if not still:
        return desired
    return _reweighted(desired, {**desired.weights, **{one: replace(held, moving=True) for one, held in still.items()}})


def published(desired: Desired, manifest: Manifest, entry: NewEntry) -> Step:
    """The step that makes a new snapshot the desired one.

    Routes keep their weights, new ones start at 0. Keys stay until `settled`, those of routes that are gone too: a node
    may still serve the old routes. What was built in with another weight (a shift came in between) becomes a key.
    """
    weights = dict(desired.weights)
    for route, keys in manifest.routes.items():
        held = weights.get(route) or Held(weight=LEGACY_ONLY, since=entry.at, by=entry.actor)
        weights[route] = replace(held, moving=held.moving or held.weight.parts != keys.weight)
    after = _reweighted(replace(desired, snapshot=manifest.digest, previous=desired.snapshot), weights)
    lost = tuple(
        replace(entry, route=route, before=held.weight, after=LEGACY_ONLY)
        for route, held in sorted(desired.weights.items())
        if route not in manifest.routes and held.weight != LEGACY_ONLY
    )
    return _step(desired, after, entry, *(lost if entry.kind is Kind.PUBLISH else ()))


def returned(desired: Desired, manifest: Manifest | None, entry: NewEntry) -> Step:
    """The step back to the previous snapshot (`manifest`; None when there was none). Weights stay as they are now."""
    weights = dict(desired.weights)
    for route, keys in (manifest.routes if manifest else {}).items():
        held = weights.get(route) or Held(weight=LEGACY_ONLY, since=entry.at, by=entry.actor)
        weights[route] = replace(held, moving=held.moving or held.weight.parts != keys.weight)
    back = replace(desired, snapshot=manifest.digest if manifest else None, previous=None)
    return _step(desired, _reweighted(back, weights), entry)


def settled(desired: Desired, manifest: Manifest) -> Step | None:
    """The step that drops the keys whose weights `manifest` has built in, once every node runs it; None: no step."""
    ramped = desired.ramped()
    weights = {
        route: replace(held, moving=held.moving and (held.weight.parts != keys.weight or route in ramped))
        for route, held, keys in (
            (route, held, manifest.routes[route]) for route, held in desired.weights.items() if route in manifest.routes
        )
    }
    if weights == desired.weights:
        return None
    return _step(desired, _reweighted(desired, weights))


def caught_up(desired: Desired, *, revision: int, weights_version: int) -> Step | None:
    """The step that overtakes a node which knows newer versions (the ledger came from a backup); None: no step."""
    if revision <= desired.revision and weights_version <= desired.weights_version:
        return None
    after = replace(
        desired,
        revision=max(revision, desired.revision) + 1,
        weights_version=max(weights_version, desired.weights_version) + 1,
    )
    return Step(before=desired, after=after)


def weights_to_fold(desired: Desired, manifest: Manifest, now: datetime) -> Mapping[str, Weight] | None:
    """The weights to build into the next snapshot's routes; None while no fold is due.

    Due: a weight is at rest, or too many move (while a release runs, more than can be evidence of). Then those at rest
    are folded (all, when too many move), but none of a route under a release.
    """
    own = manifest.routes.keys() - desired.ramped()
    moving = {route: held for route, held in desired.weights.items() if held.moving and route in own}
    crowded = len(moving) > MOST_MOVING or bool(too_many(desired))
    folding = {route for route, held in moving.items() if crowded or now - held.since >= AT_REST}
    if not folding:
        return None
    built_in = {route: Weight(keys.weight) for route, keys in manifest.routes.items()}
    return built_in | {route: moving[route].weight for route in folding}


def too_many(desired: Desired) -> str:
    """Says that more routes move beside releases than gates have evidence of, and which; empty when that is not so."""
    ramped, moving = desired.ramped(), desired.moving().keys()
    if not ramped or len(moving) <= MOST_COUNTED:
        return ""
    text = f"{len(moving)} routes move at once, and gates have evidence of at most {MOST_COUNTED}: until then they hold"
    beside = ", ".join(sorted(moving - ramped))
    return f"{text}; beside releases move, and are folded now: {beside}" if beside else f"{text}; abort a release"


def _reweighted(desired: Desired, weights: dict[str, Held]) -> Desired:
    """With these weights; the version grows when what travels as runtime keys differs, unchanged values are kept."""
    kept = {route: _same(desired.weights.get(route), held) for route, held in weights.items()}
    after = replace(desired, weights=kept)
    if after.moving() == desired.moving():
        return after
    return replace(after, weights_version=desired.weights_version + 1)


def _same(old: Held | None, new: Held) -> Held:
    return old if old == new and old is not None else new


def _step(before: Desired, after: Desired, *entries: NewEntry) -> Step:
    return Step(before=before, after=replace(after, revision=before.revision + 1), entries=entries)
