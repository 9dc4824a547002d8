"""Keys of tokens that an issuer's host has: fetched over verified TLS, and kept while the host says nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from router.estate import Endpoint, Jwks, Tls
from router.snapshot.identity_files import kept_keys

from ..authority import Authority
from .harness import Running, eventually, running_router
from .standins import Reply, Seen, StandIn, echo
from .tokens import Key, bearer, jwks

ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
identities:
  staff:
    jwt:
      issuer: https://login.bank.example/
      audiences: [https://api.bank.example]
      jwks: {url: "https://127.0.0.1:${ISSUER_PORT}/keys/of(all)", tls: {ca: "${CA}", name: "${NAME}"}}
routes:
  books: {match: {path: {prefix: /books}}, legacy: shop, authorize: {identity: staff}}
"""
NAME = "login.bank.example"
SOON = {'"cache_duration":"300s"': '"cache_duration":"1s"'}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def key(tmp_path: Path) -> Key:
    return Key(tmp_path, "first")


@contextmanager
def issuer(authority: Authority, answer: Callable[[Seen], Reply], name: str = NAME) -> Iterator[StandIn]:
    """The issuer's host, which can prove that name."""
    with StandIn(answer, tls=authority.server(name)).running() as host:
        yield host


@contextmanager
def routed(folder: Path, authority: Authority, port: int, *, name: str = NAME) -> Iterator[Running]:
    """A router that asks the host at that port for keys, each second."""
    (folder / "node").mkdir(exist_ok=True)
    with StandIn(echo).running() as legacy:
        environment = {"LEGACY_PORT": str(legacy.port), "ISSUER_PORT": str(port), "CA": str(authority.ca), "NAME": name}
        with running_router(folder / "node", ESTATE, environment=environment, scaled=SOON) as router:
            yield router


def status(router: Running, key: Key) -> int:
    """What a request with a token under that key gets."""
    return router.request("/books", bearer(key.token())).status


def answers(*keys: Key) -> Callable[[Seen], Reply]:
    """An issuer's host that answers with these keys."""
    return lambda _seen: Reply(200, [("Content-Type", "application/json")], jwks(keys).encode())


def test_keys_come_from_the_issuers_host(tmp_path: Path, authority: Authority, key: Key) -> None:
    """Its host is asked by name and path, with nothing of any client's, and its keys count; renewed ones soon after."""
    second = Key(tmp_path, "second")
    with issuer(authority, answers(key)) as host, routed(tmp_path, authority, host.port) as router:
        eventually(lambda: status(router, key) == 200)
        assert status(router, second) == 401
        asked = host.seen[0]
        assert (asked.method, asked.path) == ("GET", "/keys/of(all)")
        assert asked.header("host") == f"127.0.0.1:{host.port}"
        assert asked.header("authorization") is None
        host.answer = answers(second)
        eventually(lambda: status(router, second) == 200)
        eventually(lambda: status(router, key) == 401)  # one worker after the other


def test_the_last_keys_outlive_their_host(tmp_path: Path, authority: Authority, key: Key) -> None:
    """While the host is down, fails or says nothing useful the last keys count; after a restart of Envoy too."""
    with issuer(authority, answers(key)) as host:
        port = host.port
        with routed(tmp_path, authority, port) as router:
            eventually(lambda: status(router, key) == 200)
            for reply in (Reply(500), Reply(200, [], b"<html>maintenance</html>"), Reply(200), Reply(reset=True)):
                asked = len(host.seen)
                host.answer = lambda _seen: reply  # noqa: B023 - asked before the next
                eventually(lambda: len(host.seen) > asked + 1)  # noqa: B023
                assert status(router, key) == 200
    with routed(tmp_path, authority, port) as router:
        assert status(router, key) == 200
        kept = kept_keys(Jwks(endpoint=Endpoint("127.0.0.1", port), path="/keys/of(all)", tls=_tls(authority)))
        assert (router.state / kept).read_text() == jwks([key])


def test_a_host_that_was_never_there_is_503_until_it_is(tmp_path: Path, authority: Authority, key: Key) -> None:
    """Without any keys a token cannot be judged: 503, not 401; others are served, and the keys count once they come."""
    with issuer(authority, lambda _seen: Reply(503)) as host, routed(tmp_path, authority, host.port) as router:
        assert status(router, key) == 503
        assert router.request("/books").status == 401
        assert router.request("/elsewhere").status == 200
        host.answer = answers(key)
        eventually(lambda: status(router, key) == 200)


@pytest.mark.parametrize("fault", ["name", "authority"])
def test_a_host_that_cannot_prove_its_name_gives_no_keys(
    tmp_path: Path, authority: Authority, key: Key, fault: str
) -> None:
    """A host with another name, or under another authority, is not even asked, and its keys verify nothing."""
    name = "other.example" if fault == "name" else NAME
    believed = authority if fault == "name" else Authority(tmp_path / "another")
    with issuer(authority, answers(key), name) as host, routed(tmp_path, believed, host.port) as router:
        assert status(router, key) == 503
        assert not host.seen
        assert b"upstream_cx_connect_fail" in router.admin("/stats?filter=identity.staff&usedonly")


def _tls(authority: Authority) -> Tls:
    return Tls(name=NAME, ca_file=str(authority.ca))
