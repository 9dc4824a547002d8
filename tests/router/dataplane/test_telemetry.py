"""What an OTLP receiver gets to know about requests: spans, log records, metrics, and nothing that is secret."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from strangler_fig.names import MIRROR_SPAN

from .estates import ESTATE
from .harness import Running, eventually, running_router
from .otlp import CLIENT, DELTA, SERVER, Receiver
from .standins import InvokeApi, StandIn, api_error, echo

TELEMETRY = """
telemetry:
  otlp: http://127.0.0.1:${OTLP_PORT}/otlp/
  sample: ${SAMPLE}
"""
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SOON = {
    '"tracing.opentelemetry.flush_interval_ms":1000': '"tracing.opentelemetry.flush_interval_ms":100',
    '"buffer_flush_interval":"1s"': '"buffer_flush_interval":"0.1s"',
    '"stats_flush_interval":"1s"': '"stats_flush_interval":"0.2s"',
}
RESOURCE = "deployment.environment.name=test,service.instance.id=router-1"


@dataclass
class World:
    """A router that samples every request, its upstreams, and the receiver that it tells."""

    router: Running
    legacy: StandIn
    api: InvokeApi
    receiver: Receiver

    def request(self, path: str, request_id: str, *headers: tuple[str, str], method: str = "GET") -> None:
        """Send one request of user a."""
        body = b"body-1" if method == "POST" else None
        sent = [("X-User", "a"), ("X-Request-Id", request_id), *headers]
        assert self.router.request(path, sent, method=method, body=body).status == 200

    def at(self, parts: int, *, shadow: int = 0) -> None:
        """Put a weight of the route `by-header` in force, in the log's view too, and its shadow share."""
        self.api.api = None
        self.legacy.seen.clear()
        self.api.events.clear()
        self.router.shift(by_header=parts)
        data = json.loads((self.router.state / "live" / "rtds" / "current").read_bytes())
        data["resources"][0]["layer"]["shadow.by-header"] = shadow
        self.router.put_runtime(json.dumps(data, separators=(",", ":")).encode())  # as compact as the node's
        eventually(lambda: self._logged_weight(next(self._numbers)) == parts)
        self.legacy.seen.clear()
        self.api.events.clear()

    def __post_init__(self) -> None:
        self._numbers = iter(range(10_000))

    def _logged_weight(self, number: int) -> Any:
        request_id = f"weight-{id(self)}-{number}"
        self.router.request("/h", [("X-User", "a"), ("X-Request-Id", request_id)], method="POST", body=b"")
        return self.router.log_line(request_id)["weight"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with StandIn(echo).running() as legacy, InvokeApi().running() as api, Receiver().receiving() as receiver:
        assert isinstance(api, InvokeApi)
        ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port), "OTLP_PORT": str(receiver.port)}
        environment = ports | {"SAMPLE": "100%", "OTEL_RESOURCE_ATTRIBUTES": RESOURCE}
        folder = tmp_path_factory.mktemp("node")
        with running_router(folder, ESTATE + TELEMETRY, environment=environment, scaled=SOON) as router:
            yield World(router, legacy, api, receiver)


def traceparent(trace: str, span: str, *, sampled: bool = True) -> str:
    """A W3C trace context."""
    return f"00-{trace}-{span}-{int(sampled):02d}"


def test_a_request_to_legacy_is_two_spans(world: World) -> None:
    """The request's span begins the trace, its hop to legacy is a child, and legacy is told to go on from the hop."""
    world.at(0)
    world.request("/h/1", "legacy-1")
    spans = world.receiver.trace("legacy-1", 2)
    request, hop = spans["GET by-header"], spans["legacy shop"]
    assert (request.kind, request.parent) == (SERVER, "")
    assert (hop.kind, hop.parent) == (CLIENT, request.id)
    assert world.legacy.seen[0].header("traceparent") == traceparent(request.trace, hop.id)
    for span in (request, hop):
        told = {name: value for name, value in span.attributes.items() if name.startswith("fig.")}
        facts = {"fig.route": "by-header", "fig.side": "legacy", "fig.assigned": "legacy", "fig.upstream": "shop"}
        assert told == facts | {"fig.weight": 0, "fig.role": "primary"}
        assert span.attributes["url.path"] == "/h/1"
        assert span.attributes["http.status_code"] == "200"


def test_a_request_to_lambda_is_one_trace(world: World) -> None:
    """The hop to Lambda is a child of the request, the function's event goes on from it, and no other trace begins."""
    world.at(10_000)
    before = {one.trace for one in world.receiver.spans()}
    world.request("/h/1", "lambda-1")
    spans = world.receiver.trace("lambda-1", 2)
    request, hop = spans["GET by-header"], spans["lambda books"]
    assert (hop.kind, hop.parent) == (CLIENT, request.id)
    assert world.api.events[0].event["headers"]["traceparent"] == traceparent(request.trace, hop.id)
    assert (hop.attributes["fig.side"], hop.attributes["fig.weight"]) == ("lambda", 10_000)
    assert "fig.fallback" not in request.attributes
    world.request("/elsewhere", "after-1")
    after = world.receiver.trace("after-1", 2)["GET default"]
    weighing = {one.trace for one in world.receiver.spans() if one.name == "POST by-header"}
    assert {one.trace for one in world.receiver.spans()} - before - weighing == {request.trace, after.trace}


def test_a_fallback_shows_both_hops(world: World) -> None:
    """Where legacy answers for Lambda, the trace has the hop that failed and the one that served."""
    world.at(10_000)
    world.api.api = api_error(429, "TooManyRequestsException")
    world.request("/h", "fallback-1", method="POST")
    spans = world.receiver.trace("fallback-1", 3)
    request, failed, served = spans["POST by-header"], spans["lambda books"], spans["legacy shop"]
    assert failed.parent == served.parent == request.id
    assert (failed.failed, served.failed, request.failed) == (True, False, False)
    assert failed.attributes["http.status_code"] == "503"
    assert "fig.fallback" not in failed.attributes
    for span in (served, request):
        told = {name: span.attributes[f"fig.{name}"] for name in ("assigned", "side", "fallback")}
        assert told == {"assigned": "lambda", "side": "legacy", "fallback": "legacy"}
    assert world.legacy.seen[0].header("traceparent") == traceparent(request.trace, served.id)
    record = world.receiver.record("fallback-1")
    assert (record.attributes["fig.fallback"], record.attributes["fig.side"]) == ("legacy", "legacy")


def test_a_clients_trace_goes_on(world: World) -> None:
    """A client's sampled trace is continued: its span is the parent of the request's."""
    world.at(0)
    world.request("/h", "parent-1", ("traceparent", traceparent(TRACE, PARENT)), ("tracestate", "v=1"))
    request = world.receiver.trace("parent-1", 2)["GET by-header"]
    assert (request.trace, request.parent) == (TRACE, PARENT)
    assert world.legacy.seen[0].header("tracestate") == "v=1"


def test_what_a_client_does_not_sample_is_not_told_as_spans(world: World) -> None:
    """A client's decision against sampling is kept and passed on; the log record names its trace all the same."""
    world.at(0)
    world.request("/h", "unsampled-1", ("traceparent", traceparent(TRACE[::-1], PARENT, sampled=False)))
    world.request("/h", "unsampled-2")
    world.receiver.trace("unsampled-2", 2)
    assert TRACE[::-1] not in {one.trace for one in world.receiver.spans()}
    assert re.fullmatch(rf"00-{TRACE[::-1]}-[0-9a-f]{{16}}-00", world.legacy.seen[0].header("traceparent") or "")
    assert world.receiver.record("unsampled-1").trace == TRACE[::-1]


@pytest.mark.parametrize("parts", [0, 10_000])
def test_a_shadow_is_a_hop_of_its_own(world: World, parts: int) -> None:
    """A shadow's hop is a span beside the one that served, and what it reaches knows by baggage that it is a shadow."""
    world.at(parts, shadow=10_000)
    world.request("/h", f"shadow-{parts}", ("baggage", "k=v"))
    spans = world.receiver.trace(f"shadow-{parts}", 3)
    request, mirror = spans["GET by-header"], spans[MIRROR_SPAN]
    assert (mirror.parent, mirror.kind) == (request.id, CLIENT)
    served, shadow = _headers(world, lambda_serves=bool(parts))
    assert shadow["traceparent"] == traceparent(request.trace, mirror.id)
    assert served["traceparent"] != shadow["traceparent"]
    assert (shadow["x-fig-shadow"], served.get("x-fig-shadow")) == ("1", None)
    assert served["baggage"] == "k=v"
    assert re.split(", ?", shadow["baggage"]) == ["k=v", "fig.role=shadow"]


def _headers(world: World, *, lambda_serves: bool) -> tuple[dict[str, str], dict[str, str]]:
    """What the side that served and the one that was shadowed got."""
    eventually(lambda: world.legacy.seen and world.api.events)
    legacy: dict[str, str] = {}
    for name, value in world.legacy.seen[0].headers:
        key = name.lower()
        legacy[key] = f"{legacy[key]},{value}" if key in legacy else value
    function = world.api.events[0].event["headers"]
    return (function, legacy) if lambda_serves else (legacy, function)


def test_every_request_is_logged(world: World) -> None:
    """A log record has what a line of the JSON log has, under the names of telemetry, and belongs to its span."""
    world.at(10_000)
    world.request("/h/7?token=query-1", "log-1", method="POST")
    record = world.receiver.record("log-1")
    line = world.router.log_line("log-1")
    assert record.body == "POST /h/7 200"
    assert int(record.attributes.pop("fig.duration_ms")) == line["duration_ms"]
    assert record.attributes == {
        "fig.route": "by-header",
        "fig.side": "lambda",
        "fig.assigned": "lambda",
        "fig.weight": "10000",
        "fig.flags": "-",
        "fig.request_id": "log-1",
        "http.request.method": "POST",
        "url.path": "/h/7",
        "http.response.status_code": "200",
        "http.request.body.size": "6",
        "http.response.body.size": str(line["bytes_sent"]),
        "client.address": "127.0.0.1",
        "user.hash": line["user"],
    }
    request = world.receiver.trace("log-1", 2)["POST by-header"]
    assert (record.trace, record.span) == (request.trace, request.id)


def test_a_request_that_nobody_takes_is_told_too(world: World) -> None:
    """What the router answers by itself has a record and a span without a side."""
    loop = "1" * 10
    answer = world.router.request("/h", [("X-User", "a"), ("X-Request-Id", "loop-1"), ("x-fig-hops", loop)])
    assert answer.status == 508
    record = world.receiver.record("loop-1")
    assert record.attributes["http.response.status_code"] == "508"
    assert not {"fig.side", "fig.assigned", "fig.fallback"} & record.attributes.keys()
    assert world.receiver.trace("loop-1", 1)


def test_nothing_secret_is_told(world: World) -> None:
    """No query, body, cookie, token or key of a user is told, also where the path is rewritten."""
    world.at(0)
    secrets = [("Authorization", "Bearer token-1"), ("Cookie", "session=crumb-1"), ("X-User", "alice@example.com")]
    for path, name in (("/h?token=query-1", "secret-1"), ("/shop/books/1?token=query-1", "secret-2")):
        sent = [*secrets, ("X-Request-Id", name), ("Referer", "http://x/?refer-1")]
        world.router.request(path, sent, method="POST", body=b"body-1")
        assert world.receiver.record(name).attributes["url.path"] == world.router.log_line(name)["path"]
        world.receiver.trace(name, 2)
    for seen in world.receiver.seen:
        for private in (b"alice", b"token-1", b"crumb-1", b"query-1", b"refer-1", b"body-1"):
            assert private not in seen.body


def test_all_is_told_in_the_nodes_name(world: World) -> None:
    """Spans, records and metrics come from the service fig-router and name the node."""
    world.request("/x", "resource-1")
    eventually(lambda: world.receiver.points("http.entry.downstream_rq_total"))
    resources = [
        *(span.resource for span in world.receiver.trace("resource-1", 2).values()),
        world.receiver.record("resource-1").resource,
        *(point.resource for point in world.receiver.points("http.entry.downstream_rq_total")),
    ]
    wanted = {"service.name": "fig-router", "service.instance.id": "router-1"}
    assert all(one.items() >= wanted.items() for one in resources)


def test_metrics_are_deltas(world: World) -> None:
    """Counters and histograms come as what was added since the last time, with the tags as attributes."""
    world.at(10_000)
    about = {"fig.route": "by-header", "fig.assigned": "lambda", "http.response.status_code": "200"}
    for number in range(5):
        world.request("/h", f"metric-{number}")
    counted = _counted(world)
    eventually(lambda: world.receiver.total("fig.requests.total", about) == counted)
    del about["http.response.status_code"]
    eventually(lambda: world.receiver.total("fig.requests.duration", about) == counted)
    world.request("/h", "metric-5")
    for name in ("fig.requests.total", "fig.requests.duration"):
        eventually(lambda name=name: world.receiver.total(name, about) == counted + 1)  # type: ignore[misc]
        assert {point.temporality for point in world.receiver.points(name)} == {DELTA}


def _counted(world: World) -> int:
    """How many requests of the route's lambda side Envoy counted since it started."""
    text = world.router.admin("/stats?filter=^fig.requests.total.fig.route.by-header.fig.assigned.lambda").decode()
    return sum(int(line.rpartition(": ")[2]) for line in text.splitlines())


def test_clusters_are_attributes(world: World) -> None:
    """An upstream's name is an attribute of Envoy's metrics about it, not a part of their names."""
    world.request("/x", "cluster-1")
    eventually(lambda: world.receiver.total("cluster.upstream_rq_total", {"fig.cluster": "legacy.shop"}))
    points = world.receiver.points("cluster.upstream_rq_total")
    assert {tuple(point.attributes) for point in points} == {("fig.cluster",)}
