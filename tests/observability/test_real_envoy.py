"""A real router tells a real `fig observe`: all three signals, chunked, and the numbers are those of its requests."""

from pathlib import Path
from urllib.parse import urlsplit

from tests.observability.process import eventually, observing
from tests.observability.telemetry import span, traces
from tests.router.dataplane.estates import ESTATE
from tests.router.dataplane.harness import running_router
from tests.router.dataplane.standins import InvokeApi, StandIn, echo
from tests.router.dataplane.test_telemetry import RESOURCE, SOON

TELEMETRY = """
telemetry:
  otlp: http://127.0.0.1:${OTLP_PORT}
  sample: 100%
"""
REQUESTS = 20


def test_a_router_is_observed(tmp_path: Path) -> None:
    """Requests of both sides arrive once each as records, spans and metrics, on the side that answered."""
    (tmp_path / "node").mkdir()
    with observing(tmp_path) as running, StandIn(echo).running() as legacy, InvokeApi().running() as api:
        ports = {"LEGACY_PORT": legacy.port, "LAMBDA_PORT": api.port, "OTLP_PORT": urlsplit(running.otlp).port}
        environment = {name: str(port) for name, port in ports.items()} | {"OTEL_RESOURCE_ATTRIBUTES": RESOURCE}
        with running_router(tmp_path / "node", ESTATE + TELEMETRY, environment=environment, scaled=SOON) as router:
            router.shift(by_header=10_000)
            for number in range(REQUESTS):
                headers = [("X-User", "a"), ("X-Request-Id", f"request-{number}")]
                assert router.request("/h?token=planted-secret", headers).status == 200

            def numbers() -> dict[str, int]:
                told = {one["route"]: one for one in running.ask("/api/routes")["routes"]}
                return {side: one["requests"] for side, one in told.get("by-header", {"sides": {}})["sides"].items()}

            eventually(lambda: numbers() == {"lambda": REQUESTS})
            spans = "SELECT count(*) FROM otel_traces WHERE Route = 'by-header' AND SpanKind = 'Server'"
            eventually(lambda: running.sql(spans) == [[REQUESTS]])
            point = "SELECT count(*) > 0 FROM otel_metrics_sum WHERE MetricName = 'fig.requests.total'"
            eventually(lambda: running.sql(point) == [[True]])
            (found,) = running.sql("SELECT TraceId, SpanId FROM otel_traces WHERE RequestId = 'request-7' LIMIT 1")
            trace = running.ask(f"/api/traces/{found[0]}")
            assert [(one["SpanKind"], one["Depth"], one["Side"]) for one in trace["spans"]] == [
                ("Server", 0, "lambda"),
                ("Client", 1, "lambda"),
            ]
            assert len(trace["logs"]) == 1
            hops = {one["Side"]: one["WithChild"] for one in running.ask("/api/health")["hops"]}
            assert hops == {"lambda": 0}, "no function told of its part"
            hop = trace["spans"][1]
            function = span("books", trace=found[0], id_="1" * 16, parent=hop["SpanId"], start=hop["Timestamp"] + 5)
            assert running.send("traces", traces(function, service="books", cloud__platform="aws_lambda")).is_success
            assert running.ask("/api/health")["hops"][0]["WithChild"] == 1
            assert running.ask(f"/api/traces/{found[0]}")["spans"][2]["GapNanoseconds"] == 5
            assert not running.sql(
                "SELECT 1 FROM otel_logs WHERE Body LIKE '%planted%' OR LogAttributes::VARCHAR LIKE '%planted%'"
            )
            eventually(lambda: running.ask("/api/health")["router_batches"])
            (batches,) = running.ask("/api/health")["router_batches"]
            assert batches["Instance"] == "router-1"
            assert batches["Sent"] == batches["Taken"] > 0
            assert running.ask("/api/health")["process"]["door"]["refused"] == []
