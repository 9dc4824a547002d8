"""Applications with OpenTelemetry's own instrumentations tell a real `fig observe`, under stable names in the end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.observability.emitters import flask_shop, lambda_books
from tests.observability.process import Observing, observing

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observing]:
    """A `fig observe` that heard both emitters."""
    with observing(tmp_path_factory.mktemp("observe")) as found:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": found.otlp, "OTEL_SERVICE_NAME": "shop"}
        commands = [
            [sys.executable, "-m", f"tests.observability.emitters.{name}"] for name in ("flask_shop", "lambda_books")
        ]
        running = [
            subprocess.Popen(one, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) for one in commands
        ]
        for one in running:
            said = one.communicate(timeout=90)[1]
            assert one.returncode == 0, said
        yield found


def test_flask_and_sqlalchemy(telemetry: Observing) -> None:
    """Flask's rule is the route, statements are below the request, without the literals."""
    trace = telemetry.ask(f"/api/traces/{flask_shop.TRACE}")["spans"]
    served = {one["Route"]: one for one in trace if one["SpanKind"] == "Server"}
    assert {route: one["HttpStatus"] for route, one in served.items()} == {"/books/<int:number>": 200, "/raise": 500}
    statements = [one["SpanAttributes"] for one in trace if one["SpanAttributes"].get("db.query.text")]
    assert [one["db.system.name"] for one in statements] == ["sqlite"]
    assert "Jane" not in str(trace)
    assert "planted-secret" not in str(trace)


def test_lambda(telemetry: Observing) -> None:
    """A function counts as Lambda; its path is no route, and its query's values are masked."""
    (span,) = telemetry.ask(f"/api/traces/{lambda_books.TRACE}")["spans"]
    assert (span["Side"], span["HttpStatus"], span["Route"]) == ("lambda", 200, "")
    assert span["SpanAttributes"]["url.path"] == "/books/42"
    assert "planted-secret" not in str(span)
