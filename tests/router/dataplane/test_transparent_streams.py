"""Long, large and two-way exchanges pass the router as if it were not there."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from .both_ends import Script, Scripted, Wire, client
from .h2c import Http2Server, Message, http2_client
from .harness import Running, running_router

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
  max_headers: 16KiB
  idle_timeout: 1s
legacy:
  shop:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT}
    idle_timeout: 300ms
    connect_timeout: 50ms
  quotes:
    endpoints:
      - 127.0.0.1:${GRPC_PORT}
    protocol: http2
  either:
    endpoints:
      - 127.0.0.1:${GRPC_PORT}
    protocol: as-client
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:9
    timeout: 400ms
routes:
  split: {match: {path: {prefix: /split}}, legacy: shop, lambda: books, timeout: 10s}
  plain: {match: {path: {prefix: /plain}}, legacy: shop}
  stream: {match: {path: {prefix: /stream}}, legacy: shop, stream: true}
  socket: {match: {path: {prefix: /socket}}, legacy: shop, upgrade: websocket}
  grpc: {match: {path: {prefix: /quotes.Quotes}}, legacy: quotes, stream: true}
  either: {match: {path: {prefix: /either}}, legacy: either, stream: true}
"""
MEGABYTE = 1 << 20
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def said(message: Message) -> Message:
    """A gRPC answer with the request's data in it."""
    headers = [(":status", "200"), ("content-type", "application/grpc"), ("x-method", message.header(":path") or "")]
    return Message(headers, message.data, [("grpc-status", "0"), ("grpc-message", "fine")])


class World:
    """A router, a legacy application of HTTP/1 and one of HTTP/2."""

    def __init__(self, router: Running, legacy: Scripted, grpc: Http2Server) -> None:
        self.router, self.legacy, self.grpc = router, legacy, grpc

    def answers(self, script: Script) -> None:
        """Let legacy answer so from now on."""
        self.legacy.requests.clear()
        self.legacy.script = script


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("streams")
    with Scripted().running() as legacy, Http2Server(said).running() as grpc:
        ports = {"LEGACY_PORT": str(legacy.port), "GRPC_PORT": str(grpc.port)}
        with running_router(folder, ESTATE, environment=ports) as router:
            yield World(router, legacy, grpc)


@pytest.mark.parametrize("path", ["/socket", "/other"])
def test_a_websocket_talks_both_ways(world: World, path: str) -> None:
    """After the handshake the bytes of both ends pass as they are, on an upgrade route and on the default one."""

    def script(wire: Wire, _request: bytes) -> None:
        wire.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        for _ in range(3):
            wire.send(b"re:" + wire.exactly(6))

    world.answers(script)
    with client(world.router.port) as wire:
        wire.send(HANDSHAKE.format(path=path).encode())
        assert wire.head().startswith(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n")
        for frame in (b"\x81\x04ping", b"\0\xff\r\n\r\n", b"\x88\x0012\0\0"):
            wire.send(frame)
            assert wire.exactly(9) == b"re:" + frame
        assert wire.rest() == b""


@pytest.mark.parametrize("path", ["/stream", "/other", "/plain"])
def test_each_event_arrives_at_once(world: World, path: str) -> None:
    """An event of a stream is with the client before legacy writes the next."""
    arrived = [threading.Event() for _ in range(3)]

    def script(wire: Wire, _request: bytes) -> bytes:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number, event in enumerate(arrived):
            wire.send(b"9\r\ndata: %d\n\n\r\n" % number)
            assert event.wait(10)
        return b"0\r\n\r\n"

    world.answers(script)
    with client(world.router.port) as wire:
        wire.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert b"text/event-stream" in wire.head()
        for number, event in enumerate(arrived):
            assert wire.exactly(14) == b"9\r\ndata: %d\n\n\r\n" % number
            event.set()
        assert wire.exactly(5) == b"0\r\n\r\n"


@pytest.mark.parametrize("path", ["/stream", "/other", "/plain"])
def test_no_timeout_cuts_a_slow_download(world: World, path: str) -> None:
    """An answer that drips, and pauses longer than every timeout of the estate, arrives whole."""
    slower_than_all = threading.Event()

    def script(wire: Wire, _request: bytes) -> bytes:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        for byte in (b"a", b"b"):
            wire.send(byte)
            slower_than_all.wait(1.2)  # idle timeouts of 0.3 and 1 s, a silence of 1 s, a Lambda timeout of 0.4 s
        return b"cd"

    world.answers(script)
    with client(world.router.port) as wire:
        wire.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert wire.response().endswith(b"\r\n\r\nabcd")


def test_a_paused_upload_is_not_cut(world: World) -> None:
    """A client that pauses in the middle of its upload longer than every timeout is waited for."""
    slower_than_all = threading.Event()
    world.answers(lambda _wire, _request: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with client(world.router.port) as wire:
        wire.send(b"POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        slower_than_all.wait(1.2)
        wire.send(b"cd")
        assert wire.response().startswith(b"HTTP/1.1 200")
    assert world.legacy.requests[0].endswith(b"\r\n\r\nabcd")


@pytest.mark.parametrize("path", ["/split", "/other"])
def test_fifty_megabytes_pass_both_ways_in_bounded_memory(world: World, path: str) -> None:
    """Uploads and downloads of 50 MB pass whole; Envoy holds a fraction of one, even when the receiver waits."""
    block = bytes(range(256)) * 4096
    before = memory(world)
    received: list[int] = []

    def script(wire: Wire, request: bytes) -> bytes:
        received.append(request.count(block))
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (50 * MEGABYTE))
        for _ in range(50):
            wire.send(block)
        return b""

    world.answers(script)
    with client(world.router.port) as wire:
        wire.send(f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {50 * MEGABYTE}\r\n\r\n".encode())
        for _ in range(50):
            wire.send(block)
        assert b" 200 OK" in wire.head()
        while_waiting = memory(world)  # legacy sends as fast as it can and the client does not read yet
        assert sum(wire.exactly(MEGABYTE) == block for _ in range(50)) == 50
    assert received == [50]
    assert while_waiting - before < 20 * MEGABYTE


def memory(world: World) -> int:
    """The bytes that Envoy has allocated now."""
    text = world.router.admin("/memory")
    return int(json.loads(text)["allocated"])


@pytest.mark.parametrize("path", ["/split", "/plain", "/other"])
def test_whether_to_send_a_body_is_legacys_decision(world: World, path: str) -> None:
    """A client that waits for 100 gets legacy's own, not the router's, and legacy's refusal spares it the body."""
    world.answers(lambda _wire, _request: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".encode()
    allowed = threading.Event()
    world.legacy.expected = lambda: (allowed.wait(10), b"HTTP/1.1 100 Continue\r\n\r\n")[1]
    with client(world.router.port) as wire:
        wire.send(head)
        assert not wire.arrives_within(0.1)
        allowed.set()
        assert wire.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.send(b"hi")
        assert wire.response().startswith(b"HTTP/1.1 200")
    world.legacy.expected = lambda: b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with client(world.router.port) as wire:
        wire.send(head)
        assert wire.response().startswith(b"HTTP/1.1 413 No")


def test_http2_clients_reach_http1_legacy(world: World) -> None:
    """A client that speaks HTTP/2 without TLS gets what an HTTP/1 client gets, in HTTP/2's words."""
    world.answers(lambda _wire, _request: b"HTTP/1.1 201 Made\r\nX-Camel: 1\r\nContent-Length: 2\r\n\r\nhi")
    headers = [(":method", "POST"), (":path", "/other?a=1"), (":scheme", "http"), (":authority", "app.example")]
    with http2_client(world.router.port) as peer:
        answer = peer.exchange([*headers, ("x-own", "1")], [b"body"], [])
    assert (answer.header(":status"), answer.header("x-camel"), b"".join(answer.data)) == ("201", "1", b"hi")
    head = world.legacy.requests[0]
    assert head.startswith(b"POST /other?a=1 HTTP/1.1\r\nhost: app.example\r\n")
    assert b"\r\nx-own: 1\r\n" in head


@pytest.mark.parametrize("path", ["/quotes.Quotes/Ask", "/either"])
def test_grpc_passes_with_its_trailers(world: World, path: str) -> None:
    """A gRPC call over HTTP/2 reaches a legacy service that speaks it, and comes back with status and trailers."""
    headers = [(":method", "POST"), (":path", path), (":scheme", "http"), (":authority", "a")]
    headers += [("te", "trailers"), ("content-type", "application/grpc"), ("grpc-timeout", "5S")]
    frames = [b"\0\0\0\0\x02hi", b"\0\0\0\0\x01!"]
    world.grpc.seen.clear()
    with http2_client(world.router.port) as peer:
        answer = peer.exchange(headers, frames, [])
    assert (answer.header(":status"), answer.header("content-type")) == ("200", "application/grpc")
    assert b"".join(answer.data) == b"".join(frames)
    assert answer.trailers == [("grpc-status", "0"), ("grpc-message", "fine")]
    (seen,) = world.grpc.seen
    assert [seen.header(name) for name in ("te", "content-type", "grpc-timeout")] == [
        "trailers",
        "application/grpc",
        "5S",
    ]
