"""What a service is asked, and what the function gets."""

import gzip
import logging
from collections.abc import Iterator

import pytest

from adapters import effects
from adapters.errors import Rejected
from adapters.invocation import handler

from ..envoy_model import Request, event
from .site import Site, answer, site

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def core() -> Iterator[Site]:
    """A service without TLS."""
    with site() as one:
        yield one


def test_a_request_and_its_answer(core: Site) -> None:
    """Base path, query, JSON body and headers arrive; status, headers and body come back."""
    core.acts.append(answer(201, b'{"id": 7}', ("X-Many", "1"), ("X-Many", "2")))
    one = core.service(base_path="/api/", host="core.bank.example")
    got = one.post("/orders?x=1", query={"tag": ["a", "b c"]}, json_body={"book": 7}, headers={"X-Own": "own"})
    assert (got.status, got.json(), got.headers["x-many"]) == (201, {"id": 7}, "1, 2")
    [seen] = core.seen
    assert (seen.method, seen.target) == ("POST", "/api/orders?x=1&tag=a&tag=b+c")
    assert (seen.body, seen.headers["content-type"]) == (b'{"book": 7}', "application/json")
    assert (seen.headers["host"], seen.headers["x-own"]) == ("core.bank.example", "own")


def test_calls_say_that_they_come_from_a_function(core: Site) -> None:
    """Every call carries the mark on which the router leads it to legacy, whatever the caller wrote."""
    core.service().get("/", headers={"X-Fig-Origin": "me", "x-fig-user": "alice"})
    assert core.seen[0].headers["x-fig-origin"] == "lambda"
    assert "x-fig-user" not in core.seen[0].headers


def test_the_trace_goes_on(core: Site) -> None:
    """The request's trace and baggage are the call's, without any SDK."""
    one = core.service()

    @handler
    def function(_event: object, _context: object) -> dict[str, object]:
        return {"statusCode": one.get("/").status}

    headers = (("traceparent", PARENT), ("tracestate", "a=b"), ("baggage", "fig.role=shadow"))
    assert function(event(Request(headers=headers)), None)["status_code"] == 200
    sent = core.seen[0].headers
    assert (sent["traceparent"], sent["tracestate"], sent["baggage"]) == (PARENT, "a=b", "fig.role=shadow")
    one.get("/")
    assert "traceparent" not in core.seen[1].headers


def test_headers_of_another_message_do_not_frame_this_one(core: Site) -> None:
    """Headers that are handed on from the outside cannot smuggle a second request to the service."""
    smuggled = b"GET /admin HTTP/1.1\r\nhost: x\r\n\r\n"
    outside = {"Content-Length": "0", "Transfer-Encoding": "chunked", "Connection": "x-own", "TE": "trailers"}
    core.service().post("/", body=smuggled, headers=outside)
    [seen] = core.seen
    assert (seen.target, seen.body) == ("/", smuggled)
    assert seen.headers["content-length"] == str(len(smuggled))
    assert not {"transfer-encoding", "te", "connection"} & seen.headers.keys()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-a": "1\r\nx-b: secret"},
        {"x-a": "secret\n"},
        {"x-a": "a\0secret"},
        {"x-a": "1\n secret"},
        {"x-a\r\nx-b": "secret"},
        {"Transfer-Encoding ": "secret"},
    ],
)
def test_a_header_that_is_none_is_refused(core: Site, headers: dict[str, str]) -> None:
    """A header cannot write others: that is the caller's fault, nothing is sent, and its value is not told."""
    with pytest.raises(ValueError, match="Invalid header") as refused:
        core.service().get("/", headers=headers)
    assert core.seen == []
    assert "secret" not in str(refused.value)


def test_what_only_the_client_means_is_not_handed_on(core: Site) -> None:
    """The host is the profile's, and an answer comes in a coding that is understood here."""
    core.service().get("/", headers={"Host": "shop.example", "Accept-Encoding": "br, zstd", "X-A": "1"})
    sent = core.seen[0].headers
    assert sent["host"] != "shop.example"
    assert "br" not in sent.get("accept-encoding", "")
    assert sent["x-a"] == "1"


@pytest.mark.parametrize("key", ["", " "])
def test_an_empty_idempotency_key_is_none(core: Site, key: str) -> None:
    """A key that a client left empty makes no POST repeatable."""
    core.service().post("/pay", idempotency_key=key)
    core.service().post("/pay", headers={"Idempotency-Key": key})
    assert all("idempotency-key" not in seen.headers for seen in core.seen)


def test_a_fragment_is_refused(core: Site) -> None:
    """What comes after a # would be lost without a word, the query with it."""
    with pytest.raises(ValueError, match="write %23"):
        core.service().get("/books/C#/pages")
    assert core.seen == []


@pytest.mark.parametrize("path", ["books", "http://elsewhere.example/", "@elsewhere.example/", ""])
def test_a_path_stays_on_the_service(core: Site, path: str) -> None:
    """A path begins with a slash; what could name another host is refused."""
    with pytest.raises(ValueError, match="does not begin with /"):
        core.service().get(path)


@pytest.mark.parametrize(
    "number",
    [
        "..",
        "../admin",
        "..%2Fadmin",
        "%2e%2E/admin",
        ".",
        "..\\admin",
        "7/../../admin",
        "..?x",
        "..;/admin",
        "..%3bx/admin",
    ],
)
def test_a_path_does_not_climb(core: Site, number: str) -> None:
    """What a client put into a path cannot lead out of the base path; dots elsewhere are nobody's harm."""
    one = core.service(base_path="/api")
    with pytest.raises(ValueError, match="has a dot segment"):
        one.get(f"/orders/{number}")
    assert core.seen == []
    assert one.get("/orders/..7/a..b?next=../x").status == 200


def test_what_cannot_stand_in_a_target_is_encoded(core: Site) -> None:
    """A line break or a space in a path does not end the request line."""
    core.service().get("/a b\r\nx-evil: 1/é")
    assert core.seen[0].target == "/a%20b%0D%0Ax-evil:%201/%C3%A9"


def test_redirects_are_not_followed(core: Site) -> None:
    """A redirect is an answer like any other: it could lead anywhere."""
    core.acts.append(answer(302, b"", ("location", "http://elsewhere.example/")))
    assert core.service().get("/").status == 302
    assert len(core.seen) == 1


def test_a_connection_is_kept(core: Site) -> None:
    """Calls within a short time share a connection; after an idle time by the wall clock another one is made."""
    one = core.service()
    one.get("/")
    one.get("/")
    assert core.connections == 1
    old = core.service(idle_recycle=1e-9)
    old.get("/")
    old.get("/")
    assert core.connections == 3


def test_close_forgets_the_connection(core: Site) -> None:
    """After `close`, as before a snapshot, the next call connects anew."""
    one = core.service()
    one.close()
    one.get("/")
    one.close()
    one.get("/")
    assert core.connections == 2


@pytest.mark.parametrize("zipped", [False, True])
def test_an_answer_is_read_up_to_its_limit(core: Site, zipped: bool) -> None:  # noqa: FBT001 - a case
    """What is larger than the profile allows is refused, counted as it is unpacked, and the service goes on."""
    body, headers = b"x" * 200_001, (("content-encoding", "gzip"),) if zipped else ()
    one = core.service(largest_answer=200_000)
    for size, is_ok in ((200_000, True), (200_001, False)):
        core.acts.append(answer(200, gzip.compress(body[:size]) if zipped else body[:size], *headers))
        if is_ok:
            assert len(one.get("/").body) == size
        else:
            with pytest.raises(Rejected, match="core answered more than 200000 bytes"):
                one.get("/")
    assert one.get("/").json() == {"ok": True}


def test_an_answer_that_is_not_as_expected(core: Site) -> None:
    """`expect` and `json` turn an answer into an error that says who answered what."""
    core.acts += [answer(404, b"no"), answer(404, b"no"), answer(200, b"<html>")]
    one = core.service()
    assert one.get("/").expect(404).text() == "no"
    with pytest.raises(Rejected, match="core answered 404"):
        one.get("/").expect()
    with pytest.raises(Rejected, match="not JSON"):
        one.get("/").expect().json()


def test_what_changes_something_is_noted(core: Site) -> None:
    """A POST that was sent is an effect of the invocation, a GET is none."""
    one = core.service()
    with effects.new_page():
        one.get("/")
        assert effects.noted() == ()
        one.post("/orders?secret=1")
        assert effects.noted() == ("asking core: POST /orders",)


def test_the_budget_is_stated_once(core: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The first call says in the log how many connections all environments may hold, if the profile has figures."""
    one = core.service(budget={"environments": 50, "connections": 60})
    with caplog.at_level(logging.INFO, logger="adapters"):
        one.get("/")
        one.get("/")
        core.service().get("/")
    said = [record.getMessage() for record in caplog.records]
    assert said == ["core: one connection for each environment, at most 50, of 60 that the service grants"]
