"""Which weights a node has to have in force, and putting them there.

Envoy has taken a weights file when its admin interface shows the file's number as the runtime layer's version: it
sets that after the new values went to its workers. One short text is asked for, not `/runtime`: with 200 routes that
answer costs Envoy's main thread more than the flip itself.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..snapshot.figures import Shares
from ..snapshot.manifest import Manifest
from ..snapshot.runtime import weights_file
from ..weight import Weight
from .admin import Admin
from .errors import NotInForce
from .weight_files import StoredWeights

_POLLS_WITHOUT_PAUSE = 10
_LONGEST_PAUSE_SECONDS = 0.02
_DEADLINE_SECONDS = 5.0
_VERSION = "runtime.version_text"
_REPLACED = "@replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The weights to have in force, the manifest that says which runtime keys these are, and this node's shares."""

    manifest: Manifest
    weights: Mapping[str, Weight]
    shares: Shares


def target(
    *,
    serving: Manifest,
    wanted: Manifest | None,
    moving: Mapping[str, Weight],
    present: Mapping[str, Weight],
) -> dict[str, Weight]:
    """The weights that need a runtime key on a node that serves `serving` while control wants `wanted`.

    `moving` is what control has as moving; what `wanted` has folded into its routes is no longer in it, so a node that
    serves another snapshot keeps a key wherever its own routes say something else. Before the wanted snapshot is here,
    `present`, the weights in force, stay.
    """
    result = {name: weight for name, weight in moving.items() if name in serving.routes}
    if wanted is not None and wanted.digest == serving.digest:
        return result
    if wanted is None:
        return {name: weight for name, weight in present.items() if name in serving.routes} | result
    for name, keys in serving.routes.items():
        settled = wanted.routes.get(name)
        if name not in result and settled is not None and settled.weight != keys.weight:
            result[name] = Weight(settled.weight)
        elif name not in result and settled is None and name in present:
            result[name] = present[name]
    return result


def shares(*, served: Iterable[Manifest], told: Shares | None, present: Shares) -> Shares:
    """The shares that need a runtime key: those that control told, and those that a served snapshot needs besides.

    A figure that control has no more stays until no snapshot that is served has it: without its key, what is built in
    would hold, which is less. Before control said anything, `present`, the shares in force, stay.
    """
    known = {figure.key for manifest in served for figure in manifest.figures}
    kept = {key: share for key, share in present.of.items() if key in known}
    if told is None:
        return Shares(nodes=present.nodes, of=kept)
    return Shares(nodes=told.nodes, of={**kept, **told.of})


def bridge(old: Manifest, new: Manifest, weights: Mapping[str, Weight], shares: Shares) -> Target:
    """The keys of both snapshots at once, so that no weight changes at the moment when routes are replaced.

    `weights` holds what has a key in either; a key that only the old snapshot knows goes under a name that no route
    has.
    """
    routes = dict(new.routes)
    values = {name: weight for name, weight in weights.items() if name in new.routes}
    for name, keys in old.routes.items():
        if name not in weights:
            continue
        if name not in new.routes:
            routes[name] = keys
            values[name] = weights[name]
        elif new.routes[name] != keys:
            routes[name + _REPLACED] = keys
            values[name + _REPLACED] = weights[name]
    return Target(manifest=replace(new, routes=routes), weights=values, shares=shares)


def effective(manifest: Manifest, weights: Mapping[str, Weight]) -> dict[str, Weight]:
    """The weight of every two-sided route: its runtime key's, else the one built into the snapshot."""
    return {name: weights.get(name, Weight(keys.weight)) for name, keys in manifest.routes.items()}


def is_stored(stored: StoredWeights, wanted: Target) -> bool:
    """Whether the weights file says exactly what is wanted."""
    if stored.weights != wanted.weights or stored.shares != wanted.shares:
        return False
    return weights_file(stored.number, wanted.manifest, wanted.weights, wanted.shares) == stored.data


async def wait_until_in_force(admin: Admin, number: int, *, deadline_seconds: float = _DEADLINE_SECONDS) -> None:
    """Wait until Envoy shows the weights file `number`. Raises `NotInForce`, or `Unreachable`."""
    deadline = time.monotonic() + deadline_seconds
    polls = 0
    pause = 0.0005
    while True:
        shown = (await admin.stats(r"^runtime\.version_text$", kind="TextReadouts")).get(_VERSION)
        if isinstance(shown, str) and shown.isdigit() and int(shown) >= number:
            return  # above it: another writer, a rollback on this host, came in between
        if time.monotonic() > deadline:
            counters = await admin.stats(r"^runtime\.update_(rejected|failure)$")
            message = (
                f"Envoy shows weights {shown or 'none'}, not {number}, after {deadline_seconds:.0f} s ({counters})"
            )
            raise NotInForce(message)
        polls += 1
        await asyncio.sleep(0 if polls < _POLLS_WITHOUT_PAUSE else pause)
        if polls >= _POLLS_WITHOUT_PAUSE:
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
