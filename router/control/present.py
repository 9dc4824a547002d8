"""The present, for a plan: what is in force, what runs, what was tried, and digests by which a plan is found stale.

`basis` covers what a plan was made on: the estate, the weights, the running releases and a freeze. It does not move
when control judges or folds, as the history's head does.
"""

import json
from collections.abc import Iterable
from typing import Any

from strangler_fig.units import FULL_SHARE

from ..ledger.chain import text_digest
from ..ledger.records import Desired, ReleaseRecord
from ..ledger.store import estate_digest
from .keeper import Keeper
from .ramping import Parts
from .release_status import frozen_json, release_json
from .running import Live
from .state import weight_of
from .traffic import lasting


def basis(keeper: Keeper, running: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    """The digest of what a plan is made on; `running`: the releases' ids with the routes that they move."""
    content = {
        "estate": _estate(keeper),
        "weights": _weights(keeper),
        "releases": sorted([release, sorted(routes)] for release, routes in running),
        "frozen": frozen_json(keeper.desired),
    }
    return text_digest(json.dumps(content, sort_keys=True, separators=(",", ":")))


def running_routes(parts: Parts, desired: Desired) -> list[tuple[str, tuple[str, ...]]]:
    """Each running release's id with the routes of one of its ramps that is not over."""
    lives = parts.running.live(desired)
    read = [(live.release.id, live.ramp.routes) for live in lives if not live.state.is_over]
    return read + [(one.release.id, one.record.routes) for one in parts.running.unread(desired)]


def present(parts: Parts, past: Iterable[ReleaseRecord]) -> dict[str, Any]:
    """What `GET /v1/present` answers; blocks: it reads the ledger."""
    traffic, seconds = lasting(seen.long() for seen in parts.nodes.live())
    return in_force(parts) | {
        "traffic": {route: {side: rate.to_json() for side, rate in sides.items()} for route, sides in traffic.items()},
        "counted_seconds": {route: round(counted, 1) for route, counted in seconds.items()},
        "users": {route: dict(parts.evidence.users(route)) for route in _weights(parts.keeper)},
        "attempts": _attempts(parts, past),
    }


def in_force(parts: Parts) -> dict[str, Any]:
    """The part of it that a plan may be stale by; blocks: it reads the ledger."""
    keeper, desired = parts.keeper, parts.keeper.desired
    head = keeper.ledger.head()
    return {
        "basis": basis(keeper, running_routes(parts, desired)),
        "head": head.digest,
        "entries": head.entries,
        "snapshot": desired.snapshot,
        "estate": _estate(keeper),
        "weights": _weights(keeper),
        "frozen": frozen_json(desired),
        "releases": _running(parts, desired),
    }


def _running(parts: Parts, desired: Desired) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for live in parts.running.live(desired):
        told = found.setdefault(live.release.id, release_json(live.release) | {"routes": {}})
        step = {
            "ramp": live.ramp.name,
            "step": live.ramp.steps[live.state.step].number,
            "steps": live.ramp.last_number,
            "weight": live.state.weight.parts,
            "highest": live.ramp.highest.parts,
            "reaches": _reaches(live),
            "phase": live.state.phase.value,
        }
        told["routes"] |= dict.fromkeys(live.ramp.routes, step)
    for unread in parts.running.unread(desired):
        told = found.setdefault(unread.release.id, release_json(unread.release) | {"routes": {}})
        for route in unread.record.routes:
            parts_now = weight_of(desired, route).parts
            told["routes"][route] = {
                "ramp": unread.key[1],
                "step": None,
                "steps": None,
                "weight": parts_now,
                "highest": parts_now,
                "reaches": parts_now / FULL_SHARE,
                "phase": "unreadable",
            }
    return list(found.values())


def _reaches(live: Live) -> float:
    """The share of its routes' requests that may reach Lambda from now on, shadows included."""
    if live.state.is_over:
        return live.state.weight.parts / FULL_SHARE
    now = live.state.weight.parts / FULL_SHARE
    now += (1 - now) * live.state.shadow / FULL_SHARE
    return max(now, *(step.sent_share for step in live.ramp.steps[live.state.step :]))


def _attempts(parts: Parts, past: Iterable[ReleaseRecord]) -> dict[str, dict[str, Any]]:
    """The last release that ended, of each route; its reason is that of its end."""
    ended = [record for record in past if record.outcome is not None]
    routes = parts.keeper.ledger.routes_of(record.id for record in ended)
    found: dict[str, dict[str, Any]] = {}
    for record in ended:
        new = [route for route in routes.get(record.id, ()) if route not in found]
        if new:
            last = parts.keeper.ledger.history(release=record.name, limit=1)
            why = last[0].reason if last else record.reason
            found |= dict.fromkeys(new, release_json(record) | {"reason": why})
    return found


def _estate(keeper: Keeper) -> str:
    return estate_digest(keeper.published.text) if keeper.published else ""


def _weights(keeper: Keeper) -> dict[str, int]:
    published = keeper.published
    routes = published.manifest.routes if published else ()
    return {route: weight_of(keeper.desired, route).parts for route in routes}
