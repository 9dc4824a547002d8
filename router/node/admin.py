"""Envoy's admin interface, on a Unix socket in the state directory.

Source: Envoy documentation, "Administration interface" (1.40).
"""

import asyncio
import json
import os
import socket
import struct
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .errors import Unreachable
from .http1 import Connection, Streams

_OK = 200
_CREDENTIALS = struct.Struct("3i")


class Admin:
    """A client of one Envoy's admin socket; each user of it has its own, so that nobody waits for another's answer."""

    def __init__(self, admin_socket: Path) -> None:
        self._path = admin_socket
        self._connection = Connection(self._connect, name=f"Envoy ({admin_socket})", host="admin")

    async def text(self, target: str, *, timeout_seconds: float = 10.0) -> bytes:
        """The answer to `GET target`. Raises `Unreachable`."""
        answer = await self._connection.exchange("GET", target, timeout_seconds=timeout_seconds)
        if answer.status != _OK:
            message = f"Envoy ({self._path}) answers {answer.status} to {target}"
            raise Unreachable(message)
        return answer.body

    async def post(self, target: str, *, timeout_seconds: float = 10.0) -> None:
        """Ask Envoy to do something. Raises `Unreachable`."""
        answer = await self._connection.exchange("POST", target, timeout_seconds=timeout_seconds)
        if answer.status != _OK:
            message = f"Envoy ({self._path}) answers {answer.status} to {target}"
            raise Unreachable(message)

    async def json(self, target: str, *, timeout_seconds: float = 10.0) -> Any:
        """The JSON answer to `GET target`. Raises `Unreachable`."""
        data = await self.text(target, timeout_seconds=timeout_seconds)
        try:
            return json.loads(data)
        except ValueError as error:
            message = f"Envoy ({self._path}) does not answer {target} with JSON"
            raise Unreachable(message) from error

    async def stats(self, pattern: str, *, kind: str = "All") -> dict[str, int | str]:
        """The counters, gauges and texts whose names match the regular expression. Raises `Unreachable`."""
        answer = await self.json(f"/stats?format=json&type={kind}&filter={quote(pattern)}")
        return {one["name"]: one["value"] for one in answer["stats"] if "name" in one}

    async def server_info(self, *, timeout_seconds: float = 2.0) -> dict[str, Any]:
        """Version, state and node name of Envoy. Raises `Unreachable`."""
        info: dict[str, Any] = await self.json("/server_info", timeout_seconds=timeout_seconds)
        return info

    async def is_closed(self) -> bool:
        """Whether nobody listens there any more, which is another thing than an Envoy that does not answer."""
        self.close()
        try:
            await self._connection.streams()
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except OSError:
            return False
        return False

    async def process_id(self) -> int:
        """The process that listens on the socket, as the kernel says. Raises `Unreachable`."""
        try:
            _, writer = await self._connection.streams()
        except OSError as error:
            message = f"Envoy ({self._path}) does not answer: {error}"
            raise Unreachable(message) from error
        peer: socket.socket = writer.get_extra_info("socket")
        pid, _, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        return int(pid)

    def close(self) -> None:
        """Drop the connection; the next question opens a new one."""
        self._connection.close()

    async def _connect(self) -> Streams:
        # The name of a Unix socket has at most 107 characters; a state directory may be deeper, its descriptor is not.
        folder = os.open(self._path.parent, os.O_PATH | os.O_CLOEXEC)
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            peer.setblocking(False)  # noqa: FBT003 - the socket's own signature
            peer.connect(f"/proc/self/fd/{folder}/{self._path.name}")
            return await asyncio.open_unix_connection(sock=peer)
        except BaseException:
            peer.close()
            raise
        finally:
            os.close(folder)
