"""Requests that two servers may read differently: what the client gets, and that legacy saw nothing or one request.

Behind each refused request stands another one, for `/evil`: it is what a smuggler hopes that legacy reads.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import h2.config
import h2.connection
import h2.events
import pytest

from .both_ends import Scripted, client
from .harness import Running, running_router

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
  max_headers: 32KiB
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
"""
HOST = b"Host: shop\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
EVIL = b"GET /evil HTTP/1.1\r\nHost: shop\r\n\r\n"
ADDED = (b"x-forwarded-for", b"x-forwarded-proto", b"x-request-id", b"x-fig-")


def get(*lines: bytes, line: bytes = b"GET /x HTTP/1.1", host: bytes = HOST) -> bytes:
    """A GET with these header lines."""
    return line + b"\r\n" + host + b"".join(one + b"\r\n" for one in lines) + b"\r\n"


def post(*lines: bytes, body: bytes = b"0\r\n\r\n", line: bytes = b"POST /x HTTP/1.1") -> bytes:
    """A POST with these header lines and this body."""
    return get(*lines, line=line) + body


REFUSED = {
    # by name: the status and the request
    "a length and chunks": (400, post(b"Content-Length: 5", CHUNKED[:-2])),
    "chunks and a length": (400, post(CHUNKED[:-2], b"Content-Length: 5")),
    "a length and chunks in HTTP/1.0": (
        400,
        post(b"Content-Length: 5", CHUNKED[:-2], line=b"POST /x HTTP/1.0"),
    ),
    "two lengths": (400, post(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!")),
    "one length twice": (400, post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello")),
    "a list of lengths": (400, post(b"Content-Length: 5, 5", body=b"hello")),
    "a length with a sign": (400, post(b"Content-Length: +5", body=b"hello")),
    "a negative length": (400, post(b"Content-Length: -5", body=b"hello")),
    "a length in hex": (400, post(b"Content-Length: 0x5", body=b"hello")),
    "an empty length": (400, post(b"Content-Length:", body=b"")),
    "a length beyond all numbers": (400, post(b"Content-Length: 99999999999999999999999", body=b"hello")),
    "an unknown coding": (501, post(b"Transfer-Encoding: xchunked")),
    "chunked, then another coding": (501, post(b"Transfer-Encoding: chunked, identity")),
    "another coding, then chunked": (501, post(b"Transfer-Encoding: gzip, chunked")),
    "two lines of codings": (501, post(CHUNKED[:-2], CHUNKED[:-2])),
    "two lines that differ": (501, post(CHUNKED[:-2], b"Transfer-Encoding: identity")),
    "a coding behind a vertical tab": (400, post(b"Transfer-Encoding: \x0bchunked")),
    "a space before the colon": (400, post(b"Transfer-Encoding : chunked")),
    "a space before a harmless colon": (400, get(b"X-A : 1")),
    "a folded first line": (400, b"GET /x HTTP/1.1\r\n X-A: 1\r\n" + HOST + b"\r\n"),
    "no colon": (400, get(b"X-A")),
    "no name": (400, get(b": 1")),
    "NUL in a value": (400, get(b"X-A: a\0b")),
    "NUL in a name": (400, get(b"X\0A: b")),
    "NUL in the path": (400, get(line=b"GET /a\0b HTTP/1.1")),
    "a control character in a value": (400, get(b"X-A: a\x01b")),
    "a name that is no token": (400, get(b"X(A): b")),
    "a control character in the path": (400, get(line=b"GET /a\x01b HTTP/1.1")),
    "a space in the path": (400, get(line=b"GET /a b HTTP/1.1")),
    "a path beyond ASCII": (400, get(line=b"GET /\xc3\xbc HTTP/1.1")),
    "a fragment": (400, get(line=b"GET /x#y HTTP/1.1")),
    "a relative path": (400, get(line=b"GET x HTTP/1.1")),
    "a scheme that is no web's": (400, get(line=b"GET ftp://shop/x HTTP/1.1")),
    "no Host": (400, get(host=b"")),
    "a Host with a space": (400, get(host=b"Host: a b\r\n")),
    "a Host with a path": (400, get(host=b"Host: a/b\r\n")),
    "a version that is none": (400, get(line=b"GET /x HTTP/1.1x")),
    "a method that is no token": (400, get(line=b"GE(T /x HTTP/1.1")),
    "a method in lower case": (400, get(line=b"get /x HTTP/1.1")),
    "a size that is none": (400, post(CHUNKED[:-2], body=b"zz\r\nhello\r\n0\r\n\r\n")),
    "a size with a prefix": (400, post(CHUNKED[:-2], body=b"0x5\r\nhello\r\n0\r\n\r\n")),
    "a negative size": (400, post(CHUNKED[:-2], body=b"-5\r\nhello\r\n0\r\n\r\n")),
    "a size beyond all numbers": (400, post(CHUNKED[:-2], body=b"10000000000000005\r\nhello\r\n0\r\n\r\n")),
    "a chunk longer than its size": (400, post(CHUNKED[:-2], body=b"5\r\nhelloX0\r\n\r\n")),
    "a size that ends with a bare LF": (400, post(CHUNKED[:-2], body=b"5\nhello\n0\n\n")),
    "an extension that ends with a bare LF": (400, post(CHUNKED[:-2], body=b"5;a\nhello\r\n0\r\n\r\n")),
    "Connection names who the client is": (400, get(b"X-Forwarded-For: 1.1.1.1", b"Connection: x-forwarded-for")),
    "Connection names the protocol": (400, get(b"X-Forwarded-Proto: https", b"Connection: close, X-Forwarded-Proto")),
    "Connection names the Host": (400, get(b"Connection: host")),
    "Connection names the path": (400, get(b"Connection: :path")),
    "too many headers": (431, get(*(b"X-%d: 1" % number for number in range(1_001)))),
    "a header that is too large": (431, get(b"X-A: " + b"x" * 33_000)),
    "headers that are too large": (431, get(*(b"X-%d: %s" % (number, b"x" * 1_000) for number in range(33)))),
    "a path that is too long": (431, get(line=b"GET /" + b"x" * 33_000 + b" HTTP/1.1")),
    "two Hosts": (400, get(host=b"Host: shop\r\nHost: evil\r\n")),
    "one Host twice": (400, get(host=HOST + HOST)),
    "a Host with a user": (400, get(host=b"Host: user@shop\r\n")),
    "CONNECT": (404, b"CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n"),
}
REPAIRED = {
    # by name: the request and what legacy got of it
    "a folded value": (get(b"X-A: 1", b" 2"), get(b"X-A: 1 2")),
    "bare LF": (b"GET /x HTTP/1.1\nHost: shop\nX-A: 1\n\n", get(b"X-A: 1")),
    "bare CR in a value": (get(b"X-A: 1\rX-Fig-User: evil"), get(b"X-A: 1X-Fig-User: evil")),
    "CR before CRLF": (get(b"X-A: 1\r"), get(b"X-A: 1")),
    "a tab before a value": (get(b"X-A:\t1"), get(b"X-A: 1")),
    "spaces and tabs in the first line": (get(line=b"GET\t /x  HTTP/1.1"), get()),
    "empty lines before a request": (b"\r\n\r\n" + get(), get()),
    "another Host in an absolute target": (get(line=b"GET http://other/x HTTP/1.1"), get(host=b"Host: other\r\n")),
    "another scheme in an absolute target": (get(line=b"GET https://shop/x HTTP/1.1"), get()),
    "a user in an absolute target": (get(line=b"GET http://u:p@shop/x HTTP/1.1"), get()),
    "chunks in HTTP/1.0": (
        post(CHUNKED[:-2], line=b"POST /x HTTP/1.0", body=b"5\r\nhello\r\n0\r\n\r\n"),
        post(CHUNKED[:-2], body=b"5\r\nhello\r\n0\r\n\r\n"),
    ),
    "a space behind a size": (
        post(CHUNKED[:-2], body=b"5 \r\nhello\r\n0\r\n\r\n"),
        post(CHUNKED[:-2], body=b"5\r\nhello\r\n0\r\n\r\n"),
    ),
    "framing with an underscore": (
        post(b"Transfer_Encoding: chunked", b"Content_Length: 9", b"Content-Length: 5", body=b"hello"),
        post(b"Content-Length: 5", body=b"hello"),
    ),
    "our names": (get(b"X-Fig-User: evil", b"X-FIG-SIDE: lambda", b"X-Fig-Claims: e30"), get()),
    "our names with underscores": (get(b"X_Fig_User: evil", b"X-Fig_Client: evil", b"X_fig-Claims: e30"), get()),
    "our names in trailers": (
        post(CHUNKED[:-2], body=b"0\r\nX-Fig-User: evil\r\nX_Fig_Claims: e30\r\nX-T: 1\r\n\r\n"),
        post(CHUNKED[:-2], body=b"0\r\nx-t: 1\r\n\r\n"),
    ),
    "other underscores": (get(b"X_Under: 1"), get(b"X_Under: 1")),
    "Connection names ours": (get(b"Connection: x-fig-user, x-fig-client, x-fig-route"), get()),
    "Connection names what the client could leave out": (
        get(b"Authorization: x", b"Cookie: a=1", b"Connection: close, authorization, cookie"),
        get(),
    ),
    "Connection names the length": (
        post(b"Content-Length: 5", b"Connection: content-length", body=b"hello"),
        post(b"transfer-encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
    ),
}


@dataclass
class Both:
    """A router and the legacy application behind it."""

    router: Running
    legacy: Scripted


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    environment = {}
    with Scripted().running() as legacy:
        environment["LEGACY_PORT"] = str(legacy.port)
        with running_router(tmp_path_factory.mktemp("strict"), ESTATE, environment=environment) as router:
            yield Both(router, legacy)


@pytest.fixture
def both(shared: Both) -> Both:
    shared.legacy.requests.clear()
    return shared


def own(request: bytes) -> bytes:
    """What legacy got of the client's own request, without what the router adds to every one."""
    head, _, body = request.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(ADDED)]
    return b"\r\n".join(kept) + b"\r\n\r\n" + body


@pytest.mark.parametrize(("status", "request_"), REFUSED.values(), ids=REFUSED)
def test_what_is_ambiguous_is_refused(both: Both, status: int, request_: bytes) -> None:
    """The client gets one answer and the end of its connection; legacy gets neither the request nor what is behind."""
    with client(both.router.port) as wire:
        wire.send(request_ + EVIL)
        head = wire.answer().lower()
        assert int(head.split()[1]) == status
        assert b"\r\nconnection: close\r\n" in head
        wire.socket.shutdown(socket.SHUT_WR)
        assert b"HTTP/1.1" not in wire.rest()
    assert both.legacy.requests == []


def test_the_server_itself_is_no_target(both: Both) -> None:
    """OPTIONS for the whole server is answered 404 by the router, and the next request on the connection is served."""
    with client(both.router.port) as wire:
        wire.send(get(line=b"OPTIONS * HTTP/1.1"))
        assert int(wire.answer().split()[1]) == 404
        assert both.legacy.requests == []
        wire.send(get())
        assert int(wire.answer().split()[1]) == 200
    assert len(both.legacy.requests) == 1


@pytest.mark.parametrize(("request_", "reaches"), REPAIRED.values(), ids=REPAIRED)
def test_what_has_one_meaning_reaches_legacy_as_that(both: Both, request_: bytes, reaches: bytes) -> None:
    """Legacy gets exactly one request, in a form that has one meaning, and nothing in the router's name but its own."""
    with client(both.router.port) as wire:
        wire.send(request_)
        assert int(wire.answer().split()[1]) == 200
    (seen,) = both.legacy.requests
    assert own(seen) == reaches
    assert b"\r\nx-fig-client: 127.0.0.1\r\n" in seen
    assert b"\r\nx-fig-route: default\r\n" in seen
    assert b"\r\nx-forwarded-for: " in seen


PLAIN = [(":method", "GET"), (":scheme", "http"), (":path", "/x"), (":authority", "shop")]


def instead(name: str, value: str) -> list[tuple[str, str]]:
    """The plain request with another value of one pseudo-header."""
    return [(one, value if one == name else given) for one, given in PLAIN]


HTTP2_REFUSED = {
    "CRLF in a value": [*PLAIN, ("x-a", "1\r\nx-fig-user: evil")],
    "LF in a value": [*PLAIN, ("x-a", "1\nx-fig-user: evil")],
    "CR in a value": [*PLAIN, ("x-a", "1\rx-fig-user: evil")],
    "NUL in a value": [*PLAIN, ("x-a", "1\x00")],
    "CRLF in a name": [*PLAIN, ("x-a\r\nx-b", "1")],
    "a colon in a name": [*PLAIN, ("x-a: 1", "1")],
    "a name in upper case": [*PLAIN, ("X-A", "1")],
    "Connection": [*PLAIN, ("connection", "x-vip"), ("x-vip", "1")],
    "chunks": [*PLAIN, ("transfer-encoding", "chunked")],
    "a length that the body has not": [*PLAIN, ("content-length", "7")],
    "two lengths": [*PLAIN, ("content-length", "0"), ("content-length", "7")],
    "two paths": [*PLAIN, (":path", "/evil")],
    "two hosts": [*PLAIN, (":authority", "evil")],
    "an unknown pseudo-header": [*PLAIN, (":evil", "1")],
    "pseudo-headers behind others": [("x-a", "1"), *PLAIN],
    "a request line in the path": instead(":path", "/x HTTP/1.1\r\nx-fig-user: evil"),
    "a space in the path": instead(":path", "/x HTTP/1.1"),
    "a relative path": instead(":path", "x"),
    "an absolute path": instead(":path", "http://evil/"),
    "a request line in the method": instead(":method", "GET /evil HTTP/1.1\r\nx: "),
    "CRLF in the host": instead(":authority", "shop\r\nx-fig-user: evil"),
    "a scheme with a path": instead(":scheme", "http://evil/?"),
    "too many headers": [*PLAIN, *((f"x-{number}", "1") for number in range(1_001))],
    "a header that is too large": [*PLAIN, ("x-a", "x" * 33_000)],
}


@pytest.mark.parametrize("headers", HTTP2_REFUSED.values(), ids=HTTP2_REFUSED)
def test_what_http2_smuggles_ends_its_stream_alone(both: Both, headers: list[tuple[str, str]]) -> None:
    """The stream is reset, legacy sees nothing, and the next request on the same connection is served."""
    config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    with socket.create_connection(("127.0.0.1", both.router.port), 20) as connection:
        peer = h2.connection.H2Connection(config)
        peer.initiate_connection()
        for stream, sent in ((1, headers), (3, PLAIN)):
            peer.send_headers(stream, sent, end_stream=True)
        connection.sendall(peer.data_to_send())
        outcome: dict[int, str] = {}
        while len(outcome) < 2:
            data = connection.recv(65536)
            assert data, "the connection ended"
            for event in peer.receive_data(data):
                if isinstance(event, h2.events.StreamReset):
                    outcome[event.stream_id or 0] = "reset"
                elif isinstance(event, h2.events.ResponseReceived):
                    outcome[event.stream_id or 0] = str(dict(event.headers or [])[b":status"], "ascii")
            connection.sendall(peer.data_to_send())
    assert outcome == {1: "reset", 3: "200"}
    assert [b"evil" in one for one in both.legacy.requests] == [False]
