"""Two router hosts on one machine: each node has a network of its own, so both can have the estate's one address.

The soak runs itself again in namespaces of its own, where it is allowed to make networks without being root outside.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

SERVICES = "10.201.0.1"
"""Where control, legacy and the Invoke API listen; every node reaches it."""

_INSIDE = "FIG_SOAK_INSIDE"
_WAYS = (("unshare", "--user", "--map-root-user", "--net", "--kill-child"), ("unshare", "--net", "--kill-child"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One host's network: its address, and the command prefix that runs something in it."""

    address: str
    enter: tuple[str, ...]


def run_inside(script: str) -> None:
    """Run this script again in namespaces of its own, and end as it does; returns when this is that run already."""
    if os.environ.get(_INSIDE):
        _ip("link", "set", "lo", "up")
        _ip("address", "add", f"{SERVICES}/32", "dev", "lo")
        return
    missing = [name for name in ("unshare", "nsenter", "ip") if shutil.which(name) is None]
    if missing:
        message = f"{', '.join(missing)} not found: apt-get install util-linux iproute2"
        raise SystemExit(message)
    way = next(
        (one for one in _WAYS if not subprocess.run([*one, "true"], check=False, capture_output=True).returncode), None
    )
    if way is None:
        raise SystemExit("two router hosts need a network namespace each (unshare --net), and this system refuses them")
    child = subprocess.Popen(
        [*way, sys.executable, script, *sys.argv[1:]], env={**os.environ, _INSIDE: "1"}, start_new_session=True
    )
    try:
        code = child.wait()
    except BaseException:
        _end_group(child)
        raise
    raise SystemExit(code)


@contextmanager
def host(number: int) -> Iterator[Network]:
    """A host's network, joined to the services by a cable of its own."""
    # Says when it is in its network, because a cable can only be put into one that is there.
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo in; exec sleep infinity"], stdout=subprocess.PIPE, text=True
    )
    try:
        if holder.stdout is None or holder.stdout.readline() != "in\n":
            raise SystemExit("no network for a node")
        enter = ("nsenter", "--target", str(holder.pid), "--net")
        here, there, net = f"soak{number}", f"soak{number}n", f"10.201.{number}"
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", str(holder.pid))
        _ip("address", "add", f"{net}.1/24", "dev", here)
        _ip("link", "set", here, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{net}.2/24", "dev", there),
            ("link", "set", there, "up"),
            ("route", "add", "default", "via", f"{net}.1"),
        ):
            subprocess.run([*enter, "ip", *words], check=True)
        yield Network(address=f"{net}.2", enter=enter)
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout:
            holder.stdout.close()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Ask the run inside to end, which ends all that it started; after some seconds insist."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
