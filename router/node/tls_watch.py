"""What the agent does for TLS: it gives Envoy renewed certificates and authorities, and tells when they end.

A renewed file is taken when it has been the same for a second, is whole, has its key, and Envoy itself takes it. Until
then, and when it is not, what Envoy has stays; the report says so.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..snapshot.manifest import Manifest
from ..snapshot.tls_files import trial
from ..snapshot.validate import envoy_problems
from .errors import Rejection
from .expiry import Certificate
from .report import Problems
from .state_directory import StateDirectory
from .tls_material import Material, Need, Unusable, needs

_TICK_SECONDS = 1.0
_PATIENCE_TICKS = 3
"""How often in a row a renewal may be unusable before that is a problem: a certificate comes before its key."""
_REST_TICKS = 60
"""How many looks pass before what was refused is tried again: a certificate's time may have come."""
_WARNED_DAYS = 30
_SECONDS_A_DAY = 86_400

Mark = tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class _Seen:
    """What was seen of one secret's files.

    Their state when they were taken, at the last look, and when they were refused (why, and for how many looks more);
    how often in a row they could not be used; the certificate of what Envoy has that ends first.
    """

    taken: Mark | None = None
    last: Mark | None = None
    refused: Mark | None = None
    reason: str = ""
    rest: int = 0
    failures: int = 0
    certificate: Certificate | None = None


@dataclass(slots=True)
class TlsWatch:
    """The TLS of one node. `serving`: what Envoy serves; `now`: the time, with its zone."""

    state: StateDirectory
    envoy: Path
    problems: Problems
    serving: Callable[[], Manifest | None]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _noted: set[str] = field(default_factory=set)
    _present: str = ""

    async def ready(self, digest: str) -> None:
        """Before Envoy gets this snapshot: all that its TLS needs is there. Raises `Rejection`, for all that is not."""
        missing = []
        for need in self._needs(digest):
            seen = self._seen.setdefault(need.name, _Seen())
            if await self._has(need, seen):
                continue  # a renewal is taken when it has settled
            try:
                await self._take(need, seen)
            except Unusable as error:
                missing.append(f"{need.file} {error}")
        if missing:
            raise Rejection("; ".join(missing))

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_TICK_SECONDS)

    async def look(self) -> None:
        """Look at the files of what Envoy serves once: take what was renewed, note what is wrong."""
        manifest = self.serving()
        if manifest is None:
            return
        if manifest.digest != self._present:
            self._present = manifest.digest
            await asyncio.to_thread(self._forget_unneeded)
        self._tell({**await self._renewals(manifest.digest), **dict(self._endings(manifest.digest))})

    def report(self) -> list[dict[str, Any]]:
        """The certificates that Envoy has: each file's, the one that ends first."""
        manifest = self.serving()
        return [
            {"file": need.file, "subject": one.subject, "not_after": one.not_after.isoformat()}
            for need, one in self._watched(manifest.digest if manifest else "")
        ]

    async def _renewals(self, digest: str) -> dict[str, str]:
        found = {}
        for need in self._needs(digest):
            seen = self._seen.setdefault(need.name, _Seen())
            try:
                await self._renew(need, seen)
                seen.failures = 0
            except Unusable as error:
                seen.failures += 1
                instead = "the last good one is used" if await self._has(need, seen) else "there is no other"
                if seen.failures >= _PATIENCE_TICKS:
                    found[f"tls {need.file}"] = f"{need.file} {error}; {instead}"
        return found

    async def _renew(self, need: Need, seen: _Seen) -> None:
        """Take the files when they have changed and then stayed the same for a look. Raises `Unusable`."""
        mark = need.mark(self.state.root)
        stays, seen.last = mark == seen.last, mark
        if mark == seen.taken or not stays:
            return
        if mark == seen.refused and seen.rest > 0:
            seen.rest -= 1
            raise Unusable(seen.reason)
        try:
            await self._take(need, seen)
        except Unusable as error:
            seen.refused, seen.reason, seen.rest = mark, str(error), _REST_TICKS
            raise

    async def _take(self, need: Need, seen: _Seen) -> None:
        """Give Envoy what the files hold now, unless it has just that. Raises `Unusable`."""
        root = self.state.root
        mark = need.mark(root)
        material, present = await asyncio.to_thread(lambda: (need.read(root), need.stored(root)))
        if present is None or material.contents != present.contents:
            material.follows(present, self.now())
            await self._try(material)
            await asyncio.to_thread(material.store, root)
        seen.taken = mark
        seen.certificate = material.first_to_end

    async def _has(self, need: Need, seen: _Seen) -> bool:
        """Whether Envoy has a good one."""
        stored = await asyncio.to_thread(need.stored, self.state.root)
        if stored is not None and seen.certificate is None:
            seen.certificate = stored.first_to_end
        return stored is not None

    async def _try(self, material: Material) -> None:
        bootstrap = trial(material.contents)
        found = await asyncio.to_thread(envoy_problems, bootstrap, self.envoy, below=self.state.tls)
        if found:
            message = f"cannot be used: Envoy says {found[0]}"
            raise Unusable(message)

    def _endings(self, digest: str) -> Iterator[tuple[str, str]]:
        now = self.now()
        for need, one in self._watched(digest):
            days = (one.not_after - now).total_seconds() / _SECONDS_A_DAY
            if days < _WARNED_DAYS:
                when = f"ends in {days:.0f} days" if days >= 1 else "ends within a day" if days > 0 else "has ended"
                yield f"ending {need.file}", f"{need.file} ({one.subject}) {when}: {one.not_after:%Y-%m-%d %H:%M} UTC"

    def _watched(self, digest: str) -> Iterator[tuple[Need, Certificate]]:
        for need in self._needs(digest):
            seen = self._seen.get(need.name)
            if seen is not None and seen.certificate is not None and need.is_watched_for_expiry:
                yield need, seen.certificate

    def _tell(self, found: Mapping[str, str]) -> None:
        for subject, text in found.items():
            self.problems.note(subject, text)
        for subject in self._noted - found.keys():
            self.problems.mend(subject)
        self._noted = set(found)

    def _needs(self, digest: str) -> tuple[Need, ...]:
        return tuple(needs(self.state.snapshots / digest))

    def _forget_unneeded(self) -> None:
        """Remove what no stored snapshot needs: there are private keys in it."""
        needed = {need.name for folder in self.state.snapshots.iterdir() for need in needs(folder)}
        for path in self.state.tls.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)  # a trial whose agent was killed
            elif path.stem not in needed:
                path.unlink(missing_ok=True)
