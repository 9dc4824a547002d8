"""What calls of services tell by OpenTelemetry, and that nothing is told, nor costs much, where nobody listens."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from adapters import telemetry
from adapters.errors import ConnectionLost
from adapters.invocation import handler
from adapters.profiles.document import service
from adapters.shadow import marked

from ..envoy_model import Request, event
from ..telling import attributes, listening
from .site import Site, answer, drop, site
from .test_requests import PARENT


@pytest.fixture
def core() -> Iterator[Site]:
    """A service without TLS."""
    with site() as one:
        yield one


def test_a_call_is_a_client_span(core: Site) -> None:
    """Method, address and status by the semantic conventions; the query, which may hold values, is not told."""
    with listening() as heard:
        core.service(host="core.bank.example").get("/books/7", query={"card": "4711"})
        [span] = heard.spans()
    assert (span.name, span.kind, span.status.status_code) == ("GET", SpanKind.CLIENT, StatusCode.UNSET)
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "server.address": "core.bank.example",
        "server.port": core.port,
        "url.full": f"http://core.bank.example:{core.port}/books/7",
        "fig.profile": "core",
    }


def test_each_try_is_a_span_of_its_own(core: Site) -> None:
    """Tries are numbered, each is the parent that the service sees, and errors are told by their class."""
    core.acts += [drop, answer(503)]
    with listening() as heard:
        core.service().get("/")
        spans = heard.spans()
    assert [attributes(one).get("http.request.resend_count") for one in spans] == [None, 1, 2]
    assert [attributes(one).get("error.type") for one in spans] == ["ProtocolError", "503", None]
    assert [one.status.status_code for one in spans] == [StatusCode.ERROR, StatusCode.ERROR, StatusCode.UNSET]
    parents = [one.headers["traceparent"].split("-")[2] for one in core.seen]
    assert parents == [f"{one.context.span_id:016x}" for one in spans if one.context]


def test_the_calls_of_a_request_are_in_its_trace(core: Site) -> None:
    """Under `handler` a call's span is a child of the router's, and of a shadow it says so."""
    one = core.service()

    @handler
    def function(_event: object, _context: object) -> dict[str, object]:
        return {"statusCode": one.get("/").status}

    with listening() as heard:
        function(event(Request(headers=(("traceparent", PARENT), ("x-fig-shadow", "1")))), None)
        [span] = heard.spans()
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == tuple(PARENT.split("-")[1:3])
    assert attributes(span)["fig.role"] == "shadow"


def test_durations_have_few_attributes(core: Site) -> None:
    """The histogram has the conventions' bounds, and no attribute that grows with the requests."""
    core.acts += [answer(200), answer(404), drop]
    with listening() as heard:
        one = core.service(retries=0)
        one.get("/a/1")
        one.get("/a/2")
        with pytest.raises(ConnectionLost):
            one.post("/a/3")
        points = heard.points("http.client.request.duration")
    usual = {"server.address": "127.0.0.1", "server.port": core.port, "fig.profile": "core"}
    assert [attributes(point) for point in points] == [
        usual | {"http.request.method": "GET", "http.response.status_code": 200},
        usual | {"http.request.method": "GET", "http.response.status_code": 404, "error.type": "404"},
        usual | {"http.request.method": "POST", "error.type": "ProtocolError"},
    ]
    assert points[0].explicit_bounds[:3] == (0.005, 0.01, 0.025)


def test_an_unknown_method_is_other() -> None:
    """Methods of one's own do not become names of spans or values of a metric."""
    place = telemetry.service(service("core", {"endpoints": ["h:443"], "tls": {"name": "core.example"}}))
    with listening() as heard:
        with telemetry.asking(place, "PURGE", "/", 0):
            pass
        [span] = heard.spans()
    assert span.name == "HTTP"
    found = attributes(span)
    assert (found["http.request.method"], found["http.request.method_original"]) == ("_OTHER", "PURGE")
    assert found["url.full"] == "https://core.example/"


def test_without_an_sdk_it_is_silent_and_cheap() -> None:
    """With the API alone nothing is told or logged, and a call's telemetry takes microseconds."""
    code = """
import logging; logging.basicConfig(level=0)
from adapters import telemetry
from adapters.profiles.document import service
place = telemetry.service(service("core", {"endpoints": ["h:443"], "tls": {"name": "core.example"}}))
def call():
    with telemetry.asking(place, "GET", "/", 0) as told:
        told.answered(200)
import timeit
print(min(timeit.repeat(call, number=500, repeat=10)) / 500)
import sys
assert "opentelemetry.sdk" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert float(done.stdout) < 100e-6  # about 8 us; the bound is for a machine that does other things


def test_a_shadow_is_marked_wherever_it_comes_from(core: Site) -> None:
    """The mark is on the span, not on the metric: shadows are as slow as others."""
    with listening() as heard, marked(shadow=True):
        core.service().get("/")
        [point] = heard.points("http.client.request.duration")
        [span] = heard.spans()
    assert "fig.role" not in attributes(point)
    assert attributes(span)["fig.role"] == "shadow"
