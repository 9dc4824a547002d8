"""A new connection: the way to the server, TLS in its own name, and a login that is renewed once when it is denied.

PyMySQL's own connect timeout ends with TCP: a server that accepts and stays silent would hold it for ever. Here the
greeting, TLS and the login together have `handshake_timeout`, or what remains of the invocation.
"""

import os
import select
import ssl
import struct
from typing import Any

import pymysql
from pymysql.constants import CLIENT, COMMAND, CR, ER, SERVER_STATUS

from .. import effects
from ..connection.tls import context_for
from ..connection.way import dial, in_order
from ..connection.zone import own_zone
from ..credentials import Login, Provider
from ..deadline import Deadline, bounded, current, in_force, undoing
from ..errors import CredentialsRefused, DeadlineExceeded, Overloaded, TlsUnverified, Unreachable
from ..profiles.values import DatabaseProfile, Endpoint, TlsMode
from ..shadow import is_shadow

DENIED = frozenset({ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, 1698, 1862, 3118, 4150, 4151})
"""1698: denied without a password. 1862: the password expired. 3118, 4151: MySQL's and MariaDB's locked account, as of
one that rotation has retired; 4150: blocked after too many denials. Source: MariaDB, "Error codes"; MySQL, "Error
reference"."""
FULL = frozenset({ER.CON_COUNT_ERROR, ER.TOO_MANY_USER_CONNECTIONS, ER.USER_LIMIT_REACHED})


_END_OF_ROWS = 5
"""Bytes of the packet that ends columns and rows: 0xfe, warnings, status. Source: MySQL, "EOF_Packet"."""


class Connection(pymysql.Connection):
    """PyMySQL's connection, whose commit a shadow cannot reach: it rolls back instead.

    `writes` says whether the transaction has a statement that may have changed something, `failed` whether one ended in
    an error; `process` who opened it; `watched` tells whether anything waits on its socket; `prefix` bounds each
    statement of the batch at hand.

    Where the server says that there is no transaction, nothing is sent to end it, which spares a round trip, as
    MariaDB's own Connector/J does; after an error, or where something was written, it is not believed.
    """

    writes = False
    failed = False
    process = 0
    watched: Any = None
    prefix = ""

    def connect(self, sock: Any = None) -> None:
        """Log in over that socket."""
        super().connect(sock)
        self.process = os.getpid()
        self.watched = select.poll()  # not select(), which refuses descriptors above 1023
        self.watched.register(self._sock, select.POLLIN)  # type: ignore[attr-defined]  # PyMySQL's own

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """Set it; at login together with autocommit, which spares a round trip to on-premises."""
        if self.process or collation or self.autocommit_mode is None:
            super().set_character_set(charset, collation)
            return
        mode = int(self.autocommit_mode)
        self._execute_command(COMMAND.COM_QUERY, f"SET autocommit = {mode}, NAMES {charset}")  # type: ignore[attr-defined]
        self._read_ok_packet()  # type: ignore[attr-defined]  # it tells PyMySQL that autocommit is set

    def cursor(self, cursor: Any = None) -> Any:
        """A cursor; what bounds the statements of a batch ends with the one before."""
        self.prefix = ""
        return super().cursor(cursor)

    def query(self, sql: Any, unbuffered: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyMySQL's signature
        """Run it, behind the `prefix` that bounds each statement of a batch."""
        if self.prefix:
            sql = self.prefix + sql if isinstance(sql, str) else self.prefix.encode() + bytes(sql)
        return super().query(sql, unbuffered)

    def commit(self) -> None:
        """Commit, and note it where something was written; for a shadow roll back."""
        if is_shadow():
            self.rollback()
            return
        if self._has_ended():
            return
        if self.writes:
            effects.note("committing")
        super().commit()
        self.writes = self.failed = False

    def rollback(self) -> None:
        """Roll back, within the grace where the time is over: what is about to fail must not fail otherwise."""
        if self._has_ended():
            return
        deadline = current()
        if deadline is None:
            super().rollback()
            self.writes = self.failed = False
            return
        try:
            with undoing(deadline):
                super().rollback()
            self.writes = self.failed = False
        except pymysql.err.MySQLError:  # a server rolls back what is closed, and a pool does not use it again
            self._force_close()  # type: ignore[attr-defined]  # PyMySQL's own

    def _has_ended(self) -> bool:
        """Whether nothing was begun, or only what ended by itself: the server says so, and nothing was written."""
        if self.writes or self.failed or self.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:
            return False
        result = self._result  # type: ignore[attr-defined]  # PyMySQL's own; rows that wait hide the last word
        return self._sock is not None and not (result is not None and result.unbuffered_active)  # type: ignore[attr-defined]

    def _read_packet(self, *arguments: Any) -> Any:
        """A packet; the status at the end of rows is kept, which PyMySQL itself does only where there are none."""
        try:
            packet = super()._read_packet(*arguments)  # type: ignore[no-untyped-call]
        except pymysql.err.MySQLError:
            self.failed = True
            raise
        data = packet.get_all_data()
        if len(data) == _END_OF_ROWS and data[0] == 0xFE:  # noqa: PLR2004 - the packet's mark
            self.server_status = data[3] | data[4] << 8
        return packet


class _Refuses:
    """The answer to a server that asks for the password as it is: not without verified TLS."""

    def __init__(self, _connection: object) -> None:
        pass

    def authenticate(self, _packet: object) -> None:
        """Refuse it."""
        raise pymysql.err.OperationalError(CR.CR_AUTH_PLUGIN_ERR, "the server asks for the password in clear text")


def open_connection(profile: DatabaseProfile, provider: Provider) -> Any:
    """A connection that is logged in. Raises `Unreachable` and its kinds, `CredentialsRefused`, `DeadlineExceeded`."""
    doing = f"connecting to {profile.name}"
    seconds = bounded(profile.handshake_timeout, doing, nothing_done=True) or profile.handshake_timeout
    # The login comes first: fetching it may take longer than a server waits for one (10 s), on a cold start above all.
    expected = in_order(profile.way.endpoints, own_zone())[0]
    login = provider.get(expected)
    with in_force(Deadline(profile.way.connect_timeout * len(profile.way.endpoints) + seconds)):
        sock, endpoint = dial(profile.way, profile.name)
    try:
        login = _for(endpoint, expected, login, provider)
        connection = _logged_in(profile, login, sock)
    except pymysql.err.MySQLError as error:
        if error.args[0] not in DENIED:
            raise _failure(error, profile, seconds) from error
        renewed = provider.refresh(endpoint)
        if renewed is None:
            raise _denied(profile, login) from error
        connection, login = _again(profile, provider, renewed, endpoint)
    except BaseException:
        sock.close()
        raise
    provider.worked(login)
    return connection


def _for(endpoint: Endpoint, asked: Endpoint, login: Login, provider: Provider) -> Login:
    """The login at this endpoint: a token is signed for one, and another may answer than the one that was asked."""
    return login if endpoint == asked or not login.is_token else provider.get(endpoint)


def _again(profile: DatabaseProfile, provider: Provider, renewed: Login, asked: Endpoint) -> tuple[Any, Login]:
    """A connection by the renewed login, once; a token is signed for one endpoint, and another may answer now."""
    sock, endpoint = dial(profile.way, profile.name)
    try:
        login = _for(endpoint, asked, renewed, provider)
    except BaseException:
        sock.close()
        raise
    try:
        return _logged_in(profile, login, sock), login
    except pymysql.err.MySQLError as error:
        if error.args[0] in DENIED:
            raise _denied(profile, login) from error
        raise _failure(error, profile, profile.handshake_timeout) from error


def _logged_in(profile: DatabaseProfile, login: Login, sock: Any) -> Any:
    """Greeting, TLS and login on a connected socket, which is closed when they fail. Raises `MySQLError`."""
    try:
        context = _context(profile, login)
        connection = Connection(
            defer_connect=True,
            host=profile.tls.name or profile.way.endpoints[0].host,  # what TLS verifies; nothing is looked up by it
            user=login.user,
            password=login.password.reveal(),
            database=profile.database or None,
            charset="utf8mb4",
            ssl=context,
            ssl_disabled=context is None,
            # Whoever answers there would get it.
            auth_plugin_map={} if profile.tls.mode is TlsMode.VERIFY else {"mysql_clear_password": _Refuses},
            read_timeout=profile.read_timeout,
            write_timeout=profile.write_timeout,
            client_flag=CLIENT.FOUND_ROWS,  # as SQLAlchemy's dialect has it: rows that matched count
        )
        with in_force(Deadline(profile.handshake_timeout)):
            connection.connect(sock)
    except (struct.error, LookupError, ValueError, AssertionError) as error:  # what PyMySQL makes of another protocol
        sock.close()
        message = "what answers does not speak MySQL"
        raise pymysql.err.InternalError(message) from error
    except BaseException:
        sock.close()
        raise
    return connection


def _context(profile: DatabaseProfile, login: Login) -> ssl.SSLContext | None:
    if login.is_token and profile.tls.mode is not TlsMode.VERIFY:
        message = f"{profile.name}: a signed token goes over verified TLS only"
        raise TlsUnverified(message)
    try:
        return context_for(profile.tls)
    except OSError as error:
        message = f"{profile.name}: the files of its TLS cannot be used: {error}"
        raise TlsUnverified(message) from error


def _failure(error: pymysql.err.MySQLError, profile: DatabaseProfile, seconds: float) -> Exception:
    """What a handshake that failed means."""
    deadline = current()
    if deadline is not None and deadline.remaining() <= 0:
        return DeadlineExceeded(f"logging in to {profile.name}", nothing_done=True)
    number, text = error.args[0], str(error.args[-1])
    if number in FULL:
        return Overloaded(f"{profile.name} has no room for another connection: {text}")
    cause = error.__cause__ or error.__context__ or getattr(error, "original_exception", None)
    if isinstance(cause, ssl.SSLError) or number == CR.CR_SSL_CONNECTION_ERROR:
        return TlsUnverified(f"{profile.name} does not prove that it is {profile.tls.name}: {text}")
    if "timed out" in text:
        return Unreachable(f"{profile.name} was silent for {seconds:.1f} s after it accepted the connection")
    return Unreachable(f"{profile.name} ended the connection before the login: {text}")


def _denied(profile: DatabaseProfile, login: Login) -> CredentialsRefused:
    return CredentialsRefused(f"{profile.name} denied the login {login.user}, also after it was fetched anew")
