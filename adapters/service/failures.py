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
_PLACE_OF = {one: place for classes, place in PLACES for one in classes}


def failure(error: Exception, profile: str, doing: str) -> TargetFailed | None:
    """The error of our tree that this one means; None where it is not about the service."""
    if isinstance(error, TargetFailed):
        return error
    deadline = current()
    if deadline is not None and deadline.remaining() <= 0 and isinstance(error, (exceptions.HTTPError, OSError)):
        return DeadlineExceeded(doing)
    # By the most special class: a read timeout is a PoolError, too, and in that one's place a POST would be sent again.
    for one in type(error).__mro__:
        if one in _PLACE_OF:
            return _PLACE_OF[one](f"{profile}: {error}")
    return ConnectionLost(f"{profile}: {error}") if isinstance(error, OSError) else None
