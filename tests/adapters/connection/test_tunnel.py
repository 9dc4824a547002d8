"""What a proxy's answer to CONNECT may look like on the wire."""

import contextlib
import socket
import time

import pytest

from adapters.connection.way import dial
from adapters.errors import ProxyRefused
from adapters.profiles.values import Endpoint, Proxy, ProxyKind, Way

from .peers import answering, peer, saying

GREETING = b"\x4a\x00\x00\x00\x0a10.11.19-MariaDB"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\nProxy-agent: x\r\n\r\n"


def through(end: Endpoint) -> Way:
    return Way(endpoints=(Endpoint("db.example", 3306),), proxy=Proxy(kind=ProxyKind.CONNECT, endpoint=end))


def test_what_comes_with_the_proxys_answer_is_the_targets() -> None:
    """A server that speaks first may be heard in the same segment as the proxy's answer: nothing of it is lost."""
    with peer(saying(ESTABLISHED + GREETING)) as end, dial(through(end), "orders")[0] as sock:
        assert sock.recv(len(GREETING), socket.MSG_WAITALL) == GREETING


@pytest.mark.parametrize("cut", [1, 8, 12, 30, len(ESTABLISHED) - 3, len(ESTABLISHED) - 1])
def test_the_answer_may_come_in_pieces(cut: int) -> None:
    """An answer that arrives in two segments, wherever it is cut, is one answer."""

    def script(accepted: socket.socket) -> None:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accepted.sendall(ESTABLISHED[:cut])
        time.sleep(0.02)  # two segments are the subject
        accepted.sendall(ESTABLISHED[cut:] + GREETING)
        with contextlib.suppress(OSError):
            accepted.recv(65536)
            accepted.recv(1)

    with peer(script) as end, dial(through(end), "orders")[0] as sock:
        assert sock.recv(len(GREETING), socket.MSG_WAITALL) == GREETING


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"HTTP/1.1 403 Filtered\r\nContent-Length: 9\r\n\r\n<html>...", "refused db.example:3306: 403 Filtered"),
        (b"HTTP/1.0 502\r\n\r\n", "refused db.example:3306: 502"),
        (b"SSH-2.0-OpenSSH\r\n", "does not speak HTTP"),
        (b"", "hung up"),
        (b"HTTP/1.1 200 OK\r\nx: y\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000, "does not speak HTTP"),
    ],
)
def test_every_other_answer_is_a_refusal(said: bytes, told: str) -> None:
    """What is no 2xx is told with the proxy's name; headers without end are not read for ever."""
    with peer(answering(said)) as end:
        with pytest.raises(ProxyRefused, match=told) as caught:
            dial(through(end), "orders")
        assert str(end) in str(caught.value)


def test_an_address_of_version_6_stands_in_brackets() -> None:
    """The target of CONNECT is unambiguous, and a name in another script is sent as the network knows it."""
    for host, place in (("2001:db8::1", b"[2001:db8::1]:3306"), ("bücher.example", b"xn--bcher-kva.example:3306")):
        heard: list[bytes] = []

        def script(accepted: socket.socket, heard: list[bytes] = heard) -> None:
            heard.append(accepted.recv(65536))
            accepted.sendall(ESTABLISHED)

        with peer(script) as end:
            proxy = Proxy(kind=ProxyKind.CONNECT, endpoint=end)
            dial(Way(endpoints=(Endpoint(host, 3306),), proxy=proxy), "orders")[0].close()
        assert heard[0] == b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (place, place)
