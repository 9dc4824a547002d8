"""What happens to telemetry on its way: nothing is waited for too long, and what is lost is counted."""

import gzip
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from observability.instrument import variables
from observability.instrument.kept import QUEUE_FULL, SPANS_PROCESSED, Losses, Queue
from observability.instrument.post import FIRST_PAUSE_SECONDS, MAX_FLIGHTS, Batch, Post
from observability.instrument.variables import Signal, Target
from tests.adapters.proxies import tinyproxy
from tests.observability.process import eventually


class Collector:
    """A collector that keeps what it gets and answers as it is told."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.answering = threading.Event()
        self.answering.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.taken.append((self.path, dict(self.headers), body))
                collector.answering.wait(20)
                self.send_response(collector.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_arguments: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]


@contextmanager
def collecting(context: ssl.SSLContext | None = None) -> Iterator[Collector]:
    """A collector until the block ends."""
    found = Collector(context)
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield found
    finally:
        found.answering.set()
        found.server.shutdown()
        found.server.server_close()
        thread.join(10)


class Sending:
    """A `Post` with a clock of its own, and what comes back or is lost."""

    def __init__(self, port: int, **more: Any) -> None:
        self.ahead = 0.0
        self.post = Post(clock=lambda: time.monotonic() + self.ahead)
        self.target = Target(**{"scheme": "http", "host": "127.0.0.1", "port": port, "path": "/v1/traces", **more})
        self.back: list[Any] = []
        self.lost: list[tuple[Any, str]] = []

    def send(self, *items: str, seconds: float = 5.0) -> None:
        """Send a batch."""

        def lost(some: Sequence[Any], reason: str) -> None:
            self.lost.extend((one, reason) for one in some)

        batch = Batch(
            target=self.target, request={"resourceSpans": list(items)}, items=items, back=self.back.extend, lost=lost
        )
        self.post.send(batch, time.monotonic() + self.ahead + seconds)

    def settle(self, seconds: float = 10.0) -> None:
        """Read what answers there are to come."""
        self.post.settle(time.monotonic() + self.ahead + seconds)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture
def sending(collector: Collector) -> Iterator[Sending]:
    collector.status = 200
    collector.taken.clear()
    found = Sending(collector.port)
    yield found
    collector.answering.set()
    found.post.close()


def test_an_answer_is_not_waited_for(collector: Collector, sending: Sending) -> None:
    """A request is on its way when `send` comes back, though the collector has not answered."""
    collector.answering.clear()
    sending.send("a")
    sending.send("b")
    eventually(lambda: len(collector.taken) == 2)
    collector.answering.set()
    sending.settle()
    assert (sending.back, sending.lost, sending.post.failure) == ([], [], "")


def test_a_connection_is_used_again(collector: Collector, sending: Sending) -> None:
    """One that was answered on takes the next request."""
    for item in "abc":
        sending.send(item)
        sending.settle()
    assert len(collector.taken) == 3
    assert sum(map(len, sending.post._idle.values())) == 1  # noqa: SLF001 - how many there are is the subject


def test_a_busy_collector_gets_everything_again(collector: Collector, sending: Sending) -> None:
    """What it refuses for now comes back, and nothing is sent for a while that grows."""
    collector.status = 503
    sending.send("a")
    sending.settle()
    assert (sending.back, sending.lost) == (["a"], [])
    assert not sending.post.is_open()
    sending.send("b")
    assert (sending.back, len(collector.taken)) == (["a", "b"], 1)
    sending.ahead += FIRST_PAUSE_SECONDS
    assert sending.post.is_open()
    sending.send("c")
    sending.settle()
    sending.ahead += FIRST_PAUSE_SECONDS
    assert not sending.post.is_open()
    sending.ahead += FIRST_PAUSE_SECONDS
    collector.status = 200
    sending.send("d")
    sending.settle()
    assert (sending.back, sending.post.failure) == (["a", "b", "c"], "")


def test_what_is_refused_for_good_is_lost(collector: Collector, sending: Sending) -> None:
    """A 4xx would be one again: it is counted, with the status as the reason."""
    collector.status = 413
    sending.send("a", "b")
    sending.settle()
    assert (sending.back, sending.lost) == ([], [("a", "413"), ("b", "413")])


def test_a_silent_collector_gets_no_more_than_four(collector: Collector, sending: Sending) -> None:
    """Of answers that do not come four are awaited, then all comes back."""
    collector.answering.clear()
    for item in "abcd":
        sending.send(item)
    assert sending.back == []
    sending.send("e", seconds=0.05)
    assert sorted(sending.back) == ["a", "b", "c", "d", "e"]
    assert not sending.post.is_open()
    assert MAX_FLIGHTS == 4
    sending.ahead += FIRST_PAUSE_SECONDS
    sending.back.clear()
    sending.send("f")
    assert sending.back == []
    sending.send("g")  # one is enough to find out, and nobody waits for it
    assert sending.back == ["g"]
    collector.answering.set()
    sending.settle()
    sending.send("h")
    sending.settle()
    assert (sending.back, sending.post.failure) == (["g"], "")


def test_one_that_went_with_a_freeze_is_sent_again(collector: Collector, sending: Sending) -> None:
    """A connection that is gone after a long time is no failure: its batch comes back, and sending goes on."""
    collector.answering.clear()
    sending.send("a")
    eventually(lambda: len(collector.taken) == 1)
    (flight,) = sending.post._flights  # noqa: SLF001 - what a freeze breaks
    flight.connection.sock.shutdown(socket.SHUT_RDWR)
    sending.ahead = 3600
    sending.settle(1)
    assert (sending.back, sending.post.is_open()) == (["a"], True)


def test_nobody_there(sending: Sending) -> None:
    """A refused connection is a failure like any other."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sending.target = sending.target._replace(port=free.getsockname()[1])
        sending.send("a")
    assert (sending.back, sending.post.is_open()) == (["a"], False)
    assert "no connection to 127.0.0.1" in sending.post.failure


def test_the_variables_say_how(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoint, headers, compression and protocol are those of OpenTelemetry's variables; the narrower one wins."""
    for name, value in {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}/otlp/",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "https://logs.example/in?tenant=7",
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20planted,x-tenant=7",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION": "none",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
    }.items():
        monkeypatch.setenv(name, value)
    logs = variables.target(Signal.LOGS)
    assert (logs.scheme, logs.host, logs.port, logs.path, logs.is_gzip) == (
        "https",
        "logs.example",
        443,
        "/in?tenant=7",
        False,
    )
    found = Sending(collector.port)
    found.target = variables.target(Signal.TRACES)
    assert "planted" not in repr(found.target)
    found.send("a")
    found.settle()
    found.post.close()
    path, headers, body = collector.taken[-1]
    assert (path, headers["authorization"], headers["x-tenant"]) == ("/otlp/v1/traces", "Bearer planted", "7")
    assert json.loads(gzip.decompress(body)) == {"resourceSpans": ["a"]}


@pytest.mark.parametrize("endpoint", ["localhost:4318", "ftp://h", "http://", "grpc://h:4317"])
def test_what_is_no_address_is_named(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint without http or https, or without a host, is said to be none."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    with pytest.raises(ValueError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        variables.target(Signal.TRACES)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate, *names], check=True, capture_output=True, timeout=30)
    return certificate, key


@pytest.mark.parametrize("is_trusted", [True, False])
def test_tls_is_verified(certificate: tuple[Path, Path], *, is_trusted: bool) -> None:
    """A collector's certificate must be one of the named authority; from a stranger everything is kept."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with collecting(context) as found:
        sending = Sending(found.port, scheme="https", ca_file=str(certificate[0]) if is_trusted else "")
        for item in "ab":
            sending.send(item)
            sending.settle()
        sending.post.close()
        assert (len(found.taken), sending.back) == ((2, []) if is_trusted else (0, ["a", "b"]))
        assert is_trusted or "CERTIFICATE_VERIFY_FAILED" in sending.post.failure


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_way_goes_through_the_proxy(
    scheme: str, certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's proxy carries plain requests and tunnels those over TLS; `no_proxy` goes past it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with tinyproxy(tmp_path) as proxy, collecting(context if scheme == "https" else None) as found:
        monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{proxy.port}")
        sending = Sending(found.port, scheme=scheme, ca_file=str(certificate[0]))
        sending.send("a")
        sending.settle()
        assert (len(found.taken), sending.back) == (1, []), sending.post.failure
        if scheme == "http":
            assert "Via" in found.taken[0][1]
        monkeypatch.setenv(f"{scheme}_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        sending.post.close()
        sending.send("b")
        sending.settle()
        sending.post.close()
        assert len(found.taken) == 2


def test_a_queue_keeps_the_newest_and_counts() -> None:
    """Beyond its limit the oldest go, those that come back first, and each is counted once."""
    losses = Losses()
    queue: Queue[int] = Queue(3, losses, SPANS_PROCESSED)
    for number in range(4):
        queue.add(number)
    assert queue.taken() == [1, 2, 3]
    queue.add(9)
    queue.back([1, 2, 3])
    assert queue.taken() == [2, 3, 9]
    assert losses.taken() == {(SPANS_PROCESSED, QUEUE_FULL): 2}
    assert losses.taken() == {}
