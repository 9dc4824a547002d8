"""A snapshot on disk: `<root>/<digest>/<file>`, written whole or not at all, and verified when it is read."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from ..errors import SnapshotDamaged
from . import identity_files, tls_files
from .manifest import Manifest, Snapshot

MANIFEST = "manifest.json"
BOOTSTRAP = "bootstrap.json"
FILES = (
    *(BOOTSTRAP, "clusters.json", "listeners.json", "routes.json", "estate.json"),
    *(identity_files.LIST, tls_files.LIST, MANIFEST),
)


def write(snapshot: Snapshot, root: Path) -> Path:
    """Write a snapshot's files below `root` and return their folder; nothing is written when it is there and whole."""
    target = root / snapshot.digest
    if target.is_dir():
        try:
            read_manifest(target)
        except SnapshotDamaged:
            shutil.rmtree(target)
        else:
            return target
    root.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
    try:
        for name, data in snapshot.files.items():
            with (staging / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        staging.chmod(0o755)
        staging.rename(target)
    except OSError:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return target


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the snapshot in `folder`, after every file's digest was checked. Raises `SnapshotDamaged`."""
    try:
        manifest = Manifest.parse((folder / MANIFEST).read_bytes())
        for name, digest in manifest.files.items():
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != digest:
                message = f"{folder / name} is not what the manifest says it is"
                raise SnapshotDamaged(message)
    except OSError as error:
        message = f"{folder} is not a whole snapshot: {error}"
        raise SnapshotDamaged(message) from error
    if manifest.digest != folder.name and len(folder.name) == len(manifest.digest):
        message = f"{folder} holds the snapshot {manifest.digest}"
        raise SnapshotDamaged(message)
    return manifest
