"""What docs/observability.md says of the first trace is done as it stands there, and the trace is there."""

import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.docs.test_documents import commands
from tests.observability.process import Observing, eventually

DOCUMENT = "docs/observability.md"
TEXT = (Path(__file__).parents[3] / DOCUMENT).read_text()
FILES = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)
INVOCATION = '{"method": "GET", "raw_path": "/books/7"}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("reader")
    for name, text in FILES:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
    return place


@dataclass(frozen=True, slots=True)
class Reader:
    """What a reader does: the document's commands of this kind, then one request; and the span that it leads to."""

    kind: str
    port: int
    target: str
    span: list[object]


READERS = [
    Reader("wsgi", 5001, "/books/7", ["shop", "GET /books/<int:number>", "legacy", 200]),
    Reader("asgi", 5002, "/carts/7", ["cart", "GET /carts/{id}", "legacy", 200]),
    Reader("function", 9002, "/2015-03-31/functions/books/invocations", ["books", "GET books-read", "lambda", 200]),
]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.kind)
def test_the_first_trace(telemetry: Observing, folder: Path, reader: Reader) -> None:
    """The third command starts what tells; one request later its trace is there."""
    install, observe, start = commands(DOCUMENT, reader.kind)
    assert (install.startswith("pip install"), observe) == (True, "fig observe")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    command = start.replace("http://127.0.0.1:4318", telemetry.otlp).replace(str(reader.port), str(own))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(["/bin/bash", "-c", f"exec env {command}"], cwd=folder, env={"PATH": path})
    try:

        def is_answered() -> bool:
            assert process.poll() is None
            try:
                body = INVOCATION if reader.kind == "function" else None
                method = "POST" if body else "GET"
                url = f"http://127.0.0.1:{own}{reader.target}"
                return httpx2.request(method, url, content=body, trust_env=False, timeout=30).is_success
            except httpx2.TransportError:
                return False

        eventually(is_answered, 60)
        asked = (
            f"SELECT ServiceName, SpanName, Side, HttpStatus FROM otel_traces WHERE ServiceName = '{reader.span[0]}'"  # noqa: S608 - the test's own
        )
        eventually(lambda: reader.span in telemetry.sql(asked))
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
