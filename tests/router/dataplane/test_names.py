"""Endpoints by name: their addresses follow the name server, and its failures harm nobody."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from .both_ends import Scripted
from .harness import Running, eventually, running_router
from .name_server import NameServer

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
legacy:
  shop:
    endpoints:
      - shop.internal:${LEGACY_PORT}
  fixed:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT}
routes:
  fixed: {match: {path: {prefix: /fixed}}, legacy: fixed}
"""


def says(name: str) -> Scripted:
    """A legacy host that answers its name."""
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(name)}\r\nConnection: close\r\n\r\n{name}".encode()
    return Scripted(lambda wire, _request: wire.send(answer))


@contextmanager
def world(folder: Path, server: NameServer) -> Iterator[Running]:
    """Two hosts on one port of two addresses, and a router that asks this name server."""
    with ExitStack() as stack:
        first = stack.enter_context(says("first").running())
        stack.enter_context(says("second").running(("127.0.0.2", first.port)))
        stack.enter_context(server.running())
        asks = {'"type":"STRICT_DNS"': f'"type":"STRICT_DNS",{server.resolver()}'}
        environment = {"LEGACY_PORT": str(first.port)}
        yield stack.enter_context(running_router(folder, ESTATE, environment=environment, scaled=asks))


def served_by(router: Running) -> bytes:
    """The host that answers, or the router's own status."""
    answer = router.request("/x")
    return answer.body if answer.status == 200 else str(answer.status).encode()


@pytest.mark.parametrize("mood", ["fails", "silent"])
def test_addresses_follow_their_time_to_live_and_outlive_failures(tmp_path: Path, mood: str) -> None:
    """A changed address is used when the old one's time ends; while the name server fails the last ones stay."""
    server = NameServer({"shop.internal": "127.0.0.1"})
    with world(tmp_path, server) as router:
        assert served_by(router) == b"first"
        server.names["shop.internal"] = "127.0.0.2"
        eventually(lambda: served_by(router) == b"second")
        server.mood = mood
        asked = len(server.asked)
        eventually(lambda: len(server.asked) >= asked + 2)  # so one of them has failed for good
        assert served_by(router) == b"second"


def test_a_name_that_does_not_resolve_stops_nothing_else(tmp_path: Path) -> None:
    """With a name unknown at start the router goes live, other routes serve, and the name is used once it is known."""
    server = NameServer(mood="silent")
    with world(tmp_path, server) as router:
        assert router.request("/fixed").body == b"first"
        assert served_by(router) == b"503"
        server.names, server.mood = {"shop.internal": "127.0.0.1"}, "answers"
        eventually(lambda: served_by(router) == b"first")
