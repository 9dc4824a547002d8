"""Whether a pooled connection still lives: asked at every checkout, cheapest question first, never for long.

An environment is frozen between invocations, for seconds or hours, and whatever stands on the way may forget the
connection meanwhile. A ping without a bound of its own hangs then, until the read timeout or for ever.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.pool import Pool

from ..deadline import Deadline, in_force
from ..profiles.values import DatabaseProfile

_USED = "adapters_used_at"


def watch(pool: Pool, profile: DatabaseProfile, clock: Callable[[], float] = time.time) -> None:
    """Have the pool throw away, at checkout, what is too old, closed, or silent; it connects anew by itself.

    Age is told by the wall clock: a monotonic one may stand still in a frozen environment.
    """

    @event.listens_for(pool, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info[_USED] = clock()

    @event.listens_for(pool, "checkout")
    def judge(connection: Any, record: Any, _proxy: Any) -> None:
        used = record.info.pop(_USED, None)
        if used is None:
            return
        idle = clock() - used
        if connection.process != os.getpid():
            reason = "of the process that this one was forked from"
        elif not 0 <= idle <= profile.idle_recycle:
            reason = f"unused for {idle:.0f} s"
        elif is_readable(connection):
            reason = "closed by the peer"
        elif idle > profile.ping_after and not answers(connection, profile.ping_timeout):
            reason = f"silent for {profile.ping_timeout} s"
        else:
            return
        abandon(connection)
        raise exc.DisconnectionError(reason)


def is_readable(connection: Any) -> bool:
    """Whether anything waits on an idle connection's socket: its end, a reset, or the server's farewell."""
    sock = connection._sock  # noqa: SLF001 - PyMySQL has no other way to it
    if sock is None:
        return True
    return bool(connection.watched.poll(0))


def answers(connection: Any, seconds: float) -> bool:
    """Whether the server answers a ping in that time."""
    try:
        with in_force(Deadline(seconds)):
            connection.ping(reconnect=False)
    except Exception:  # noqa: BLE001 - whatever it is, the connection is not used again
        return False
    return True


def abandon(connection: Any) -> None:
    """Close the socket without a word: saying goodbye to a black hole may take long."""
    connection._force_close()  # noqa: SLF001 - PyMySQL's own close sends QUIT first
