"""The files by which the agent, the credentials' server and Envoy find each other; only their owner may read them.

credentials/port         where the server listens, for as long as an Envoy lives that was told so
credentials/token        what Envoy shows the server; a new one with each start of the server
credentials/lock         held by the server; its content is the server's process id
credentials/state.json   what the server says of itself: never a key
"""

import fcntl
import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class CredentialsFiles:
    """The places below one folder of a node's state directory."""

    root: Path

    @property
    def token(self) -> Path:
        """The file that Envoy reads its token from."""
        return self.root / "token"

    @property
    def lock(self) -> Path:
        """The file that the server holds locked."""
        return self.root / "lock"

    def prepare(self) -> None:
        """Make the folder. Raises `OSError`."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)

    def port(self) -> int:
        """The port, chosen now when there is none. Raises `OSError`."""
        try:
            return int((self.root / "port").read_text())
        except (OSError, ValueError):
            return self.new_port()

    def new_port(self) -> int:
        """Choose a free port for the server. Raises `OSError`."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port: int = probe.getsockname()[1]
        _replace(self.root / "port", str(port))
        return port

    def new_token(self) -> str:
        """Choose another token. Raises `OSError`."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        _replace(self.token, token)
        return token

    def hold(self) -> int | None:
        """A descriptor that holds the lock for this process until it is closed; None when another process has it."""
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return descriptor

    def server(self) -> int | None:
        """The id of the running server's process, or None."""
        try:
            descriptor = os.open(self.lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            noted = os.pread(descriptor, 20, 0)
            return int(noted) if noted.isdigit() else None
        finally:
            os.close(descriptor)
        return None

    def tell(self, state: dict[str, Any]) -> None:
        """Replace what the server says of itself. Raises `OSError`."""
        _replace(self.root / "state.json", json.dumps(state))

    def told(self) -> dict[str, Any]:
        """What the server last said of itself; empty when it said nothing that can be read."""
        try:
            content = json.loads((self.root / "state.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.rename(path)
