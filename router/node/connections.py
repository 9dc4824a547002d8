"""Which connections of clients a process still has, as the kernel says: an Envoy that drains has no admin interface.

Source: proc(5), /proc/<pid>/net/tcp; the states are those of include/net/tcp_states.h.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_ESTABLISHED = "01"
_LISTENS = "0A"
_SOCKET = "socket:["


@dataclass(frozen=True, slots=True)
class _Socket:
    port: int
    state: str


def listened(pid: int) -> frozenset[int]:
    """The TCP ports on which the process listens."""
    return frozenset(one.port for one in _sockets(pid) if one.state == _LISTENS)


def count(pid: int, ports: frozenset[int] | None) -> int:
    """How many connections to those of its ports (None: on any) the process has; 0 when it has ended."""
    return sum(one.state == _ESTABLISHED and (ports is None or one.port in ports) for one in _sockets(pid))


def _sockets(pid: int) -> list[_Socket]:
    by_inode: dict[str, _Socket] = {}
    for file in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/net/{file}").read_text().splitlines()[1:]:
                fields = line.split()
                by_inode[fields[9]] = _Socket(int(fields[1].rpartition(":")[2], 16), fields[3])
    found = []
    with suppress(OSError):
        for descriptor in os.scandir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                name = str(Path(descriptor.path).readlink())
                if name.startswith(_SOCKET) and (one := by_inode.get(name.removeprefix(_SOCKET)[:-1])):
                    found.append(one)
    return found
