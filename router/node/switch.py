"""Replaces one snapshot by another in a running Envoy, make-before-break, each step confirmed by Envoy's own counters.

Clusters and listeners of both, warm; routes; weights; then without the old ones. On a rejection, or when a step takes
too long, the old files are put back in the opposite order. Switching clusters and routes back to back lost 60 % of
the requests of a measured load; in this order none was lost.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from .admin import Admin
from .errors import EnvoyGone, Rejection
from .former_entries import FormerEntries
from .resources import STRUCTURE, Resource, same_content, size_of, union, version_of
from .state_directory import StateDirectory, point, replace_file

_DEADLINE_SECONDS = 10.0
_SECONDS_PER_MEGABYTE = 2.0
_SHORTEST_PAUSE = 0.002
_LONGEST_PAUSE = 0.05
_REASON_BYTES = 64 * 1024
_REASON_LENGTH = 400
_COUNTERS = (
    r"^(cluster_manager\.cds|listener_manager\.lds|http\..*\.rds\.entry)\.(update_(success|rejected|failure)|version_text)$"
    r"|^cluster_manager\.warming_clusters$|^listener_manager\.total_listeners_(warming|active)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What Envoy has counted for one kind of resource; `warming` counts what is not ready yet."""

    success: int
    refused: int
    version: str | None
    warming: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What the switch asks of the weights' owner: both snapshots' keys in force, then only the new one's."""

    bridge: Callable[[], Awaitable[None]]
    settle: Callable[[], Awaitable[None]]


class Switch:
    """One replacement of the folder `old` by `new`; `same_envoy`: whether Envoy is still the one it began with."""

    def __init__(  # noqa: PLR0913 - one argument for each thing that a switch touches
        self,
        *,
        state: StateDirectory,
        admin: Admin,
        old: Path,
        new: Path,
        former: FormerEntries,
        same_envoy: Callable[[], bool],
    ) -> None:
        self._state = state
        self._admin = admin
        self._old = old
        self._new = new
        self._former = former
        self._same_envoy = same_envoy

    async def forward(self, weighing: Weighing) -> None:
        """Put the new snapshot in force. Raises `Rejection`, `EnvoyGone`, or `Unreachable`; then call `back`."""
        for resource in (Resource.CLUSTERS, Resource.LISTENERS):
            await self._show(resource, self._both(resource))
        await weighing.bridge()
        await self._show(Resource.ROUTES, self._new / Resource.ROUTES.file)
        await weighing.settle()
        await self.listen()
        await self._show(Resource.CLUSTERS, self._new / Resource.CLUSTERS.file)

    async def listen(self) -> None:
        """Listen as the new snapshot has it, and at the former entries whose time is not over. Raises as `forward`."""
        await self._show(Resource.LISTENERS, self._former.with_them(self._new / Resource.LISTENERS.file))

    async def back(self) -> None:
        """Put the old snapshot's files back, routes first. Raises as `forward` does."""
        for resource in reversed(STRUCTURE):
            file = self._old / resource.file
            shown = self._former.with_them(file) if resource is Resource.LISTENERS else file
            await self._show(resource, shown, even_if_shown=True)

    def _both(self, resource: Resource) -> Path:
        new = self._new / resource.file
        try:
            data = union(self._old / resource.file, new)
        except ValueError as error:
            raise Rejection(str(error)) from error
        path = new if data is None else self._state.transition / f"{self._new.name[:16]}-{resource.file}"
        if data is not None:
            replace_file(path, data)
        return self._former.with_them(path) if resource is Resource.LISTENERS else path

    async def _show(self, resource: Resource, file: Path, *, even_if_shown: bool = False) -> None:
        link = self._state.current(resource)
        if not even_if_shown and same_content(link, file):
            point(link, file)
            return
        before = await applied(self._admin, resource)
        log_start = self._state.log_size()
        if not self._same_envoy():
            message = "Envoy ended while a snapshot was switched"
            raise EnvoyGone(message)
        point(link, file)
        await self._confirm(resource, file, before, log_start)

    async def _confirm(self, resource: Resource, file: Path, before: Applied, log_start: int) -> None:
        version = version_of(file)
        limit = _DEADLINE_SECONDS + _SECONDS_PER_MEGABYTE * size_of(file) / 1e6
        deadline = time.monotonic() + limit
        pause = _SHORTEST_PAUSE
        while True:
            now = await applied(self._admin, resource)
            if not self._same_envoy():
                message = "Envoy ended while a snapshot was switched"
                raise EnvoyGone(message)
            if now.refused > before.refused:
                message = f"{resource.file}: {refusal(self._state.log, log_start)}"
                raise Rejection(message)
            taken = now.success > before.success and version in (None, now.version)
            if taken and not now.warming:
                return
            if time.monotonic() > deadline:
                what = f"{now.warming} not ready" if taken else "not taken"
                message = f"{resource.file}: {what} after {limit:.0f} s"
                raise Rejection(message)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)


async def applied(admin: Admin, resource: Resource) -> Applied:
    """What Envoy says about one kind of resource. Raises `Unreachable`."""
    found = await admin.stats(_COUNTERS)

    def number(ending: str) -> int:
        return sum(int(value) for name, value in found.items() if name.endswith(resource.counters + ending))

    version = [str(value) for name, value in found.items() if name.endswith(resource.counters + ".version_text")]
    warming = {
        Resource.CLUSTERS: "cluster_manager.warming_clusters",
        Resource.LISTENERS: "listener_manager.total_listeners_warming",
    }.get(resource)
    return Applied(
        success=number(".update_success"),
        refused=number(".update_rejected") + number(".update_failure"),
        version=version[0] if version else None,
        warming=int(found.get(warming, 0)) if warming else 0,
    )


async def confirm_start(admin: Admin, state: StateDirectory, log_start: int) -> None:
    """Check that an Envoy that has become live took every file that it was started with. Raises `Rejection`."""
    for resource in STRUCTURE:
        found = await applied(admin, resource)
        if found.refused or not found.success:
            reason = refusal(state.log, log_start) if found.refused else "Envoy did not read it"
            message = f"{resource.file}: {reason}"
            raise Rejection(message)


def refusal(log: Path, start: int) -> str:
    """Envoy's own words for the last refusal in its log behind byte `start`."""
    try:
        with log.open("rb") as file:
            file.seek(start)
            lines = file.read(_REASON_BYTES).decode(errors="replace").splitlines()
    except OSError:
        lines = []
    for line in reversed(lines):
        for mark in (" update rejected: ", " update failure: "):
            if mark in line:
                return line.partition(mark)[2][:_REASON_LENGTH]
    return "Envoy refuses it, and its log does not say why"
