"""`fig node restart`: ask the agent on a state directory for a new Envoy, and wait until that is the present one."""

import os
import signal
import time
from dataclasses import dataclass

from .envoy_process import adopt
from .errors import NoAgent, NodeFailed
from .state_directory import StateDirectory, try_lock

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarted:
    """The Envoys before and after, and how long it took."""

    from_pid: int
    to_pid: int
    seconds: float


def restart(state: StateDirectory, *, wait_seconds: float) -> Restarted:
    """Have Envoy replaced. Raises `NoAgent`, and `NodeFailed` when it is not replaced in time."""
    agent = _agent(state)
    before = _present(state)
    if before is None:
        message = f"no Envoy runs on {state.root}"
        raise NodeFailed(message)
    began = time.monotonic()
    os.kill(agent, signal.SIGHUP)
    while time.monotonic() < began + wait_seconds:
        now = _present(state)
        if now is not None and now != before:
            return Restarted(from_pid=before, to_pid=now, seconds=time.monotonic() - began)
        time.sleep(_POLL_SECONDS)
    message = f"Envoy (pid {before}) was not replaced within {wait_seconds:g} s: fig status and {state.log} say why"
    raise NodeFailed(message)


def _agent(state: StateDirectory) -> int:
    try:
        descriptor = try_lock(state.agent_lock)
    except OSError as error:
        message = f"{state.root} is not a node's state directory: {error}"
        raise NoAgent(message) from error
    if descriptor is None:
        return int(state.agent_lock.read_text())
    os.close(descriptor)
    message = f"no fig node runs on {state.root}: start it, and it takes over Envoy or replaces it"
    raise NoAgent(message)


def _present(state: StateDirectory) -> int | None:
    process = adopt(state)
    if process is None:
        return None
    process.close()
    return process.pid
