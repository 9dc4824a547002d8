"""Moves routes to legacy on this host alone: without the agent, without control, even without Envoy.

The weight moves first; then it is written down, for the agent to tell control. Nothing is asked of anybody before.
"""

import asyncio
import time
from dataclasses import dataclass

from strangler_fig.diagnostics import Diagnostic, Refused

from ..errors import SnapshotDamaged, WeightsDamaged
from ..snapshot.directory import MANIFEST
from ..snapshot.manifest import Manifest
from ..snapshot.runtime import NOT_TOLD
from ..weight import LEGACY_ONLY
from .admin import Admin
from .errors import NodeFailed, NothingStored
from .local_moves import LocalMove, LocalMoves, local_move
from .resources import Resource
from .state_directory import StateDirectory
from .weight_files import StoredWeights, WeightFiles
from .weights import effective, wait_until_in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What a rollback did. `moves` are the routes that moved, `at_rest` those that were on legacy already.

    `in_force_ms` is None when Envoy does not run (it will start with these weights); `trouble` is what failed besides.
    """

    moves: tuple[LocalMove, ...]
    at_rest: tuple[str, ...]
    in_force_ms: float | None
    trouble: str | None


def roll_back(state: StateDirectory, *, route: str | None, actor: str, reason: str) -> RolledBack:
    """Move one route, or every two-sided one, to legacy on this host.

    Raises `Refused` for a route that is not there, `NothingStored` when no snapshot is, `OSError` when nothing can be
    written.
    """
    manifest = _served(state)
    if route is not None and route not in manifest.routes:
        raise Refused([_unknown(route, manifest)])
    files = WeightFiles(state)
    began = time.perf_counter()
    with files.locked():
        present = _present(files)
        before = effective(manifest, present.weights if present else {})
        asked = [route] if route is not None else list(before)
        shares = present.shares if present else NOT_TOLD
        moving = [name for name in asked if before[name] != LEGACY_ONLY or present is None or shares.has_cohort(name)]
        stored = present
        if moving:
            weights = {**(present.weights if present else {}), **dict.fromkeys(moving, LEGACY_ONLY)}
            stored = files.write(manifest, weights, shares.without_cohorts(moving))
        in_force_ms, trouble = asyncio.run(_confirm(state, stored, began))
        moves = tuple(local_move(name, before[name], actor=actor, reason=reason) for name in moving)
        trouble = _write_down(state, files, stored, moves) or trouble
    at_rest = tuple(name for name in asked if name not in moving)
    return RolledBack(moves=moves, at_rest=at_rest, in_force_ms=in_force_ms, trouble=trouble)


def _served(state: StateDirectory) -> Manifest:
    link = state.current(Resource.ROUTES)
    digest = link.readlink().parent.name if link.is_symlink() else ""
    for path in (state.snapshots / digest / MANIFEST, state.manifests / f"{digest}.json"):
        try:
            return Manifest.parse(path.read_bytes())
        except (OSError, SnapshotDamaged):
            continue
    message = f"{state.root} holds no snapshot that a fig node serves: give the node's own --state"
    raise NothingStored(message)


def _present(files: WeightFiles) -> StoredWeights | None:
    try:
        return files.in_force()
    except WeightsDamaged:
        return files.newest_good()


async def _confirm(
    state: StateDirectory, stored: StoredWeights | None, began: float
) -> tuple[float | None, str | None]:
    if stored is None:
        return None, None
    admin = Admin(state.admin_socket)
    try:
        await wait_until_in_force(admin, stored.number)
    except NodeFailed as error:
        return None, str(error)
    finally:
        admin.close()
    return (time.perf_counter() - began) * 1000, None


def _write_down(
    state: StateDirectory, files: WeightFiles, stored: StoredWeights | None, moves: tuple[LocalMove, ...]
) -> str | None:
    if not moves or stored is None:
        return None
    try:
        files.settle(stored.number)
        LocalMoves(state.local_moves).append(moves)
    except OSError as error:
        return f"moved, but not written down for control ({error}): shift the routes to 0 there too"
    return None


def _unknown(route: str, manifest: Manifest) -> Diagnostic:
    from strangler_fig.documents import did_you_mean  # noqa: PLC0415 - it brings a YAML reader, for this one hint

    hint = did_you_mean(route, manifest.routes)
    return Diagnostic(code="ND105", message=f"no two-sided route {route!r} on this host", hint=hint)
