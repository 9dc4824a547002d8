"""NTLM and Negotiate log in a connection, not a request: each client needs connections to legacy of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .both_ends import Scripted, Wire, client, fields
from .harness import Running, eventually, running_router

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: intranet
legacy:
  intranet:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT}
    connections: per-client
  pooled:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT}
routes:
  own: {match: {path: {prefix: /own}}, legacy: intranet}
  pooled: {match: {path: {prefix: /pooled}}, legacy: pooled}
"""


class Intranet:
    """Three legs as NTLM has them: an offer, this connection's challenge, an answer; then it is known."""

    def __init__(self) -> None:
        self.users: dict[Wire, set[str]] = {}

    def __call__(self, wire: Wire, request: bytes) -> bytes:
        """401 until the connection is logged in, then who it belongs to."""
        given = fields(request).get("authorization", "")
        users = self.users.setdefault(wire, set())
        if given == "NTLM offer":
            return refused(f"NTLM challenge-{id(wire)}")
        if given.startswith(f"NTLM answer-{id(wire)}-"):
            users.add(given.rsplit("-", 1)[1])
        if not users:
            return refused("NTLM")
        return ok(",".join(sorted(users)))


def ok(text: str) -> bytes:
    """200 with this text."""
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


def refused(challenge: str, status: int = 401) -> bytes:
    """A refusal that asks for something."""
    name = "WWW" if status == 401 else "Proxy"
    return f"HTTP/1.1 {status} No\r\n{name}-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode()


class World:
    """A router before a legacy application."""

    def __init__(self, router: Running, legacy: Scripted) -> None:
        self.router, self.legacy = router, legacy

    def alarms(self) -> str:
        """The alarms that Envoy counted."""
        return self.router.admin("/stats?filter=fig.alarms").decode().strip()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("per-client")
    with (
        Scripted().running() as legacy,
        running_router(folder, ESTATE, environment={"LEGACY_PORT": str(legacy.port)}) as router,
    ):
        yield World(router, legacy)


def ask(wire: Wire, authorization: str = "", path: str = "/own") -> bytes:
    """The answer to a GET on this connection."""
    extra = f"Authorization: {authorization}\r\n" if authorization else ""
    wire.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n{extra}\r\n".encode())
    return wire.response()


def test_two_clients_never_share_a_connection(world: World) -> None:
    """Clients that log in at the same time keep a connection each: nobody is taken for another."""
    intranet = world.legacy.script = Intranet()
    with ExitStack() as stack:
        clients = {name: stack.enter_context(client(world.router.port)) for name in ("ann", "bob", "cem", "dee")}
        assert all(b"401" in ask(wire) for wire in clients.values())
        challenges = {name: fields(ask(wire, "NTLM offer"))["www-authenticate"] for name, wire in clients.items()}
        for name, wire in clients.items():
            token = challenges[name].removeprefix("NTLM challenge-")
            assert ask(wire, f"NTLM answer-{token}-{name}").endswith(name.encode())
        for _ in range(3):
            for name, wire in clients.items():
                assert ask(wire).endswith(b"\r\n\r\n" + name.encode())
                assert ask(wire, path="/other").endswith(b"\r\n\r\n" + name.encode()), "the default route's too"
    assert sorted(map(len, intranet.users.values())) == [1, 1, 1, 1]


def test_a_login_that_a_pool_would_share_is_an_alarm(world: World) -> None:
    """An answer that asks for NTLM or Negotiate is counted where connections are pooled, no other is."""
    answers = [
        (refused("NTLM"), 1),
        (refused("Negotiate"), 1),
        (refused("Basic realm=x\r\nWWW-Authenticate: Negotiate"), 1),
        (refused("negotiate", 407), 1),
        (refused("Basic realm=ntlmish"), 0),
        (ok("fine"), 0),
    ]
    for answer, _ in answers:
        world.legacy.script = lambda _wire, _request, answer=answer: answer  # type: ignore[misc]
        for path in ("/own", "/pooled"):
            world.router.request(path)
    wanted = f"fig.alarms.login_on_pooled_connection.fig.upstream.pooled: {sum(count for _, count in answers)}"
    eventually(lambda: world.alarms() == wanted)
