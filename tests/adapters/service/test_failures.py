"""When a call is made again, when it is not, and what is known to have happened."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from adapters import effects
from adapters.deadline import Deadline, in_force
from adapters.errors import (
    ConnectionLost,
    DeadlineExceeded,
    Overloaded,
    ProfileInvalid,
    ProxyRefused,
    ShadowSuppressed,
    Unreachable,
)
from adapters.profiles.document import service
from adapters.profiles.load import forget
from adapters.service import HttpService
from adapters.shadow import marked

from .site import LONG, Act, Script, Site, answer, connect_proxy, dripping, drop, peer, silent, site


@pytest.fixture
def core() -> Iterator[Site]:
    """A service without TLS."""
    with site() as one:
        yield one


def closed() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def hang(one: BaseHTTPRequestHandler) -> None:
    """Say nothing for as long as the caller stays."""
    one.connection.settimeout(LONG)
    with contextlib.suppress(OSError):
        one.connection.recv(1)
    one.close_connection = True


def drip(one: BaseHTTPRequestHandler) -> None:
    """Begin an answer, and send a byte of its body now and then."""
    one.send_response(200)
    one.send_header("content-length", "100000")
    one.end_headers()
    with contextlib.suppress(OSError):
        for _ in range(1000):
            one.wfile.write(b"x")
            one.wfile.flush()
            time.sleep(0.02)  # slowness is what it is for


def test_a_lost_answer_is_asked_for_again_where_that_is_safe(core: Site) -> None:
    """GET, PUT and DELETE are made again when their answer is lost."""
    for method in ("GET", "PUT", "DELETE"):
        core.acts += [drop]
        assert core.service().request(method, "/").status == 200
    assert [one.method for one in core.seen] == ["GET", "GET", "PUT", "PUT", "DELETE", "DELETE"]


def test_a_post_is_sent_once(core: Site) -> None:
    """Whether a POST whose answer is lost was done is not known, so neither it nor legacy does it again."""
    core.acts += [drop]
    with effects.new_page():
        with pytest.raises(ConnectionLost) as caught:
            core.service().post("/orders")
        assert effects.noted() == ("asking core: POST /orders",)
    assert (len(core.seen), caught.value.nothing_done) == (1, False)


def test_a_post_with_a_key_is_made_again_with_it(core: Site) -> None:
    """An idempotency key makes a POST safe to repeat, and is the same in each try."""
    core.acts += [drop, answer(503)]
    assert core.service().post("/orders", idempotency_key="k-1").status == 200
    assert [one.headers["idempotency-key"] for one in core.seen] == ["k-1"] * 3


@pytest.mark.parametrize(("method", "tries"), [("GET", 3), ("POST", 1)])
@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_service_that_is_unwell_is_asked_again(core: Site, method: str, tries: int, status: int) -> None:
    """502, 503 and 504 are worth other tries where that is safe; the last answer is the caller's."""
    core.acts += [answer(status, b"later")] * 3
    got = core.service().request(method, "/")
    assert (got.status, got.text(), len(core.seen)) == (status, "later", tries)


def test_other_errors_are_answers(core: Site) -> None:
    """500 and 429 say that the service ran: they are not asked for again."""
    core.acts += [answer(500), answer(429)]
    one = core.service()
    assert (one.get("/").status, one.get("/").status) == (500, 429)


def test_what_was_not_sent_is_tried_again_whatever_it_is(core: Site) -> None:
    """A connection that does not come about is no risk: a POST is tried again, and is no effect of the invocation."""
    port = closed()
    one = HttpService(service("core", {"endpoints": [f"127.0.0.1:{port}"], "tls": {"mode": "off"}}))
    with effects.new_page():
        with pytest.raises(Unreachable) as caught:
            one.post("/orders")
        assert effects.noted() == ()
    assert caught.value.nothing_done
    both = {"endpoints": [f"127.0.0.1:{port}", f"127.0.0.1:{core.port}"], "tls": {"mode": "off"}}
    assert HttpService(service("core", both)).post("/orders").status == 200


def test_a_second_failure_does_not_hide_the_first(core: Site) -> None:
    """When a try may have been done, no later error says that nothing was."""
    tries: list[int] = []

    @contextlib.contextmanager
    def guard() -> Iterator[None]:
        tries.append(1)
        if len(tries) == 2:
            message = "the circuit is open"
            raise Overloaded(message)
        yield

    core.acts += [drop]
    with pytest.raises(Overloaded) as caught:
        core.service(guard=guard).request("PUT", "/orders/7")
    assert not caught.value.nothing_done


def test_tries_stay_inside_the_budget(core: Site) -> None:
    """A try that would begin after the deadline is not made: the first failure is told instead."""
    core.acts += [answer(503)] * 10
    with in_force(Deadline(0.08)):
        got = core.service(retries=9).get("/")
    assert got.status == 503
    assert len(core.seen) < 4


def test_after_the_deadline_nothing_is_sent(core: Site) -> None:
    """When the time is over the error says what was about to be asked, and that nothing was done."""
    with in_force(Deadline(-0.1)), pytest.raises(DeadlineExceeded, match="while asking core: POST /orders") as caught:
        core.service().post("/orders?token=1")
    assert (core.seen, caught.value.nothing_done, caught.value.status) == ([], True, 504)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize("act", [hang, drip])
def test_the_deadline_ends_an_answer(core: Site, act: Act) -> None:
    """A service that is silent, and one that drips, are left when the invocation's time is over."""
    core.acts += [act]
    begin = time.monotonic()
    with in_force(Deadline(0.3)), pytest.raises(DeadlineExceeded, match="asking core: GET /slow") as caught:
        core.service(read_timeout=LONG).get("/slow")
    assert time.monotonic() - begin < 5
    assert not caught.value.nothing_done


@pytest.mark.parametrize("act", [hang, drip])
def test_an_answer_has_its_own_bound(core: Site, act: Act) -> None:
    """Outside of an invocation the profile bounds the answer's head, and its body as a whole."""
    core.acts += [act]
    begin = time.monotonic()
    with pytest.raises(ConnectionLost):
        core.service(read_timeout=0.3, retries=0).get("/slow")
    assert time.monotonic() - begin < 5
    assert core.service().get("/").status == 200


@pytest.mark.parametrize("script", [silent, dripping])
def test_a_silent_handshake_is_given_up(script: Script) -> None:
    """A peer that accepts and never shakes hands costs the handshake's bound, and the deadline wins over it."""
    with peer(script) as end:
        document = {"endpoints": [end], "tls": {"name": "core.example"}, "handshake_timeout": 0.3, "retries": 0}
        with pytest.raises(Unreachable) as caught:
            HttpService(service("core", document)).post("/")
        assert caught.value.nothing_done
        slow = HttpService(service("core", document | {"handshake_timeout": LONG}))
        begin = time.monotonic()
        with in_force(Deadline(0.3)), pytest.raises((DeadlineExceeded, Unreachable)) as late:
            slow.post("/")
        assert late.value.nothing_done
        assert time.monotonic() - begin < 5


def test_a_reader_that_stops_reading_is_given_up() -> None:
    """A peer that takes no more bytes bounds sending, too."""

    def deaf(accepted: socket.socket) -> None:
        accepted.recv(1)
        threading.Event().wait(5)

    with peer(deaf) as end:
        document = {"endpoints": [end], "tls": {"mode": "off"}, "read_timeout": 0.3, "retries": 0}
        with pytest.raises(ConnectionLost):
            HttpService(service("core", document)).post("/", body=b"x" * 50_000_000)


def test_through_a_proxy(core: Site) -> None:
    """CONNECT names the service as the profile does; the request goes through the tunnel."""
    with connect_proxy(core.port) as (port, asked):
        document = {
            "endpoints": ["core.bank.example:8080"],
            "tls": {"mode": "off"},
            "proxy": f"http://127.0.0.1:{port}",
        }
        got = HttpService(service("core", document)).get("/x")
        assert (got.status, asked) == (200, ["CONNECT core.bank.example:8080 HTTP/1.1"])
    assert core.seen[0].headers["host"] == "core.bank.example"


def test_a_proxy_that_refuses_is_told(core: Site) -> None:
    """A proxy that says no is named; nothing was sent, and no other try is made."""
    asked: list[bytes] = []

    def refuse(accepted: socket.socket) -> None:
        asked.append(accepted.recv(65536))
        accepted.sendall(b"HTTP/1.1 403 Filtered\r\n\r\n")

    with peer(refuse) as end, pytest.raises(ProxyRefused, match="403 Filtered") as caught:
        core.service(proxy=f"http://{end}").post("/")
    assert (len(asked), caught.value.nothing_done) == (1, True)


def test_a_shadow_sends_nothing_that_changes(core: Site) -> None:
    """What a shadow may send is GET, HEAD and OPTIONS; all else ends it before anything is connected."""
    one = core.service()
    with marked(shadow=True):
        assert one.get("/").status == 200
        for method in ("POST", "put", "DELETE", "PATCH"):
            with pytest.raises(ShadowSuppressed, match=f"does not send {method.upper()} to core"):
                one.request(method, "/", idempotency_key="k")
    assert [seen.method for seen in core.seen] == ["GET"]


def test_a_shadow_profile_takes_all_of_a_shadow(core: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the profile names another service for shadows, they go there, and only they."""
    with site() as copy:
        own = f'{{"endpoints": "127.0.0.1:{copy.port}", "tls": {{"mode": "off"}}, "base_path": "/copy"}}'
        monkeypatch.setenv("ADAPTERS_SERVICE_CORE_COPY", own)
        forget()
        one = core.service(shadow="core-copy")
        with marked(shadow=True):
            assert one.post("/orders").status == 200
        assert one.post("/orders").status == 200
        assert [seen.target for seen in copy.seen] == ["/copy/orders"]
        assert [seen.target for seen in core.seen] == ["/orders"]
    monkeypatch.delenv("ADAPTERS_SERVICE_CORE_COPY")
    forget()
    with pytest.raises(ProfileInvalid):
        HttpService.named("core-copy")


def test_a_guard_sees_failures_and_can_refuse(core: Site) -> None:
    """A guard is entered for each try, sees errors of our tree, answers that mean unwell too, and its no is final."""
    seen: list[str] = []

    @contextlib.contextmanager
    def guard() -> Iterator[None]:
        if len(seen) == 3:
            message = "the circuit is open"
            raise Overloaded(message)
        try:
            yield
        except Exception as error:
            seen.append(type(error).__name__)
            raise
        seen.append("went well")

    core.acts += [drop, answer(503)]
    one = core.service(guard=guard)
    assert one.get("/").status == 200
    assert seen == ["ConnectionLost", "Unwell", "went well"]
    with effects.new_page():
        with pytest.raises(Overloaded) as caught:
            one.post("/")
        assert (caught.value.nothing_done, effects.noted()) == (True, ())
    assert len(core.seen) == 3
