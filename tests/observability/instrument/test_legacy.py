"""Applications on-premises, in processes of their own, telling a real `fig observe`."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.adapters.mariadb import running as mariadb
from tests.observability.process import Observing, eventually

from .events import PARENT, traceparent
from .test_in_lambda import mute

ROOT = Path(__file__).parents[3]
PACKAGE = "tests.observability.instrument.applications"


def variables(telemetry: Observing, **more: str) -> dict[str, str]:
    """The environment of an application that tells."""
    usual = {"OTEL_EXPORTER_OTLP_ENDPOINT": telemetry.otlp, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    return {"PATH": os.environ["PATH"], **usual, "OTEL_BLRP_SCHEDULE_DELAY": "100", **more}


@contextmanager
def application(name: str, environment: dict[str, str]) -> Iterator[httpx2.Client]:
    """A client of a served application until the block ends; then it ends by SIGTERM, as it should."""
    command = [sys.executable, "-W", "error", "-m", f"{PACKAGE}.{name}"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "it did not start"
        eventually(lambda: _listens(int(port)))
        apart = httpx2.Limits(max_keepalive_connections=0)  # so that each worker gets its turn
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False, limits=apart) as client:
            yield client
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    finally:
        process.kill()
        process.communicate()


def _listens(port: int) -> bool:
    """Whether the port that was told takes connections by now."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def spans(telemetry: Observing, columns: str, where: str) -> list[list[Any]]:
    """These columns of the spans."""
    return telemetry.sql(f"SELECT {columns} FROM otel_traces WHERE {where} ORDER BY Timestamp")  # noqa: S608 - the test's own


def has_told_the_failure(telemetry: Observing, service: str) -> None:
    """The span of `/raise` has the exception, once, and the framework's or the server's record of it has the trace."""
    where = f"ServiceName = '{service}' AND SpanKind = 'Server' AND StatusCode = 'Error'"
    eventually(lambda: spans(telemetry, "1", where))
    columns = 'StatusMessage, SpanAttributes[\'error.type\'], "Events.Name", "Events.Attributes", TraceId'
    ((message, kind, names, (event,), trace),) = spans(telemetry, columns, where)
    assert (message, kind, names) == ("KeyError", "KeyError", ["exception"])
    assert (event["exception.type"], event["exception.message"]) == ("KeyError", "'planted'")
    assert "raise KeyError(message)" in event["exception.stacktrace"]
    line = f"SELECT 1 FROM otel_logs WHERE TraceId = '{trace}' AND LogAttributes['exception.type'] = 'KeyError'"  # noqa: S608
    eventually(lambda: telemetry.sql(line))


def test_forked_workers_of_flask(telemetry: Observing, tmp_path: Path) -> None:
    """Workers that were forked after the import tell by themselves: requests by rule, statements, lines, failures."""
    with mariadb(tmp_path) as database:
        url = f"mysql+pymysql://app:pw@127.0.0.1:{database.port}/shop"
        own = {"DATABASE": url, "DATABASE_CA": str(database.ca), "OTEL_PYTHON_EXCLUDED_URLS": "health"}
        with application("workers", variables(telemetry, **own)) as client:
            workers: set[int] = set()
            while len(workers) < 2:
                workers.add(client.get("/health").json()["worker"])
            served: set[int] = set()
            for number in range(1, 500):
                headers = {"traceparent": traceparent(f"{number:032x}"), "x-fig-route": "books-read"}
                answer = client.get("/books/7", headers=headers).json()
                assert answer["title"] == "Moss"
                served.add(answer["worker"])
                if served == workers:
                    break
            assert client.get("/raise").status_code == 500
    instances = "count(DISTINCT ResourceAttributes['service.instance.id'])"
    eventually(lambda: telemetry.sql(f"SELECT {instances} FROM otel_traces WHERE ServiceName = 'workers'") == [[2]])  # noqa: S608
    eventually(lambda: spans(telemetry, "1", "ServiceName = 'workers' AND StatusCode = 'Error'"))
    (first,) = spans(
        telemetry,
        "SpanName, ParentSpanId, Side, Route, HttpStatus, SpanId",
        f"TraceId = '{1:032x}' AND SpanKind = 'Server'",
    )
    assert first[:5] == ["GET /books/<int:number>", PARENT, "legacy", "books-read", 200]
    below = spans(telemetry, "SpanAttributes", f"ParentSpanId = '{first[5]}'")
    statement = next(one for (one,) in below if "db.query.text" in one)
    assert (statement["db.system.name"], statement["db.namespace"]) == ("mysql", "shop")
    (failed,) = spans(telemetry, "HttpStatus, SpanName", "ServiceName = 'workers' AND StatusCode = 'Error'")
    assert failed == [500, "GET /raise"]
    has_told_the_failure(telemetry, "workers")
    line = f"SELECT Body, SpanId FROM otel_logs WHERE TraceId = '{1:032x}'"  # noqa: S608
    assert telemetry.sql(line) == [["book 7", first[5]]]
    assert not spans(telemetry, "1", "SpanAttributes['url.path'] = '/health'")


def test_routes_of_starlette(telemetry: Observing) -> None:
    """An ASGI application under uvicorn tells by its templates, those of what is mounted in it, too."""
    trace = "c" * 32
    with application("served", variables(telemetry, OTEL_SERVICE_NAME="asgi")) as client:
        client.get("/shop/books/7", headers={"traceparent": traceparent(trace), "x-fig-shadow": "1"})
        assert client.get("/raise").status_code == 500
        assert client.get("/nowhere/8").status_code == 404
    eventually(lambda: len(spans(telemetry, "1", "ServiceName = 'asgi' AND SpanKind = 'Server'")) == 3)
    found = spans(
        telemetry, "SpanName, Route, HttpStatus, StatusCode, Role", "ServiceName = 'asgi' AND SpanKind = 'Server'"
    )
    assert found == [
        ["GET /shop/books/{id}", "/shop/books/{id}", 200, "Unset", "shadow"],
        ["GET /raise", "/raise", 500, "Error", "primary"],
        ["GET", "", 404, "Unset", "primary"],
    ]
    has_told_the_failure(telemetry, "asgi")
    assert ["sqlite"] in spans(telemetry, "SpanAttributes['db.system.name']", f"TraceId = '{trace}'")
    eventually(lambda: telemetry.sql(f"SELECT 1 FROM otel_logs WHERE Body = 'book 7' AND TraceId = '{trace}'"))  # noqa: S608


def test_routes_of_django(telemetry: Observing) -> None:
    """A Django project under the documents' one line in its wsgi.py tells by its patterns, included ones, too."""
    trace = "d7a9" * 8
    with application("djangoed", variables(telemetry)) as client:
        headers = {"traceparent": traceparent(trace), "x-fig-route": "books-read"}
        assert client.get("/shop/books/7", headers=headers).json() == {"book": 7}
        assert client.get("/raise").status_code == 500
        assert client.get("/nowhere").status_code == 404
    found = "SpanName, Route, HttpStatus, StatusCode, SpanAttributes['http.route']"
    eventually(lambda: len(spans(telemetry, "1", "ServiceName = 'djangoed'")) == 3)
    assert spans(telemetry, found, "ServiceName = 'djangoed'") == [
        ["GET /shop/books/<int:number>", "books-read", 200, "Unset", "/shop/books/<int:number>"],
        ["GET /raise", "/raise", 500, "Error", "/raise"],
        ["GET", "", 404, "Unset", None],
    ]
    has_told_the_failure(telemetry, "djangoed")
    eventually(lambda: telemetry.sql(f"SELECT 1 FROM otel_logs WHERE TraceId = '{trace}'"))  # noqa: S608
    lines = telemetry.sql(f"SELECT Body, Side, ScopeName FROM otel_logs WHERE TraceId = '{trace}'")  # noqa: S608
    assert lines == [["book 7", "legacy", "shop"]]


def forked(environment: dict[str, str], number: int = 1) -> None:
    """Run the application that forks, to its end."""
    command = [sys.executable, "-W", "error", "-m", f"{PACKAGE}.forked", str(number)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=60)


def test_a_process_that_forks_while_it_serves(telemetry: Observing) -> None:
    """What parent and child did arrives once each, from two instances; both sent all that waited when they ended."""
    forked(variables(telemetry, OTEL_SERVICE_NAME="forked", OTEL_BSP_SCHEDULE_DELAY="60000"))
    found = spans(telemetry, "RequestId, Route, ResourceAttributes['service.instance.id']", "ServiceName = 'forked'")
    assert sorted(one[:2] for one in found) == [["child", "books-read"], ["parent", "books-read"]]
    assert len({one[2] for one in found}) == 2


def test_what_a_full_queue_drops_is_on_the_health_page(telemetry: Observing) -> None:
    """A collector that takes spans and never answers: the queue stays short, the process ends, the loss is told."""
    with mute() as silent:
        forked(
            variables(
                telemetry,
                OTEL_SERVICE_NAME="dropping",
                OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"http://127.0.0.1:{silent}/v1/traces",
                OTEL_EXPORTER_OTLP_TRACES_TIMEOUT="2",
                OTEL_BSP_MAX_QUEUE_SIZE="8",
                OTEL_BSP_MAX_EXPORT_BATCH_SIZE="4",
            ),
            number=60,
        )
    drops = {(one["ServiceName"], one["MetricName"]): one["Lost"] for one in telemetry.ask("/api/health")["drops"]}
    assert drops["dropping", "otel.sdk.processor.span.processed"] > 0
    assert drops["dropping", "otel.sdk.exporter.span.exported"] > 0


ALONE = """
import sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Forbidden())
from observability import instrument

def function(event, context):
    return 7

assert instrument.lambda_(function) is function
assert instrument.lambda_(route="a")(function) is function
assert instrument.legacy(function) is function
print(sorted({{one.partition(".")[0] for one in sys.modules}} & {heavy!r}))
"""
HEAVY = {
    "duckdb",
    "starlette",
    "sqlalchemy",
    "opentelemetry",
    "google",
    "requests",
    "adapters",
    "aws_lambda_powertools",
}

NONE = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "LOGS", "METRICS")}


@pytest.mark.parametrize(
    ("missing", "asked"),
    [
        (set(), {}),
        (set(), {"OTEL_SDK_DISABLED": "true"}),
        (set(), {"AWS_LAMBDA_FUNCTION_NAME": "books", **NONE}),
        ({"opentelemetry"}, {"AWS_LAMBDA_FUNCTION_NAME": "books"}),
    ],
    ids=["nobody asked", "disabled", "none", "not installed"],
)
def test_nothing_happens_where_nothing_is_to_be_told(missing: set[str], asked: dict[str, str]) -> None:
    """Without a variable, without the extra, or switched off, what was given comes back, and nothing was imported."""
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"} if missing or asked else {}
    script = ALONE.format(missing=missing | (HEAVY - {"opentelemetry"}), heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **asked, **endpoint},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    assert ("strangler-fig[instrument]" in done.stderr) == bool(missing)
