"""One process writes to a ledger: on a server a lock of its own keeps a second control away, on this machine a file's.

The lock belongs to a connection. When that breaks, as in a failover, the lock is free, and the next write takes it
again, unless another control was faster: then this one writes no more, and says so.
"""

import contextlib

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from ..errors import LedgerFailed
from .chain import text_digest

_LOST_SECONDS = 60
"""After so long without a word the server takes the connection, and its lock, from a host that is gone."""


class OneWriter:
    """The lock on the engine's database; for SQLite none, where control's state folder has one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_needed = engine.dialect.name != "sqlite"
        self._name = f"fig:{text_digest(str(engine.url.database))[:40]}"
        self._own: Connection | None = None
        self._id = -1

    def hold(self, connection: Connection) -> None:
        """See to it, before a write over this connection, that the lock is this process's. Raises `LedgerFailed`."""
        if not self._is_needed:
            return
        holder = connection.execute(text("SELECT IS_USED_LOCK(:name)"), {"name": self._name}).scalar_one()
        if holder is None or holder != self._id:
            self._take()

    def keep(self) -> None:
        """Say that this process is still there; a lock that was lost is taken again by the next write."""
        if self._own is None:
            return
        try:
            self._own.execute(text("SELECT 1"))
            self._own.commit()
        except SQLAlchemyError:
            self.release()

    def release(self) -> None:
        """Let another process have it."""
        if self._own is not None:
            with contextlib.suppress(SQLAlchemyError):  # a broken connection has lost its lock already
                self._own.invalidate()
                self._own.close()
            self._own = None

    def _take(self) -> None:
        self.release()
        own = self._engine.connect()
        taken = own.execute(text("SELECT GET_LOCK(:name, 0)"), {"name": self._name}).scalar_one()
        if taken != 1:
            own.close()
            message = f"another control process writes to the ledger {self._engine.url.database}: end one of them"
            raise LedgerFailed(message)
        own.execute(text(f"SET SESSION wait_timeout = {_LOST_SECONDS}"))
        self._id = own.execute(text("SELECT CONNECTION_ID()")).scalar_one()
        own.commit()
        self._own = own
