"""What systemd is told: ready, what it is about, alive, ending. Outside of systemd nobody is told anything.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

_MICROSECONDS = 1_000_000


class Notifier:
    """A sender to the service manager's socket; without one every message is dropped."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET") or None
        if self._address is not None and self._address.startswith("@"):
            self._address = "\0" + self._address[1:]
        watched = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog = bool(watched and environment.get("WATCHDOG_USEC", "0") != "0")

    def ready(self, status: str) -> None:
        """Envoy serves a snapshot."""
        self._send("READY=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """Say in one line what is going on."""
        self._send(f"STATUS={status}")

    def reloading(self, status: str) -> None:
        """Envoy is being replaced; `ready` follows."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", f"STATUS={status}")

    def stopping(self, status: str) -> None:
        """The end has begun."""
        self._send("STOPPING=1", f"STATUS={status}")

    def alive(self) -> None:
        """The agent's loop goes round; sent only where a watchdog waits for it."""
        if self._watchdog:
            self._send("WATCHDOG=1")

    def extend(self, seconds: float) -> None:
        """Ask for that much more time to end in."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * _MICROSECONDS)}")

    def _send(self, *lines: str) -> None:
        if self._address is None:
            return
        # A service manager that is gone or slow must not end a router.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)  # noqa: FBT003 - the socket's own signature
            sender.connect(self._address)
            sender.send("\n".join(lines).encode())
