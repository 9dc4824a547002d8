"""The bookshop whose function reads the legacy application's own database, a real MariaDB, through the adapters."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pymysql
import pytest

from adapters.profiles.document import database, of_url
from adapters.profiles.values import StaticCredentials
from strangler_fig.names import SIDE_HEADER

from .test_bookshop_application import READS
from .test_bookshop_up import BOOKSHOP, DEADLINE_SECONDS, ESTATE, fig

STARTED = """
import os, sys
print(os.environ["SHOP_DATABASE"], flush=True)
up = [sys.executable, "-P", "-m", "fig", "up", sys.argv[1]]
os.execv(sys.executable, [*up, "--json", "--until-eof", "--no-observe"])
"""


@contextmanager
def running(folder: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """The bookshop with its database: what `fig up` says when it is ready, and the database's URL."""
    log = folder / "up.log"
    command = [sys.executable, str(BOOKSHOP / "database.py"), sys.executable, "-c", STARTED, str(ESTATE)]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            url, ready = process.stdout.readline().strip(), process.stdout.readline()
            assert ready, log.read_text()
            yield json.loads(ready), url
            process.stdin.close()
            assert process.wait(DEADLINE_SECONDS) == 0, log.read_text()
        finally:
            if process.poll() is None:
                process.terminate()


def run(url: str, statement: str) -> None:
    """Run a statement as the legacy application's own people would."""
    profile = database("shop", of_url(url))
    assert isinstance(profile.credentials, StaticCredentials)
    with pymysql.connect(
        host="127.0.0.1",
        port=profile.way.endpoints[0].port,
        user=profile.credentials.user,
        password=profile.credentials.password.reveal(),
        database=profile.database,
        ssl_disabled=True,
        autocommit=True,
    ) as connection:
        connection.cursor().execute(statement)


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the run's own, with a path that is short enough for a socket."""
    return tmp_path_factory.mktemp("shop")


def test_the_function_reads_the_legacy_database(folder: Path) -> None:
    """Lambda answers all reads as legacy does, and sees a change of the database; without one legacy serves."""
    with running(folder) as (ready, url):
        entry = ready["addresses"]["entry"]

        def get(path: str) -> httpx2.Response:
            return httpx2.get(entry + path, headers={"X-User": "alice"}, timeout=10, trust_env=False)

        before = {path: get(path) for path in READS}
        assert {one.headers[SIDE_HEADER] for path, one in before.items() if path.startswith("/books")} == {"legacy"}
        for route in ("books-read", "search"):
            shifted = fig("shift", route, "100%", "--json", folder=folder)
            assert json.loads(shifted.stdout)["in_force"], shifted.stderr
        for path in before:  # a function that starts on a busy machine may be too late for its first request
            until(lambda path=path: get(path).headers[SIDE_HEADER] == "lambda")  # type: ignore[misc]
        for path, old in before.items():
            new = get(path)
            assert (new.status_code, new.content) == (old.status_code, old.content), path
            assert new.headers[SIDE_HEADER] == "lambda"
        run(url, "update books set title = 'Moss, revised' where id = 7")
        assert get("/books/7").json()["title"] == "Moss, revised"
        [server] = _databases(folder)
        os.kill(server, signal.SIGTERM)
        until(lambda: not list(_databases(folder)))
        last = get("/books/7")
        assert (last.status_code, last.headers[SIDE_HEADER], last.json()["title"]) == (200, "legacy", "Moss")
    assert list(_databases(folder)) == []


def _databases(folder: Path) -> Iterator[int]:
    """The process ids of databases whose files are in the folder."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it ended
            if line[0].endswith(b"mariadbd") and any(str(folder).encode() in one for one in line):
                yield int(process.name)
