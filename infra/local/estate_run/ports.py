"""Free ports for an estate, and whether an address can be bound.

A port is free only at the moment of looking: the process that gets it binds it a little later. So ports are taken below
the range that the system gives to outgoing connections, where nothing else appears by chance.
"""

import os
import random
import socket
from collections.abc import Mapping, Sequence

from strangler_fig.diagnostics import Diagnostic, Refused

LOWEST, HIGHEST = 20_000, 32_767
"""Below Linux's default range of ports for outgoing connections (32768-60999, net.ipv4.ip_local_port_range)."""
_HIGHEST_PORT = 65_535
_TRIES = 200


def choose(
    names: Sequence[str],
    environment: Mapping[str, str],
    random_source: random.Random,
    last_time: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """A port for each name: the environment's where it is set, else last time's, else another free one on 127.0.0.1.

    Raises:
        Refused: a port from the environment is not a port, or is in use.
    """
    found = [fault for name in names if name in environment for fault in _given_faults(name, environment[name])]
    if found:
        raise Refused(found)
    chosen = {name: environment[name] for name in names if name in environment}
    taken = {int(port) for port in chosen.values()}
    for name in names:
        if name not in chosen:
            port = _again((last_time or {}).get(name, ""), taken) or _free(random_source, taken)
            taken.add(port)
            chosen[name] = str(port)
    return chosen


def why_not_bindable(host: str, port: int) -> str | None:
    """None where a listener can be opened at the address, else the system's reason."""
    try:
        families = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return str(error.strerror or error)
    for family, kind, protocol, _, address in families[:1]:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                return os.strerror(error.errno or 0)
    return None


def _given_faults(name: str, value: str) -> list[Diagnostic]:
    if not value.isdecimal() or not 1 <= int(value) <= _HIGHEST_PORT:
        hint = f"unset {name} to take a free port"
        return [Diagnostic(code="UP111", message=f"{name}={value} in the environment is not a port", hint=hint)]
    reason = why_not_bindable("127.0.0.1", int(value))
    if reason:
        hint = f"unset {name} to take a free port, or choose another"
        message = f"{name}={value} in the environment cannot be used: {reason}"
        return [Diagnostic(code="UP112", message=message, hint=hint)]
    return []


def _again(last_time: str, taken: set[int]) -> int | None:
    port = int(last_time) if last_time.isdecimal() else 0
    usable = 0 < port <= _HIGHEST_PORT and port not in taken and why_not_bindable("127.0.0.1", port) is None
    return port if usable else None


def _free(random_source: random.Random, taken: set[int]) -> int:
    for _ in range(_TRIES):
        port = random_source.randint(LOWEST, HIGHEST)
        if port not in taken and why_not_bindable("127.0.0.1", port) is None:
            return port
    with socket.socket() as probe:  # a crowded machine: take whatever the system gives
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
