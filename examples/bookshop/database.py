"""The legacy application's database, for as long as a command runs: a MariaDB of its own, on a free port.

    python examples/bookshop/database.py fig up examples/bookshop/estate.yaml

The command finds its URL in SHOP_DATABASE, which `legacy.py` and `lambda.yaml` read. It needs Debian's package
mariadb-server (no running service), and `strangler-fig[adapters]` beside the rest. When the command ends, so does the
database.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

BOOKS = Path(__file__).parent / "functions" / "books" / "books.json"
START_SECONDS = 60


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """The URL of a database `shop` with the books in it; its files are in `folder`."""
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={folder / 'data'}", "--skip-test-db"]
    install += ["--auth-root-authentication-method=normal", *_user()]
    subprocess.run(install, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["mariadbd", "--no-defaults", f"--datadir={folder / 'data'}", f"--socket={folder / 's'}", *_user()]
    command += [f"--port={port}", "--bind-address=127.0.0.1", f"--log-error={folder / 'log'}", "--skip-name-resolve"]
    # in a session of its own: Ctrl-C is for the command, whose last requests still find it
    with subprocess.Popen([*command, f"--pid-file={folder / 'pid'}"], start_new_session=True) as server:
        try:
            _fill(folder, server)
            # TLS is off because both ends are on this machine; a profile that leaves it out verifies.
            yield f"mysql+onprem://shop:moss@127.0.0.1:{port}/shop?tls=off"
        finally:
            server.terminate()


def _user() -> tuple[str, ...]:
    return ("--user=root",) if os.geteuid() == 0 else ()


def _fill(folder: Path, server: subprocess.Popen[bytes]) -> None:
    """Wait until it answers, then write the books."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = pymysql.connect(unix_socket=str(folder / "s"), user="root", autocommit=True)
            break
        except pymysql.err.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                sys.exit(f"the database did not start:\n{(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)
    with connection, connection.cursor() as cursor:
        cursor.execute("create database shop character set utf8mb4")
        cursor.execute("create table shop.books (id int primary key, title text, author text, year int)")
        books = json.loads(BOOKS.read_text(encoding="utf-8"))
        cursor.executemany("insert into shop.books values (%(id)s, %(title)s, %(author)s, %(year)s)", books)
        cursor.execute("create user shop@'%' identified by 'moss'")
        cursor.execute("grant select, update on shop.* to shop@'%'")


def main(command: list[str]) -> int:
    """Run the command with the database; its exit code."""
    if not command:
        sys.exit("usage: database.py COMMAND...")
    signal.signal(signal.SIGINT, lambda *_: None)  # the command gets it as well, and it is the command's to handle
    with (
        tempfile.TemporaryDirectory(prefix="bookshop-") as folder,
        database(Path(folder)) as url,
        subprocess.Popen(command, env={**os.environ, "SHOP_DATABASE": url}) as process,
    ):
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
