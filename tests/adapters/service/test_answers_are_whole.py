"""An answer is whole or it is none; what was not sent was not done; and no log has what a query holds."""

import gzip
import logging
import socket
import zlib
from collections.abc import Iterator

import pytest

from adapters import effects
from adapters.deadline import Deadline, in_force
from adapters.errors import ConnectionLost, DeadlineExceeded, Rejected, Unreachable
from adapters.profiles.document import service
from adapters.service import HttpService
from adapters.service.coding import codings_of, unpacked

from .site import Site, answer, peer, site

TEXT = b"every branch of the bank " * 10_000


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    """A service without TLS."""
    with site() as one:
        yield one


@pytest.fixture
def core(running: Site) -> Site:
    """The same, which saw nothing yet."""
    running.seen.clear()
    running.acts.clear()
    return running


def raw(data: bytes) -> bytes:
    """Deflate without zlib's header, as some servers send it."""
    one = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return one.compress(data) + one.flush()


PACKED = {
    "gzip": gzip.compress(TEXT),
    "X-GZip": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
    "deflate": zlib.compress(TEXT),
    " Deflate": raw(TEXT),
    "gzip, gzip": gzip.compress(gzip.compress(TEXT)),
    "identity": TEXT,
}


@pytest.mark.parametrize("coding", PACKED)
def test_a_packed_answer_is_unpacked(core: Site, coding: str) -> None:
    """What the service packs without being asked arrives as it was, and no header tells of the packed one."""
    core.acts += [answer(200, PACKED[coding], ("content-encoding", coding), ("etag", "e"))]
    got = core.service().get("/")
    assert got.body == TEXT
    assert got.headers["etag"] == "e"
    assert ("content-encoding" in got.headers) is (coding == "identity")


@pytest.mark.parametrize("coding", list(PACKED)[:-1])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_half_of_a_packed_answer_is_none(core: Site, coding: str, share: float) -> None:
    """An answer whose packed stream lacks its end is lost, however well it is framed: only a GET is made again."""
    half = PACKED[coding][: int(len(PACKED[coding]) * share)]
    core.acts += [answer(200, half, ("content-encoding", coding))]
    assert core.service().get("/").json() == {"ok": True}
    core.acts += [answer(200, half, ("content-encoding", coding))]
    with pytest.raises(ConnectionLost, match="ended before its end") as caught:
        core.service().post("/")
    assert not caught.value.nothing_done
    assert [one.method for one in core.seen] == ["GET", "GET", "POST"]


def test_what_is_packed_otherwise_stays_as_it_is(core: Site) -> None:
    """A coding that is not known here is the caller's business: body and header pass."""
    core.acts += [answer(200, b"packed", ("content-encoding", "br"))]
    got = core.service().get("/")
    assert (got.body, got.headers["content-encoding"]) == (b"packed", "br")
    assert codings_of("gzip, br") is None


def test_a_packed_answer_that_is_none_is_refused(core: Site) -> None:
    """Bytes that are no such stream, and one packed over and over, are refused; the connection is not used again."""
    core.acts += [answer(200, b"plain text", ("content-encoding", "gzip"))]
    with pytest.raises(Rejected, match="not packed as it says"):
        core.service().get("/")
    core.acts += [answer(200, b"x", ("content-encoding", ",".join(["gzip"] * 6)))]
    with pytest.raises(Rejected, match="packed 6 times"):
        core.service().get("/")


def test_what_follows_a_stream_is_no_part_of_it() -> None:
    """Padding after the last member does not count, and an empty body is an empty one."""
    packed = gzip.compress(b"text")
    for rest in (b"\0", b"\0" * 512, b"garbage"):
        assert b"".join(unpacked([packed + rest, b"more"], ("gzip",))) == b"text"
    assert b"".join(unpacked([packed[:5], packed[5:]], ("gzip",))) == b"text"
    assert b"".join(unpacked([], ("gzip", "deflate"))) == b""
    with pytest.raises(ConnectionLost):
        list(unpacked([b"\x78"], ("deflate",)))


def test_a_bomb_is_noticed_before_it_is_unpacked(core: Site) -> None:
    """The limit is of what comes out: a small answer that unpacks to a huge one is refused on the way."""
    bomb = gzip.compress(gzip.compress(b"\0" * 5_000_000))
    core.acts += [answer(200, bomb, ("content-encoding", "gzip, gzip"))]
    with pytest.raises(Rejected, match="more than 100000 bytes"):
        core.service(largest_answer=100_000).get("/")


def test_bottomless_json_is_none(core: Site) -> None:
    """JSON that is nested too deeply is refused as what is no JSON."""
    core.acts += [answer(200, b"[" * 100_000)]
    with pytest.raises(Rejected, match="not JSON"):
        core.service().get("/").json()
    with pytest.raises(ValueError, match="JSON"):
        core.service().post("/", json_body={"ratio": float("nan")})


@pytest.mark.parametrize("chunk", [b"-5\r\nhello\r\n0\r\n\r\n", b"zz\r\n\r\n", b"5\r\nhe"])
def test_a_framing_that_is_wrong_is_a_lost_answer(chunk: bytes) -> None:
    """A chunk of a size below zero, of none, and half a chunk: the answer is lost, by our own error."""

    def speak(accepted: socket.socket) -> None:
        accepted.recv(65536)
        accepted.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk)

    with peer(speak) as end:
        core = HttpService(service("core", {"endpoints": [end], "tls": {"mode": "off"}, "retries": 0}))
        with pytest.raises(ConnectionLost):
            core.get("/")


def test_what_raises_before_it_is_sent_is_no_effect(core: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that fails on its way to the socket did nothing: legacy may still serve the request, a POST too."""
    one = core.service()
    with effects.new_page():
        with pytest.raises(ValueError, match="Invalid header value of X-City"):
            one.post("/", headers={"X-City": "Łódź"})
        assert effects.noted() == ()

        def broken(*_arguments: object, **_options: object) -> None:
            message = "a fault of ours"
            raise LookupError(message)

        monkeypatch.setattr(one, "_drop_what_is_old", broken)
        with pytest.raises(LookupError):
            one.post("/")
        assert effects.noted() == ()
        monkeypatch.undo()
        monkeypatch.setattr(one, "_read", broken)
        with pytest.raises(LookupError):
            one.post("/")
        assert effects.noted() == ("asking core: POST /",)


def test_a_deadline_between_connecting_and_sending_did_nothing(core: Site) -> None:
    """The time may be over when the connection stands: nothing was sent, so legacy may answer."""
    clock = [0.0]
    one = core.service()
    one.get("/")
    with (
        in_force(Deadline(1.0, clock=lambda: clock[0])),
        effects.new_page(),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(one, "_drop_what_is_old", lambda: clock.append(clock.pop() + 2.0))
        with pytest.raises(DeadlineExceeded, match="sending to core") as caught:
            one.post("/")
        assert (caught.value.nothing_done, effects.noted()) == (True, ())


def test_no_log_has_a_query(core: Site, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG urllib3 tells every request: without its query, which may hold what is secret, and only of our calls."""
    with caplog.at_level(logging.DEBUG):
        core.service().get("/accounts?iban=DE00", query={"token": "s3cret"})
        with pytest.raises(Unreachable):
            HttpService(service("away", {"endpoints": ["127.0.0.1:1"], "retries": 0})).get("/?token=s3cret")
        logging.getLogger("urllib3.connectionpool").debug("of others: %s", "/?kept=1")
    assert "/accounts" in caplog.text
    assert "/?kept=1" in caplog.text
    assert "s3cret" not in caplog.text
    assert "DE00" not in caplog.text
