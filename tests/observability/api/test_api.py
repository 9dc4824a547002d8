"""The process as its users meet it: logins, cookies, roles, questions, exports, and what goes on to a collector."""

import http.server
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from observability.commands.observe import _hosts
from tests.observability.process import PROTOBUF, Observing, eventually, observing
from tests.observability.telemetry import TRACE, logs, record, served, span, traces


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observing]:
    with observing(tmp_path_factory.mktemp("observe")) as one:
        now = time.time_ns()
        routed = {"fig.route": "books", "fig.side": "lambda", "http.response.status_code": "200"}
        sent = traces(span("GET books", start=now, attributes=routed), service="fig-router")
        assert one.send("traces", sent).status_code == 200
        told = served("books", "lambda", milliseconds=12, time=now)
        assert one.send("logs", logs(told, service="fig-router")).status_code == 200
        hostile = record("<script>alert(1)</script>\x1b[31m", time=now, trace=TRACE)
        assert one.send("logs", logs(hostile, service="shop")).status_code == 200
        yield one


def browser(running: Observing) -> tuple[dict[str, str], str]:
    """The cookie and the proof of a browser that opens a new one-time address."""
    login = running.fig("login", "--role", "viewer").stdout.strip()
    answer = running.http.get(login)
    assert answer.status_code == 303
    said = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in said.split(";")}
    cookie = {"Cookie": said.partition(";")[0]}
    session = running.http.get(f"{running.pages}/api/session", headers=cookie).json()
    assert session["role"] == "viewer"
    return cookie, session["csrf"]


def test_nothing_is_told_to_strangers(running: Observing) -> None:
    """Without a login there is a 401, with a wrong token too; that the process lives is no secret."""
    assert running.http.get(f"{running.pages}/api/routes").status_code == 401
    wrong = {"Authorization": "Bearer wrong"}
    assert running.http.get(f"{running.pages}/api/routes", headers=wrong).status_code == 401
    assert running.http.get(f"{running.pages}/healthz").status_code == 200
    assert running.http.get(f"{running.pages}/login?token=guess").status_code == 403


def test_a_login_works_once(running: Observing) -> None:
    """The address that is printed at the start logs in once."""
    first = running.http.get(running.login)
    assert first.status_code == 303
    assert running.http.get(running.login).status_code == 403


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/routes/books?last=1h", "/routes/books?last=1h"),
        ("", "/"),
        ("//evil.example/x", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/..//evil.example", "/"),
        ("/x/%2E%2e/.//evil.example", "/"),
        ("/.%2e//evil.example", "/"),
        ("/routes/a%2F%2Fb?x=../..//c", "/routes/a%2F%2Fb?x=../..//c"),
        ("routes", "/"),
        ("/login?token=x", "/"),
        ("/api/export/otel_traces", "/"),
    ],
)
def test_a_login_leads_to_our_own_pages_alone(running: Observing, wanted: str, leads_to: str) -> None:
    """After a login one sees what one wanted, where that is a page of ours; another site never."""
    token = running.http.post(f"{running.pages}/api/logins", json={}, headers=running.bearer()).json()["token"]
    answer = running.http.get(f"{running.pages}/login", params={"token": token, "next": wanted})
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)


def test_another_host_is_not_us(running: Observing) -> None:
    """A name that an attacker made to lead here is refused; the machine's own names are not."""
    assert running.http.get(f"{running.pages}/healthz", headers={"Host": "evil.example"}).status_code == 421
    known = _hosts("127.0.0.1", [8317, 4318], ("fig.bank.example",))
    assert [known(name) for name in ("localhost:8317", "FIG.bank.example", "fig.bank.example:443")] == [True] * 3
    assert [known(name) for name in ("localhost:1", "evil.example:8317", "", "127.0.0.1.evil.example")] == [False] * 4


def test_every_answer_is_protected(running: Observing) -> None:
    """Nothing may frame an answer, run in it, or keep it."""
    headers = running.http.get(f"{running.pages}/api/routes").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_a_foreign_page_changes_nothing(running: Observing) -> None:
    """A browser's POST needs our own origin and the session's proof, and a viewer may change nothing with them."""
    cookie, csrf = browser(running)
    url, ours = f"{running.pages}/api/query", {"Origin": running.pages, "X-Fig-CSRF": csrf}
    body = {"sql": "SELECT 1"}
    assert running.http.post(url, json=body, headers=cookie).status_code == 403
    assert running.http.post(url, json=body, headers=cookie | {"Origin": running.pages}).status_code == 403
    foreign = cookie | ours | {"Origin": "http://evil.example"}
    assert running.http.post(url, json=body, headers=foreign).status_code == 403
    assert running.http.post(url, json=body, headers=cookie | ours).json()["rows"] == [[1]]
    forward = running.http.post(f"{running.pages}/api/forward", json={"to": "http://x.example"}, headers=cookie | ours)
    assert forward.status_code == 403
    assert running.http.request("DELETE", f"{running.pages}/api/session", headers=cookie | ours).status_code == 200
    assert running.http.get(f"{running.pages}/api/session", headers=cookie).status_code == 401


def test_questions_and_answers(running: Observing) -> None:
    """Each path answers with what came in."""
    books_at = int(running.ask("/api/logs", route="books")["records"][0]["Timestamp"])
    (books,) = [one for one in running.ask("/api/routes")["routes"] if one["route"] == "books"]
    assert (books["weight"], books["sides"]["lambda"]["requests"]) == (5_000, 1)
    minute = 60 * 10**9
    start = books_at // minute * minute + 50 * 10**9
    told = running.ask("/api/routes", start=start, end=start + 10**10)
    assert told["window"]["start"] == start // minute * minute
    assert told["window"]["seconds"] <= 60  # the minute that it touches, until now
    assert told["routes"][0]["total"]["requests"] == 1
    assert running.ask("/api/routes/books/series")["steps"][0]["requests"] == 1
    assert running.ask("/api/routes/books/slowest")["spans"][0]["TraceId"] == TRACE
    assert running.ask("/api/traces", route="books")["spans"][0]["SpanName"] == "GET books"
    trace = running.ask(f"/api/traces/{TRACE}")
    assert (len(trace["spans"]), len(trace["logs"])) == (1, 2)
    assert running.ask(f"/api/traces/{TRACE}", at=time.time_ns())["spans"]
    assert "<script>" in running.ask("/api/logs", text="script")["records"][0]["Body"]
    assert running.ask("/api/health")["process"]["used_bytes"] > 0
    assert running.ask("/api/health")["process"]["door"]["records"] == {"traces": 1, "logs": 2}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/routes?minutes=nan", 422),
        ("/api/routes?minutes=-1", 422),
        ("/api/routes?start=5&end=1", 422),
        ("/api/routes?start=99999999999999999999", 422),
        ("/api/traces?side=up", 422),
        ("/api/traces?min_status=%27", 422),
        ("/api/traces/zz", 422),
        (f"/api/traces/{'0' * 32}", 404),
        ("/api/logs?severity=loud", 422),
        ("/api/export/secrets", 422),
        ("/api/nothing", 404),
        ("/api/logs?trace_id=xx", 422),
        (f"/api/logs?trace_id={TRACE[:31]}", 422),
        (f"/api/logs?trace_id={TRACE.upper()}", 200),
    ],
)
def test_wrong_questions(running: Observing, path: str, status: int) -> None:
    """What cannot be asked is refused as JSON that says why."""
    answer = running.http.get(running.pages + path, headers=running.bearer())
    assert answer.status_code == status
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("limit", [-1, 0, 100_001, 2**70, True, 1.5, "9", None])
def test_a_limit_that_is_none(running: Observing, limit: object) -> None:
    """It is refused, not guessed."""
    asked = {"sql": "SELECT 1", "limit": limit}
    assert running.http.post(f"{running.pages}/api/query", json=asked, headers=running.bearer()).status_code == 422


def test_a_large_body_gets_its_answer(running: Observing) -> None:
    """A sender that writes all of it before it reads sees 413, not a reset; a wrong type is told as well."""
    for headers, status in ((PROTOBUF, 413), ({"Content-Type": "text/plain"}, 415)):
        asked = urllib.request.Request(f"{running.otlp}/v1/traces", b"\0" * 20 * 10**6, headers)  # noqa: S310 - ours
        with pytest.raises(urllib.error.HTTPError) as failed:
            urllib.request.urlopen(asked, timeout=30)  # noqa: S310 - as above
        assert failed.value.code == status
        failed.value.close()


def test_the_query_command(running: Observing) -> None:
    """SQL over HTTP prints a table or JSON, and nothing that a terminal would obey."""
    found = running.fig("query", "SELECT Body FROM otel_logs ORDER BY Body")
    assert found.returncode == 0
    assert "<script>" in found.stdout
    assert "\x1b" not in found.stdout
    assert json.loads(running.fig("query", "--json", "SELECT 7 AS n").stdout)["rows"] == [[7]]
    refused = running.fig("query", "DELETE FROM otel_logs")
    assert (refused.returncode, "OB201" in refused.stderr) == (2, True)
    nowhere = running.fig("query", "SELECT 1", "--observe", "http://127.0.0.1:1")
    assert (nowhere.returncode, "not reachable" in nowhere.stderr) == (1, True)


def test_the_export_command(running: Observing, tmp_path: Path) -> None:
    """Tables come out as parquet, and nothing is left on the way."""
    done = running.fig("export", "--parquet", str(tmp_path), "--table", "otel_traces", "--json")
    assert done.returncode == 0, done.stderr
    with duckdb.connect() as reading:
        rows = reading.execute(
            "SELECT SpanName FROM read_parquet(?)", [str(tmp_path / "otel_traces.parquet")]
        ).fetchall()
    assert rows == [("GET books",)]
    exports = running.folder / ".fig" / "observe.duckdb.exports"
    eventually(lambda: not list(exports.iterdir()))


class Collector(http.server.BaseHTTPRequestHandler):
    """A collector that is away at first."""

    protocol_version = "HTTP/1.1"
    answers: list[int]
    bodies: list[tuple[str, bytes]]
    marks: list[str]

    def do_POST(self) -> None:
        """Take a body, or be away."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.marks.append(self.headers["X-Fig-Forwarded"])
            self.bodies.append((self.path, body))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def test_the_forward_command(running: Observing) -> None:
    """What comes in goes on, masked, again and again until it is taken; then it stops when told."""
    Collector.answers, Collector.bodies, Collector.marks = [503, 429], [], []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        assert running.fig("forward", "--to", "ftp://x").returncode == 2
        for own in (running.otlp, running.otlp.replace("127.0.0.1", "localhost")):
            refused = running.fig("forward", "--to", own)
            assert (refused.returncode, "this process itself" in refused.stderr) == (2, True)
        told = running.fig("forward", "--to", f"http://127.0.0.1:{server.server_port}", "--json")
        assert told.returncode == 0, told.stderr
        sent = traces(span("to jane@bank.example", attributes={"password": "hunter2"}, start=time.time_ns()))
        assert running.http.post(
            f"{running.otlp}/v1/traces", content=sent.SerializeToString(), headers=PROTOBUF
        ).is_success
        eventually(lambda: Collector.bodies)
        ((path, body),) = Collector.bodies
        assert path == "/v1/traces"
        assert Collector.marks == ["1"]
        got = ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0]
        assert (got.name, got.attributes[0].value.string_value) == ("to [email]", "[redacted]")
        eventually(lambda: json.loads(running.fig("forward", "--json").stdout)["waiting"] == 0)
        assert json.loads(running.fig("forward", "--stop", "--json").stdout)["to"] is None
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
