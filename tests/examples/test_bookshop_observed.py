"""The bookshop under `fig observe`: one request is followed through both worlds, and the numbers are those of Envoy.

Everything is real: client → Envoy → Lambda (awslambdaric) → adapters → proxies (dante, tinyproxy) → MariaDB and legacy.
"""

import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.adapters import mariadb, proxies

from .test_bookshop_faults import Traffic
from .test_bookshop_release import outcome, start
from .test_bookshop_up import Up, fig, up

pytestmark = pytest.mark.timeout(300)  # a dozen processes start, on a machine that may be busy
SOON_SECONDS = 60
SAMPLED = "0123456789abcdef"


@dataclass(kw_only=True)
class Observed:
    """The running bookshop, what observes it, and the database behind both sides."""

    up: Up
    database: mariadb.MariaDb
    statements: Path
    proxy_logs: dict[str, Path]

    def ask(self, path: str) -> Any:
        """What `fig observe` answers; None where it has no such thing yet."""
        run = json.loads((self.up.folder / ".fig" / "observe.json").read_text())
        headers = {"Authorization": f"Bearer {run['token']}"}
        answer = httpx2.get(run["pages"] + path, headers=headers, timeout=30, trust_env=False)
        assert answer.status_code in {200, 404}, answer.text
        return answer.json() if answer.is_success else None

    def sql(self, text: str) -> list[list[Any]]:
        """The rows of a SELECT, asked as a person would."""
        done = fig("observe", "query", "--json", text, folder=self.up.folder)
        assert done.returncode == 0, done.stderr
        rows: list[list[Any]] = json.loads(done.stdout)["rows"]
        return rows

    def written(self) -> dict[str, int]:
        """The same as the router's own access log has it, which Envoy writes with some delay."""
        lines = (self.up.folder / ".fig" / "node" / "logs" / "access.jsonl").read_text().split("\n")[:-1]
        return dict(Counter(one["answered"] for one in map(json.loads, lines) if one["route"] == "books-read"))

    def counted(self) -> dict[str, int]:
        """The requests of `books-read`, by the side that answered, as the page of the routes has them."""
        return {side: one["requests"] for side, one in self._route().get("sides", {}).items() if one["requests"]}

    def weight(self) -> int | None:
        """The weight of `books-read` on that page."""
        return self._route().get("weight")

    def _route(self) -> dict[str, Any]:
        routes = self.ask("/api/routes?minutes=60")["routes"]
        return next((one for one in routes if one["route"] == "books-read"), {})


def soon(happened: Callable[[], object]) -> None:
    """Wait until it happened. Fails when it does not."""
    deadline = time.monotonic() + SOON_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """The bookshop, observed, with everybody on Lambda, whose function reads a database and asks legacy by proxies."""
    folder = tmp_path_factory.mktemp("observed")
    statements = folder / "statements.log"
    logged = ("--general-log=1", f"--general-log-file={statements}")
    with (
        mariadb.running(folder, *logged) as database,
        proxies.dante(folder) as socks,
        proxies.tinyproxy(folder) as http,
        pytest.MonkeyPatch.context() as patch,
    ):
        database.run("alter table shop.books add author text, add year int", "update shop.books set year = 1925")
        query = f"tls_name={mariadb.NAME}&ca_file={quote(str(database.ca))}&sql_comments=true"
        query += f"&proxy=socks5://127.0.0.1:{socks.port}"
        patch.setenv("SHOP_DATABASE", f"mysql+onprem://app:pw@127.0.0.1:{database.port}/shop?{query}")
        patch.setenv("SHOP_PROXY", f"http://127.0.0.1:{http.port}")
        patch.setenv("TRACE_SAMPLE", "1%")  # what is to be traced brings a trace of its own
        with up(folder, "--state", ".fig") as running:
            shifted = fig("shift", "books-read", "100%", "--json", folder=folder)
            assert json.loads(shifted.stdout)["in_force"], shifted.stderr
            logs = {"dante": socks.log, "tinyproxy": http.log}
            yield Observed(up=running, database=database, statements=statements, proxy_logs=logs)


def read(observed: Observed, path: str) -> tuple[str, httpx2.Response]:
    """A read that Lambda answers, with a trace of its own: its id, and the answer. A cold start may take too long."""
    deadline = time.monotonic() + SOON_SECONDS
    while True:
        trace = secrets.token_hex(16)
        headers = {"X-User": "alice", "traceparent": f"00-{trace}-{SAMPLED}-01"}
        answer = httpx2.get(observed.up.addresses["entry"] + path, headers=headers, timeout=20, trust_env=False)
        if answer.headers["x-fig-side"] == "lambda":
            return trace, answer
        assert time.monotonic() < deadline, answer.headers
        time.sleep(0.1)


def hops(trace: dict[str, Any]) -> list[tuple[int, str, str, str, str]]:
    """Each span of a trace: its depth, who told of it, its kind, its side and its name."""
    return [
        (one["Depth"], one["ServiceName"], one["SpanKind"], one["Side"], one["SpanName"])
        for one in trace["spans"]
        if one["SpanName"] not in {"init", "CONNECT"}  # of whoever comes first
    ]


def test_one_request_is_one_trace(observed: Observed) -> None:
    """A read is followed from the client to MariaDB and to legacy: every hop, its gaps, its log lines, in one trace."""
    read(observed, "/books/7")
    trace_id, answer = read(observed, "/books/7/stock")
    assert answer.json() == {"id": 7, "title": "Moss", "stock": 100}
    expected = [
        (0, "fig-router", "Server", "lambda", "GET books-read"),
        (1, "fig-router", "Client", "lambda", "lambda books"),
        (2, "books", "Server", "lambda", "GET books-read"),
        (3, "books", "Client", "lambda", "SELECT books"),
        (3, "books", "Client", "lambda", "GET"),
        (4, "bookshop", "Server", "legacy", "GET /books/{id}/stock"),
    ]
    found: dict[str, Any] = {}

    def arrived() -> bool:
        found.update(observed.ask(f"/api/traces/{trace_id}") or {"spans": [], "logs": []})
        lines = {(one["ServiceName"], one["Body"]) for one in found["logs"]}  # a function may have to say it twice
        return len(hops(found)) == len(expected) and len(lines) == 3

    try:
        soon(arrived)
    finally:
        assert hops(found) == expected
    spans = {(one["ServiceName"], one["SpanKind"], one["SpanName"]): one for one in found["spans"]}
    assert spans["fig-router", "Server", "GET books-read"]["ParentSpanId"] == SAMPLED, "the client's own span"

    legacy = spans["bookshop", "Server", "GET /books/{id}/stock"]
    function = spans["books", "Server", "GET books-read"]
    assert {one["ServiceName"] for one in found["spans"] if one["GapNanoseconds"] is not None} == {"books", "bookshop"}
    for one in (function, legacy):
        assert one["GapNanoseconds"] > 0, "the clocks are one, and nobody begins before who called"

    said = {(one["ServiceName"], one["Body"]): one for one in found["logs"]}
    assert said["fig-router", "GET /books/7/stock 200"]["Route"] == "books-read"
    assert said["books", "stock of book 7 asked of legacy: 100"]["SpanId"] == function["SpanId"]
    assert said["bookshop", "stock of book 7: 100"]["SpanId"] == legacy["SpanId"]

    select = spans["books", "Client", "SELECT books"]
    assert select["SpanAttributes"]["db.system.name"] == "mariadb"
    comment = f"/*traceparent='00-{trace_id}-{select['SpanId']}-01'*/"
    assert comment in observed.statements.read_text(errors="replace"), "the database was told whose statement it is"
    assert re.search(rf"{observed.database.port}\b", observed.proxy_logs["dante"].read_text())
    assert "CONNECT" in observed.proxy_logs["tinyproxy"].read_text()


def test_numbers_and_decisions_of_a_release(observed: Observed) -> None:
    """A release ramps under load: its story is in the logs, the weight is control's, and requests are counted once."""
    assert fig("shift", "books-read", "0", folder=observed.up.folder).returncode == 0
    traffic = Traffic(observed.up.addresses["entry"], users=100)
    with traffic.running():
        start(observed.up.folder, "r1", "1s")
        assert outcome(observed.up.folder, "r1") == "completed"
    assert traffic.failed == []

    try:
        soon(lambda: observed.counted() == observed.written())
    finally:
        assert observed.counted() == observed.written()
    assert observed.counted()["lambda"] > 10

    history = json.loads(fig("history", "--limit", "100", "--json", folder=observed.up.folder).stdout)["entries"]
    decided = sorted(f"fig.{one['kind']}" for one in history if one["release"] == "r1")
    story = (
        "SELECT LogAttributes['event.name'], Route, Side FROM otel_logs WHERE ServiceName = 'fig-control'"
        " AND LogAttributes['fig.release'] = 'r1' ORDER BY Timestamp"
    )
    try:
        soon(lambda: len(observed.sql(story)) == len(decided))
    finally:
        told = observed.sql(story)
    assert sorted(name for name, _, _ in told) == decided
    assert {"fig.started", "fig.step", "fig.verdict"} <= set(decided)
    assert {side for _, _, side in told} == {""}, "control is neither side"

    weight = next(one["to"] for one in history if one["to"] is not None)
    soon(lambda: observed.weight() == weight)
