"""No exception of a driver is without its place: a class that a new version brings fails here until somebody judges it.

The tables name every class that the pinned versions have, so an upgrade shows what has come and what has gone.
"""

import inspect
from types import ModuleType

import boto3.exceptions
import botocore.exceptions
import pytest
import sqlalchemy.exc
import urllib3.exceptions
from pymysql import err
from pymysql.constants import CR, ER

from adapters.database.failures import REJECTED
from adapters.database.failures import failure as database_failure
from adapters.deadline import Deadline, in_force
from adapters.errors import (
    ConflictRetryable,
    ConnectionLost,
    CredentialsRefused,
    DeadlineExceeded,
    Overloaded,
    ProxyRefused,
    Rejected,
    StatementTimedOut,
    TargetFailed,
    Unreachable,
)
from adapters.service.failures import PLACES
from adapters.service.failures import failure as service_failure

PYMYSQL = {
    "MySQLError": Rejected,
    "Warning": Rejected,
    "Error": ConnectionLost,
    "InterfaceError": ConnectionLost,
    "DatabaseError": Rejected,
    "DataError": Rejected,
    "OperationalError": Rejected,
    "IntegrityError": Rejected,
    "InternalError": ConnectionLost,
    "ProgrammingError": Rejected,
    "NotSupportedError": Rejected,
}
"""What a class means when no number of the server's says more."""

NUMBERS = {
    ER.ACCESS_DENIED_ERROR: CredentialsRefused,
    ER.DBACCESS_DENIED_ERROR: CredentialsRefused,
    1698: CredentialsRefused,
    1862: CredentialsRefused,
    3118: CredentialsRefused,
    4150: CredentialsRefused,
    4151: CredentialsRefused,
    ER.CON_COUNT_ERROR: Overloaded,
    ER.TOO_MANY_USER_CONNECTIONS: Overloaded,
    ER.USER_LIMIT_REACHED: Overloaded,
    ER.LOCK_DEADLOCK: ConflictRetryable,
    ER.LOCK_WAIT_TIMEOUT: ConflictRetryable,
    1020: ConflictRetryable,
    3572: ConflictRetryable,
    1969: StatementTimedOut,
    3024: StatementTimedOut,
    ER.QUERY_INTERRUPTED: StatementTimedOut,
    CR.CR_SERVER_GONE_ERROR: ConnectionLost,
    CR.CR_SERVER_LOST: ConnectionLost,
    CR.CR_SERVER_LOST_EXTENDED: ConnectionLost,
    1053: ConnectionLost,
    1152: ConnectionLost,
    1927: ConnectionLost,
    4031: ConnectionLost,
    ER.DUP_ENTRY: Rejected,
    ER.NO_SUCH_TABLE: Rejected,
    ER.TABLEACCESS_DENIED_ERROR: Rejected,
}

OF_THE_DRIVER = frozenset(
    {
        "DBAPIError",
        "DataError",
        "DatabaseError",
        "IntegrityError",
        "InterfaceError",
        "InternalError",
        "NotSupportedError",
        "OperationalError",
        "ProgrammingError",
    }
)
"""SQLAlchemy's wrappers: what the wrapped error means counts."""

OF_SQLALCHEMY = {
    "TimeoutError": Overloaded,
    "DisconnectionError": ConnectionLost,
    "InvalidatePoolError": ConnectionLost,
}

OF_THE_CALLER = frozenset(
    {
        "AmbiguousColumnError",
        "AmbiguousForeignKeysError",
        "ArgumentError",
        "AwaitRequired",
        "CircularDependencyError",
        "CompileError",
        "ConstraintColumnNotFoundError",
        "DuplicateColumnError",
        "EmulatedDBAPIException",
        "IdentifierError",
        "IllegalStateChangeError",
        "InvalidRequestError",
        "MissingGreenlet",
        "MultipleResultsFound",
        "NoDBAPILoaded",
        "NoForeignKeysError",
        "NoInspectionAvailable",
        "NoReferenceError",
        "NoReferencedColumnError",
        "NoReferencedTableError",
        "NoResultFound",
        "NoSuchColumnError",
        "NoSuchModuleError",
        "NoSuchTableError",
        "ObjectNotExecutableError",
        "PendingRollbackError",
        "ResourceClosedError",
        "SQLAlchemyError",
        "StatementError",
        "UnboundExecutionError",
        "UnreflectableTableError",
        "UnsupportedCompilationError",
    }
)
"""Faults of the function's own code: they pass through, and the function fails."""

URLLIB3 = {
    "SSLError": ConnectionLost,
    "ProxyError": ProxyRefused,
    "ProxySchemeUnknown": ProxyRefused,
    "ProxySchemeUnsupported": ProxyRefused,
    "NewConnectionError": Unreachable,
    "NameResolutionError": Unreachable,
    "ConnectTimeoutError": Unreachable,
    "PoolError": Unreachable,
    "EmptyPoolError": Unreachable,
    "FullPoolError": Unreachable,
    "ClosedPoolError": Unreachable,
    "ReadTimeoutError": ConnectionLost,
    "ProtocolError": ConnectionLost,
    "IncompleteRead": ConnectionLost,
    "InvalidChunkLength": ConnectionLost,
    "TimeoutError": ConnectionLost,
    "BodyNotHttplibCompatible": ConnectionLost,
    "ResponseNotChunked": ConnectionLost,
    "ResponseError": ConnectionLost,
    "DecodeError": Rejected,
    "HeaderParsingError": Rejected,
    "InvalidHeader": Rejected,
    "LocationParseError": Rejected,
    "LocationValueError": Rejected,
    "URLSchemeUnknown": Rejected,
    "UnrewindableBodyError": Rejected,
    "MaxRetryError": Rejected,
    "HostChangedError": Rejected,
    "RequestError": Rejected,
    "TimeoutStateError": Rejected,
    "HTTPError": Rejected,
}

BROKEN_MODELS = frozenset({"UndefinedModelAttributeError", "MissingServiceIdError"})
"""botocore's own: its service models are damaged. No call of ours can raise them with the models that it ships."""


def classes(module: ModuleType) -> dict[str, type[Exception]]:
    """The exceptions that a module defines, warnings of the interpreter's kind left out."""
    found = [one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == module.__name__]
    return {one.__name__: one for one in found if issubclass(one, Exception) and not is_warning(one)}


def is_warning(one: type) -> bool:
    """Whether it is only ever given to `warnings.warn`; PyMySQL's is one, too, but is of its tree of errors."""
    return issubclass(one, Warning) and not issubclass(one, err.MySQLError)


def bare(one: type[Exception]) -> Exception:
    """An instance, without the arguments that its constructor wants."""
    made: Exception = one.__new__(one)
    made.args = ("no more is said",)
    vars(made).update(partial=0, expected=0, length=b"")  # what the texts of some are made of
    return made


def test_every_class_of_pymysql_has_its_place() -> None:
    """Each of PyMySQL's errors becomes one of ours, also when the server's number is one that nobody knows."""
    found = classes(err)
    assert found.keys() == PYMYSQL.keys()
    assert set(found.values()) == set(REJECTED)
    for name, one in found.items():
        assert type(database_failure(one("no number"), "orders")) is PYMYSQL[name], name
        assert type(database_failure(one(9999, "a new number"), "orders")) is Rejected, name


@pytest.mark.parametrize(("number", "place"), NUMBERS.items())
def test_a_number_of_the_server_has_its_place(number: int, place: type[TargetFailed]) -> None:
    """The server's number decides, whatever class the driver chose, and SQLAlchemy's wrapper changes nothing."""
    driver = err.OperationalError(number, "said by the server")
    wrapped = sqlalchemy.exc.DBAPIError("select 1", {}, driver)
    for error in (driver, err.InternalError(number, "said by the server"), wrapped):
        found = database_failure(error, "orders")
        assert type(found) is place
        assert str(found) == "orders: said by the server"


@pytest.mark.parametrize("number", [CR.CR_SERVER_LOST, 1969, 3024, 1317])
def test_after_the_deadline_a_broken_statement_is_the_deadlines(number: int) -> None:
    """What ended a statement is the deadline, once it is over: the server and the socket only carried it out."""
    with in_force(Deadline(-1.0)):
        assert type(database_failure(err.OperationalError(number, "lost"), "orders")) is DeadlineExceeded


def test_every_class_of_sqlalchemy_has_its_place() -> None:
    """Each of SQLAlchemy's errors is the driver's, the pool's, or the caller's own fault."""
    found = classes(sqlalchemy.exc)
    assert found.keys() == OF_THE_DRIVER | OF_SQLALCHEMY.keys() | OF_THE_CALLER
    for name in OF_THE_DRIVER:
        wrapper = found[name]("select 1", {}, err.OperationalError(ER.LOCK_DEADLOCK, "deadlock"))
        assert type(database_failure(wrapper, "orders")) is ConflictRetryable, name
    for name, place in OF_SQLALCHEMY.items():
        assert type(database_failure(found[name]("said"), "orders")) is place, name
    for name in OF_THE_CALLER:
        assert database_failure(bare(found[name]), "orders") is None, name


def test_every_class_of_urllib3_has_its_place() -> None:
    """Each of urllib3's errors becomes one of ours: its own place, not that of another parent of its class."""
    found = classes(urllib3.exceptions)
    assert found.keys() == URLLIB3.keys()
    placed = [one for group, _ in PLACES for one in group]
    assert set(placed) >= set(found.values())
    assert len(placed) == len(set(placed))
    for name, place in URLLIB3.items():
        assert type(service_failure(bare(found[name]), "core", "asking core")) is place, name


def test_what_may_have_been_done_is_never_called_undone() -> None:
    """After a request was sent, no error of urllib3 says that nothing was done: legacy would do it again."""
    sent = ["ReadTimeoutError", "ProtocolError", "IncompleteRead", "InvalidChunkLength", "TimeoutError", "DecodeError"]
    for name in sent:
        found = service_failure(bare(classes(urllib3.exceptions)[name]), "core", "asking core")
        assert found is not None
        assert not found.nothing_done, name
        assert not found.retry, name


def test_every_class_of_botocore_is_caught() -> None:
    """Each of botocore's errors, and of boto3's that a client can raise, is of the two roots that are caught."""
    roots = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)
    outside = {name for name, one in classes(botocore.exceptions).items() if not issubclass(one, roots)}
    assert outside == BROKEN_MODELS
    of_services = {"Dynamo", "S3", "InvalidCrt", "Retries"}  # of transfers and tables, which nothing here uses
    outside = {name for name, one in classes(boto3.exceptions).items() if not issubclass(one, roots)}
    assert {name for name in outside if not name.startswith(tuple(of_services))} == {
        "Boto3Error",
        "ResourceLoadException",
        "NoVersionFound",
    }  # of resources: only clients are made here
