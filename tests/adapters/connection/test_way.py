import socket
import struct
import time

import pytest

from adapters.connection.sockets import connect
from adapters.connection.way import dial, in_order
from adapters.deadline import Deadline, in_force
from adapters.errors import DeadlineExceeded, ProxyRefused, Unreachable
from adapters.profiles.values import Endpoint, Proxy, ProxyKind, ProxyProtocol, Secret, Way

from .peers import Script, peer

LONG = 30.0


def echo(accepted: socket.socket) -> None:
    """Answer with what comes."""
    while data := accepted.recv(65536):
        accepted.sendall(data)


def silent(accepted: socket.socket) -> None:
    """Say nothing until the peer goes."""
    accepted.recv(1)
    accepted.settimeout(LONG)
    while accepted.recv(65536):
        pass


def dripping(accepted: socket.socket) -> None:
    """Send a byte now and then, for ever."""
    stop = time.monotonic() + LONG
    while time.monotonic() < stop:
        accepted.sendall(b"x")
        time.sleep(0.02)


def way(*endpoints: Endpoint, proxy: Proxy | None = None, protocol: ProxyProtocol | None = None) -> Way:
    return Way(endpoints=endpoints, proxy=proxy, proxy_protocol=protocol, connect_timeout=1.0)


def closed() -> Endpoint:
    """An endpoint that refuses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return Endpoint("127.0.0.1", listener.getsockname()[1])


def test_the_next_endpoint_is_tried_when_one_fails() -> None:
    """An endpoint that refuses costs a try; the next one serves."""
    with peer(echo) as good:
        sock, endpoint = dial(way(closed(), good), "orders")
        with sock:
            sock.sendall(b"hi")
            assert (endpoint, sock.recv(2)) == (good, b"hi")


def test_the_own_zone_comes_first() -> None:
    """Endpoints of this zone come first, the others in their order; without a zone nothing moves."""
    ends = [Endpoint("a", 1, "az1"), Endpoint("b", 1, "az2"), Endpoint("c", 1, "az1")]
    assert [one.host for one in in_order(ends, "az2")] == ["b", "a", "c"]
    assert in_order(ends, "") == ends


def test_all_failures_are_told() -> None:
    """When nothing can be reached the error names each endpoint with its reason, and that nothing was done."""
    first, second = closed(), closed()
    with pytest.raises(Unreachable) as caught:
        dial(way(first, second), "orders")
    assert str(caught.value).startswith("orders cannot be reached: ")
    assert all(f"{one}: Connection refused" in str(caught.value) for one in (first, second))
    assert (caught.value.nothing_done, caught.value.retry) == (True, True)
    proxy = Proxy(kind=ProxyKind.CONNECT, endpoint=first)
    with pytest.raises(Unreachable, match=f"db:1 through the proxy {first}: Connection refused"):
        dial(way(Endpoint("db", 1), proxy=proxy), "orders")


@pytest.mark.parametrize("script", [silent, dripping])
def test_no_peer_outlasts_the_deadline(script: Script) -> None:
    """A peer that is silent, and one that sends a byte now and then, end the read when the deadline is there."""
    with peer(script) as end, in_force(Deadline(0.3)):
        begin = time.monotonic()
        with connect(end.host, end.port, None) as sock, sock.makefile("rb") as file, pytest.raises(TimeoutError):
            file.read(1 << 20)
        assert time.monotonic() - begin < 0.3 + 1.0


def test_a_silent_proxy_costs_the_connect_timeout_and_no_more() -> None:
    """A proxy that accepts and says nothing is given up like any endpoint."""
    with peer(silent) as end:
        proxy = Proxy(kind=ProxyKind.CONNECT, endpoint=end)
        with pytest.raises(Unreachable, match="no answer within"):
            dial(way(Endpoint("database.bank.example", 3306), proxy=proxy), "orders")


@pytest.mark.parametrize("kind", list(ProxyKind))
def test_a_dripping_proxy_does_not_outlast_the_deadline(kind: ProxyKind) -> None:
    """A proxy that answers byte by byte, never to the end, is bounded by the invocation."""
    with peer(dripping) as end, in_force(Deadline(0.3)):
        with pytest.raises((DeadlineExceeded, Unreachable)) as caught:
            dial(way(Endpoint("database.bank.example", 3306), proxy=Proxy(kind=kind, endpoint=end)), "orders")
        assert caught.value.nothing_done


def test_a_proxy_that_refuses_is_named() -> None:
    """A proxy's 403 is its allow-list's answer: it is told, and no retry is asked for."""

    def refuse(accepted: socket.socket) -> None:
        accepted.recv(65536)
        accepted.sendall(b"HTTP/1.1 403 Filtered\r\n\r\n")

    with peer(refuse) as end, pytest.raises(ProxyRefused, match="403 Filtered") as caught:
        dial(way(Endpoint("db.example", 3306), proxy=Proxy(kind=ProxyKind.CONNECT, endpoint=end)), "orders")
    assert (caught.value.retry, caught.value.nothing_done) == (False, True)


def test_the_proxy_resolves_the_name_and_gets_the_credentials() -> None:
    """CONNECT carries the endpoint's name as it stands, and the proxy's own user."""
    heard: list[bytes] = []

    def accept(accepted: socket.socket) -> None:
        heard.append(accepted.recv(65536))
        accepted.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        echo(accepted)

    with peer(accept) as end:
        proxy = Proxy(kind=ProxyKind.CONNECT, endpoint=end, user="fn", password=Secret("s3cret"))
        with dial(way(Endpoint("db.nowhere.example", 3306), proxy=proxy), "orders")[0] as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
    assert heard[0].startswith(b"CONNECT db.nowhere.example:3306 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic Zm46czNjcmV0" in heard[0]


def test_proxy_protocol_headers() -> None:
    """The PROXY header of both versions tells the connection's own two addresses."""
    with peer(echo) as end:
        with dial(way(end, protocol=ProxyProtocol.V1), "orders")[0] as sock:
            own = sock.getsockname()[1]
            expected = f"PROXY TCP4 127.0.0.1 127.0.0.1 {own} {end.port}\r\n".encode()
            assert sock.recv(len(expected), socket.MSG_WAITALL) == expected
        with dial(way(end, protocol=ProxyProtocol.V2), "orders")[0] as sock:
            own = sock.getsockname()[1]
            expected = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + bytes([127, 0, 0, 1] * 2)
            expected += struct.pack("!HH", own, end.port)
            assert sock.recv(len(expected), socket.MSG_WAITALL) == expected


def test_connections_are_kept_alive() -> None:
    """Sockets send small packets at once and have the kernel look after silent peers."""
    with peer(echo) as end, connect(end.host, end.port, 1.0) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_secrets_do_not_show() -> None:
    """A password in a profile is in no text that the profile is turned into."""
    proxy = Proxy(kind=ProxyKind.SOCKS5, endpoint=Endpoint("p", 1), user="fn", password=Secret("s3cret"))
    assert "s3cret" not in f"{proxy} {proxy!r} {proxy.password} {proxy.password!r}"
