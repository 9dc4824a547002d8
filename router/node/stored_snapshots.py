"""The snapshots that a host keeps: which of them may be served, and the live files that point into one."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import SnapshotDamaged
from ..snapshot.directory import BOOTSTRAP, MANIFEST, read_manifest
from ..snapshot.manifest import Manifest
from .former_entries import FormerEntries
from .report import Problems
from .resources import STRUCTURE, Resource
from .state_directory import StateDirectory, point


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGood:
    """The newest snapshot that served and is whole on disk, if any; `damaged`: a newer one that is not whole."""

    manifest: Manifest | None
    damaged: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSnapshots:
    """The folders of snapshots. `former` knows where the entry was before."""

    state: StateDirectory
    problems: Problems
    former: FormerEntries

    def last_good(self) -> LastGood:
        """What the next start may serve; what is wrong with newer ones is noted as a problem."""
        first_fault, damaged = "", None
        for digest in self.state.good():
            try:
                manifest = read_manifest(self.state.snapshots / digest)
            except SnapshotDamaged as error:
                if damaged is None:
                    first_fault, damaged = str(error), digest
                continue
            if damaged is not None:
                self.problems.note("snapshot", f"{first_fault}; serving the last good one, {manifest.digest[:12]}")
            return LastGood(manifest=manifest, damaged=damaged)
        if damaged is not None:
            self.problems.note("snapshot", f"{first_fault}; no other is stored")
        return LastGood(manifest=None, damaged=damaged)

    def manifest_of(self, digest: str) -> Manifest | None:
        """The manifest of a snapshot that is or was stored here, even when its folder is damaged; None when unknown."""
        for path in (self.state.snapshots / digest / MANIFEST, self.state.manifests / f"{digest}.json"):
            try:
                manifest = Manifest.parse(path.read_bytes())
            except (OSError, SnapshotDamaged):
                continue
            if manifest.digest == digest:
                return manifest
        return None

    def live_digest(self) -> str:
        """What the agent before this one let Envoy serve: the last good one, else where the live files point."""
        good = self.state.good()
        return good[0] if good else self.state.current(Resource.ROUTES).resolve().parent.name

    def is_shown(self, digest: str) -> bool:
        """Whether all live files point into the snapshot: not in the middle of a switch."""
        return all(self.state.current(one).resolve() == self._file(one, digest) for one in STRUCTURE)

    def show(self, digest: str) -> None:
        """Let the live files point into the snapshot. Raises `OSError`."""
        for resource in STRUCTURE:
            point(self.state.current(resource), self._file(resource, digest))
        self.show_bootstrap(digest)

    def show_bootstrap(self, digest: str) -> None:
        """Let the next start use the snapshot's bootstrap. Raises `OSError`."""
        point(self.state.bootstrap, self.state.snapshots / digest / BOOTSTRAP)

    def remember(self, digest: str) -> None:
        """Note that the snapshot served. Raises `OSError`."""
        self.state.remember_good(digest, (self.state.snapshots / digest / MANIFEST).read_bytes())

    def _file(self, resource: Resource, digest: str) -> Path:
        file = self.state.snapshots / digest / resource.file
        return self.former.with_them(file) if resource is Resource.LISTENERS else file
