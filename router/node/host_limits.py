"""What this host can give Envoy: how many connections, how much memory. Found once, when Envoy is started.

Source: proc(5), getrlimit(2); Linux, Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
"""

import re
import resource
from dataclasses import dataclass
from pathlib import Path

_SHARE_OF_MEMORY = 0.6
"""Two Envoys run side by side while one hands over, and a snapshot is validated by a third."""
_DESCRIPTORS_A_CONNECTION = 2  # the client's and the upstream's
_RESERVED_DESCRIPTORS = 1_000  # files, listeners, health checks, pooled connections of upstreams
_BYTES_A_CONNECTION = 64 * 1024
_FEWEST = 100
_TOTAL = re.compile(r"^MemTotal:\s+(\d+) kB", re.MULTILINE)
_UNLIMITED = 2**60  # what a cgroup without a limit says, or less


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """How many connections of clients, and how many bytes, Envoy may have."""

    connections: int
    memory_bytes: int


def host_limits(*, memory_bytes: int | None, descriptors: int, root: Path = Path("/")) -> HostLimits:
    """The limits of the host below `root`, whose processes may have that many descriptors.

    `memory_bytes`: what was chosen; None: a share of the host's, or of what its cgroup allows.
    """
    memory = memory_bytes or int(_memory(root) * _SHARE_OF_MEMORY)
    by_descriptors = (descriptors - _RESERVED_DESCRIPTORS) // _DESCRIPTORS_A_CONNECTION
    return HostLimits(connections=max(_FEWEST, min(by_descriptors, memory // _BYTES_A_CONNECTION)), memory_bytes=memory)


def descriptors() -> int:
    """How many files Envoy may have open, which is started with the hard limit as its own."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _UNLIMITED if hard == resource.RLIM_INFINITY else hard


def _memory(root: Path) -> int:
    found = _TOTAL.search((root / "proc/meminfo").read_text())
    limits = [int(found[1]) * 1024] if found else []
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            limits += _limits(root / "sys/fs/cgroup", path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits(root / "sys/fs/cgroup/memory", path, "memory.limit_in_bytes")
    return min(limits)


def _limits(mount: Path, path: str, file: str) -> list[int]:
    """The limits of a cgroup and of all that hold it; in a container its path may be the host's, unknown inside."""
    own = mount / path.strip("/")
    folders = [own, *(one for one in own.parents if one.is_relative_to(mount))]
    texts = [line for folder in folders for line in _lines(folder / file)]
    return [int(text) for text in texts if text.isdigit() and int(text) < _UNLIMITED]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []  # another version of cgroups, or none
