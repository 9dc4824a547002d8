"""A service proves who it is in its own name, and asks the function to do the same where the profile says so."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.connection.tls import context_for
from adapters.errors import ConnectionLost, TargetFailed, TlsUnverified
from adapters.profiles.values import Tls

from ..mariadb import NAME, certificates
from .site import Site, client_certificate, connect_proxy, site


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates: of the service, of a client, and of two CAs."""
    one = tmp_path_factory.mktemp("tls")
    certificates(one)
    client_certificate(one)
    return one


def context(folder: Path, *, mutual: bool = False) -> ssl.SSLContext:
    """What the service shows, and whether it asks for a client's certificate."""
    one = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    one.load_cert_chain(folder / "server.pem", folder / "server.key")
    if mutual:
        one.verify_mode = ssl.CERT_REQUIRED
    return one


@pytest.fixture
def core(folder: Path) -> Iterator[Site]:
    """A service with TLS."""
    with site(context(folder)) as one:
        yield one


def tls(folder: Path, **changes: Any) -> dict[str, Any]:
    """The profile's part about TLS."""
    return {"name": NAME, "ca_file": str(folder / "ca.pem")} | changes


def test_the_service_proves_its_own_name(core: Site, folder: Path) -> None:
    """The certificate is verified in the service's name, although the socket goes elsewhere, a proxy included."""
    assert core.service(tls=tls(folder)).get("/").status == 200
    with connect_proxy(core.port) as (port, asked):
        assert core.service(tls=tls(folder), proxy=f"http://127.0.0.1:{port}").get("/").status == 200
        assert len(asked) == 1
    assert {one.headers["host"] for one in core.seen} == {NAME}


@pytest.mark.parametrize("change", [{"ca_file": "other-ca.pem"}, {"name": "other.bank.example"}])
def test_whoever_cannot_prove_it_gets_nothing(core: Site, folder: Path, change: dict[str, str]) -> None:
    """Another CA and another name are refused before anything is sent, and no second try is made."""
    if "ca_file" in change:
        change = {"ca_file": str(folder / change["ca_file"])}
    with pytest.raises(TlsUnverified, match="core does not prove that it is") as caught:
        core.service(tls=tls(folder, **change)).post("/", body=b"secret")
    assert (caught.value.nothing_done, caught.value.retry, core.seen, core.connections) == (True, False, [], 0)


def test_a_plain_service_is_not_taken_for_a_verified_one(folder: Path) -> None:
    """A service without TLS where the profile wants it gets no request."""
    with site() as plain:
        with pytest.raises(TlsUnverified):
            plain.service(tls=tls(folder)).post("/", body=b"secret")
        assert plain.seen == []


def test_unverified_takes_its_name_and_says_so(core: Site) -> None:
    """A profile may say `unverified`; every call then warns."""
    with pytest.warns(match="Unverified HTTPS request"):
        assert core.service(tls={"mode": "unverified"}).get("/").status == 200


def test_http_leaves_the_databases_context_alone(core: Site, folder: Path) -> None:
    """Databases with the same setting still verify the name after an HTTP service has used it."""
    setting = tls(folder)
    core.service(tls=setting).get("/")
    shared = context_for(Tls(name=setting["name"], ca_file=setting["ca_file"]))
    assert shared is not None
    assert (shared.check_hostname, shared.verify_mode) == (True, ssl.CERT_REQUIRED)


def test_the_function_shows_its_certificate(folder: Path) -> None:
    """With mTLS the service sees the client's certificate; without one it refuses, and that is told as such."""
    with site(context(folder, mutual=True)) as core:
        shown = {
            key: str(folder / name) for key, name in (("certificate_file", "client.pem"), ("key_file", "client.key"))
        }
        assert core.service(tls=tls(folder, **shown)).get("/").status == 200
        with pytest.raises((TlsUnverified, ConnectionLost)):
            core.service(tls=tls(folder)).post("/")
        assert len(core.seen) == 1


def test_files_that_cannot_be_used_are_named(core: Site, folder: Path) -> None:
    """A CA file that is not there is the profile's fault, told at the first call."""
    with pytest.raises(TargetFailed, match="core: the files of its TLS cannot be used"):
        core.service(tls=tls(folder, ca_file=str(folder / "nowhere.pem"))).get("/")


def test_a_connection_is_made_quickly_again(core: Site, folder: Path) -> None:
    """All connections of one setting share one context: it is made once."""
    from adapters.service.pool import _of_http  # noqa: PLC0415 - the cache is the subject

    one = core.service(tls=tls(folder))
    one.get("/")
    made = _of_http.cache_info().misses
    one.close()
    one.get("/")
    core.service(tls=tls(folder)).get("/")
    assert _of_http.cache_info().misses == made
