"""What urllib3 raises, in our tree: above all, nothing that may have been done passes for undone."""

import inspect
import ssl

import pytest
from urllib3 import HTTPConnectionPool, exceptions

from adapters.errors import ConnectionLost, TargetFailed, TlsUnverified
from adapters.service.failures import PLACES, failure

POOL = HTTPConnectionPool("core")
BEFORE_SENDING = {
    exceptions.ClosedPoolError,
    exceptions.ConnectTimeoutError,
    exceptions.EmptyPoolError,
    exceptions.FullPoolError,
    exceptions.NameResolutionError,
    exceptions.NewConnectionError,
    exceptions.PoolError,
    exceptions.ProxyError,
    exceptions.ProxySchemeUnknown,
    exceptions.ProxySchemeUnsupported,
}


def test_every_class_of_urllib3_has_a_place() -> None:
    """A class that urllib3 grows must be given its meaning."""
    placed = {one for classes, _ in PLACES for one in classes}
    known = {
        one
        for _, one in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(one, Exception) and one.__module__ == exceptions.__name__
    }
    warnings = {one for one in known if issubclass(one, Warning)}
    assert known - placed - warnings == set()


def test_only_what_was_not_sent_counts_as_undone() -> None:
    """Exactly the errors that come before a request say that nothing was done."""
    assert {one for classes, place in PLACES for one in classes if place.nothing_done} == BEFORE_SENDING


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ReadTimeoutError(POOL, "/", "read timed out"),
        exceptions.ProtocolError("Connection aborted."),
        exceptions.SSLError(ssl.SSLError("bad record mac")),
        ssl.SSLEOFError("EOF"),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_a_request_that_was_sent_is_not_undone(error: Exception) -> None:
    """A read that timed out, a connection that broke, TLS that broke on the way: the service may have done it."""
    found = failure(error, "core", "asking core")
    assert type(found) is ConnectionLost
    assert (found.nothing_done, found.retry) == (False, False)


@pytest.mark.parametrize("reason", ["TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA"])
def test_a_refused_certificate_is_undone(reason: str) -> None:
    """A server that refuses our certificate has read no request, although TLS 1.3 tells it with the answer."""
    error = ssl.SSLError(1, reason)
    error.reason = reason
    assert isinstance(failure(exceptions.SSLError(error), "core", "asking core"), TlsUnverified)


def test_what_is_ours_stays_and_what_is_nobodys_passes() -> None:
    """An error of our tree is left as it is; one that is not about the service is none of ours."""
    own = TargetFailed("x")
    assert failure(own, "core", "asking core") is own
    assert failure(ValueError("a bug"), "core", "asking core") is None
