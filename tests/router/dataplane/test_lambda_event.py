"""A request becomes an event, and an answer a response, without losing anything that HTTP can say."""

import base64
from typing import Any

import pytest

from .conftest import World
from .standins import api_error

USER = ("X-User", "alice")


@pytest.fixture
def on_lambda(world: World) -> World:
    world.router.shift(by_header=10_000, rewritten=10_000)
    return world


def test_the_event_carries_the_request(on_lambda: World) -> None:
    """Method, path with its repeated query keys, repeated headers, cookies and body arrive in the event."""
    headers = [USER, ("X-Many", "1"), ("X-Many", "2"), ("Cookie", "a=1; b=2"), ("Content-Type", "text/plain")]
    on_lambda.router.request("/h/b%20c?a=1&a=2&e=", headers, method="POST", body="grüße".encode())
    event = on_lambda.api.events[0].event
    assert event["method"] == "POST"
    assert event["raw_path"] == "/h/b%20c?a=1&a=2&e="
    assert event["headers"]["x-many"] == "1,2"
    assert event["headers"]["cookie"] == "a=1; b=2"
    assert (event["body"], event["is_base64_encoded"]) == ("grüße", False)
    assert event["headers"]["x-fig-route"] == "by-header"
    assert event["headers"]["x-fig-side"] == "lambda"
    assert event["headers"]["x-fig-user"] == "alice"
    assert event["headers"]["x-fig-client"] == "127.0.0.1"


@pytest.mark.parametrize("content_type", ["application/octet-stream", "application/json; charset=utf-8", "image/png"])
def test_binary_bodies_are_base64(on_lambda: World, content_type: str) -> None:
    """A body that is not plainly text arrives base64-encoded, byte for byte."""
    body = bytes(range(256))
    on_lambda.router.request("/h", [USER, ("Content-Type", content_type)], method="POST", body=body)
    event = on_lambda.api.events[0].event
    assert event["is_base64_encoded"]
    assert base64.b64decode(event["body"]) == body


def answer_of(world: World, answer: dict[str, Any], method: str = "GET") -> Any:
    world.api.function = lambda _event: answer
    return world.router.request("/h", [USER], method=method)


def test_the_answer_becomes_the_response(on_lambda: World) -> None:
    """Status, headers, several Set-Cookie, and text and binary bodies reach the client."""
    cookies = ["a=1; Path=/", "b=2; HttpOnly"]
    got = answer_of(
        on_lambda,
        {"status_code": 201, "headers": {"x-a": "1", "content-type": "text/plain"}, "cookies": cookies, "body": "ü"},
    )
    assert (got.status, got.header("x-a"), got.body) == (201, "1", "ü".encode())
    assert [value for name, value in got.headers if name.lower() == "set-cookie"] == cookies
    binary = {"status_code": 200, "is_base64_encoded": True, "body": base64.b64encode(b"\x00\xff").decode()}
    assert answer_of(on_lambda, binary).body == b"\x00\xff"


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_content(on_lambda: World, status: int) -> None:
    """204 and 304 come without content and without a content type."""
    got = answer_of(on_lambda, {"status_code": status, "headers": {"etag": '"1"'}})
    assert (got.status, got.body, got.header("content-type"), got.header("etag")) == (status, b"", None, '"1"')


def test_head(on_lambda: World) -> None:
    """HEAD runs on Lambda and comes back without a body."""
    got = answer_of(on_lambda, {"status_code": 200, "headers": {"x-a": "1"}}, method="HEAD")
    assert (got.status, got.header("x-a"), got.body) == (200, "1", b"")
    assert on_lambda.api.events[0].event["method"] == "HEAD"


def test_the_api_gets_only_what_it_needs(on_lambda: World) -> None:
    """Client headers and cookies travel in the event alone; the call is signed and carries none of them."""
    mine = [
        USER,
        ("Cookie", "session=secret"),
        ("Authorization", "Bearer secret"),
        ("X-Amz-Log-Type", "Tail"),
        ("X-Amz-Client-Context", "e30="),
        ("X-Amzn-Trace-Id", "Root=1"),
        ("X-Forwarded-For", "1.2.3.4"),
        ("X-Secret", "1"),
    ]
    on_lambda.router.request("/h", mine)
    (call,) = on_lambda.api.events
    names = {name.lower() for name, _ in call.request.headers}
    signing = {"authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-invocation-type"}
    assert names == {"host", "content-type", "content-length", *signing}
    assert (call.request.header("authorization") or "").startswith("AWS4-HMAC-SHA256 ")
    assert call.event["headers"]["authorization"] == "Bearer secret"
    assert not [name for name in call.event["headers"] if name.startswith(("x-amz-", "x-amzn-"))]


def test_headers_of_the_api_and_of_ours_do_not_come_back(on_lambda: World) -> None:
    """The API's own headers, and a function's attempts at the router's, do not reach the client."""
    claims = {"x-amz-log-result": "bG9n", "x-fig-replay": "now", "x-fig-side": "legacy", "X-Fig-Outcome": "failed x"}
    got = answer_of(on_lambda, {"status_code": 200, "headers": claims, "body": "{}"})
    assert got.header("x-fig-side") == "lambda"
    names = {name.lower() for name, _ in got.headers}
    assert not [name for name in names if name.startswith(("x-amz", "x-fig-replay", "x-fig-outcome"))]
    assert on_lambda.legacy.seen == []


def test_each_side_has_its_own_path(on_lambda: World) -> None:
    """A rewrite replaces the matched prefix, on the side it is for, and legacy's holds in a fallback too."""
    user = [USER]
    on_lambda.router.request("/shop/books/7?x=1", user)
    assert on_lambda.api.events[0].event["raw_path"] == "/7?x=1"
    on_lambda.router.request("/shop/books?x=1", user)
    assert on_lambda.api.events[1].event["raw_path"] == "/?x=1"
    assert not [name for name in on_lambda.api.events[0].event["headers"] if name.startswith(("x-fig-p", "x-fig-cut"))]
    on_lambda.api.api = api_error(429, "TooManyRequestsException")
    on_lambda.router.request("/shop/books/7?x=1", user)
    on_lambda.router.shift(rewritten=0)
    on_lambda.router.request("/shop/books", user)
    assert [seen.path for seen in on_lambda.legacy.seen] == ["/old/catalogue/7?x=1", "/old/catalogue"]


def test_many_headers_reach_the_function(on_lambda: World) -> None:
    """What the entry lets in passes the inner hop too: 300 headers, 150 Cookie lines, and one of 60 kB."""
    for headers in (
        [(f"X-Many-{number}", "1") for number in range(300)],
        [("Cookie", f"c{number}=1") for number in range(150)],
        [("X-Long", "y" * 62_000)],
    ):
        got = on_lambda.router.request("/h", [USER, *headers])
        assert (got.status, got.header("x-fig-side")) == (200, "lambda")
