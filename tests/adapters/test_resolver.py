"""Powertools' routes on Envoy's events: what APIGatewayHttpResolver does for an HTTP API, EnvoyResolver does here."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from aws_lambda_powertools.shared.cookies import Cookie

from adapters import handler
from adapters.errors import Unreachable
from adapters.events import EnvoyResolver, to_gateway

from . import envoy_model
from .envoy_model import Request, event

NO_CONTEXT: Any = None
CLAIMS = ("x-fig-claims", '{"sub": "alice"}')


def routed(app: APIGatewayHttpResolver) -> APIGatewayHttpResolver:
    """The resolver with one set of routes, whichever it is."""
    more = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]

    @app.get("/books/<title>")
    def book(title: str) -> dict[str, Any]:
        """A book, with what the request said of itself."""
        one = app.current_event
        return {
            "title": title,
            "tags": one.resolved_query_string_parameters.get("tag"),
            "cookies": one.resolved_cookies_field,
            "agent": one.headers.get("User-Agent"),
            "subject": one.request_context.authorizer.jwt_claim["sub"],
        }

    @app.post("/books")
    def add() -> Response[str]:
        """A new book, with two cookies and a repeated header."""
        return Response(
            status_code=201,
            content_type="application/json",
            body=json.dumps(app.current_event.json_body["title"]),
            headers={"Vary": ["Accept", "Cookie"]},
            cookies=[Cookie(name="a", value="1"), Cookie(name="b", value="2")],
        )

    @app.get("/cover")
    def cover() -> Response[bytes]:
        """Bytes."""
        return Response(status_code=200, content_type="image/png", body=b"\x89PNG\xff")

    @more.get("/<id>")
    def author(id: str) -> dict[str, str]:  # noqa: A002 - the parameter's name in the path
        """An author."""
        if id == "0":
            message = "no such author"
            raise NotFoundError(message)
        return {"id": id}

    @app.get("/broken")
    def broken() -> dict[str, str]:
        """Fails."""
        message = "not a number"
        raise LookupError(message)

    def lookup(error: LookupError) -> Response[str]:
        return Response(status_code=418, content_type="text/plain", body=str(error))

    app.exception_handler(LookupError)(lookup)

    def stamp(one: Any, next_middleware: NextMiddleware) -> Response[Any]:
        answer = next_middleware(one)
        answer.headers["x-stamp"] = one.current_event.path
        return answer

    app.use(middlewares=[stamp])
    app.include_router(more, prefix="/authors")
    return app


REQUESTS = [
    Request(
        target="/books/caf%C3%A9%20noir?tag=a&tag=b", headers=(("cookie", "s=1; t=2"), ("user-agent", "u"), CLAIMS)
    ),
    Request(
        method="POST",
        target="/books",
        headers=(("content-type", "application/json; charset=utf-8"),),
        body='{"title": "é"}'.encode(),
    ),
    Request(target="/cover"),
    Request(target="/authors/7"),
    Request(target="/authors/0"),
    Request(target="/broken"),
    Request(target="/nowhere"),
    Request(method="DELETE", target="/books"),
    Request(method="HEAD", target="/cover"),
    Request(method="OPTIONS", target="/cover", headers=(("origin", "https://shop.example"),)),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: f"{one.method} {one.target}")
def test_it_routes_like_the_resolver_of_http_apis(request_: Request) -> None:
    """Each request has the status, the headers, the cookies and the body that an HTTP API's function would give it."""
    cors = CORSConfig(allow_origin="https://shop.example")
    got = envoy_model.answer(request_, routed(EnvoyResolver(cors=cors)).resolve(event(request_), NO_CONTEXT))
    plain = routed(APIGatewayHttpResolver(cors=cors)).resolve(dict(to_gateway(event(request_))), NO_CONTEXT)
    assert got.status == plain["statusCode"]
    assert len(got.cookies) == len(plain["cookies"])
    for name, value in plain["headers"].items():
        if name.lower() != "content-length":
            assert got.headers[name.lower()] == (", ".join(value) if isinstance(value, list) else value)
    if not plain["isBase64Encoded"] and request_.method != "HEAD":
        assert got.body.decode() == (plain["body"] or "")


def test_what_the_routes_see_and_say() -> None:
    """The answers themselves: a path in text, lists, cookies, claims, bytes."""
    app = routed(EnvoyResolver())
    book = envoy_model.answer(REQUESTS[0], app.resolve(event(REQUESTS[0]), NO_CONTEXT))
    assert json.loads(book.body) == {
        "title": "café noir",
        "tags": ["a", "b"],
        "cookies": {"s": "1", "t": "2"},
        "agent": "u",
        "subject": "alice",
    }
    assert envoy_model.answer(REQUESTS[2], app.resolve(event(REQUESTS[2]), NO_CONTEXT)).body == b"\x89PNG\xff"
    assert envoy_model.answer(REQUESTS[5], app.resolve(event(REQUESTS[5]), NO_CONTEXT)).status == 418
    assert envoy_model.answer(REQUESTS[6], app.resolve(event(REQUESTS[6]), NO_CONTEXT)).status == 404


def test_what_the_router_says_is_at_hand() -> None:
    """`fig` has route, user and shadow of the request at hand, and says of others that they are no shadow."""
    app = EnvoyResolver()

    @app.get("/me")
    def me() -> dict[str, Any]:
        return dict(app.fig)

    headers = (("x-fig-user", "alice"), ("x-fig-route", "me"), ("x-fig-shadow", "1"))
    answer = app.resolve(event(Request(target="/me", headers=headers)), NO_CONTEXT)
    assert json.loads(answer["body"]) == {"shadow": True, "route": "me", "user": "alice"}
    outside = dict(to_gateway(event(Request(target="/me"))))
    outside["requestContext"] = {"http": {"method": "GET", "path": "/me"}, "stage": "$default"}
    assert json.loads(app.resolve(outside, NO_CONTEXT)["body"]) == {"shadow": False}


def test_it_is_a_handler_and_serves_an_http_api() -> None:
    """The resolver can be called like a handler, and an HTTP API's event is answered in its own form."""
    app = routed(EnvoyResolver())
    request_ = Request(target="/authors/7")
    assert app(event(request_), NO_CONTEXT)["status_code"] == 200
    answer = app(dict(to_gateway(event(request_))), NO_CONTEXT)
    assert (answer["statusCode"], "status_code" in answer) == (200, False)


def test_under_handler_a_target_s_failure_leaves_the_routes() -> None:
    """Powertools lets an error of ours pass, and `handler` answers it, with the mark for legacy."""
    app = EnvoyResolver()

    @app.post("/orders")
    def order() -> dict[str, str]:
        message = "core cannot be reached"
        raise Unreachable(message)

    answer = handler(app.resolve)(event(Request(method="POST", target="/orders")), NO_CONTEXT)
    assert (answer["status_code"], answer["headers"]["x-fig-fallback"]) == (503, "safe")


def test_an_unreadable_event_is_left_to_legacy() -> None:
    """A body that Envoy damaged reaches no route."""
    headers = (("content-type", "application/json"), ("content-encoding", "gzip"))
    answer = routed(EnvoyResolver()).resolve(
        event(Request(method="POST", headers=headers, body=b"\x1f\x8b")), NO_CONTEXT
    )
    assert (answer["status_code"], answer["headers"]["x-fig-fallback"]) == (415, "safe")


def test_the_package_names_only_what_it_has() -> None:
    """A name that `adapters.events` does not have is an AttributeError, as of any module."""
    from adapters import events  # noqa: PLC0415 - the module itself is the subject

    with pytest.raises(AttributeError, match="nonsense"):
        events.nonsense  # noqa: B018 - reading it is the test
