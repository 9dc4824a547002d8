"""What urllib3 raises, as the tree of `adapters.errors`: who must act, and whether to try again.

Every exception class of `urllib3.exceptions` has its place here; a test fails when it grows one that has none.
"""

import ssl

from urllib3 import exceptions

from ..deadline import current
from ..errors import ConnectionLost, DeadlineExceeded, ProxyRefused, Rejected, TargetFailed, TlsUnverified, Unreachable

PLACES: tuple[tuple[tuple[type[Exception], ...], type[TargetFailed]], ...] = (
    ((exceptions.ProxyError, exceptions.ProxySchemeUnknown, exceptions.ProxySchemeUnsupported), ProxyRefused),
    (
        (
            exceptions.NewConnectionError,
            exceptions.NameResolutionError,
            exceptions.ConnectTimeoutError,
            exceptions.PoolError,
            exceptions.EmptyPoolError,
            exceptions.FullPoolError,
            exceptions.ClosedPoolError,
        ),
        Unreachable,
    ),
    (
        (
            exceptions.SSLError,  # a failing handshake is told by `pool`: here, a request may have been read
            exceptions.ReadTimeoutError,
            exceptions.ProtocolError,
            exceptions.IncompleteRead,
            exceptions.InvalidChunkLength,
            exceptions.TimeoutError,
            exceptions.BodyNotHttplibCompatible,
            exceptions.ResponseNotChunked,
            exceptions.ResponseError,
        ),
        ConnectionLost,
    ),
    (
        (
            exceptions.DecodeError,
            exceptions.HeaderParsingError,
            exceptions.InvalidHeader,
            exceptions.LocationParseError,
            exceptions.LocationValueError,
            exceptions.URLSchemeUnknown,
            exceptions.UnrewindableBodyError,
            exceptions.MaxRetryError,
            exceptions.HostChangedError,
            exceptions.RequestError,
            exceptions.TimeoutStateError,
            exceptions.HTTPError,
            exceptions.HTTPWarning,
        ),
        Rejected,
    ),
)
_BY_CLASS = {one: place for classes, place in PLACES for one in classes}
"""An error goes by its own class, then by its parents': a read that timed out is a `PoolError`, too, but was sent."""
_REFUSALS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")
"""In the names of the alerts by which a server refuses a client's certificate. With TLS 1.3 they come after the
client's side of the handshake, so together with the answer; the server has read nothing. Source: RFC 8446, 6.2."""


def failure(error: Exception, profile: str, doing: str) -> TargetFailed | None:
    """The error of our tree that this one means; None where it is not about the service."""
    if isinstance(error, TargetFailed):
        return error
    deadline = current()
    if deadline is not None and deadline.remaining() <= 0 and isinstance(error, (exceptions.HTTPError, OSError)):
        return DeadlineExceeded(doing)
    if isinstance(error, (exceptions.SSLError, ssl.SSLError)) and _is_refusal(error):
        return TlsUnverified(f"{profile} refuses the client's certificate: {error}")
    for one in type(error).__mro__:
        if one in _BY_CLASS:
            return _BY_CLASS[one](f"{profile}: {error}")
    return ConnectionLost(f"{profile}: {error}") if isinstance(error, OSError) else None


def _is_refusal(error: Exception) -> bool:
    found = error.args[0] if error.args and isinstance(error.args[0], ssl.SSLError) else error
    reason = str(getattr(found, "reason", ""))
    return "ALERT" in reason and any(word in reason for word in _REFUSALS)
