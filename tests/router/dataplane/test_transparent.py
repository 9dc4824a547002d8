"""The contract of insertion: with every weight at 0 nobody sees the router, but for the list that stands here.

The same bytes go to a legacy application directly and through the router; what it received and what the client
received are compared to the byte. `ADDED_TO_REQUESTS` and the cases with a `because` are the whole list of differences.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .both_ends import Scripted, client, fields
from .harness import Running, running_router

ADDED_TO_REQUESTS = (
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-request-id",
    "x-fig-hops",
    "x-fig-route",
    "x-fig-side",
    "x-fig-client",
    "x-fig-user",
)
"""Headers that legacy gets from the router, after all others; where the client sent one, its own stays in its place."""

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
legacy:
  shop:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:9
    timeout: 1s
routes:
  split: {match: {path: {prefix: /split}}, legacy: shop, lambda: books, timeout: 10s}
  plain: {match: {path: {prefix: /plain}}, legacy: shop}
  stream: {match: {path: {prefix: /stream}}, legacy: shop, stream: true}
"""
PREFIXES = {"two-sided route": "/split", "legacy-only route": "/plain", "stream": "/stream", "default route": "/other"}

OK = "HTTP/1.1 200 OK\r\nServer: Old/1.0\r\nDate: Tue, 01 Jan 2019 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nhi"
CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"
DATED = "Date: Tue, 01 Jan 2019 00:00:00 GMT\r\n"


@dataclass(frozen=True)
class Case:
    """A request, legacy's answer, and what becomes of either where the router may not leave it as it is.

    `@` stands for the path below the route's prefix; a header's name alone on a line of `arrives` is of any value.
    """

    name: str
    request: str
    answer: str = OK
    reaches: str | None = None
    arrives: str | None = None
    because: str = ""


def get(*headers: str, line: str = "GET @ HTTP/1.1", host: str = "Host: app.example", body: str = "") -> str:
    """A request with these headers."""
    lines = [line, *([host] if host else []), *headers]
    return "".join(f"{one}\r\n" for one in lines) + "\r\n" + body


def answer(*headers: str, line: str = "HTTP/1.1 200 OK", body: str = "") -> str:
    """An answer with these headers and a date."""
    return "".join(f"{one}\r\n" for one in (line, *headers)) + DATED + "\r\n" + body


UNCHANGED = [
    Case(
        "header names keep their case, values and order",
        get("User-Agent: x/1", "X-CamelCase: A", "x-lower: b", "ACCEPT: */*", "X-Y: 2", "eTaG: c"),
        answer("X-CamelCase: 1", "server: Old/1.0", "ETag: x", "WWW-Foo: y", "Content-Length: 0"),
    ),
    Case(
        "repeated headers stay apart",
        get("Cookie: a=1", "X-R: 1", "Cookie: b=2", "X-R: 2"),
        answer("Set-Cookie: a=1", "Content-Length: 0", "Set-Cookie: b=2"),
    ),
    Case(
        "119 headers",
        get(*(f"X-H{i}: {i}" for i in range(118))),
        answer(*(f"X-H{i}: {i}" for i in range(118)), "Content-Length: 0"),
    ),
    Case("a Host with its port", get(host="Host: App.Example:8080")),
    Case(
        "odd header values and names",
        get("X-Latin: caf\xe9", "X-Tab: a\tb", 'X-Q: "a\\"b",,', "X_Under: 1", "X.Dot!#$%&'*+-^`|~: 1"),
        answer("X-Latin: \xfc", "X_Under: 2", "Content-Length: 0"),
    ),
    Case("odd paths", get(line="GET @//b/./c/../d%2Fe%2e\\f;v=1?x=%20|{}&&?/ HTTP/1.1")),
    Case("a query alone", get(line="GET @?a=1&a=2 HTTP/1.1")),
    Case("methods of WebDAV", get("Content-Length: 0", line="PROPFIND @ HTTP/1.1")),
    Case("a body with its length", get("Content-Length: 5", line="POST @ HTTP/1.1", body="a\r\n\0b")),
    Case("a GET with a body", get("Content-Length: 2", body="hi")),
    Case("HEAD keeps the length", get(line="HEAD @ HTTP/1.1"), answer("Content-Length: 1234")),
    Case("204 has no length", get(line="DELETE @ HTTP/1.1"), answer("X: 1", line="HTTP/1.1 204 No Content")),
    Case("304 keeps the length", get(), answer('ETag: "1"', "Content-Length: 5", line="HTTP/1.1 304 Not Modified")),
    Case("reason phrases", get(), answer("Content-Length: 0", line="HTTP/1.1 404 Nicht Da")),
    Case("unknown statuses", get(), answer("Content-Length: 0", line="HTTP/1.1 599 Odd")),
    Case(
        "legacy's own 503 with Retry-After", get(), answer("Retry-After: 7", "Content-Length: 0", line="HTTP/1.1 503 x")
    ),
    Case(
        "compressed bodies",
        get("Accept-Encoding: gzip"),
        answer("Content-Encoding: gzip", "Content-Length: 3", body="\x1f\x8b\0"),
    ),
    Case(
        "100-continue",
        get("Expect: 100-continue", "Content-Length: 2", line="POST @ HTTP/1.1", body="hi"),
        CONTINUE + OK,
    ),
    Case("early hints", get(), "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + OK),
    Case(
        "who was in front",
        get("X-Forwarded-Host: b", "X-Forwarded-Port: 443", "Forwarded: for=1.1.1.1", "Via: 1.1 vip"),
    ),
    Case(
        "TLS that ended in front",
        get("X-Forwarded-Proto: https", "X-Forwarded-Client-Cert: By=vip;Hash=01", "X-Forwarded-Port: 443"),
    ),
    Case("what the VIP numbered", get("X-Request-Id: mine")),
    Case(
        "a trace",
        get(
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b", "X-B3-TraceId: 1"
        ),
    ),
    Case("half a trace", get("tracestate: a=b", "baggage: c=d")),
    Case("an answer with 100 KiB of headers", get(), answer(*["X-Big: " + "x" * 1000] * 100, "Content-Length: 0")),
    Case(
        "authentication, to a proxy too",
        get("Authorization: Basic eA==", "Proxy-Authorization: Basic eA=="),
        answer(
            "WWW-Authenticate: Basic realm=x", "Proxy-Authenticate: Basic", "Content-Length: 0", line="HTTP/1.1 401 No"
        ),
    ),
]

CHANGED = [
    Case(
        "HTTP/1.0",
        get(line="GET @ HTTP/1.0"),
        reaches=get(),
        arrives=OK.replace("HTTP/1.1", "HTTP/1.0").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"),
        because="upstream connections are HTTP/1.1",
    ),
    Case(
        "HTTP/1.0 without Host",
        get(line="GET @ HTTP/1.0", host=""),
        reaches=get(host="host: localhost"),
        arrives=OK.replace("HTTP/1.1", "HTTP/1.0").replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"),
        because="upstream connections are HTTP/1.1, which needs a Host",
    ),
    Case(
        "HTTP/1.0 with keep-alive",
        get("Connection: keep-alive", line="GET @ HTTP/1.0"),
        reaches=get(),
        arrives=OK.replace("HTTP/1.1", "HTTP/1.0").replace("\r\n\r\n", "\r\nconnection: keep-alive\r\n\r\n"),
        because="each side has its own connection",
    ),
    Case(
        "Connection: close of the client",
        get("Connection: close"),
        reaches=get(),
        arrives=OK.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"),
        because="each side has its own connection",
    ),
    Case(
        "hop-by-hop headers",
        get(
            "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "Connection: keep-alive, X-Hop", "X-Hop: 1", "A: b"
        ),
        answer("Keep-Alive: timeout=5", "Connection: Keep-Alive", "Content-Length: 0"),
        reaches=get("A: b"),
        arrives=answer("Content-Length: 0"),
        because="each side has its own connection",
    ),
    Case(
        "an absolute target",
        get(line="GET http://abs.example@?x=1 HTTP/1.1"),
        reaches=get(line="GET @?x=1 HTTP/1.1", host="Host: abs.example"),
        because="a proxy's form of the target becomes a server's",
    ),
    Case(
        "offers of other protocols",
        get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
        reaches=get(),
        because="WebSocket is the one upgrade that is passed on",
    ),
    Case(
        "chunks, extensions and trailers",
        get("Transfer-Encoding: chunked", line="POST @ HTTP/1.1", body="5;ext=1\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"),
        answer("Transfer-Encoding: chunked", body="3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"),
        reaches=get(
            "+", "Transfer-Encoding: chunked", line="POST @ HTTP/1.1", body="5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n"
        ),
        arrives=answer("Transfer-Encoding: chunked", body="3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n").replace(
            "Transfer-Encoding: chunked\r\n" + DATED, DATED + "Transfer-Encoding: chunked\r\n"
        ),
        because="chunks are framed anew: no extensions, trailers in lower case, Transfer-Encoding last",
    ),
    Case(
        "one header in two cases",
        get("X-R: 1", "x-r: 2"),
        answer("Set-Cookie: a=1", "set-cookie: b=2", "Content-Length: 0"),
        reaches=get("X-R: 1", "X-R: 2"),
        arrives=answer("Set-Cookie: a=1", "Set-Cookie: b=2", "Content-Length: 0"),
        because="a repeated header has the case of its first",
    ),
    Case(
        "spaces around values",
        get("X-Empty:", "X-Sp:   v  "),
        reaches=get("X-Empty: ", "X-Sp: v"),
        because="whitespace around a value has no meaning",
    ),
    Case(
        "a POST without a length",
        get(line="POST @ HTTP/1.1"),
        reaches=get("+", "content-length: 0", line="POST @ HTTP/1.1"),
        because="a body's length is always stated",
    ),
    Case(
        "no Date and no reason",
        get(),
        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        arrives="HTTP/1.1 200 OK\r\nContent-Length: 0\r\ndate\r\n\r\n",
        because="an answer without them gets the standard's",
    ),
    Case(
        "an answer that ends with its connection",
        get(),
        answer(line="HTTP/1.0 200 OK", body="hello"),
        arrives=answer().replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        because="the client's connection stays open",
    ),
    Case(
        "HEAD without a length",
        get(line="HEAD @ HTTP/1.1"),
        answer("Content-Type: x"),
        arrives=answer("Content-Type: x").replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n"),
        because="a HEAD is answered as its GET would be",
    ),
]


@dataclass
class Both:
    """A router and the legacy application behind it."""

    router: Running
    legacy: Scripted


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("transparent")
    with (
        Scripted().running() as legacy,
        running_router(folder, ESTATE, environment={"LEGACY_PORT": str(legacy.port)}) as router,
    ):
        yield Both(router, legacy)


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
@pytest.mark.parametrize("case", [*UNCHANGED, *CHANGED], ids=lambda case: case.name)
def test_nobody_sees_the_router(both: Both, case: Case, prefix: str) -> None:
    """What legacy and the client receive is the same with and without the router, but for the list."""
    request = case.request.replace("@", f"{prefix}/x").encode("latin-1")
    direct = exchange(both.legacy, both.legacy.port, request, case)
    routed = exchange(both.legacy, both.router.port, request, case)
    assert direct == (request, case.answer.encode("latin-1"))
    reaches = case.reaches.replace("@", f"{prefix}/x") if case.reaches else request.decode("latin-1")
    assert without_added(routed[0].decode("latin-1"), reaches) == reaches.replace("+\r\n", "")
    assert any_value(routed[1].decode("latin-1"), case.arrives) == (case.arrives or case.answer)


def exchange(legacy: Scripted, port: int, request: bytes, case: Case) -> tuple[bytes, bytes]:
    """What legacy received, and what the client received, interim answers included."""
    legacy.requests.clear()
    reply = case.answer.encode("latin-1")
    # What has no length ends with the connection.
    ends = reply.startswith(b"HTTP/1.0")
    legacy.script = lambda wire, _request: wire.send(reply) if ends else reply
    with client(port) as wire:
        wire.send(request)
        received = wire.answer(request.split()[0].decode())
    return legacy.requests[0], received


def without_added(request: str, wanted: str) -> str:
    """The request without what the router adds to every one, which must stand after all that the client sent."""
    head, _, body = request.partition("\r\n\r\n")
    lines = head.split("\r\n")
    own = {line.split(":")[0].lower() for line in wanted.split("\r\n")}
    added = [line for line in lines if line.split(":")[0] in ADDED_TO_REQUESTS and line.split(":")[0] not in own]
    first = lines.index(added[0])
    framing = {"transfer-encoding", "content-length"} if "+\r\n" in wanted else set()
    assert all(line in added or line.split(":")[0].lower() in framing for line in lines[first:])
    return "\r\n".join(line for line in lines if line not in added) + "\r\n\r\n" + body


def any_value(received: str, wanted: str | None) -> str:
    """What was received, without the values of headers whose names stand alone in what is wanted."""
    alone = {line for line in (wanted or "").split("\r\n") if line and ":" not in line and " " not in line}
    return "\r\n".join(line.split(":")[0] if line.split(":")[0] in alone else line for line in received.split("\r\n"))


def test_addresses_in_front_stay_in_front(both: Both) -> None:
    """X-Forwarded-For keeps what proxies wrote and gets the peer's address at its end."""
    both.legacy.requests.clear()
    both.legacy.script = lambda _wire, _request: OK.encode()
    both.router.request("/other", [("X-Forwarded-For", "203.0.113.9")])
    first, _, peer = fields(both.legacy.requests[0])["x-forwarded-for"].partition(",")
    assert (first, bool(peer)) == ("203.0.113.9", True)
