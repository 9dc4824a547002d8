"""What the agent does for identities: it lends Envoy the keys that sign claims, and tells what is missing.

A key that cannot be had any more, or is too short, is not used; the last good one stays, and the report says so. The
keys of token issuers are Envoy's own business: here it is only seen whether they are there.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..snapshot.identity_files import LIST
from ..snapshot.manifest import Manifest
from .identity_needs import ClaimsKey, IssuerKeys, Unusable, needs
from .report import Problems
from .state_directory import StateDirectory

_TICK_SECONDS = 1.0


class IdentityWatch:
    """The identities of one node. `environment` is the agent's own; `serving` what Envoy serves."""

    def __init__(
        self,
        *,
        state: StateDirectory,
        problems: Problems,
        environment: Mapping[str, str],
        serving: Callable[[], Manifest | None],
    ) -> None:
        self._state = state
        self._problems = problems
        self._environment = environment
        self._serving = serving
        self._noted: set[str] = set()

    async def ready(self, digest: str | None) -> None:
        """Before Envoy gets this snapshot: the keys that sign its claims are there, as far as they can be had."""
        if digest is not None:
            await asyncio.to_thread(self.lend, digest)

    async def run(self, envoy_runs: Callable[[], bool]) -> None:
        """Watch until cancelled."""
        present, since = "", 0.0
        while True:
            manifest = self._serving()
            if manifest is not None:
                if manifest.digest != present:
                    present, since = manifest.digest, time.time()
                    await asyncio.to_thread(self.clean, manifest)
                if not envoy_runs():
                    since = time.time()
                self._tell(await asyncio.to_thread(self._look, present, since))
            await asyncio.sleep(_TICK_SECONDS)

    def lend(self, digest: str) -> dict[str, str]:
        """Write the files with the keys that sign a snapshot's claims; returns what is wrong, by subject."""
        found = {}
        for one in self._needs(digest):
            if not isinstance(one, ClaimsKey):
                continue
            path = self._state.root / one.path
            try:
                _write_if_changed(path, one.secret(self._state.root, self._environment).hex().encode())
            except (Unusable, OSError) as error:
                instead = "the last one is used" if path.exists() else "its routes answer 503"
                text = f"identity {one.identity}: the key that signs its claims ({one.source}) {error}; {instead}"
                found[f"identity {one.identity} key"] = text
        return found

    def _look(self, digest: str, since: float) -> dict[str, str]:
        found = self.lend(digest)
        for one in self._needs(digest):
            if not isinstance(one, IssuerKeys):
                continue
            try:
                one.see(self._state.root, since)
            except Unusable as error:
                kept = (self._state.root / one.kept).exists()
                instead = "the last ones are used" if kept else "its routes answer 503"
                text = f"identity {one.identity}: its tokens' keys ({one.source}) {error}; {instead}"
                found[f"identity {one.identity} tokens"] = text
        return found

    def _tell(self, found: Mapping[str, str]) -> None:
        for subject, text in found.items():
            self._problems.note(subject, text)
        for subject in self._noted - found.keys():
            self._problems.mend(subject)
        self._noted = set(found)

    def _needs(self, digest: str) -> tuple[ClaimsKey | IssuerKeys, ...]:
        return tuple(needs(self._state.snapshots / digest))

    def clean(self, serving: Manifest) -> None:
        """Remove what no stored snapshot needs: the keys that sign are secrets."""
        if LIST in serving.files and not self._needs(serving.digest):
            return  # it is damaged on the disk, and Envoy serves it from memory
        needed = {
            Path(one.path if isinstance(one, ClaimsKey) else one.kept).name
            for folder in self._state.snapshots.iterdir()
            for one in needs(folder)
        }
        for path in self._state.identities.iterdir():
            if path.suffix in {".key", ".jwks"} and path.name not in needed:
                path.unlink(missing_ok=True)


def _write_if_changed(path: Path, data: bytes) -> None:
    if path.exists() and path.read_bytes() == data:
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
