"""Control's folder: `ledger.sqlite`, `snapshots/`, `token`, and a lock, so that two processes never share one."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from strangler_fig.diagnostics import Diagnostic, Refused

_SHORTEST_TOKEN = 16


class StateDirectory:
    """The files of one control process; made when they are not there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = root / "ledger.sqlite"
        self.snapshots = root / "snapshots"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for this process. Raises `Refused` when another control has it or it cannot be made."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.snapshots.mkdir(exist_ok=True)
            lock = os.open(self.root / "control.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            message = f"{self.root} cannot be used as control's state: {error.strerror or error}"
            raise Refused([Diagnostic(code="CT101", message=message)]) from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                message = f"another control process runs on {self.root}"
                hint = "end it first, or name another folder with --state"
                raise Refused([Diagnostic(code="CT102", message=message, hint=hint)]) from error
            yield
        finally:
            os.close(lock)

    def token(self, file: Path | None) -> str:
        """The token that callers must send: the one in `file`, else this folder's own. Raises `Refused`."""
        if file is not None:
            return _token_in(file)
        path = self.root / "token"
        if not path.exists():
            _make_token(path)
        return _token_in(path)


def _token_in(path: Path) -> str:
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the token file {path} cannot be read: {error}"
        raise Refused([Diagnostic(code="CT103", message=message)]) from error
    if len(token) < _SHORTEST_TOKEN or not token.isprintable() or " " in token:
        message = (
            f"the token in {path} is no secret: it needs at least {_SHORTEST_TOKEN} printable characters, no spaces"
        )
        raise Refused([Diagnostic(code="CT103", message=message, hint="openssl rand -hex 32 makes one")])
    return token


def _make_token(path: Path) -> None:
    descriptor, staging = tempfile.mkstemp(prefix=".token-", dir=path.parent)  # mkstemp makes it 0600
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(staging).replace(path)
