"""The kinds of resource that Envoy reads from files, and the arithmetic on their files.

Each kind has its own watched folder: in a shared one, every flip of a weight would reload all routes.
"""

import enum
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from ..snapshot import identity_merge
from ..snapshot.inner_listeners import INNER, merged

_VERSION = re.compile(rb'"version_info"\s*:\s*"([^"\\]*)"')
_HEAD_BYTES = 4096


class Resource(enum.Enum):
    """A kind of resource: its folder below `live/`, its file in a snapshot, and the end of its counters' prefix."""

    CLUSTERS = ("cds", "clusters.json", "cluster_manager.cds")
    LISTENERS = ("lds", "listeners.json", "listener_manager.lds")
    ROUTES = ("rds", "routes.json", ".rds.entry")
    WEIGHTS = ("rtds", "", "runtime")

    def __init__(self, folder: str, file: str, counters: str) -> None:
        self.folder = folder
        self.file = file
        self.counters = counters


STRUCTURE = (Resource.CLUSTERS, Resource.LISTENERS, Resource.ROUTES)
"""What a snapshot holds, in the order in which it is added; it is removed in the opposite order."""


def version_of(path: Path) -> str | None:
    """The `version_info` near the start of a resource file, without reading a large file whole; None when not there."""
    with path.open("rb") as file:
        found = _VERSION.search(file.read(_HEAD_BYTES))
    return found[1].decode() if found else None


def size_of(path: Path) -> int:
    """The bytes of a file."""
    return path.stat().st_size


def same_content(one: Path, other: Path) -> bool:
    """Whether two resource files hold the same bytes."""
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def union(old: Path, new: Path) -> bytes | None:
    """A file with all of `new` and what only `old` names; None when `old` names nothing that `new` does not.

    A listener whose address has another name in `new` is not kept: there can be one at an address. A listener of both
    calls the candidates, and serves the identities, of both. Raises `ValueError` when a file does not read as resources
    with names.
    """
    before, after = resources_in(old), resources_in(new)
    by_name = {one["name"]: one for one in before}
    joint = [_joined(by_name[one["name"]], one) if one["name"] in by_name else one for one in after]
    names = {one["name"] for one in after}
    taken = [one["address"] for one in after if "address" in one]
    leaving = [one for one in before if one["name"] not in names and one.get("address") not in taken]
    if not leaving and joint == after:
        return None
    return response([*joint, *leaving])


def response(resources: list[dict[str, Any]]) -> bytes:
    """The bytes of a file with these resources, whose version is their digest."""
    body = json.dumps(resources, separators=(",", ":")).encode()
    version = "transition-" + hashlib.sha256(body).hexdigest()[:16]
    return b'{"version_info":"' + version.encode() + b'","resources":' + body + b"}"


def _joined(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return merged(old, new) if new["name"] in INNER else identity_merge.merged(old, new)


def resources_in(path: Path) -> list[dict[str, Any]]:
    """The resources in a file. Raises `ValueError` when it does not read as resources with names."""
    content: Any = json.loads(path.read_bytes())
    try:
        resources: list[dict[str, Any]] = content["resources"]
        names = {one["name"] for one in resources}
    except (KeyError, TypeError) as error:
        message = f"{path} does not hold named resources"
        raise ValueError(message) from error
    if len(names) != len(resources):
        message = f"{path} names a resource twice"
        raise ValueError(message)
    return resources
