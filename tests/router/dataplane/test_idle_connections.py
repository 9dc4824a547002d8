"""Pooled connections end at the worst moments: no request is lost by it, and none is run twice."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from .both_ends import Script, Scripted, Wire, drop_packets
from .harness import Running, running_router

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
legacy:
  shop:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT}
    connect_timeout: 50ms
    idle_timeout: 100ms
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 3s
    connect_timeout: 50ms
routes:
  to-legacy: {match: {path: {prefix: /split}}, legacy: shop, lambda: books, timeout: 10s, sticky: {header: X-User}}
  to-lambda: {match: {path: {prefix: /moved}}, legacy: shop, lambda: books, timeout: 10s, sticky: {header: X-User}}
  plain: {match: {path: {prefix: /plain}}, legacy: shop}
  new: {match: {path: {prefix: /new}}, lambda: books, timeout: 10s}
"""
API_IDLE = {'"idle_timeout":"60s"': '"idle_timeout":"0.1s"'}
LEGACY_PATHS = ("/split", "/plain", "/other")
EVERY_PATH = (*LEGACY_PATHS, "/moved", "/new")


def ok(_wire: Wire, request: bytes) -> bytes:
    """Legacy's answer."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (b"" if request.startswith(b"HEAD") else b"hi")


def ran(_wire: Wire, _request: bytes) -> bytes:
    """The Invoke API's answer of a function that ran."""
    body = json.dumps({"status_code": 200, "headers": {"content-type": "text/plain"}, "body": "hi"}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def once(script: Script) -> Script:
    """Answers the first request of each connection, and closes as the second arrives."""
    used: set[int] = set()

    def worst(wire: Wire, request: bytes) -> bytes | None:
        if id(wire) in used:
            return None
        used.add(id(wire))
        wires.append(wire)  # so that no two have one id
        return script(wire, request)

    wires: list[Wire] = []
    return worst


class World:
    """A router between peers that end connections."""

    def __init__(self, router: Running, legacy: Scripted, api: Scripted) -> None:
        self.router, self.legacy, self.api = router, legacy, api

    def statuses(
        self, method: str, paths: tuple[str, ...], count: int, pauses: tuple[float, ...] = (0,), *, clients: int = 8
    ) -> Counter[int]:
        """The statuses of `count` requests to each path, by so many clients that pause between their requests."""

        def client(number: int) -> list[int]:
            found = []
            for turn in range(count // clients):
                time.sleep(pauses[(number + turn) % len(pauses)])
                body = b"x" if method == "POST" else None
                for path in paths:
                    headers = [("X-User", f"u{number}"), ("X-Own", f"{number}-{turn}-{path}")]
                    found.append(self.router.request(path, headers, method=method, body=body).status)
            return found

        with ThreadPoolExecutor(clients) as pool:
            return Counter(status for found in pool.map(client, range(clients)) for status in found)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as stack:
        legacy, api = (stack.enter_context(Scripted().running()) for _ in range(2))
        ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port)}
        folder: Path = tmp_path_factory.mktemp("idle")
        router = stack.enter_context(
            running_router(folder, ESTATE, weights={"to-lambda": 10_000}, environment=ports, scaled=API_IDLE)
        )
        yield World(router, legacy, api)


@pytest.fixture
def world(shared: World) -> World:
    for peer, script in ((shared.legacy, ok), (shared.api, ran)):
        peer.script, peer.idle_seconds, peer.forgets = script, None, False
        peer.requests.clear()
    return shared


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_close_in_the_face_of_a_safe_request_loses_nothing(world: World, method: str) -> None:
    """Legacy and the Lambda API close a connection as a request arrives on it: it goes again and is answered."""
    world.legacy.script, world.api.script = once(ok), once(ran)
    assert world.statuses(method, EVERY_PATH, 40, clients=1) == {200: 200}
    assert len(world.legacy.requests) > 200, "the trap was sprung"


def test_what_may_have_been_processed_is_not_sent_again(world: World) -> None:
    """A POST that met the close was perhaps processed: it is answered by an error of the router, and sent once."""
    world.legacy.script, world.api.script = once(ok), once(ran)
    statuses = world.statuses("POST", EVERY_PATH, 40, clients=1)
    assert set(statuses) == {200, 502, 503}
    received = Counter(one.split(b"X-Own: ")[1].split(b"\r\n")[0] for one in world.legacy.requests)
    assert set(received.values()) == {1}


@pytest.mark.parametrize("forgets", [False, True], ids=["closes", "is forgotten on the way"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unused_connections_are_closed_before_a_peer_does(world: World, method: str, *, forgets: bool) -> None:
    """With an idle timeout below the peer's, hundreds of requests around both moments are all answered, POST too."""
    for peer in (world.legacy, world.api):
        peer.idle_seconds, peer.forgets = 0.4, forgets
    pauses = (0.09, 0.1, 0.39, 0.4, 0.11, 0.41)
    assert world.statuses(method, EVERY_PATH, 56, pauses) == {200: 280}


def test_a_peer_that_falls_silent_is_given_up(world: World) -> None:
    """A pooled connection whose packets are dropped is noticed, and a safe request goes again on a new one."""
    sockets: list[Wire] = []

    def script(wire: Wire, request: bytes) -> bytes:
        sockets.append(wire)
        return ok(wire, request)

    world.legacy.script = script
    for path in LEGACY_PATHS:
        assert world.router.request(path, [("X-User", "a")]).status == 200
        drop_packets(sockets[-1].socket)
        assert world.router.request(path, [("X-User", "a")]).status == 200
