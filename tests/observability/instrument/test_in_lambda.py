"""Functions as they run, in awslambdaric's own processes, telling a real `fig observe`."""

import base64
import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.local.running import Answer, Running, serving
from tests.observability.process import Observing, eventually

from .events import SHAPES, client_context, event

FUNCTION = """
import json
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from opentelemetry import trace
from adapters import handler as adapted
from observability import instrument

logger = Logger(service="books")
users = Metrics(namespace="Users", service="books")

def answer(event, context):
    path = event.get("rawPath", "")
    logger.info("asked", extra={"path": path})
    if path == "/raise":
        raise KeyError("planted")
    with trace.get_tracer("shop").start_as_current_span("SELECT books"):
        logger.warning("in the statement")
    return {"statusCode": 503 if path == "/unavailable" else 200, "body": "Moss"}

@instrument.lambda_(metrics="Shop")
@adapted(route="books-read")
def above(event, context):
    return answer(event, context)

@adapted(route="books-read")
@instrument.lambda_(route="books-read")
@logger.inject_lambda_context
@users.log_metrics
def below(event, context):
    users.add_metric("Sold", MetricUnit.Count, 1)
    return answer(event, context)

@instrument.lambda_(flush=60, reserve=1.5)
def patient(event, context):
    return {"statusCode": 200}
"""
FUNCTIONS = ["books-above", "books-below"]
SPAN = "SELECT {} FROM otel_traces WHERE TraceId = '{}' AND SpanKind = 'Server' AND ServiceName LIKE 'books-%'"


@dataclass(frozen=True, slots=True)
class Site:
    """Functions, and who listens to them."""

    functions: Running
    telemetry: Observing

    def invoke(self, function: str, shape: str, trace: str, path: str = "/books/7", **headers: str) -> Answer:
        """Ask a function in one shape."""
        custom = client_context(shape, trace)
        own = {"X-Amz-Client-Context": base64.b64encode(json.dumps(custom).encode()).decode()} if custom else {}
        return self.functions.invoke(function, event(shape, trace, path, **headers), own)

    def server_span(self, trace: str, *columns: str) -> list[Any]:
        """The function's span of a trace, when it is there."""
        asked = SPAN.format(", ".join(columns), trace)
        eventually(lambda: self.telemetry.sql(asked))
        (found,) = self.telemetry.sql(asked)
        return found

    def printed(self, text: str) -> list[Any]:
        """The lines of JSON with that text that functions printed."""
        found = (line[line.index("{") :] for log in self.functions.logs for line in log.splitlines() if text in line)
        return [json.loads(line) for line in found]


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port whose connections are never made: its backlog is full."""
    with socket.socket() as listening, contextlib.ExitStack() as stack:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 - a socket's own signature
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listening.getsockname())
        yield listening.getsockname()[1]


@contextlib.contextmanager
def mute() -> Iterator[int]:
    """A port that takes requests and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield listening.getsockname()[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, telemetry: Observing) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("functions")
    (folder / "fn").mkdir()
    (folder / "fn" / "books.py").write_text(FUNCTION)
    with (
        deaf() as hangs,
        mute() as silent,
        serving(folder, yaml.safe_dump(_functions(telemetry.otlp, hangs, silent))) as functions,
    ):
        yield Site(functions, telemetry)


def _functions(otlp: str, hangs: int, silent: int) -> dict[str, Any]:
    def function(handler: str, **variables: str) -> dict[str, Any]:
        return {
            "handler": f"books.{handler}",
            "code": "fn",
            "timeout": "20s",
            "concurrency": 1,
            "environment": {"POWERTOOLS_METRICS_NAMESPACE": "Users", "PYTHONWARNINGS": "error", **variables},
        }

    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp}
    functions = {
        "books-above": function("above", **told),
        "books-below": function("below", **told, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"),
        "books-frozen": {**function("above", **told, OTEL_EXPORTER_OTLP_COMPRESSION="gzip"), "freeze": True},
        "books-lines": function("above"),
        "books-silent": function("above", OTEL_SDK_DISABLED="true", **told),
        "hangs": {
            **function("patient", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{hangs}"),
            "timeout": "5s",
        },
        "mute": {
            **function("patient", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{silent}"),
            "timeout": "5s",
        },
    }
    return {"version": 1, "functions": functions}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_shape_is_one_trace(site: Site, function: str) -> None:
    """In either order with the adapters, each sender's request is a span below its caller's, and calls are below it."""
    for number, shape in enumerate(SHAPES):
        trace = f"{7 + FUNCTIONS.index(function):x}{number:031x}"
        answer = site.invoke(function, shape, trace)
        assert answer.error_type is None, site.functions.logs
        parent, span, side, role, status = site.server_span(
            trace, "ParentSpanId", "SpanId", "Side", "Role", "HttpStatus"
        )
        assert (parent, side, role) == ("00f067aa0ba902b7", "lambda", "primary")
        assert status == (None if shape == "direct" else 200)
        below = f"SELECT ParentSpanId FROM otel_traces WHERE TraceId='{trace}' AND SpanName='SELECT books'"  # noqa: S608 - the test's own
        assert site.telemetry.sql(below) == [[span]]


def test_the_start_is_told_once(site: Site) -> None:
    """The first invocation of an environment is a cold start, with a span of the start before it; the next is none."""
    first, second = "a" * 32, "b" * 32
    site.invoke("books-frozen", "envoy", first)
    site.invoke("books-frozen", "envoy", second)
    site.invoke("books-frozen", "envoy", "c" * 32)
    assert site.server_span(first, "ColdStart") == [True]
    assert site.server_span(second, "ColdStart") == [False]
    started = "SELECT TraceId, ParentSpanId FROM otel_traces WHERE SpanName = 'init' AND ServiceName = 'books-frozen'"
    assert site.telemetry.sql(started) == [[first, "00f067aa0ba902b7"]]


def test_what_is_told_of_a_request(site: Site) -> None:
    """Stable names, the function's own, X-Ray's trace, and nothing of the query string."""
    trace = "d" * 32
    headers = {"x-fig-route": "books-read", "x-request-id": "r-7", "x-fig-shadow": "1"}
    site.invoke("books-above", "envoy", trace, **headers)
    name, route, role, request, attributes, resource = site.server_span(
        trace, "SpanName", "Route", "Role", "RequestId", "SpanAttributes", "ResourceAttributes"
    )
    assert (name, route, role, request) == ("GET books-read", "books-read", "shadow", "r-7")
    assert attributes["url.path"] == "/books/7"
    assert attributes["faas.trigger"] == "http"
    assert attributes["cloud.account.id"] == "123456789012"
    assert "planted-secret" not in str(attributes)
    assert (resource["cloud.platform"], resource["faas.name"]) == ("aws_lambda", "books-above")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_failure_is_told_and_stays_one(site: Site, function: str) -> None:
    """The handler's exception goes on to who invoked it, and is on the span; an answer of 5xx makes an error, too."""
    trace = f"e{FUNCTIONS.index(function):031x}"
    answer = site.invoke(function, "gateway-v2", trace, "/raise")
    assert answer.document["errorType"] == "KeyError"
    status, attributes, events = site.server_span(trace, "StatusCode", "SpanAttributes", '"Events.Name"')
    assert (status, attributes["error.type"], events) == ("Error", "KeyError", ["exception"])
    trace = f"f{FUNCTIONS.index(function):031x}"
    site.invoke(function, "gateway-v2", trace, "/unavailable")
    assert site.server_span(trace, "StatusCode", "HttpStatus") == ["Error", 503]


def test_lines_carry_their_trace(site: Site) -> None:
    """What Powertools' Logger prints has trace and span, and arrives as a record in the same trace."""
    trace = "1" * 32
    site.invoke("books-below", "gateway-v2", trace)
    (asked, within) = [line for line in site.printed(trace) if line["message"] in ("asked", "in the statement")]
    (span,) = site.server_span(trace, "SpanId")
    assert (asked["span_id"], asked["trace_flags"], asked["path"]) == (span, "01", "/books/7")
    assert within["span_id"] != span
    stored = f"SELECT Body, SpanId, SeverityText FROM otel_logs WHERE TraceId='{trace}' ORDER BY Timestamp"  # noqa: S608
    eventually(lambda: len(site.telemetry.sql(stored)) == 2)
    assert site.telemetry.sql(stored) == [["asked", span, "INFO"], ["in the statement", within["span_id"], "WARN"]]


def test_metrics_have_few_dimensions(site: Site) -> None:
    """Each request is one EMF record of side, route and service; the user's own record is as it was."""
    trace = "2" * 32
    site.invoke("books-above", "envoy", trace, **{"x-fig-route": "books-read"})
    (record,) = [line for line in site.printed("CloudWatchMetrics") if line.get("trace_id") == trace]
    (metrics,) = record["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "Shop"
    assert sorted(metrics["Dimensions"][0]) == ["route", "service", "side"]
    assert (record["side"], record["route"], record["service"]) == ("lambda", "books-read", "books-above")
    assert (record["Errors"], record["Duration"][0] > 0) == ([0.0], True)
    site.invoke("books-below", "envoy", "3" * 32)
    own = [line for line in site.printed("CloudWatchMetrics") if "Sold" in line]
    assert {tuple(one["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) for one in own} == {("service",)}


def test_lines_of_the_log_are_otlp(site: Site) -> None:
    """Without a collector each invocation is a line of the function's log, which a collector takes as it is."""
    trace = "4" * 32
    site.invoke("books-lines", "envoy", trace)
    (line,) = site.printed('"resourceSpans"')
    told = site.telemetry.http.post(f"{site.telemetry.otlp}/v1/traces", json=line)
    assert told.status_code == 200, told.text
    assert site.server_span(trace, "HttpStatus") == [200]


def test_nothing_is_told_where_it_is_switched_off(site: Site) -> None:
    """`OTEL_SDK_DISABLED` leaves the function as if the line were not there."""
    site.invoke("books-silent", "envoy", "5" * 32)
    assert not [line for line in site.functions.logs if "books-silent" in line and "resourceSpans" in line]
    assert site.telemetry.sql("SELECT count(*) FROM otel_traces WHERE ServiceName = 'books-silent'") == [[0]]


@pytest.mark.parametrize("function", ["hangs", "mute"])
def test_a_collector_that_does_not_answer_ends_no_invocation(site: Site, function: str) -> None:
    """However long a flush may take, the answer is there before the service ends the function."""
    for _ in range(6):
        assert site.functions.invoke(function, event("envoy", "6" * 32)).document == {"statusCode": 200}
    assert site.functions.state(function)["timeouts"] == 0
