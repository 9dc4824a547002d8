"""The model of Envoy that the other tests trust, held against Envoy itself; and a wrapped handler behind it."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.events import gateway_handler

from . import envoy_model
from .envoy_model import Request
from .invoke_api import envoy, invoke_api

_ADDED = {"x-fig-host", "x-fig-client", "x-request-id", "x-forwarded-proto"}


@dataclass(slots=True)
class Stack:
    """An Envoy, the function behind it, and what passed."""

    port: int
    events: list[Any]
    seen: list[Any]
    answers: list[Any] = field(default_factory=list)

    def send(self, *requests: Request) -> list[tuple[str, list[tuple[str, str]], bytes]]:
        """Status line, headers and body of each answer, over one connection."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection,
            connection.makefile("rb") as stream,
        ):
            answers = []
            for request in requests:
                connection.sendall(_on_the_wire(request))
                status = stream.readline().decode().strip()
                headers = []
                while line := stream.readline().decode().strip():
                    name, _, value = line.partition(":")
                    headers.append((name.lower(), value.strip()))
                silent = request.method == "HEAD" or status.split()[1] in {"204", "304"}
                length = 0 if silent else int(dict(headers)["content-length"])
                answers.append((status, headers, stream.read(length)))
            return answers


def _on_the_wire(request: Request) -> bytes:
    lines = [f"{request.method} {request.target} HTTP/1.1", "host: shop.example:8443"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body:
        lines.append(f"content-length: {len(request.body)}")
    return "\r\n".join([*lines, "", ""]).encode() + request.body


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    events: list[Any] = []
    seen: list[Any] = []
    answers: list[Any] = []

    def handler(event: dict[str, Any], _context: object) -> Any:
        seen.append(event)
        return answers.pop() if answers else {"statusCode": 200, "body": "abcde"}

    with invoke_api(gateway_handler(handler), events) as api, envoy(api, tmp_path_factory.mktemp("envoy")) as port:
        yield Stack(port=port, events=events, seen=seen, answers=answers)


REQUESTS = [
    Request(target="/a%20b/%2f/%C3%A9?a=1&a=2&b=%26&&c"),
    Request(headers=(("x-a", "1"), ("x-a", "2"), ("accept", "a, b"))),
    Request(headers=(("cookie", "a=1; b=2"), ("cookie", "c=3,x=9"))),
    Request(method="HEAD", target="/x?"),
    Request(method="PURGE", target="//x"),
    Request(method="POST", headers=(("content-type", "application/json"),), body="é€".encode()),
    Request(method="POST", headers=(("content-type", "APPLICATION/JSON"),), body="é".encode()),
    Request(method="POST", headers=(("content-type", "application/json; charset=utf-8"),), body="é".encode()),
    Request(method="POST", headers=(("content-type", "application/problem+json"),), body=b"{}"),
    Request(method="POST", headers=(("content-type", "application/x-www-form-urlencoded"),), body=b"a=1"),
    Request(method="PUT", headers=(("content-type", "image/png"),), body=bytes(range(256))),
    Request(method="PUT", headers=(("content-type", "text/plain"),), body=b"\xffa\x00\xc3b\xe2\x82c"),
    Request(method="POST", headers=(("content-type", "application/json"), ("content-encoding", "gzip")), body=b"\x8b"),
    Request(method="POST", headers=(("content-type", "text/plain"),), body="Zürich é".encode("latin-1")),
    Request(method="POST", headers=(("content-type", "text/plain"),), body=b"cut \xe2\x82"),
    Request(method="POST", headers=(("content-type", "text/plain"),), body=b"\xf0\x9f\x98\x80 \xf0abcd \xf8a"),
    Request(method="POST", body=b"abc"),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: f"{one.method}-{one.target}")
def test_the_model_makes_the_event_that_envoy_makes(stack: Stack, request_: Request) -> None:
    """Every key of the event is what the model says; only the router's own headers come on top."""
    stack.send(request_)
    real, modelled = stack.events[-1], envoy_model.event(request_)
    assert not any(name.startswith(":") or name == "host" for name in real["headers"]), "no pseudo-header, no host"
    real["headers"] = {name: value for name, value in real["headers"].items() if name not in _ADDED}
    real["query_string_parameters"] = modelled["query_string_parameters"]
    assert real == modelled


def test_the_handler_sees_what_the_client_sent(stack: Stack) -> None:
    """Host, client, path, repeated query keys and cookies reach the handler in API Gateway's form."""
    stack.send(Request(target="/b%C3%A9?a=1&a=%20", headers=(("cookie", "a=1"), ("cookie", "b=2"))))
    seen = stack.seen[-1]
    assert seen["rawPath"] == "/bé"
    assert seen["queryStringParameters"] == {"a": "1, "}
    assert seen["cookies"] == ["a=1", "b=2"]
    assert seen["headers"]["host"] == "shop.example:8443"
    assert seen["requestContext"]["domainName"] == "shop.example"
    assert seen["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert seen["requestContext"]["requestId"]


def test_answers_arrive_whole(stack: Stack) -> None:
    """Several cookies, joined header values, UTF-8 and bytes arrive at the client."""
    stack.answers.append(
        {
            "statusCode": 201,
            "headers": {"content-type": "image/png", "x-number": 1, "x-name": "é"},
            "multiValueHeaders": {"vary": ["a", "b"]},
            "cookies": ["a=1; Path=/", "b=2"],
            "body": "/wA=",
            "isBase64Encoded": True,
        }
    )
    [(status, headers, body)] = stack.send(Request())
    assert (status, body) == ("HTTP/1.1 201 Created", b"\xff\x00")
    assert [value for name, value in headers if name == "set-cookie"] == ["a=1; Path=/", "b=2"]
    assert dict(headers)["vary"] == "a, b"
    assert dict(headers)["x-number"] == "1"
    assert dict(headers)["x-name"] == "é"


def test_a_handler_s_answer_without_status_is_json(stack: Stack) -> None:
    """An inferred answer is a 200 with a JSON body."""
    stack.answers.append({"title": "é"})
    [(status, headers, body)] = stack.send(Request())
    assert (status, dict(headers)["content-type"], body) == (
        "HTTP/1.1 200 OK",
        "application/json",
        b'{"title": "\\u00e9"}',
    )


@pytest.mark.parametrize(
    ("method", "answer", "length"),
    [
        ("HEAD", {"statusCode": 200, "body": "abcde"}, "0"),
        ("HEAD", {"statusCode": 200, "headers": {"content-length": "77"}}, "0"),
        ("HEAD", {"inferred": True}, "0"),
        ("GET", {"statusCode": 204, "body": "never"}, None),
        ("GET", {"statusCode": 304, "body": "never", "headers": {"etag": "e"}}, "0"),
    ],
)
def test_a_connection_survives_answers_without_content(
    stack: Stack, method: str, answer: dict[str, Any], length: str | None
) -> None:
    """HEAD, 204 and 304 send no body, and the connection serves the next request."""
    stack.answers.append(answer)
    [(_, headers, _), (status, _, body)] = stack.send(Request(method=method), Request())
    assert dict(headers).get("content-length") == length
    assert (status, body) == ("HTTP/1.1 200 OK", b"abcde")


def test_a_damaged_body_asks_for_legacy(stack: Stack) -> None:
    """A body that Envoy damaged reaches no handler; the answer carries the mark on which the router falls back."""
    before = len(stack.seen)
    [(status, headers, _)] = stack.send(
        Request(method="POST", headers=(("content-type", "text/plain"),), body=b"caf\xe9 noir")
    )
    assert status.startswith("HTTP/1.1 415")
    assert dict(headers)["x-fig-fallback"] == "safe"
    assert len(stack.seen) == before
