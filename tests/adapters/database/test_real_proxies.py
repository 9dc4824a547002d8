"""MariaDB behind the proxies that banks have: HTTP proxies, SOCKS5, load balancers with the PROXY protocol."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters.database import Database
from adapters.deadline import Deadline, in_force
from adapters.errors import ProxyRefused, TlsUnverified, Unreachable
from adapters.profiles.document import database

from ..mariadb import NAME, MariaDb, running
from ..proxies import ONLY_THERE, RealProxy, dante, haproxy, tinyproxy
from .conftest import document

SCHEMES: dict[str, Callable[[Path], AbstractContextManager[RealProxy]]] = {"http": tinyproxy, "socks5h": dante}
both = pytest.mark.parametrize("scheme", SCHEMES)


@contextmanager
def through(server: MariaDb, **changes: Any) -> Iterator[Database]:
    """The database, with these differences from the usual profile."""
    one = Database(database("orders", document(server, **changes)))
    try:
        yield one
    finally:
        one.dispose()


def title(orders: Database) -> str:
    """What a function reads."""
    with orders.begin() as connection:
        return str(connection.execute(text("select title from books where id = 7")).scalar_one())


def until(met: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@both
def test_the_proxy_resolves_and_tls_is_end_to_end(server: MariaDb, tmp_path: Path, scheme: str) -> None:
    """A name that only the proxy knows is reached, and TLS is verified end to end in the database's own name."""
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo(ONLY_THERE, server.port)
    with SCHEMES[scheme](tmp_path) as proxy:
        way = {"endpoints": f"{ONLY_THERE}:{server.port}", "proxy": f"{scheme}://127.0.0.1:{proxy.port}"}
        with through(server, **way) as orders:
            assert title(orders) == "Moss"
            with orders.begin() as connection:
                assert connection.execute(text("show status like 'Ssl_version'")).one()[1] == "TLSv1.3"
        tls = {"name": "other.example", "ca_file": str(server.ca)}
        with through(server, tls=tls, **way) as orders, pytest.raises(TlsUnverified):
            title(orders)


@both
def test_a_proxy_that_cannot_reach_the_target_says_so(server: MariaDb, tmp_path: Path, scheme: str) -> None:
    """What the proxy cannot connect to is told with the proxy's own words, and nothing was done."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    with SCHEMES[scheme](tmp_path) as proxy:
        way = {"endpoints": f"{ONLY_THERE}:{closed}", "proxy": f"{scheme}://127.0.0.1:{proxy.port}"}
        with through(server, **way) as orders, pytest.raises(ProxyRefused, match=f"{ONLY_THERE}:{closed}") as caught:
            title(orders)
    assert caught.value.nothing_done


def test_the_http_proxy_wants_a_login(server: MariaDb, tmp_path: Path) -> None:
    """The proxy's own user and password are shown to it; without them it refuses, by its name."""
    with tinyproxy(tmp_path, login="fn s3cret") as proxy:
        end = f"127.0.0.1:{proxy.port}"
        with through(server, proxy=f"http://fn:s3cret@{end}") as orders:
            assert title(orders) == "Moss"
        with through(server, proxy=f"http://fn:wrong@{end}") as orders, pytest.raises(ProxyRefused, match=end):
            title(orders)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_what_the_proxy_does_not_allow_is_refused(server: MariaDb, tmp_path: Path, scheme: str) -> None:
    """A port that is not on the proxy's list is the network team's matter: it is told, and no retry is asked for."""
    refusing = tinyproxy(tmp_path, allowed=1) if scheme == "http" else dante(tmp_path, blocked=server.port)
    with refusing as proxy, through(server, proxy=f"{scheme}://127.0.0.1:{proxy.port}") as orders:
        with pytest.raises(ProxyRefused) as caught:
            title(orders)
        assert (caught.value.retry, caught.value.nothing_done) == (False, True)


@both
def test_a_proxy_that_is_restarted(server: MariaDb, tmp_path: Path, scheme: str) -> None:
    """While the proxy is away nothing can be reached; when it is back, the next invocation connects anew."""
    with SCHEMES[scheme](tmp_path) as proxy, through(server, proxy=f"{scheme}://127.0.0.1:{proxy.port}") as orders:
        assert title(orders) == "Moss"
        proxy.stop()
        until(lambda: not server.sessions())
        with in_force(Deadline(5.0)), pytest.raises(Unreachable, match="refused"):
            title(orders)
        proxy.start()
        assert title(orders) == "Moss"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """A MariaDB that believes the PROXY protocol of this machine."""
    with running(tmp_path_factory.mktemp("told"), "--proxy-protocol-networks=127.0.0.1/32") as one:
        yield one


def peer_port(orders: Database) -> tuple[int, int]:
    """The port of the function's own socket, and that which the database believes to talk to."""
    with orders.begin() as connection:
        sock = connection.connection.dbapi_connection._sock  # type: ignore[union-attr]  # noqa: SLF001 - PyMySQL's
        asked = text("select host from information_schema.processlist where id = connection_id()")
        return sock.getsockname()[1], int(connection.execute(asked).scalar_one().rpartition(":")[2])


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_proxy_protocol_goes_through_haproxy(told: MariaDb, tmp_path: Path, version: str) -> None:
    """Who the client is comes through a load balancer that takes and sends the PROXY protocol, in both versions."""
    with haproxy(tmp_path, told.port, sends="send-proxy-v2") as proxy:
        way = {"endpoints": f"127.0.0.1:{proxy.port}", "proxy_protocol": version}
        with through(told, **way) as orders:
            own, seen = peer_port(orders)
            assert own == seen
            assert title(orders) == "Moss"


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_database_takes_the_proxy_protocol_itself(told: MariaDb, version: str) -> None:
    """A MariaDB that wants the header gets it first, before its own greeting."""
    with through(told, proxy_protocol=version) as orders:
        assert title(orders) == "Moss"


def test_a_load_balancer_that_misses_the_header_is_given_up(told: MariaDb, tmp_path: Path) -> None:
    """A load balancer that waits for a header which the profile does not name is silent: it is given up in time."""
    with haproxy(tmp_path, told.port, sends="send-proxy-v2") as proxy:
        way = {"endpoints": f"127.0.0.1:{proxy.port}", "handshake_timeout": "300ms"}
        with through(told, **way) as orders, pytest.raises(Unreachable, match="was silent"):
            title(orders)


def test_a_load_balancer_without_a_server(told: MariaDb, tmp_path: Path) -> None:
    """A load balancer in front of nothing accepts and closes: the next endpoint is not asked, and it is unreachable."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    with haproxy(tmp_path, closed, accepts=False) as proxy:
        way = {"endpoints": f"127.0.0.1:{proxy.port}", "tls": {"name": NAME, "ca_file": str(told.ca)}}
        with through(told, **way) as orders, pytest.raises(Unreachable) as caught:
            title(orders)
    assert caught.value.nothing_done
