"""Keeps the desired state: the one place that changes it, in memory and in the ledger, and that wakes the nodes' polls.

Towards Lambda the record comes first. Towards legacy nothing is waited for: nodes hear of it at once, and a record that
fails is tried again later. Writes go to the disk one after the other, in threads; what was adopted while a write was on
its way is taken into account when it returns. Whatever is written of the present, its entries are written with it: so
the ledger's tables and its history agree after every write, also when this process is killed after it.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..errors import ControlFailed, LedgerFailed, SnapshotDamaged
from ..estate import Estate
from ..ledger.records import Desired, NewEntry, Step
from ..ledger.store import Ledger
from ..snapshot.manifest import Manifest
from .stages import Stages
from .taken_back import taken_back
from .waiting import Bell

_KEPT_SNAPSHOTS = 20
"""The newest ones stay, needed or not, for people who look into them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The estate that nodes should run, its normalised text, and its snapshot's manifest."""

    estate: Estate
    text: str
    manifest: Manifest
    published_at: datetime


def _nobody(_entries: Sequence[NewEntry]) -> None:
    """Nobody hears of decisions."""


class Keeper:
    """The desired state and what was published as its snapshot. `bell` rings when a node should look again."""

    def __init__(self, ledger: Ledger, stages: Stages, snapshots: Path) -> None:
        self.bell = Bell()
        self.ledger = ledger
        self.stages = stages
        self.snapshots = snapshots
        self.desired: Desired = ledger.desired()
        self.published: Published | None = self.load(self.desired.snapshot) if self.desired.snapshot else None
        self.decided: Callable[[Sequence[NewEntry]], None] = _nobody
        """Hears the entries of whatever becomes true; it must not block."""
        self.behind = False
        """Whether moves towards legacy are in force that the ledger could not take yet."""
        self.found_at_start: tuple[str, ...] = ()
        """Where, when control started, the ledger was not what its history says; in words."""
        self._writing = asyncio.Lock()
        self._unwritten: list[Step] = []
        """What was adopted, and is not written yet, oldest first."""

    def load(self, digest: str) -> Published:
        """What was published as the snapshot `digest`; blocks. Raises `ControlFailed` when it is lost."""
        stored = self.ledger.stored(digest)
        try:
            manifest = self.stages.read_manifest(self.snapshots / digest)
        except SnapshotDamaged as error:
            message = (
                f"snapshot {digest[:12]} is damaged ({error}): copy its folder from a node's state to {self.snapshots}"
            )
            raise ControlFailed(message) from error
        estate = self.stages.load(stored.estate)[0] if stored else None
        if stored is None or estate is None:
            message = f"the ledger does not have the estate of snapshot {digest[:12]}: publish the estate anew"
            raise ControlFailed(message)
        return Published(estate=estate, text=stored.estate, manifest=manifest, published_at=stored.published_at)

    def prune(self, needed: Iterable[str]) -> None:
        """Remove the files of old snapshots that nobody needs; blocks. Their estates stay in the ledger."""
        keep = {*needed, self.desired.snapshot, self.desired.previous}
        folders = sorted(self.snapshots.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in folders[_KEPT_SNAPSHOTS:]:
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)  # what is left goes next time

    async def record_first(
        self, make: Callable[[Desired], Step | None], published: Published | None = None
    ) -> Step | None:
        """Write a step, then adopt it; None when `make` says that there is nothing to do (any more).

        `make` is asked again when the desired state changed during the write. Raises `LedgerFailed`, nothing adopted.
        """
        async with self._writing:
            written: Step | None = None
            entries: tuple[NewEntry, ...] = ()
            while True:
                now = self.desired
                try:
                    step = make(now)
                except Exception:
                    await self._take_back(written)
                    raise
                if step is None:
                    await self._take_back(written)
                    return None
                if written is not None:  # its entries are in the history; only the state is written again
                    step = replace(step, entries=())
                else:
                    entries = step.entries
                await self._write(step if written is None else replace(step, before=written.after))
                if self.desired is now:
                    self._adopt(replace(step, entries=entries), published)
                    return step
                written = replace(step, before=written.before if written else step.before, entries=entries)

    async def adopt_first(self, step: Step, published: Published | None = None) -> bool:
        """Adopt a step at once, then write it; False when that failed and will be tried again."""
        self.adopt(step, published)
        return await self.write_adopted(step)

    async def write_adopted(self, _step: Step) -> bool:
        """Write a step that was adopted before; False when that failed and will be tried again."""
        async with self._writing:
            try:
                await self._write_unwritten()
            except LedgerFailed:
                return False
        return True

    async def catch_up(self) -> None:
        """Try to write what could not be written before. Raises `LedgerFailed`."""
        async with self._writing:
            await asyncio.to_thread(self.ledger.keep_alive)
            await self._write_unwritten()

    def adopt_at_start(self, step: Step) -> None:
        """Write a step and adopt it, before anybody is served; blocks. What cannot be written is tried again later."""
        try:
            self.ledger.record(step)
        except LedgerFailed:
            self.behind = True
            self._unwritten.append(step)
        self._adopt(step, None)

    def adopt(self, step: Step, published: Published | None = None) -> None:
        """Make a step's outcome the desired state, and wake the nodes' polls; it is to be written yet."""
        self._unwritten.append(step)
        self._adopt(step, published)

    def _adopt(self, step: Step, published: Published | None) -> None:
        if step.after.snapshot != step.before.snapshot or published is not None:
            self.published = published
        self.desired = step.after
        self.bell.ring()
        self.decided(step.entries)

    async def _take_back(self, written: Step | None) -> None:
        """Write what is in force over a step that was written and then not adopted, and say so in the history."""
        if written is not None:
            await self._write_unwritten()
            await asyncio.to_thread(self.ledger.record, taken_back(written, self.desired))

    async def _write(self, step: Step) -> None:
        await self._write_unwritten()
        await asyncio.to_thread(self.ledger.record, step)

    async def _write_unwritten(self) -> None:
        """Write all that was adopted so far at one stroke: its entries, and the present that they tell of."""
        while some := tuple(self._unwritten):
            whole = Step(
                before=some[0].before,
                after=self.desired,
                entries=tuple(entry for step in some for entry in step.entries),
                documents=tuple(text for step in some for text in step.documents),
            )
            try:
                await asyncio.to_thread(self.ledger.record, whole)
            except LedgerFailed:
                self.behind = True
                raise
            del self._unwritten[: len(some)]
        self.behind = False
