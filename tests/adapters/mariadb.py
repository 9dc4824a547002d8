"""A MariaDB of the tests' own: a private folder and socket, a free port, TLS with a certificate of an own CA."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

NAME = "db.bank.example"
_START_SECONDS = 60


@dataclass(kw_only=True)
class MariaDb:
    """A server that runs; `port` stays over restarts. `ca` and `other_ca` are PEM files, the second one is not its."""

    folder: Path
    port: int
    ca: Path
    other_ca: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Its private socket, where root needs no password."""
        return self.folder / "s"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = ["mariadbd", "--no-defaults", f"--datadir={self.folder / 'data'}", f"--socket={self.socket}"]
        command += [f"--port={self.port}", "--bind-address=127.0.0.1", f"--log-error={self.folder / 'log'}"]
        command += [f"--ssl-cert={self.folder / 'server.pem'}", f"--ssl-key={self.folder / 'server.key'}"]
        command += ["--user=root", f"--pid-file={self.folder / 'pid'}", "--skip-name-resolve", *self.options]
        command += ["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0"]
        self.process = subprocess.Popen(command)
        deadline = time.monotonic() + _START_SECONDS
        while not self._listens():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]
            time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as one:
            try:
                one.connect(str(self.socket))
            except OSError:
                return False
            return bool(one.recv(1))  # the greeting

    def stop(self) -> None:
        """End it, by its id."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def root(self, database: str | None = None) -> Any:
        """A connection of root."""
        return pymysql.connect(unix_socket=str(self.socket), user="root", database=database, autocommit=True)

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """What the last of these statements of root gives."""
        with self.root() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def sessions(self, user: str = "app") -> list[tuple[Any, ...]]:
        """The sessions of a user: id and what it runs."""
        return self.run(f"select id, info from information_schema.processlist where user = '{user}'")  # noqa: S608


@contextmanager
def running(folder: Path, *options: str) -> Iterator[MariaDb]:
    """A server with a database `shop` and the users app (password `pw`) and other (password `pw2`)."""
    certificates(folder)
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={folder / 'data'}", "--user=root"]
    install += ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
    subprocess.run(install, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = MariaDb(folder=folder, port=port, ca=folder / "ca.pem", other_ca=folder / "other-ca.pem", options=options)
    try:
        server.start()
        server.run(
            "create database shop",
            "create table shop.books (id int primary key, title varchar(100))",
            "insert into shop.books values (7, 'Moss')",
            "create user app@'%' identified by 'pw'",
            "create user other@'%' identified by 'pw2'",
            "grant all on shop.* to app@'%', other@'%'",
        )
        yield server
    finally:
        server.stop()


def certificates(folder: Path) -> None:
    """Write ca.pem, other-ca.pem, and server.pem with server.key for `NAME`, signed by the first."""
    for name in ("ca", "other-ca"):
        _openssl(
            folder,
            f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name}"
            f" -keyout {name}.key -out {name}.pem -addext basicConstraints=critical,CA:TRUE"
            " -addext keyUsage=critical,keyCertSign,cRLSign",
        )
    (folder / "server.ext").write_text(f"subjectAltName=DNS:{NAME}\nbasicConstraints=CA:FALSE\n")
    _openssl(
        folder,
        f"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={NAME} -keyout server.key -out server.csr",
    )
    _openssl(
        folder,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.pem",
    )


def _openssl(folder: Path, arguments: str) -> None:
    command = ["openssl", *arguments.split()]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
