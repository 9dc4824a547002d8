"""What a driver raises, as the tree of `adapters.errors`: who must act, and whether to try again.

Every class of `pymysql.err` and every error of SQLAlchemy that can leave a block has its place here; a test fails when
a driver grows one that has none.
"""

from pymysql import err
from pymysql.constants import CR, ER
from sqlalchemy import exc

from ..deadline import current
from ..errors import (
    ConflictRetryable,
    ConnectionLost,
    CredentialsRefused,
    DeadlineExceeded,
    Overloaded,
    Rejected,
    StatementTimedOut,
    TargetFailed,
)
from .login import DENIED, FULL

_LOST = frozenset({CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, CR.CR_SERVER_LOST_EXTENDED, 1053, 1152, 1927, 4031})
_CONFLICTS = frozenset({ER.LOCK_DEADLOCK, ER.LOCK_WAIT_TIMEOUT, 1020, 3572})
"""1020: MariaDB, a row changed since it was read; 3572: MySQL, a lock that NOWAIT did not get."""
_TIMED_OUT = frozenset({1969, 3024, ER.QUERY_INTERRUPTED})
"""1969: MariaDB's max_statement_time; 3024: MySQL's max_execution_time; 1317: killed."""

REJECTED: tuple[type[Exception], ...] = (
    err.DataError,
    err.IntegrityError,
    err.ProgrammingError,
    err.NotSupportedError,
    err.InternalError,
    err.InterfaceError,
    err.OperationalError,
    err.DatabaseError,
    err.Error,
    err.Warning,
    err.MySQLError,
)
"""Classes whose errors, when no number says more, mean that the server understood and refuses."""

_OUT_OF_STEP = frozenset({err.InterfaceError, err.InternalError, err.Error})
"""Raised by PyMySQL itself, without a server's number, when a socket was closed or packets come in a wrong order."""


def failure(error: Exception, profile: str) -> TargetFailed | None:
    """The error of our tree that this one means; None where it is not about the database: a bug of the caller."""
    if isinstance(error, TargetFailed):
        return None
    if isinstance(error, exc.TimeoutError):
        return Overloaded(f"{profile}: its one connection is in use already in this environment")
    if isinstance(error, exc.DBAPIError):
        return _of_driver(error.orig, profile)
    if isinstance(error, exc.DisconnectionError):
        return ConnectionLost(f"{profile}: {error}")
    return _of_driver(error, profile) if isinstance(error, err.MySQLError) else None


def _of_driver(error: BaseException | None, profile: str) -> TargetFailed | None:
    if not isinstance(error, REJECTED):
        return None
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = f"{profile}: {error.args[-1] if error.args else error}"
    deadline = current()
    is_over = deadline is not None and deadline.remaining() <= 0
    is_lost = number in _LOST or (number == 0 and type(error) in _OUT_OF_STEP)
    if number in _TIMED_OUT or is_lost:
        if is_over:
            return DeadlineExceeded(f"running a statement on {profile}")
        return ConnectionLost(text) if is_lost else StatementTimedOut(text)
    if number in _CONFLICTS:
        return ConflictRetryable(text)
    if number in DENIED:
        return CredentialsRefused(text)
    return Overloaded(text) if number in FULL else Rejected(text)
