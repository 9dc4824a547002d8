"""TLS at the entry, the VIP's own certificate, and files that are renewed while requests come."""

import http.client
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from router.node.tls_material import needs

from ..authority import Authority
from .h2c import Http2
from .harness import Running, eventually, lend_tls, running_router
from .standins import StandIn, echo

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
  health: {path: /router-health}
  tls:
    certificate: ${CERTIFICATE}
    key: ${KEY}
    CLIENTS
legacy:
  shop:
    endpoints: ["127.0.0.1:${LEGACY_PORT}"]
    tls: {ca: "${LEGACY_CA}", name: shop.bank.example}
"""
NAME = "router.bank.example"


@dataclass
class World:
    """A router that speaks TLS on both sides; `certificate`, `key`, `legacy_ca`, `client_ca` are the files it names."""

    folder: Path
    authority: Authority
    router: Running
    legacy: StandIn

    def file(self, name: str) -> Path:
        """The estate's file of that name."""
        return self.folder / name

    def renew(self, **files: Path) -> None:
        """Put other contents into these files and let Envoy have them, as a node does."""
        for name, source in files.items():
            shutil.copyfile(source, self.file(name))
        lend_tls(self.router.state, self.router.state / "snapshots" / self.router.manifest.digest)

    def client(self, *, shows: tuple[Path, Path] | None = None, trusts: Path | None = None) -> ssl.SSLContext:
        """A client that verifies the router, and shows a certificate if it has one."""
        context = ssl.create_default_context(cafile=str(trusts or self.authority.ca))
        if shows is not None:
            context.load_cert_chain(*shows)
        return context

    def connect(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """A connection whose handshake is done."""
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.router.port), 20), server_hostname=NAME)

    def status(self, context: ssl.SSLContext, path: str = "/x") -> int | str:
        """The status of a GET, or the class of error that it ends with."""
        try:
            with self.connect(context) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
                response = http.client.HTTPResponse(connection)
                response.begin()
                return response.status
        except ssl.SSLError as error:
            return str(error.reason)
        except (ConnectionError, http.client.HTTPException) as error:
            return type(error).__name__


Make = Callable[[str], World]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:
        yield lambda clients: stack.enter_context(started(tmp_path, clients))


@contextmanager
def started(folder: Path, clients: str) -> Iterator[World]:
    """A router with these keys more in `entry.tls`, and files of its own to renew."""
    authority = Authority(folder / "ca")
    certificate, key = authority.pair(NAME)
    files, node = folder / "files", folder / "node"
    files.mkdir()
    node.mkdir()
    first = {"certificate": certificate, "key": key, "legacy_ca": authority.ca, "client_ca": authority.ca}
    for name, source in first.items():
        shutil.copyfile(source, files / name)
    with StandIn(echo, tls=authority.server("shop.bank.example")).running() as legacy:
        environment = {
            "CERTIFICATE": str(files / "certificate"),
            "KEY": str(files / "key"),
            "LEGACY_CA": str(files / "legacy_ca"),
            "LEGACY_PORT": str(legacy.port),
        }
        estate = ESTATE.replace("CLIENTS", clients.replace("CA", str(files / "client_ca")))
        with running_router(node, estate, environment=environment) as router:
            yield World(files, authority, router, legacy)


def test_http_1_and_2_over_tls(make: Make) -> None:
    """The client chooses HTTP/2 or HTTP/1.1 by ALPN, and legacy is told that it was TLS."""
    world = make("")
    assert world.status(world.client()) == 200
    assert world.legacy.seen[-1].header("x-forwarded-proto") == "https"
    context = world.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with world.connect(context) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        pseudo = [(":method", "GET"), (":scheme", "https"), (":authority", NAME), (":path", "/x")]
        assert Http2(connection, is_client=True).exchange(pseudo, [], []).header(":status") == "200"


def test_old_tls_and_no_tls(make: Make) -> None:
    """TLS below 1.2 and clear text get no answer."""
    world = make("")
    old = world.client()
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert world.status(old) == 200
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert world.status(old) == "TLSV1_ALERT_PROTOCOL_VERSION"
    world.legacy.seen.clear()
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        world.router.request("/x")
    assert world.legacy.seen == []


ANY = "client_ca: CA"
NAMED = "client_ca: CA\n    client_names: [vip.bank.example, other.bank.example]"
SHOWN = {
    # by name: what the estate asks, the name that the client shows, whether our authority signed it, the outcome
    "any name": (ANY, "any.bank.example", True, "served"),
    "of a stranger": (ANY, "any.bank.example", False, "refused"),
    "none": (ANY, None, True, "refused"),
    "the VIP's name": (NAMED, "vip.bank.example", True, "served"),
    "another name": (NAMED, "any.bank.example", True, "refused"),
    "the VIP's name, of a stranger": (NAMED, "vip.bank.example", False, "refused"),
}


@pytest.mark.parametrize("case", SHOWN.values(), ids=SHOWN)
def test_the_vip_shows_who_it_is(make: Make, tmp_path: Path, case: tuple[str, str | None, bool, str]) -> None:
    """With client_ca nobody is served without a certificate of its authorities, with client_names no other name's."""
    clients, name, ours, outcome = case
    world = make(clients)
    signer = world.authority if ours else Authority(tmp_path / "strangers")
    shows = signer.pair(name) if name else None
    for path in ("/x", "/router-health"):
        assert (world.status(world.client(shows=shows), path) == 200) == (outcome == "served")
    assert len(world.legacy.seen) == (1 if outcome == "served" else 0)


def subject(connection: ssl.SSLSocket) -> int:
    """The serial number of the certificate that the router showed."""
    shown = connection.getpeercert()
    assert shown is not None
    return int(str(shown["serialNumber"]), 16)


def test_a_renewed_certificate_is_shown_to_new_connections(make: Make) -> None:
    """New connections get the new certificate, those that are there go on with the old one."""
    world = make("")
    with world.connect(world.client()) as before:
        first = subject(before)
        certificate, key = world.authority.pair(NAME)
        world.renew(certificate=certificate, key=key)

        def now() -> int:
            with world.connect(world.client()) as one:
                return subject(one)

        eventually(lambda: now() != first)
        before.sendall(f"GET /x HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        response = http.client.HTTPResponse(before)
        response.begin()
        assert response.status == 200


def test_authorities_are_renewed_on_both_sides(make: Make, tmp_path: Path) -> None:
    """After their files were renewed, clients and upstreams of the new authority are known, and of the old one not."""
    world = make("client_ca: CA")
    new = Authority(tmp_path / "new")
    old_vip, new_vip = world.authority.pair("vip.bank.example"), new.pair("vip.bank.example")
    assert world.status(world.client(shows=old_vip)) == 200
    assert world.status(world.client(shows=new_vip)) != 200
    world.renew(client_ca=new.ca)
    eventually(lambda: world.status(world.client(shows=new_vip)) == 200)
    assert world.status(world.client(shows=old_vip)) != 200
    world.renew(legacy_ca=new.ca)
    eventually(lambda: world.status(world.client(shows=new_vip)) == 503)
    world.renew(legacy_ca=world.authority.ca)
    eventually(lambda: world.status(world.client(shows=new_vip)) == 200)


def test_a_secret_that_envoy_cannot_use_changes_nothing(make: Make, tmp_path: Path) -> None:
    """Should a pair that does not fit reach Envoy in spite of the node, the old one stays in use."""
    world = make("")
    snapshot = world.router.state / "snapshots" / world.router.manifest.digest
    (pair,) = (one for one in needs(snapshot) if "key" in one.files)
    good = pair.read(Path("/"))
    other = Authority(tmp_path / "other").pair(NAME)[1].read_bytes()
    type(good)(need=pair, contents={**good.contents, "key": other}).store(world.router.state)
    log = world.router.state / "logs" / "envoy.log"
    eventually(lambda: "Filesystem config update rejected" in log.read_text())
    assert world.status(world.client()) == 200
