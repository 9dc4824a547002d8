"""The way to a ledger on a MySQL server: MariaDB, MySQL or Aurora, over TLS whose certificate is verified.

The password is never in a URL: command lines are seen by `ps`, and URLs end up in messages. It is read anew for each
connection, so that one that is rotated needs no restart.
"""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from strangler_fig.diagnostics import Diagnostic, Refused

from ..errors import LedgerFailed

PASSWORD_VARIABLE = "FIG_LEDGER_PASSWORD"  # noqa: S105 - the name of a variable
NOT_A_URL = "CT111"
NO_CA = "CT112"
_DRIVER = "mysql+pymysql"
_NAMES = frozenset({"mysql", "mariadb", _DRIVER, "mariadb+pymysql"})
_EXAMPLE = "write it as in mysql://fig@ledger.bank.example:3306/ledger"
_SOCKET = "unix_socket"
_CONNECT_SECONDS, _ANSWER_SECONDS = 5, 30
_READ_ONLY = frozenset({1290, 1836})
"""What a server says that is not (any more) the one to write to: after a failover a connection may lead there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the ledger's server is, and how it is known. `ca` None: the system's certificate authorities."""

    url: URL
    ca: Path | None
    password_file: Path | None

    def engine(self) -> Engine:
        """An engine with verified connections, or over a socket of this machine. Raises `Refused`, `LedgerFailed`."""
        about: dict[str, Any] = {
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _ANSWER_SECONDS,
            "write_timeout": _ANSWER_SECONDS,
        }
        if _SOCKET not in self.url.query:
            about["ssl"] = _verifying(self.ca)
        try:
            engine = create_engine(self.url, connect_args=about, pool_size=3, max_overflow=2, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            message = "a ledger on a server needs PyMySQL: install strangler-fig[mysql]"
            raise LedgerFailed(message) from error
        event.listen(engine, "do_connect", _with_password(self.password_file))
        event.listen(engine, "handle_error", _leave_a_server_that_only_reads)
        return engine


def server(text: str, *, ca: Path | None, password_file: Path | None) -> Server:
    """The server that a URL names. Raises `Refused`; no message repeats the URL, which may hold a password."""
    try:
        url = make_url(text)
    except (ArgumentError, NoSuchModuleError, ValueError):  # which may quote it
        message = "the ledger's URL cannot be read"
        raise Refused([Diagnostic(code=NOT_A_URL, message=message, hint=_EXAMPLE)]) from None
    if wrong := _wrong(url):
        raise Refused([Diagnostic(code=NOT_A_URL, message=f"the ledger's URL {wrong[0]}", hint=wrong[1])])
    query = dict(url.query) | {"charset": "utf8mb4"}
    return Server(url=url.set(drivername=_DRIVER, query=query), ca=ca, password_file=password_file)


def _wrong(url: URL) -> tuple[str, str] | None:
    """What is wrong with a URL, and what to do."""
    if url.password is not None:
        hint = f"give it by --ledger-password-file or {PASSWORD_VARIABLE}: everybody sees a command line"
        return "has a password in it", hint
    if url.drivername not in _NAMES:
        return "is not one of MySQL or MariaDB", _EXAMPLE
    if not url.database or not url.username:
        return "names no user or no database", _EXAMPLE
    if other := set(url.query) - {_SOCKET}:
        hint = f"{_EXAMPLE}; TLS is always verified, by --ledger-ca where the CA is your own"
        return f"has the parameter {min(other)!r}", hint
    if not url.host and not url.query:
        return "names no host", _EXAMPLE
    return None


def password(file: Path | None) -> str:
    """The password: in the file (as it is, or JSON as AWS Secrets Manager keeps it), else the variable's.

    Raises `LedgerFailed` when the file has none; it says nothing of what is in it.
    """
    if file is None:
        return os.environ.get(PASSWORD_VARIABLE, "")
    try:
        text = file.read_text(encoding="utf-8").strip()
        found = orjson.loads(text)["password"] if text.startswith("{") else text
    except (OSError, UnicodeDecodeError) as error:
        message = f"the ledger's password file {file} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}"
        raise LedgerFailed(message) from None
    except (ValueError, KeyError, TypeError):
        message = f"the ledger's password file {file} is JSON without a password in it"
        raise LedgerFailed(message) from None
    if not isinstance(found, str) or not found:
        message = f"the ledger's password file {file} is empty"
        raise LedgerFailed(message)
    return found


def _verifying(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl.SSLError is one: a file without certificates
        message = f"the certificates of the ledger's CA, {ca}, cannot be read: {error.strerror or error}"
        raise Refused([Diagnostic(code=NO_CA, message=message, hint="--ledger-ca names a PEM file")]) from error


def _with_password(file: Path | None) -> Callable[..., None]:
    def do_connect(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        parameters["password"] = password(file)

    return do_connect


def _leave_a_server_that_only_reads(context: Any) -> None:
    arguments = getattr(context.original_exception, "args", ())
    if arguments and arguments[0] in _READ_ONLY:
        context.is_disconnect = True  # the pool then connects anew, and the name leads to the present writer
