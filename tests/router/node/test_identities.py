"""Identities on a router host: keys that are lent to Envoy, what is reported, and publishing without a gap."""

import asyncio
import http.client
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from router.node.identity_needs import IssuerKeys, Unusable
from router.snapshot.compiler import compile_estate
from router.snapshot.manifest import Snapshot
from router.source.load import load_estate

from ..dataplane.harness import identities
from ..dataplane.standins import Reply, StandIn
from ..dataplane.tokens import Key, jwks
from .fake_control import FakeControl
from .host import Host
from .waiting import until

Ports = tuple[int, int]
ESTATE = """
version: 1
entry: {{address: "127.0.0.1:{entry}", default: shop}}
legacy:
  shop: {{endpoints: ["127.0.0.1:{legacy}"]}}
identities:{identities}
routes:
  books: {{match: {{path: {{prefix: /books}}}}, legacy: shop {authorize}}}
  mine: {{match: {{path: {{prefix: /mine}}}}, legacy: shop {session}}}
  open: {{match: {{path: {{prefix: /open}}}}, legacy: shop}}
"""
_CLIENTS = 4
IDENTITY = """
  {name}:
    jwt: {{issuer: "https://login.bank.example/", audiences: ["https://api.bank.example"], jwks: {{file: "{keys}"}}}}
    claims: {{key: {{secret_file: "{secret}"}}}}
  {name}-session:
    session: {{service: shop, path: /who, cookie: SID, claims: {{sub: X-Name}}}}
    claims: {{key: {{secret_file: "{secret}"}}}}"""


class Issuer:
    """The files that an estate's identity names, and estates that name them."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        folder.mkdir()
        self.key = Key(folder, "first")
        self.keys, self.secret = folder / "jwks.json", folder / "secret"
        self._ports = ports

    def give(self) -> None:
        """Write both files."""
        self.keys.write_text(jwks([self.key]))
        self.secret.write_text("k" * 32 + "\n")

    def snapshot(self, name: str, authorize: str | None, *known: str) -> Snapshot:
        """An estate with identities of that name and of the known ones, and what the route asks of the first."""
        files = {"keys": self.keys, "secret": self.secret}
        text = ESTATE.format(
            entry=self._ports[0],
            legacy=self._ports[1],
            identities="".join(IDENTITY.format(name=one, **files) for one in {name, *known}),
            authorize=f", authorize: {{identity: {name}{authorize}}}" if authorize is not None else "",
            session=f", authorize: {{identity: {name}-session}}" if authorize is not None else "",
        )
        return compile_estate(load_estate(text, file="estate.yaml", environment={}).estate_or_refused(), {})


@pytest.fixture
def issuer(tmp_path: Path, host: Host) -> Iterator[Issuer]:
    with StandIn(lambda _seen: Reply(200, [("X-Name", "alice")], b"legacy")).running() as legacy:
        yield Issuer(tmp_path / "issuer", (host.entry_port, legacy.port))


def status(host: Host, path: str, token: str | None = None) -> int:
    """What a request gets, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", host.entry_port, timeout=10)
    try:
        return _ask(connection, path, token)
    finally:
        connection.close()


def _ask(connection: http.client.HTTPConnection, path: str, token: str | None) -> int:
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_missing_files_are_reported_and_cost_their_routes_only(
    host: Host, control: FakeControl, issuer: Issuer
) -> None:
    """Without keys Envoy starts, the identity's routes answer 503, others serve; the report names each file, until it
    is there: then all is well without a restart.
    """  # noqa: D205
    control.want(issuer.snapshot("staff", ""))
    host.start(control.url)
    control.await_in_force()
    pid = host.envoy_pid()
    assert status(host, "/books", issuer.key.token()) == 503
    assert status(host, "/open") == 200

    def told(*words: str) -> bool:
        problems = control.reports[-1]["problems"]
        return all(any(word in one and "mended" not in one for one in problems) for word in words)

    until(lambda: told(f"({issuer.keys}) cannot be read", f"({issuer.secret}) cannot be read"))
    issuer.secret.write_text("short")
    issuer.keys.write_text("{")
    until(lambda: told("has 5 bytes, and at least 32 are needed; its routes answer 503", "are no JSON"))
    issuer.give()
    until(lambda: status(host, "/books", issuer.key.token()) == 200)
    until(lambda: not told("identity"))
    issuer.secret.write_text("short")
    until(lambda: told("the last one is used"))
    assert status(host, "/books", issuer.key.token()) == 200
    assert host.envoy_pid() == pid
    assert "k" * 32 not in host.log.read_text()
    assert not any("k" * 32 in str(one) for one in control.reports)


def test_a_new_envoy_verifies_and_signs_at_once(host: Host, control: FakeControl, issuer: Issuer) -> None:
    """After a hand-over to a new Envoy tokens are believed as before, and renewed keys still come in."""
    issuer.give()
    control.want(issuer.snapshot("staff", ""))
    host.start(control.url)
    control.await_in_force()
    until(lambda: status(host, "/books", issuer.key.token()) == 200)
    pid = host.envoy_pid()
    assert host.agent is not None
    host.agent.send_signal(signal.SIGHUP)
    until(lambda: host.envoy_pid() not in (None, pid))
    assert status(host, "/books", issuer.key.token()) == 200
    second = Key(issuer.keys.parent, "second")
    issuer.keys.write_text(jwks([second]))
    until(lambda: status(host, "/books", second.token()) == 200)
    assert status(host, "/books") == 401


def test_guarding_routes_loses_no_request(host: Host, control: FakeControl, issuer: Issuer) -> None:
    """Under load of users with tokens and sessions routes take up identities that are there, change them and what they
    ask, and leave them: no request is lost.
    """  # noqa: D205
    issuer.give()
    both = ("staff", "people")
    control.want(issuer.snapshot("staff", None, *both))
    host.start(control.url)
    control.await_in_force()
    until(lambda: status(host, "/books", issuer.key.token()) == 200)
    steps = (("staff", ""), ("people", ""), ("people", ", scopes: [read]"), ("staff", ", scopes: [read]"), ("x", None))
    with _load(host, issuer.key.token({"scope": "read"})) as seen:
        for name, asked in steps:
            control.want(issuer.snapshot(name if asked is not None else "staff", asked, *both))
            control.await_in_force()
            assert status(host, "/books") == (401 if asked is not None else 200)
    assert set(seen) == {"200"}
    assert seen["200"] > 200


def test_new_identities_cost_a_connection_a_request_at_most(host: Host, control: FakeControl, issuer: Issuer) -> None:
    """An identity that comes, is renamed and goes together with its routes: a connection that rested in that moment is
    refused its next request, with 503, and closed; all others are served.
    """  # noqa: D205
    issuer.give()
    control.want(issuer.snapshot("staff", None))
    host.start(control.url)
    control.await_in_force()
    steps = (("staff", ""), ("people", ""), ("staff", ""), ("x", None))
    with _load(host, issuer.key.token()) as seen:
        for name, asked in steps:
            control.want(issuer.snapshot(name, asked))
            control.await_in_force()
            assert status(host, "/books") == (401 if asked is not None else 200)
    refused = {answer: count for answer, count in seen.items() if answer != "200"}
    assert all(" 503 " in answer and "connection: close" in answer for answer in refused), refused
    assert sum(refused.values()) <= _CLIENTS * len(steps)
    assert seen["200"] > 200


def test_nobody_slips_through_an_old_connection(host: Host, control: FakeControl, issuer: Issuer) -> None:
    """A client that connected before a route was guarded does not pass without a token afterwards either."""
    issuer.give()
    control.want(issuer.snapshot("staff", None))
    host.start(control.url)
    control.await_in_force()
    old = [http.client.HTTPConnection("127.0.0.1", host.entry_port, timeout=10) for _ in range(5)]
    assert [_ask(one, "/books", None) for one in old] == [200] * 5
    control.want(issuer.snapshot("staff", ", scopes: [read]"))
    control.await_in_force()
    assert {_ask(one, "/books", None) for one in old} <= {401, 503}
    for one in old:
        one.close()


@pytest.mark.parametrize(
    ("answered", "since", "problem"),
    [
        (None, 1, None),
        (None, 60, "could not be fetched"),
        (10, 3600, None),
        (310, 3600, None),
        (330, 3600, "could not be fetched since"),
        (3600, 60, None),
        (3600, 330, "could not be fetched since"),
    ],
)
def test_an_issuers_host_that_says_nothing_is_told_of(
    tmp_path: Path, answered: float | None, since: float, problem: str | None
) -> None:
    """Keys that an issuer's host should have renewed are a problem, once Envoy had the time to ask for them."""
    keys = IssuerKeys(identity="staff", kept="x.jwks", file=None, url="https://login.bank.example/keys")
    now = time.time()
    if answered is not None:
        (tmp_path / "x.jwks").write_text("{}")
        os.utime(tmp_path / "x.jwks", (now - answered, now - answered))
    if problem is None:
        keys.see(tmp_path, now - since)
    else:
        with pytest.raises(Unusable, match=problem):
            keys.see(tmp_path, now - since)


def test_keys_are_removed_when_nothing_needs_them(tmp_path: Path, issuer: Issuer) -> None:
    """A key that no stored snapshot needs does not stay on the host."""
    issuer.give()
    root = tmp_path / "node"
    (root / "identities").mkdir(parents=True)
    snapshot = issuer.snapshot("staff", "")
    for digest, files in (("with", ("identities.json",)), ("without", ())):
        (root / "snapshots" / digest).mkdir(parents=True)
        for name in files:
            (root / "snapshots" / digest / name).write_bytes(snapshot.files[name])
    watch = identities(root, {})
    assert watch.lend("with") == {}
    (key,) = (root / "identities").iterdir()
    assert (key.read_text(), key.stat().st_mode & 0o777) == (("k" * 32).encode().hex(), 0o600)
    (root / "identities" / "other.key").write_text("00")
    watch.clean(snapshot.manifest)
    assert sorted((root / "identities").iterdir()) == sorted([key, root / "identities" / "other.key"])
    (root / "snapshots" / snapshot.digest).mkdir()
    (root / "snapshots" / snapshot.digest / "identities.json").write_bytes(snapshot.files["identities.json"])
    watch.clean(snapshot.manifest)
    assert list((root / "identities").iterdir()) == [key]


@contextmanager
def _load(host: Host, token: str) -> Iterator[Counter[str]]:
    """Four keep-alive clients, two with this token and two with a session; yields the statuses, errors included."""
    seen: Counter[str] = Counter()
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_clients(host.entry_port, token, seen, over)))
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(20)


async def _clients(port: int, token: str, seen: Counter[str], over: threading.Event) -> None:
    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not over.is_set():
            path, proof = (("/books/1", f"authorization: Bearer {token}"), ("/mine/1", "cookie: SID=x"))[number % 2]
            writer.write(f"GET {path} HTTP/1.1\r\nhost: a\r\n{proof}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            body = await reader.readexactly(int(head.partition("content-length:")[2].split("\r\n")[0]))
            status = head.split(" ")[1]
            seen[status if status == "200" else f"{head} {body.decode()}"] += 1
            if "connection: close" in head:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.002)
        writer.close()

    await asyncio.gather(*(client(number) for number in range(_CLIENTS)))
