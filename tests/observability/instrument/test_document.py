"""What docs/observability.md says of the first trace is done as it stands there, and the trace is there."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.docs.test_documents import commands
from tests.observability.process import Observing, eventually, observing

DOCUMENT = "docs/observability.md"
TEXT = (Path(__file__).parents[3] / DOCUMENT).read_text()
FILES = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)
INVOCATION = '{"method": "GET", "raw_path": "/books/7"}'


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observing]:
    folder = tmp_path_factory.mktemp("reader")
    for name, text in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with observing(folder) as found:
        yield found


@pytest.mark.parametrize(
    ("kind", "port", "target", "span"),
    [
        ("wsgi", 5001, "/books/7", ["shop", "GET /books/<int:number>", "legacy", 200]),
        ("asgi", 5002, "/carts/7", ["cart", "GET /carts/{id}", "legacy", 200]),
        ("function", 9002, "/2015-03-31/functions/books/invocations", ["books", "GET books-read", "lambda", 200]),
    ],
)
def test_the_first_trace(telemetry: Observing, kind: str, port: int, target: str, span: list[object]) -> None:
    """The third command starts what tells; one request later its trace is there."""
    install, observe, start = commands(DOCUMENT, kind)
    assert (install.startswith("pip install"), observe) == (True, "fig observe")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    command = start.replace("http://127.0.0.1:4318", telemetry.otlp).replace(str(port), str(own))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(["/bin/bash", "-c", f"exec env {command}"], cwd=telemetry.folder, env={"PATH": path})
    try:

        def is_answered() -> bool:
            assert process.poll() is None
            try:
                body = INVOCATION if kind == "function" else None
                method = "POST" if body else "GET"
                url = f"http://127.0.0.1:{own}{target}"
                return httpx2.request(method, url, content=body, trust_env=False, timeout=30).is_success
            except httpx2.TransportError:
                return False

        eventually(is_answered, 60)
        asked = f"SELECT ServiceName, SpanName, Side, HttpStatus FROM otel_traces WHERE ServiceName = '{span[0]}'"  # noqa: S608 - the test's own
        eventually(lambda: span in telemetry.sql(asked))
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def test_the_documents_invocation_is_the_one_that_is_tried() -> None:
    """The `curl` of the document sends what was sent here."""
    assert INVOCATION in TEXT
