"""Handlers written with other people's frameworks run behind the router, unchanged."""

import asyncio
import base64
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.shared.cookies import Cookie
from mangum import Mangum

from adapters.events import gateway_handler

from . import envoy_model
from .envoy_model import Answer, Request

app = APIGatewayHttpResolver()


@app.get("/books/<title>")
def book(title: str) -> dict[str, Any]:
    """A book by its title, with what the request said."""
    request = app.current_event
    return {
        "title": title,
        "tags": request.resolved_query_string_parameters["tag"],
        "cookies": request.resolved_cookies_field,
        "client": request.request_context.http.source_ip,
        "subject": request.request_context.authorizer.jwt_claim["sub"],
        "host": request.request_context.domain_name,
    }


@app.post("/books")
def add() -> Response[str]:
    """A new book, with two cookies and a repeated header."""
    posted = app.current_event.json_body
    return Response(
        status_code=201,
        content_type="application/json",
        body=f'"{posted["title"]}"',
        headers={"Vary": ["Accept", "Cookie"]},
        cookies=[Cookie(name="a", value="1"), Cookie(name="b", value="2", path="/")],
    )


@app.get("/cover")
def cover() -> Response[bytes]:
    """A binary body."""
    return Response(status_code=200, content_type="image/png", body=b"\x89PNG\xff")


powertools = gateway_handler(app.resolve)


async def asgi(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """An ASGI application that echoes bytes and tells what it saw in headers."""
    body = (await receive())["body"]
    told = [
        (b"x-path", scope["path"].encode()),
        (b"x-query", scope["query_string"]),
        (b"x-method", scope["method"].encode()),
    ]
    told += [(b"x-client", scope["client"][0].encode()), (b"x-cookie", dict(scope["headers"]).get(b"cookie", b""))]
    headers = [(b"content-type", b"image/x-own"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), *told]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def through(handler: Any, request: Request) -> Answer:
    return envoy_model.answer(request, handler(envoy_model.event(request), None))


def test_a_powertools_route_sees_the_whole_request() -> None:
    """Path parameters are decoded; repeated query keys, cookies, client, claims and host are where Powertools looks."""
    headers = (
        ("cookie", "s=1; t=2"),
        ("x-fig-client", "192.0.2.7"),
        ("x-fig-host", "shop.example"),
        ("x-fig-claims", '{"sub":"alice"}'),
    )
    answer = through(powertools, Request(target="/books/caf%C3%A9%20noir?tag=a&tag=b", headers=headers))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.body.decode("unicode-escape") == (
        '{"title":"café noir","tags":["a","b"],"cookies":{"s":"1","t":"2"},'
        '"client":"192.0.2.7","subject":"alice","host":"shop.example"}'
    )


def test_a_powertools_answer_keeps_cookies_and_lists() -> None:
    """A JSON body with a charset parameter is parsed, and several cookies and header values come back."""
    headers = (("content-type", "application/json; charset=utf-8"),)
    answer = through(
        powertools, Request(method="POST", target="/books", headers=headers, body='{"title":"é"}'.encode())
    )
    assert (answer.status, answer.body.decode()) == (201, '"é"')
    assert [cookie.split(";")[0] for cookie in answer.cookies] == ["a=1", "b=2"]
    assert [part.strip() for part in answer.headers["vary"].split(",")] == ["Accept", "Cookie"]


def test_a_powertools_answer_may_be_binary() -> None:
    """Bytes of a Powertools handler arrive as they were."""
    answer = through(powertools, Request(target="/cover"))
    assert (answer.headers["content-type"], answer.body) == ("image/png", b"\x89PNG\xff")


def test_powertools_answers_404_by_itself() -> None:
    """A path that the resolver does not know is its own 404."""
    assert through(powertools, Request(target="/nowhere")).status == 404


@pytest.fixture
def mangum() -> Iterator[Any]:
    """The wrapped application; the event loop that Mangum keeps for an environment's life is closed at its end."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield gateway_handler(Mangum(asgi, lifespan="off"))
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.parametrize("body", [b"", b"text", bytes(range(256))])
@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "image/png"])
def test_an_asgi_application_under_mangum_sees_bytes(mangum: Any, body: bytes, content_type: str) -> None:
    """Path, query, cookies, client and every byte reach an ASGI application, and its answer comes back."""
    if content_type.startswith("text/"):
        body = body.decode(errors="ignore").encode()
    headers = (("content-type", content_type), ("cookie", "s=1; t=2"), ("x-fig-client", "192.0.2.7"))
    answer = through(mangum, Request(method="PUT", target="/100%2525/%C3%A9?a=%20&a=2", headers=headers, body=body))
    assert answer.status == 200
    assert answer.body == body
    assert answer.cookies == ("a=1", "b=2")
    seen = {name: answer.headers[f"x-{name}"] for name in ("path", "query", "method", "client", "cookie")}
    assert seen == {
        "path": "/100%25/é",
        "query": "a=%20&a=2",
        "method": "PUT",
        "client": "192.0.2.7",
        "cookie": "s=1; t=2",
    }


def test_the_same_function_still_serves_api_gateway() -> None:
    """An event of API Gateway itself goes to the framework untouched, and the answer keeps API Gateway's form."""
    event = {
        "version": "2.0",
        "rawPath": "/cover",
        "rawQueryString": "",
        "headers": {},
        "requestContext": {"http": {"method": "GET", "path": "/cover", "sourceIp": "192.0.2.1"}, "stage": "$default"},
        "isBase64Encoded": False,
    }
    answer = powertools(event, None)
    assert (answer["statusCode"], base64.b64decode(answer["body"])) == (200, b"\x89PNG\xff")
