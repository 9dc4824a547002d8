"""What urllib3 raises, as the tree of `adapters.errors`: who must act, and whether to try again.

Every exception class of `urllib3.exceptions` has its place here; a test fails when it grows one that has none.
"""

from urllib3 import exceptions

from ..deadline import current
from ..errors import ConnectionLost, DeadlineExceeded, ProxyRefused, Rejected, TargetFailed, TlsUnverified, Unreachable

PLACES: tuple[tuple[tuple[type[Exception], ...], type[TargetFailed]], ...] = (
    ((exceptions.SSLError,), TlsUnverified),
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
"""The more special first: several of urllib3's classes have two parents."""


def failure(error: Exception, profile: str, doing: str) -> TargetFailed | None:
    """The error of our tree that this one means; None where it is not about the service."""
    if isinstance(error, TargetFailed):
        return error
    deadline = current()
    if deadline is not None and deadline.remaining() <= 0 and isinstance(error, (exceptions.HTTPError, OSError)):
        return DeadlineExceeded(doing)
    for classes, place in PLACES:
        if isinstance(error, classes):
            return place(f"{profile}: {error}")
    return ConnectionLost(f"{profile}: {error}") if isinstance(error, OSError) else None
