"""Several router hosts on one machine: each node has a network of its own, so all can have the estate's one address."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SERVICES = "10.202.0.1"
"""Where control and legacy listen; every node reaches it."""
_IP = ("ip",)
_HOLD = ("unshare", "--net", "sh", "-c", "echo in; exec sleep infinity")
_RUN = ("unshare", "--user", "--map-root-user", "--net", "--kill-child")


@dataclass(frozen=True)
class Network:
    """One host's network: its address, and the command prefix that runs something in it."""

    address: str
    enter: tuple[str, ...]


def are_possible() -> bool:
    """Whether this system lets its users make networks of their own."""
    return subprocess.run([*_RUN, "true"], check=False, capture_output=True).returncode == 0


def run_inside(story: str, folder: Path, *, seconds: float) -> tuple[int, str]:
    """Run a story of `stories.py` in a network of its own; how it ended, and what it said."""
    command = [*_RUN, sys.executable, "-m", "tests.router.fleet.stories", story, str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)  # it ends what it started
        try:
            said, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
        return -1, said
    return process.returncode, said


def prepare() -> None:
    """Bring up the network that the story runs in."""
    _ip("link", "set", "lo", "up")
    _ip("address", "add", f"{SERVICES}/32", "dev", "lo")


@contextmanager
def network(number: int) -> Iterator[Network]:
    """A host's network, joined to the services by a cable of its own."""
    # Says when it is in its network, because a cable can only be put into one that is there.
    holder = subprocess.Popen(_HOLD, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in\n"
        enter = ("nsenter", "--target", str(holder.pid), "--net")
        here, there, net = f"fig{number}", f"fig{number}n", f"10.202.{number}"
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", str(holder.pid))
        _ip("address", "add", f"{net}.1/24", "dev", here)
        _ip("link", "set", here, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("address", "add", f"{net}.2/24", "dev", there),
            ("link", "set", there, "up"),
            ("route", "add", "default", "via", f"{net}.1"),
        ):
            subprocess.run([*enter, *_IP, *words], check=True)
        yield Network(f"{net}.2", enter)
    finally:
        with suppress(ProcessLookupError):
            holder.kill()
        holder.communicate()


def _ip(*words: str) -> None:
    subprocess.run([*_IP, *words], check=True)
