import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.functions.http_server import MAX_HEAD
from infra.local.functions.request_body import DRAIN_LIMIT, ChunkedBody, Malformed, SizedBody
from tests.local.running import ROOT, Running

ECHO = f"POST {ROOT}echo/invocations HTTP/1.1\r\nHost: x\r\n".encode()


@contextmanager
def connected(lambda_: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", lambda_.port), timeout=20) as connection:
        yield connection


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        assert piece, f"closed after {data!r}"
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    assert len(body) == length, "an answer and something else"
    return int(head.split(b" ")[1]), body


def is_closed(connection: socket.socket) -> bool:
    return connection.recv(1) == b""


def test_a_connection_serves_one_request_after_the_other(lambda_: Running) -> None:
    """Connections are kept alive."""
    with connected(lambda_) as connection:
        for number in range(3):
            connection.sendall(ECHO + b"Content-Length: 1\r\n\r\n%d" % number)
            assert read_answer(connection) == (200, b"%d" % number)


def test_requests_sent_ahead_are_answered_in_order(lambda_: Running) -> None:
    """A client that pipelines gets its answers in the order of its requests."""
    with connected(lambda_) as connection:
        connection.sendall(b"".join(ECHO + b"Content-Length: 3\r\n\r\n%d" % number for number in range(100, 150)))
        data = b""
        while data.count(b"HTTP/1.1 200 OK") < 50 or not data.endswith(b"149"):
            data += connection.recv(65536)
        assert [part[:3] for part in data.split(b"Content-Length: 3\r\n\r\n")[1:]] == [
            b"%d" % number for number in range(100, 150)
        ]


def test_a_request_may_come_byte_by_byte(lambda_: Running) -> None:
    """Where TCP cuts a request does not matter."""
    with connected(lambda_) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"\r\n" + ECHO + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n[1\r\n2\r\n2]\r\n0\r\nT: v\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert read_answer(connection) == (200, b"[12]")


def test_a_client_may_wait_for_leave_to_continue(lambda_: Running) -> None:
    """`Expect: 100-continue` is answered before the body comes."""
    with connected(lambda_) as connection:
        connection.sendall(ECHO + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert read_answer(connection) == (200, b"{}")


@pytest.mark.parametrize("head", [b"Connection: close\r\n", b"connection: Close\r\n"])
def test_a_client_may_ask_for_the_connection_to_close(lambda_: Running, head: bytes) -> None:
    """After `Connection: close` the answer is the last."""
    with connected(lambda_) as connection:
        connection.sendall(ECHO + head + b"Content-Length: 2\r\n\r\n{}")
        assert read_answer(connection) == (200, b"{}")
        assert is_closed(connection)


def test_http_1_0_closes_unless_asked_not_to(lambda_: Running) -> None:
    """HTTP/1.0 is understood."""
    with connected(lambda_) as connection:
        request = ECHO.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Content-Length: 2\r\n"
        connection.sendall(request + b"Connection: keep-alive\r\n\r\n{}")
        assert read_answer(connection) == (200, b"{}")
        connection.sendall(request + b"\r\n{}")
        assert read_answer(connection) == (200, b"{}")
        assert is_closed(connection)


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"POST /x HTTP/2.0\r\n\r\n",
        b"POST /x y HTTP/1.1\r\n\r\n",
        ECHO + b"no colon\r\n\r\n",
        ECHO + b" folded: x\r\n\r\n",
        ECHO + b"Name : x\r\n\r\n",
        ECHO + b"A: b\nC: d\r\n\r\n",
        ECHO + b"A: b\x00\r\n\r\n",
        ECHO + b"Content-Length: -1\r\n\r\n",
        ECHO + b"Content-Length: 2, 2\r\n\r\n{}",
        ECHO + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        ECHO + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        ECHO + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        ECHO + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ECHO + b"Transfer-Encoding: chunked\r\n\r\n1\r\n12\r\n",
        ECHO + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 9_000,
    ],
)
def test_what_is_not_http_is_refused(lambda_: Running, request_: bytes) -> None:
    """A malformed request, or one whose length can be read in two ways, answers 400 and closes the connection."""
    with connected(lambda_) as connection:
        connection.sendall(request_)
        assert read_answer(connection)[0] == 400
        assert is_closed(connection)


def test_too_many_headers_are_refused(lambda_: Running) -> None:
    """More than 64 KiB of head answers 431."""
    with connected(lambda_) as connection:
        connection.sendall(ECHO + b"X: " + b"x" * MAX_HEAD)
        assert read_answer(connection)[0] == 431


def test_after_a_payload_that_is_too_long_the_connection_goes_on(lambda_: Running) -> None:
    """The rest of a long payload is read and dropped: the caller gets 413, and its next request is served."""
    with connected(lambda_) as connection:
        for framing in (b"Content-Length: 7000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n6acfc0\r\n"):
            end = b"" if b"Length" in framing else b"\r\n0\r\n\r\n"
            connection.sendall(ECHO + framing + b"x" * 7_000_000 + end)
            assert read_answer(connection)[0] == 413
        connection.sendall(ECHO + b"Content-Length: 2\r\n\r\n{}")
        assert read_answer(connection) == (200, b"{}")


def test_an_absurd_payload_is_answered_before_it_comes(lambda_: Running) -> None:
    """Nobody waits for gigabytes: 413 at once, and the connection closes."""
    with connected(lambda_) as connection:
        connection.sendall(ECHO + b"Content-Length: %d\r\n\r\n" % (DRAIN_LIMIT + 1))
        assert read_answer(connection)[0] == 413
        assert is_closed(connection)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@settings(max_examples=200, deadline=None)
@given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=6), cuts=st.lists(st.integers(0, 999), max_size=8))
def test_a_chunked_body_reads_the_same_however_it_is_cut(chunks: list[bytes], cuts: list[int]) -> None:
    """Chunks in any cut give the content, and the bytes after the body are handed on."""
    encoded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    body = ChunkedBody(limit=1_000)
    rest: bytes | None = None
    for piece in pieces(encoded + b"NEXT", cuts):
        rest = body.feed(piece) if rest is None else rest + piece
    assert (body.content(), rest) == (b"".join(chunks), b"NEXT")


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=60), limit=st.integers(0, 60), cuts=st.lists(st.integers(0, 999), max_size=5))
def test_a_sized_body_reads_the_same_however_it_is_cut(content: bytes, limit: int, cuts: list[int]) -> None:
    """A sized body in any cut gives the content when it is within the limit, and None when it is not."""
    body = SizedBody(len(content), limit)
    rest: bytes | None = body.feed(b"")
    for piece in pieces(content + b"NEXT", cuts):
        rest = body.feed(piece) if rest is None else rest + piece
    assert (body.content(), rest) == (content if len(content) <= limit else None, b"NEXT")


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200))
def test_noise_in_a_chunked_body_is_malformed_or_incomplete(data: bytes) -> None:
    """No bytes make the reader fail in another way."""
    body = ChunkedBody(limit=100)
    try:
        body.feed(data)
    except Malformed:
        return


def test_a_client_that_leaves_does_not_disturb_the_others(lambda_: Running) -> None:
    """A caller may hang up in the middle of anything."""

    async def leave(data: bytes) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", lambda_.port)
        writer.write(data)
        await writer.drain()
        writer.transport.abort()

    async def all_leave() -> None:
        request = ECHO + b"Content-Length: 2\r\n\r\n{}"
        await asyncio.gather(*(leave(request[:length]) for length in range(0, len(request) + 1, 7)))

    asyncio.run(all_leave())
    assert lambda_.invoke("echo", {"still": "here"}).document == {"still": "here"}
