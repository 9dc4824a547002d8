"""An HTTPS service behind the proxies that banks have: HTTP proxies, SOCKS5, a load balancer."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from adapters import effects
from adapters.deadline import Deadline, in_force
from adapters.errors import ProxyRefused, TlsUnverified, Unreachable
from adapters.profiles.document import service
from adapters.service import HttpService

from ..mariadb import NAME, certificates
from ..proxies import ONLY_THERE, RealProxy, dante, free_port, haproxy, tinyproxy
from .site import Site, answer, client_certificate, drop, site

SCHEMES: dict[str, Callable[..., AbstractContextManager[RealProxy]]] = {"http": tinyproxy, "socks5h": dante}
both = pytest.mark.parametrize("scheme", SCHEMES)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificates of all."""
    folder = tmp_path_factory.mktemp("tls")
    certificates(folder)
    client_certificate(folder)
    return folder


@pytest.fixture(scope="module")
def running(files: Path) -> Iterator[Site]:
    """A service that asks for a client's certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(files / "ca.pem"))
    context.load_cert_chain(files / "server.pem", files / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    with site(context) as one:
        yield one


@pytest.fixture
def core(running: Site) -> Site:
    """The same, which saw nothing yet."""
    running.seen.clear()
    running.acts.clear()
    return running


@pytest.fixture(scope="module")
def proxies(files: Path) -> Iterator[dict[str, RealProxy]]:
    """One of each kind for all tests."""
    with tinyproxy(files) as http, dante(files) as socks:
        yield {"http": http, "socks5h": socks}


def through(files: Path, port: int, proxy: str = "", **changes: Any) -> HttpService:
    """The service as its profile says, whose place only the proxy knows."""
    tls = {"certificate_file": str(files / "client.pem"), "key_file": str(files / "client.key")}
    document = {
        "endpoints": f"{ONLY_THERE}:{port}" if proxy else f"127.0.0.1:{port}",
        "tls": {"name": NAME, "ca_file": str(files / "ca.pem")} | tls,
        "proxy": proxy or None,
    }
    return HttpService(service("core", document | changes))


@both
def test_the_proxy_resolves_and_tls_is_end_to_end(
    files: Path, core: Site, proxies: dict[str, RealProxy], scheme: str
) -> None:
    """A name that only the proxy knows is reached, both ends prove who they are, and one tunnel serves many calls."""
    proxy, before = f"{scheme}://127.0.0.1:{proxies[scheme].port}", core.connections
    with_both = through(files, core.port, proxy)
    core.acts += [answer(200, b"x" * 300_000)]
    assert len(with_both.get("/large").body) == 300_000
    assert with_both.post("/orders", body=b"y" * 300_000).status == 200
    assert core.connections == before + 1
    assert [one.headers["host"] for one in core.seen] == [NAME, NAME]
    core.acts += [drop]
    assert with_both.get("/again").status == 200
    assert core.connections == before + 2
    with_both.close()
    wrong = {"name": "other.example", "ca_file": str(files / "ca.pem")}
    with pytest.raises(TlsUnverified) as caught:
        through(files, core.port, proxy, tls=wrong).post("/")
    assert caught.value.nothing_done
    assert len(core.seen) == 4


@both
def test_what_the_proxy_cannot_reach_is_told(files: Path, proxies: dict[str, RealProxy], scheme: str) -> None:
    """A proxy that cannot connect says so in its own words; nothing was sent, and nothing is an effect."""
    closed, proxy = free_port(), f"{scheme}://127.0.0.1:{proxies[scheme].port}"
    with effects.new_page(), pytest.raises(ProxyRefused, match=f"{ONLY_THERE}:{closed}") as caught:
        through(files, closed, proxy).post("/orders")
    assert (caught.value.nothing_done, effects.noted()) == (True, ())


@both
def test_what_the_proxy_does_not_allow_is_refused(files: Path, core: Site, tmp_path: Path, scheme: str) -> None:
    """A port that is not on the proxy's list is refused at once, and no other try is made."""
    refusing = tinyproxy(tmp_path, allowed=1) if scheme == "http" else dante(tmp_path, blocked=core.port)
    with refusing as proxy, pytest.raises(ProxyRefused) as caught:
        through(files, core.port, f"{scheme}://127.0.0.1:{proxy.port}").get("/")
    assert (caught.value.retry, caught.value.nothing_done, core.seen) == (False, True, [])


def test_the_http_proxy_wants_a_login(files: Path, core: Site, tmp_path: Path) -> None:
    """The proxy's own user and password are shown to it, and to nobody behind it."""
    with tinyproxy(tmp_path, login="fn s3cret") as proxy:
        end = f"127.0.0.1:{proxy.port}"
        assert through(files, core.port, f"http://fn:s3cret@{end}").get("/").status == 200
        assert "proxy-authorization" not in core.seen[0].headers
        with pytest.raises(ProxyRefused, match=end):
            through(files, core.port, f"http://fn:wrong@{end}").get("/")


@both
def test_a_proxy_that_is_restarted(files: Path, core: Site, tmp_path: Path, scheme: str) -> None:
    """While the proxy is away it is named; when it is back the next call goes through, also a POST."""
    with SCHEMES[scheme](tmp_path) as proxy:
        end = f"127.0.0.1:{proxy.port}"
        one = through(files, core.port, f"{scheme}://{end}")
        assert one.get("/").status == 200
        proxy.stop()
        with in_force(Deadline(5.0)), pytest.raises(Unreachable, match=f"through the proxy {end}: Connection refused"):
            one.get("/")
        proxy.start()
        assert one.post("/orders").status == 200
        one.close()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_load_balancer_with_the_proxy_protocol(files: Path, core: Site, tmp_path: Path, version: str) -> None:
    """A load balancer gets the PROXY header that it wants, the service its own TLS; without it nothing is sent."""
    with haproxy(tmp_path, core.port) as proxy:
        assert through(files, proxy.port, proxy_protocol=version).post("/orders").status == 200
        with pytest.raises(Unreachable) as caught:
            through(files, proxy.port, handshake_timeout="300ms", retries=0).post("/orders")
        assert caught.value.nothing_done
    assert [one.method for one in core.seen] == ["POST"]


def test_a_load_balancer_without_a_service(files: Path, tmp_path: Path) -> None:
    """A load balancer in front of nothing accepts and closes: nothing was sent, so legacy may serve a POST."""
    with haproxy(tmp_path, free_port(), accepts=False) as proxy, pytest.raises(Unreachable) as caught:
        through(files, proxy.port, retries=0).post("/orders")
    assert caught.value.nothing_done
