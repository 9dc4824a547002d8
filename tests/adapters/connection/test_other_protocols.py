"""Something else than what the profile says stands there: an answer that makes no sense is no crash of ours."""

import pytest

from adapters.connection.way import dial
from adapters.database import Database
from adapters.errors import ProxyRefused, TargetFailed, TlsUnverified, Unreachable
from adapters.profiles.document import database
from adapters.profiles.values import Endpoint, Proxy, ProxyKind, Way

from .peers import answering, peer, saying

_NO_MYSQL = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"\x00\x00\x00\x00",
    b"\x01\x00\x00\x00\x0a",
    b"\x08\x00\x00\x00\x0aHTTP/1\x00",
    b"\x05\x00\x00\x07\x0a10.1\x00",
    bytes(range(256)) * 4,
]


@pytest.mark.parametrize("said", _NO_MYSQL)
def test_what_does_not_speak_mysql_is_unreachable(said: bytes) -> None:
    """A greeting that is none, from a wrong port or a proxy's page, ends as unreachable, and no password is sent."""
    with peer(saying(said)) as end:
        document = {
            "endpoints": f"127.0.0.1:{end.port}",
            "tls": {"name": "db.example"},
            "credentials": {"user": "app", "password": "pw"},
            "handshake_timeout": "300ms",
        }
        with pytest.raises(Unreachable) as caught, Database(database("orders", document)).begin():
            pytest.fail("that is no database")
        assert caught.value.nothing_done


@pytest.mark.parametrize("kind", list(ProxyKind))
@pytest.mark.parametrize(
    "said", [b"", b"\x00", b"\x05", b"\x05\xff", b"\x05\x00\x05", b"SSH-2.0-x\r\n", b"HTTP/1.1 \r\n\r\n"]
)
def test_what_is_no_proxy_is_unreachable(kind: ProxyKind, said: bytes) -> None:
    """A proxy that ends the connection in its answer, or says what no proxy says, leaves nothing done."""
    with peer(answering(said)) as end:
        way = Way(endpoints=(Endpoint("db.example", 3306),), proxy=Proxy(kind=kind, endpoint=end), connect_timeout=0.5)
        with pytest.raises((Unreachable, ProxyRefused)) as caught:
            dial(way, "orders")
        assert isinstance(caught.value, TargetFailed)
        assert caught.value.nothing_done


def test_a_file_of_tls_that_is_none_is_told(tmp_path: object) -> None:
    """A CA file that is missing ends as TLS that cannot be verified, before anything is said to the server."""
    with peer(saying(b"")) as end:
        document = {
            "endpoints": f"127.0.0.1:{end.port}",
            "tls": {"name": "db.example", "ca_file": f"{tmp_path}/none.pem"},
            "credentials": {"user": "app", "password": "pw"},
        }
        with pytest.raises(TlsUnverified, match="TLS cannot be used"), Database(database("orders", document)).begin():
            pytest.fail("there is no CA")
