"""Routes that only legacy serves: the default, streams, upgrades."""

import json
import socket
import threading

from .conftest import World
from .standins import Reply


def test_what_no_route_names_goes_to_legacy_as_it_is(world: World) -> None:
    """The default service gets everything else: any method, path, header and body."""
    answer = world.router.request("/x/../y?q=1", [("X-A", "1"), ("X-A", "2")], method="PATCH", body=b"\x00\x01")
    seen = world.legacy.seen[0]
    assert answer.status == 200
    assert (seen.method, seen.path, seen.body) == ("PATCH", "/x/../y?q=1", b"\x00\x01")
    assert [value for name, value in seen.headers if name.lower() == "x-a"] == ["1", "2"]


def test_legacy_errors_are_legacys(world: World) -> None:
    """What legacy answers reaches the client, and is not asked for twice."""
    world.legacy.answer = lambda _seen: Reply(503, [("server", "old/1.0")], b"mine")
    answer = world.router.request("/h", [("X-User", "a")])
    assert (answer.status, answer.body, answer.header("server")) == (503, b"mine", "old/1.0")
    assert len(world.legacy.seen) == 1


def test_a_websocket_reaches_legacy(world: World) -> None:
    """An upgrade route passes a WebSocket handshake through, in both directions."""
    world.legacy.answer = lambda seen: Reply(
        101 if seen.header("upgrade") else 400, [("upgrade", "websocket"), ("connection", "upgrade")]
    )
    with socket.create_connection(("127.0.0.1", world.router.port), 5) as client:
        handshake = (
            "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        client.sendall(handshake.encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 101")


def test_a_stream_arrives_as_it_is_sent(world: World) -> None:
    """The first event of a stream reaches the client before the last is written."""
    client_has_first = threading.Event()
    world.legacy.answer = lambda _seen: Reply(stream=[b"data: 1", client_has_first, b"data: 2"])
    with socket.create_connection(("127.0.0.1", world.router.port), 10) as client:
        client.sendall(b"GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = b""
        while b"data: 1" not in received:
            received += client.recv(4096)
        assert b"data: 2" not in received
        client_has_first.set()
        while chunk := client.recv(4096):
            received += chunk
    assert b"data: 2" in received


def test_the_answer_names_who_answered(world: World) -> None:
    """`expose_side` adds who answered and who was assigned, and legacy cannot set them itself."""
    world.legacy.answer = lambda _seen: Reply(
        200, [("x-fig-side", "evil"), ("x-fig-assigned", "evil"), ("x-fig-replay", "1")], json.dumps({}).encode()
    )
    answer = world.router.request("/nowhere")
    assert (answer.header("x-fig-side"), answer.header("x-fig-assigned")) == ("legacy", "legacy")
    assert answer.header("x-fig-replay") is None
