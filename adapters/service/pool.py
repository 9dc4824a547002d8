"""urllib3's pool, whose connections are reached our way and verified in the service's own name.

Connecting, shaking hands, sending and waiting for the head of an answer are phases of their own: each has its bound,
or what remains of the invocation. What fails before a byte of a request was sent is `Unreachable`: nothing was done.
"""

import functools
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import SSLError

from ..connection.sockets import BoundedSocket
from ..connection.tls import context_for
from ..connection.way import dial
from ..deadline import Deadline, bounded, current, in_force
from ..errors import DeadlineExceeded, TargetFailed, TlsUnverified, Unreachable
from ..profiles.hosts import parted
from ..profiles.values import ServiceProfile, Tls


def make_pool(profile: ServiceProfile) -> HTTPConnectionPool:
    """A pool of one connection for the profile; HTTPS unless its TLS is off. Raises `TlsUnverified`."""

    class Plain(HTTPConnection):
        """An HTTP connection over our own socket."""

        def _new_conn(self) -> BoundedSocket:
            sock = dial(profile.way, profile.name)[0]
            sock.settimeout(profile.handshake_timeout)
            return sock

        def connect(self) -> None:
            """Connect within the profile's bounds."""
            with before_the_request(profile):
                super().connect()
                if self.sock is not None:
                    self.sock.settimeout(None)  # from here on each phase has its bound

        def request(self, *arguments: Any, **options: Any) -> None:
            """Send within the profile's bound."""
            if self.is_closed:
                self.connect()
            with answering(profile, "sending to", nothing_done=True):
                super().request(*arguments, **options)

        def send(self, data: Any) -> None:
            """Send, and note that this try did."""
            this = _this.get()
            if this is not None:
                this.was_sent = True
            super().send(data)

        def getresponse(self) -> Any:
            """The answer's head, within the profile's bound."""
            with answering(profile, "waiting for"):
                return super().getresponse()

    class Secure(Plain, HTTPSConnection):
        """An HTTPS connection over our own socket."""

    logging.getLogger("urllib3.connectionpool").addFilter(_without_queries)  # the same one again is none
    _state_budget(profile)
    settings: dict[str, Any] = {"maxsize": 1, "block": False, "retries": False}
    host = (parted(profile.host) or (profile.host, None))[0]
    context = _context(profile)
    if context is None:
        plain = HTTPConnectionPool(host, 80, **settings)
        plain.ConnectionCls = Plain
        return plain
    # No `assert_hostname`: with it urllib3 switches the context's own check of the name off.
    secure = HTTPSConnectionPool(host, 443, ssl_context=context, server_hostname=profile.tls.name or None, **settings)
    secure.ConnectionCls = Secure
    return secure


@contextmanager
def answering(profile: ServiceProfile, doing: str, *, nothing_done: bool = False) -> Iterator[None]:
    """Have one phase of an answer take no longer than the profile's bound, or what remains of the invocation.

    `nothing_done`: before the phase nothing was.
    """
    seconds = bounded(profile.read_timeout, f"{doing} {profile.name}", nothing_done=nothing_done)
    with in_force(Deadline(seconds or profile.read_timeout)):
        yield


class Try:
    """One try of a request; `was_sent`: some of it may have left this process."""

    __slots__ = ("was_sent",)

    def __init__(self) -> None:
        self.was_sent = False


_this: ContextVar[Try | None] = ContextVar("adapters_try", default=None)


@contextmanager
def trying() -> Iterator[Try]:
    """The try that the block is."""
    token = _this.set(Try())
    try:
        yield cast("Try", _this.get())
    finally:
        _this.reset(token)


@contextmanager
def before_the_request(profile: ServiceProfile) -> Iterator[None]:
    """Bound the handshake, and turn every failure into one that says: nothing was sent."""
    try:
        yield
    except TargetFailed:
        raise
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        message = f"{profile.name} ended the connection before TLS came about"
        raise Unreachable(message) from error
    except (ssl.SSLError, ssl.CertificateError, SSLError) as error:
        message = f"{profile.name} does not prove that it is {profile.tls.name}: {error}"
        raise TlsUnverified(message) from error
    except TimeoutError as error:
        deadline = current()
        if deadline is not None and deadline.remaining() <= 0:
            doing = f"shaking hands with {profile.name}"
            raise DeadlineExceeded(doing, nothing_done=True) from error
        message = f"{profile.name} was silent for {profile.handshake_timeout} s after it accepted the connection"
        raise Unreachable(message) from error
    except OSError as error:
        message = f"{profile.name} ended the connection before the request: {error.strerror or error}"
        raise Unreachable(message) from error


def _without_queries(record: logging.LogRecord) -> bool:
    """Pass on what urllib3 logs of our tries, without what may be secret: queries, and headers that it cannot parse."""
    if _this.get() is not None and isinstance(record.args, tuple):
        record.args = tuple(_shown(one) for one in record.args)
    return True


def _shown(value: object) -> object:
    if isinstance(value, Exception):
        return type(value).__name__
    return value.partition("?")[0] if isinstance(value, str) else value


def _state_budget(profile: ServiceProfile) -> None:
    budget = profile.budget
    if budget.environments is not None or budget.connections is not None:
        logging.getLogger(__name__).info(
            "%s: one connection for each environment, at most %s, of %s that the service grants",
            profile.name,
            budget.environments if budget.environments is not None else "unlimited",
            budget.connections if budget.connections is not None else "an unknown number",
        )


def _context(profile: ServiceProfile) -> ssl.SSLContext | None:
    try:
        return _of_http(profile.tls)
    except OSError as error:
        message = f"{profile.name}: the files of its TLS cannot be used: {error}"
        raise TlsUnverified(message) from error


@functools.lru_cache(maxsize=32)
def _of_http(tls: Tls) -> ssl.SSLContext | None:
    """A context that only HTTP uses: urllib3 changes those that it is given, and databases verify with theirs."""
    return context_for.__wrapped__(tls)
