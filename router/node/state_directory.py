"""The files of a router host, and the only two ways to change them: replace a file or a symlink, by rename.

snapshots/<digest>/       what control published, verified by digest before every use
manifests/<digest>.json   copies of the manifests: which weights a snapshot had, should its folder be damaged
weights/<n>.json          the runtime keys, newest number in force
transition/               clusters and listeners of two snapshots at once, while one replaces the other
live/{cds,lds,rds,rtds}/current, live/bootstrap.json   what Envoy reads: symlinks into the above
bootstraps/<digest>.json  what the running Envoy was started with
envoy.pid                 the present Envoy: id and start time; envoy-next.pid and envoy-former.pid while one hands over
former-entries.json       where the entry was before, and until when it is served there
good.json                 snapshots that served, newest first
identities/               keys that sign claims (written by the agent), keys of token issuers and a socket (by Envoy)
tls/<name>.json           certificates, keys and authorities as Envoy reads them, checked by the agent
log.key                   16 hex digits: the key of the access log's pseudonyms; hosts may share one
local-moves.jsonl         moves that this host made alone
"""

import enum
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..snapshot import identity_files, tls_files
from .errors import StateBusy
from .resources import Resource

KEPT_SNAPSHOTS = 5
KEPT_WEIGHTS = 20
_LOG_KEY_BYTES = 8


class Note(enum.Enum):
    """Which Envoy a note names: the present one, one that is starting beside it, one that ends its requests."""

    PRESENT = "envoy.pid"
    NEXT = "envoy-next.pid"
    FORMER = "envoy-former.pid"


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """The places in one node's state directory; `root` is absolute and is Envoy's working directory."""

    root: Path

    @property
    def snapshots(self) -> Path:
        """Where snapshots are stored, each in a folder named by its digest."""
        return self.root / "snapshots"

    @property
    def weights(self) -> Path:
        """Where numbered weights files are stored."""
        return self.root / "weights"

    @property
    def transition(self) -> Path:
        """Where the files live that hold two snapshots' resources."""
        return self.root / "transition"

    @property
    def manifests(self) -> Path:
        """Where copies of good snapshots' manifests are stored."""
        return self.root / "manifests"

    @property
    def bootstrap(self) -> Path:
        """The symlink to what Envoy is started with next."""
        return self.root / "live" / "bootstrap.json"

    @property
    def log(self) -> Path:
        """What Envoy writes about itself."""
        return self.root / "logs" / "envoy.log"

    @property
    def admin_socket(self) -> Path:
        """Envoy's admin interface."""
        return self.root / "admin.sock"

    @property
    def bootstraps(self) -> Path:
        """Where a copy of what Envoy was started with is stored, named by its digest."""
        return self.root / "bootstraps"

    @property
    def identities(self) -> Path:
        """Where the files are that identities need."""
        return self.root / identity_files.FOLDER

    @property
    def tls(self) -> Path:
        """Where Envoy's certificates, keys and authorities are."""
        return self.root / tls_files.FOLDER

    @property
    def agent_lock(self) -> Path:
        """The file that the agent holds; it has the agent's process id in it."""
        return self.root / "agent.lock"

    def note(self, note: Note) -> Path:
        """The process id and start time of an Envoy, in one line."""
        return self.root / note.value

    @property
    def local_moves(self) -> Path:
        """The journal of moves that this host made alone."""
        return self.root / "local-moves.jsonl"

    def log_size(self) -> int:
        """The bytes that Envoy has written about itself so far."""
        return self.log.stat().st_size if self.log.exists() else 0

    def current(self, resource: Resource) -> Path:
        """The symlink that Envoy watches for this kind of resource."""
        return self.root / "live" / resource.folder / "current"

    def prepare(self) -> None:
        """Make the folders, and the key of the log's pseudonyms where there is none. Raises `OSError`.

        The directory is its owner's alone: snapshots name every upstream, and the log every path.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        stored = (self.snapshots, self.weights, self.transition, self.manifests, self.bootstraps)
        for folder in (*stored, self.identities, self.tls, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        for resource in Resource:
            self.current(resource).parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            descriptor = os.open(self.root / "log.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(_LOG_KEY_BYTES))

    def good(self) -> tuple[str, ...]:
        """The digests of the snapshots that served, newest first."""
        try:
            content = json.loads((self.root / "good.json").read_bytes())
            return tuple(str(digest) for digest in content["snapshots"])
        except (OSError, ValueError, KeyError, TypeError):
            return ()  # never written, or damaged: the agent asks control, and serves nothing it cannot verify

    def remember_good(self, digest: str, manifest: bytes) -> None:
        """Record that Envoy serves the snapshot `digest`: it is what the next start uses. Raises `OSError`."""
        replace_file(self.manifests / f"{digest}.json", manifest)
        kept = (digest, *(one for one in self.good() if one != digest))[:KEPT_SNAPSHOTS]
        replace_file(self.root / "good.json", json.dumps({"snapshots": kept}).encode())
        for path in self.manifests.iterdir():
            if path.stem not in kept:
                path.unlink(missing_ok=True)

    def forget_snapshots(self, present: str) -> None:
        """Remove the snapshots that neither serve nor served, and files of two at once that Envoy does not read."""
        kept = {present, *self.good()}
        for folder in self.snapshots.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        read = {self.current(resource).resolve() for resource in Resource}
        for path in self.transition.iterdir():
            if path not in read:
                path.unlink(missing_ok=True)

    @contextmanager
    def held_by_one_agent(self) -> Iterator[None]:
        """Hold the directory for one agent at a time. Raises `StateBusy` when another has it."""
        descriptor = try_lock(self.agent_lock)
        if descriptor is None:
            message = f"another fig node runs on {self.root}: stop it, or give this one its own --state"
            raise StateBusy(message)
        os.truncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
        try:
            yield
        finally:
            os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """A descriptor that holds the lock file `path` until it is closed; None when another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def point(link: Path, target: Path) -> None:
    """Make the symlink `link` show `target`, in one step and by a relative path; Envoy reloads on the rename."""
    # The new link is made outside the watched folder, so that Envoy sees one event and not two.
    fresh = link.parent.parent / f".{link.parent.name}-{link.name}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, link.parent))
    fresh.rename(link)


def replace_file(path: Path, data: bytes) -> None:
    """Write `path` whole or not at all, and durably. Raises `OSError`."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def make_durable(path: Path) -> None:
    """Wait until a file and its name are on the disk. Raises `OSError`."""
    for one in (path, path.parent):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
