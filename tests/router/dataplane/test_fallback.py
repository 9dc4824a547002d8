"""What happens when Lambda fails: legacy answers where that is safe, and nothing unsafe runs twice."""

import json
import time
from functools import partial
from typing import Any

import pytest

from .conftest import World
from .standins import Reply, api_error, function_error

HEADERS = [("X-User", "alice"), ("X-Custom", "kept"), ("Content-Type", "text/plain")]
SAFE, UNSAFE = ("GET", "HEAD", "OPTIONS"), ("POST", "PUT", "DELETE", "PATCH")

NOT_RUN = {
    "throttled": api_error(429, "TooManyRequestsException"),
    "not found": api_error(404, "ResourceNotFoundException"),
    "expired": api_error(403, "ExpiredTokenException"),
    "denied": api_error(403, "AccessDeniedException:http://internal.amazon.com/coral/com.amazonaws.lambda/"),
    "conflict": api_error(409, "ResourceConflictException"),
    "eni limit": api_error(502, "ENILimitReachedException"),
    "subnet": api_error(502, "SubnetIPAddressLimitReachedException"),
    "too large": api_error(413, "RequestEntityTooLargeException"),
}
FAILED = {
    "function error": function_error(),
    "service": api_error(500, "ServiceException"),
    "gateway": Reply(502, body=b"<html>bad gateway</html>"),
    "reset": Reply(reset=True),
    "not json": Reply(body=b"<html>", headers=[("content-type", "application/json")]),
    "a string": Reply(body=b'"hello"', headers=[("content-type", "application/json")]),
    "nothing": Reply(body=b"null", headers=[("content-type", "application/json")]),
    "empty": Reply(body=b"", headers=[("content-type", "application/json")]),
}


@pytest.fixture
def on_lambda(world: World) -> World:
    world.router.shift(by_header=10_000, no_fallback=10_000, plain_http=10_000)
    return world


def heal(world: World) -> None:
    """Let an ejected API endpoint come back: a clean answer after an ejection ends the row of failures."""
    world.reset()
    for _ in range(600):
        if world.router.request("/new").status == 200:
            world.reset()
            return
    pytest.fail("the API endpoint did not come back")


@pytest.mark.parametrize("why", NOT_RUN)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_what_did_not_run_goes_to_legacy_for_every_method(on_lambda: World, why: str, method: str) -> None:
    """An error that proves that the function did not run: legacy answers the original request."""
    on_lambda.api.api = NOT_RUN[why]
    answer = on_lambda.router.request("/h/7?a=1&a=2", HEADERS, method=method, body=b"payload")
    assert answer.status == 200, answer
    assert answer.header("x-fig-side") == "legacy"
    assert answer.header("x-fig-assigned") == "lambda"
    (seen,) = on_lambda.legacy.seen
    assert (seen.method, seen.path, seen.body) == (method, "/h/7?a=1&a=2", b"payload")
    assert seen.header("x-custom") == "kept"
    assert seen.header("authorization") is None
    heal(on_lambda)


@pytest.mark.parametrize("why", FAILED)
def test_what_failed_falls_back_for_safe_methods_only(on_lambda: World, why: str) -> None:
    """A failure after the function may have run: GET, HEAD and OPTIONS go to legacy, the others get 502, once."""
    for method in (*SAFE, "POST"):
        heal(on_lambda)
        broken = FAILED[why]
        if why == "service" or broken.status != 200 or broken.reset:
            on_lambda.api.api = broken
        else:
            on_lambda.api.function = partial(answer_with, broken)
        answer = on_lambda.router.request("/h", HEADERS, method=method, body=b"p" if method == "POST" else None)
        if method in SAFE:
            assert (answer.status, answer.header("x-fig-side")) == (200, "legacy"), (method, answer)
        else:
            assert answer.status == 502, answer
            assert on_lambda.legacy.seen == []
            for leak in (b"errorMessage", b"secret", b"123456789012", b"html"):
                assert leak not in answer.body
            assert len(on_lambda.api.events) == (why not in ("service", "gateway", "reset"))
    heal(on_lambda)


def answer_with(reply: Reply, _event: dict[str, Any]) -> Reply:
    return reply


def test_a_timeout_is_a_failure(on_lambda: World) -> None:
    """A function that does not answer in time: legacy for a GET, 504 for a POST."""
    on_lambda.api.api = Reply(hang=True)
    assert on_lambda.router.request("/h", HEADERS).header("x-fig-side") == "legacy"
    assert on_lambda.router.request("/h", HEADERS, method="POST", body=b"x").status == 504
    assert [seen.method for seen in on_lambda.legacy.seen] == ["GET"]
    on_lambda.api.released.set()
    on_lambda.api.released.clear()
    heal(on_lambda)


@pytest.mark.parametrize("status", [400, 404, 409, 422, 429])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_function_answers_is_an_answer(on_lambda: World, status: int, method: str) -> None:
    """A 4xx that the function itself answers reaches the client, 429 included."""
    on_lambda.api.function = lambda _event: {"status_code": status, "headers": {"x-own": "1"}, "body": "mine"}
    answer = on_lambda.router.request("/h", HEADERS, method=method, body=b"x")
    assert (answer.status, answer.body, answer.header("x-own")) == (status, b"mine", "1")
    assert on_lambda.legacy.seen == []


@pytest.mark.parametrize("answered", [{"status_code": 500}, {"status_code": 503, "body": "mine"}])
def test_the_functions_own_5xx_falls_back_for_safe_methods_only(on_lambda: World, answered: dict[str, Any]) -> None:
    """A 5xx of the function's own is an answer for a POST, and a reason to ask legacy for a GET."""
    on_lambda.api.function = lambda _event: answered
    assert on_lambda.router.request("/h", HEADERS).header("x-fig-side") == "legacy"
    posted = on_lambda.router.request("/h", HEADERS, method="POST", body=b"x")
    assert posted.status == answered["status_code"]
    assert posted.body == answered.get("body", "").encode()
    assert len(on_lambda.legacy.seen) == 1


def test_the_function_may_hand_a_request_back(on_lambda: World) -> None:
    """`x-fig-fallback: safe` says that nothing was done: legacy answers, whatever the method."""
    on_lambda.api.function = lambda _event: {"status_code": 409, "headers": {"x-fig-fallback": "safe"}}
    answer = on_lambda.router.request("/h", HEADERS, method="POST", body=b"x")
    assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")


@pytest.mark.parametrize("path", ["/nf", "/new"])
def test_without_a_fallback_the_client_gets_a_clean_error(on_lambda: World, path: str) -> None:
    """Where legacy may not or cannot answer, the client gets a plain 5xx without the API's or the function's words."""
    for broken, status in ((NOT_RUN["throttled"], 503), (NOT_RUN["denied"], 502), (FAILED["function error"], 502)):
        heal(on_lambda)
        on_lambda.api.api = broken
        answer = on_lambda.router.request(path, HEADERS)
        assert answer.status == status
        assert answer.header("content-type") == "text/plain; charset=utf-8"
        assert answer.header("content-length") == str(len(answer.body))
        assert on_lambda.router.request(path, HEADERS, method="HEAD").status == status
        for name, _ in answer.headers:
            assert not name.lower().startswith(("x-amz", "x-fig-replay", "x-fig-outcome"))
        for leak in (b"errorMessage", b"123456789012", b"Exception"):
            assert leak not in answer.body
    heal(on_lambda)


def test_a_body_that_does_not_fit_goes_to_legacy_unasked(on_lambda: World) -> None:
    """Bodies that cannot survive the event are served by legacy without asking Lambda; 413 where there is no legacy."""
    binary = [("X-User", "alice"), ("Content-Type", "application/octet-stream")]
    for headers, size in ((binary, 4_600_000), (HEADERS, 6_100_000), (binary, 15_000_000)):
        on_lambda.reset()
        body = b"\xff" * size
        answer = on_lambda.router.request("/h", headers, method="POST", body=body)
        assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")
        assert on_lambda.api.seen == []
        assert [seen.body == body for seen in on_lambda.legacy.seen] == [True]
        assert on_lambda.router.refused_upload("/new", headers, size) == 413
    assert b"too_large" in on_lambda.router.admin("/stats?filter=fig.calls")


def test_bodies_that_fit_reach_the_function(on_lambda: World) -> None:
    """4.4 MB of binary and 5.9 MB of text go to Lambda, and fall back whole when it fails."""
    binary = [("X-User", "alice"), ("Content-Type", "application/octet-stream")]
    for headers, size in ((binary, 4_400_000), (HEADERS, 5_900_000)):
        on_lambda.reset()
        body = b"x" * size
        on_lambda.api.function = lambda event: {"status_code": 200, "body": str(len(event["body"]))}
        answer = on_lambda.router.request("/h", headers, method="POST", body=body)
        assert answer.header("x-fig-side") == "lambda", answer
        on_lambda.api.api = NOT_RUN["throttled"]
        answer = on_lambda.router.request("/h", headers, method="POST", body=body)
        assert answer.header("x-fig-side") == "legacy"
        assert on_lambda.legacy.seen[-1].body == body


def test_a_chunked_body_that_does_not_fit_goes_to_legacy(on_lambda: World) -> None:
    """Without a content length the size is known only on the way: legacy still gets the whole body."""
    chunks = [b"y" * 65_536] * 160
    answer = on_lambda.router.request("/h", HEADERS, method="POST", body=iter(chunks))
    assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")
    assert on_lambda.legacy.seen[-1].body == b"".join(chunks)
    assert on_lambda.api.events == []


def test_the_entry_has_a_body_limit(on_lambda: World) -> None:
    """A body above the entry's limit is refused before any side is asked."""
    assert on_lambda.router.refused_upload("/anything", [], 20_100_000) == 413
    assert on_lambda.legacy.seen == []


def test_a_large_answer_of_the_function_arrives_whole(on_lambda: World) -> None:
    """An answer of 5.9 MB, close to Lambda's limit, reaches the client."""
    on_lambda.api.function = lambda _event: {"status_code": 200, "body": "a" * 5_900_000}
    answer = on_lambda.router.request("/h", HEADERS)
    assert (answer.header("x-fig-side"), len(answer.body)) == ("lambda", 5_900_000)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_plain_http_upstream_that_refuses_did_not_run(on_lambda: World, method: str) -> None:
    """A new side that refuses connections did not run: legacy answers a GET and a POST."""
    on_lambda.router.shift(plain_http_gone=10_000)
    answer = on_lambda.router.request("/gone", HEADERS, method=method, body=b"x")
    assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")


def test_a_plain_http_upstream_answers_for_itself(on_lambda: World) -> None:
    """Its answers are answers, under its own host name; a 5xx of its own falls back for safe methods only."""
    answer = on_lambda.router.request("/alb/7?a=1", HEADERS, method="POST", body=b"x" * 7_000_000)
    assert (answer.status, answer.header("x-fig-side")) == (200, "lambda")
    (seen,) = on_lambda.alb.seen
    assert (seen.path, seen.header("host"), len(seen.body)) == ("/alb/7?a=1", "books.internal", 7_000_000)
    on_lambda.alb.answer = lambda _seen: Reply(503, [("x-own", "1")], b"mine")
    assert on_lambda.router.request("/alb", HEADERS).header("x-fig-side") == "legacy"
    posted = on_lambda.router.request("/alb", HEADERS, method="POST", body=b"x")
    assert (posted.status, posted.body, posted.header("x-own")) == (503, b"mine", "1")
    on_lambda.alb.answer = lambda _seen: Reply(429, body=b"slow down")
    assert on_lambda.router.request("/alb", HEADERS).status == 429
    assert len(on_lambda.legacy.seen) == 1


def test_a_plain_http_upstream_that_breaks_off_failed(on_lambda: World) -> None:
    """A connection that breaks after the request was sent: legacy for a GET, 502 for a POST, run once."""
    on_lambda.alb.answer = lambda _seen: Reply(reset=True)
    assert on_lambda.router.request("/alb", HEADERS).header("x-fig-side") == "legacy"
    assert on_lambda.router.request("/alb", HEADERS, method="POST", body=b"x").status == 502
    assert [seen.method for seen in on_lambda.legacy.seen] == ["GET"]
    assert [seen.method for seen in on_lambda.alb.seen] == ["GET", "POST"]


def test_a_black_hole_costs_few_requests(on_lambda: World) -> None:
    """After five requests that wait for their timeout, legacy answers in milliseconds, a POST too."""
    on_lambda.api.api = Reply(hang=True)
    for _ in range(5):
        on_lambda.router.request("/h", HEADERS)
    started = time.monotonic()
    for method in ("GET", "POST"):
        answer = on_lambda.router.request("/h", HEADERS, method=method, body=b"x")
        assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")
    assert time.monotonic() - started < 1
    on_lambda.api.released.set()


def test_json_of_the_stand_in_is_json() -> None:
    """The stand-in's documents are what the real API sends: JSON."""
    for reply in NOT_RUN.values():
        json.loads(reply.body)


def test_the_scripts_run_without_an_error(on_lambda: World) -> None:
    """After all of this no Lua script has logged an error."""
    log = (on_lambda.router.state / "logs" / "envoy.log").read_text()
    assert "script log" not in log
