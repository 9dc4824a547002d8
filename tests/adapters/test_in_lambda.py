"""Functions as they run: awslambdaric's own processes, which reach a real MariaDB through real proxies."""

import base64
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.local.running import Running, serving

from . import aws as own_aws
from .envoy_model import Request, event
from .faults import FaultProxy, fault_proxy
from .mariadb import NAME, MariaDb, running
from .proxies import ONLY_THERE, dante, tinyproxy

SLEEP = "select sleep(30)"
SECRET = "orders-in-lambda"  # noqa: S105 - its name
FUNCTION = """
from sqlalchemy import text

from adapters import Database, handler, is_shadow

orders = Database.named("orders")

@handler(route="books", reserve=1.0)
def books(event, context):
    path = event["rawPath"]
    if path == "/slow":
        with orders.begin() as connection:
            connection.execute(text("select sleep(30)"))
    if path == "/write-then-read":
        with orders.begin() as connection:
            connection.execute(text("insert into books values (100, 'Ivy')"))
        with orders.begin() as connection:
            connection.execute(text("select sleep(30)"))
    if path == "/shadowed":
        with orders.begin() as connection:
            connection.execute(text("insert into books values (101, 'Shade')"))
    with orders.begin() as connection:
        title = connection.execute(text("select title from books where id = 7")).scalar_one()
    return {"statusCode": 200, "body": title, "headers": {"content-type": "text/plain"}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A bank: functions, the proxies between, and the database, behind a proxy that can break."""

    functions: Running
    server: MariaDb
    faulty: FaultProxy

    def ask(self, name: str, path: str = "/books/7", **headers: str) -> tuple[int, dict[str, str], str]:
        """What the router would get for a GET: status, headers and text."""
        sent = tuple((key.replace("_", "-"), value) for key, value in headers.items())
        answer = self.functions.invoke(name, event(Request(target=path, headers=sent)))
        found = answer.document
        assert "status_code" in found, found
        body = base64.b64decode(found["body"]).decode() if found["is_base64_encoded"] else found["body"]
        return found["status_code"], found["headers"], body

    def queries(self) -> list[str]:
        """What the database runs for functions now."""
        return [info for _, info in self.server.sessions() if info]

    def process(self, name: str) -> int:
        """The id of the function's one process."""
        (found,) = self.functions.state(name)["process_ids"]
        return int(found)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "fn").mkdir()
    (folder / "fn" / "books.py").write_text(FUNCTION)
    with (
        running(folder) as server,
        fault_proxy(server.port) as faulty,
        tinyproxy(folder) as http,
        dante(folder) as socks,
        own_aws.serving() as aws,
    ):
        client = aws.client("secretsmanager")
        client.create_secret(Name=SECRET, SecretString='{"username": "app", "password": "pw"}')
        ways = {"http": f"http://127.0.0.1:{http.port}", "socks": f"socks5h://127.0.0.1:{socks.port}"}
        profiles = {
            name: json.dumps({"databases": {"orders": _profile(faulty, server, way)}}) for name, way in ways.items()
        }
        with serving(folder, yaml.safe_dump(_functions(profiles, aws.variables))) as functions:
            yield Site(functions=functions, server=server, faulty=faulty)


def _profile(faulty: FaultProxy, server: MariaDb, way: str) -> dict[str, Any]:
    return {
        "endpoints": f"{ONLY_THERE}:{faulty.port}",
        "proxy": way,
        "tls": {"name": NAME, "ca_file": str(server.ca)},
        "credentials": {"secret": SECRET},
        "database": "shop",
        "ping_after": "50ms",
        "connect_timeout": "5s",
        "handshake_timeout": "5s",
    }


def _functions(profiles: dict[str, str], variables: dict[str, str]) -> dict[str, Any]:
    """Each proxy's function, one that is frozen between invocations, and one with little time."""
    reserved = ("AWS_ACCESS", "AWS_SECRET", "AWS_SESSION", "AWS_REGION", "AWS_DEFAULT")
    own = {key: value for key, value in variables.items() if not key.startswith(reserved)}

    def function(proxy: str, timeout: str, **more: Any) -> dict[str, Any]:
        return {
            "handler": "books.books",
            "code": "fn",
            "timeout": timeout,
            "concurrency": 1,
            "environment": {**own, "ADAPTERS_PROFILES": profiles[proxy]},
            **more,
        }

    return {
        "version": 1,
        "functions": {
            "http": function("http", "30s"),
            "socks": function("socks", "30s"),
            "frozen": function("socks", "30s", freeze=True),
            "hasty": function("http", "4s"),
        },
    }


def until(met: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def in_flight(site: Site, name: str, path: str) -> Iterator[list[Any]]:
    """A request that is under way; its answer is in the list after the block."""
    answers: list[Any] = []
    request = event(Request(target=path))
    asking = threading.Thread(target=lambda: answers.append(site.functions.invoke(name, request).document))
    asking.start()
    try:
        yield answers
    finally:
        asking.join()


@pytest.mark.parametrize("proxy", ["http", "socks"])
def test_a_function_reads_through_a_proxy(site: Site, proxy: str) -> None:
    """A function with a secret of Secrets Manager reads through a real proxy, over TLS in the database's name."""
    for _ in range(3):
        status, _headers, body = site.ask(proxy)
        assert (status, body) == (200, "Moss")


def test_the_deadline_ends_a_statement_before_the_service_ends_the_function(site: Site) -> None:
    """A statement that would outlast the invocation is answered in time, with 504, and runs on nowhere."""
    assert site.ask("hasty")[0] == 200
    process = site.process("hasty")
    status, headers, body = site.ask("hasty", "/slow")
    assert (status, body) in {(504, "DeadlineExceeded\n"), (504, "StatementTimedOut\n")}, site.functions.logs
    assert "x-fig-fallback" not in headers
    until(lambda: not site.queries())
    assert site.ask("hasty")[2] == "Moss"
    assert site.process("hasty") == process
    assert site.functions.state("hasty")["timeouts"] == 0


def test_a_function_that_is_killed_leaves_no_query_running(site: Site) -> None:
    """When the service kills a function in a statement, the server ends it at what the invocation had left."""
    assert site.ask("hasty")[0] == 200
    with in_flight(site, "hasty", "/slow") as answers:
        until(lambda: any(SLEEP in query for query in site.queries()))
        os.kill(site.process("hasty"), signal.SIGKILL)
        killed = time.monotonic()
    assert answers[0]["errorType"] == "Runtime.ExitError"
    until(lambda: not site.queries())
    assert time.monotonic() - killed < 4 + 5  # what it had, and slack; the statement alone takes 30 s
    until(lambda: site.ask("hasty")[2] == "Moss")  # a busy machine may need more than one cold start's time


def test_a_black_hole_in_a_statement_is_bounded(site: Site) -> None:
    """When the path goes silent in the middle of an invocation, the function still answers in time."""
    assert site.ask("hasty")[0] == 200
    with in_flight(site, "hasty", "/slow") as answers:
        until(lambda: any(SLEEP in query for query in site.queries()))
        site.faulty.lose()
    assert answers[0]["status_code"] == 504
    assert site.ask("hasty")[2] == "Moss"
    until(lambda: not site.queries())


def test_what_cannot_be_reached_is_left_to_legacy(site: Site) -> None:
    """When no connection comes about, the router hears that nothing was done, without a word about the inside."""
    site.faulty.mode = "reset"
    try:
        site.faulty.cut()
        status, headers, body = site.ask("socks")
    finally:
        site.faulty.mode = "pass"
    assert (status, headers["x-fig-fallback"]) == (503, "safe")
    assert body in {"Unreachable\n", "ProxyRefused\n"}  # by whether the proxy or the server behind it was cut off
    assert site.ask("socks")[2] == "Moss"


def test_what_was_written_is_not_left_to_legacy(site: Site) -> None:
    """A function that committed something and failed then says nothing that would have legacy do it again."""
    status, headers, _ = site.ask("hasty", "/write-then-read")
    assert status == 504
    assert "x-fig-fallback" not in headers
    assert site.server.run("select count(*) from shop.books where id = 100") == [(1,)]


def test_a_shadow_leaves_no_trace(site: Site) -> None:
    """A request that the router marked as a shadow is answered, and what it wrote is not there."""
    status, headers, body = site.ask("socks", "/shadowed", x_fig_shadow="1")
    assert (status, headers["x-fig-shadow"], body) == (200, "honoured", "Moss")
    assert site.server.run("select count(*) from shop.books where id = 101") == [(0,)]


@pytest.mark.parametrize("fate", ["lives", "closed", "reset", "black-holed"])
def test_a_frozen_function_notices_nothing(site: Site, fate: str) -> None:
    """Between invocations the process is stopped, as by the service; whatever became of its connection, it answers."""
    assert site.ask("frozen")[2] == "Moss"
    time.sleep(0.1)  # the idle time itself is the subject
    if fate == "closed":
        site.server.run(*(f"kill {one[0]}" for one in site.server.sessions()))
    elif fate == "reset":
        site.faulty.cut()
    elif fate == "black-holed":
        site.faulty.lose()
    begin = time.monotonic()
    status, _, body = site.ask("frozen")
    assert (status, body) == (200, "Moss")
    assert time.monotonic() - begin < 3.0


def test_no_connection_outlives_its_function(site: Site) -> None:
    """A function holds one connection, and none when its process is gone."""
    for name in ("http", "socks"):
        assert site.ask(name)[0] == 200
        os.kill(site.process(name), signal.SIGKILL)
    until(lambda: len(site.server.sessions()) <= 2)  # those of the two others
