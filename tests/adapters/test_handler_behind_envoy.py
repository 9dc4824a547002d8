"""`handler` and `EnvoyResolver` behind a real Envoy: what a client sends arrives, and the router hears what it must."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters import HttpService, handler
from adapters.errors import CredentialsRefused
from adapters.events import EnvoyResolver
from adapters.profiles.document import service

from .invoke_api import envoy, invoke_api
from .service.site import Site, drop, site

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture(scope="module")
def core() -> Iterator[Site]:
    """A service on-premises."""
    with site() as one:
        yield one


@pytest.fixture(scope="module")
def ask(core: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Ask the function through Envoy: status, headers (names in lower case) and body of its answer."""
    app = EnvoyResolver()
    bank = HttpService(service("core", {"endpoints": [f"127.0.0.1:{core.port}"], "tls": {"mode": "off"}, "retries": 0}))

    @app.get("/books/<title>")
    def book(title: str) -> dict[str, Any]:
        return {"title": title, "tags": app.current_event.resolved_query_string_parameters["tag"]}

    @app.post("/orders")
    def order() -> dict[str, Any]:
        return {"core": bank.post("/orders", json_body=app.current_event.json_body).status}

    @app.post("/denied")
    def denied() -> dict[str, Any]:
        message = "orders denied the login"
        raise CredentialsRefused(message)

    with (
        invoke_api(handler(route="books")(app.resolve), []) as api,
        envoy(api, tmp_path_factory.mktemp("envoy")) as port,
    ):

        def send(method: str, target: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            data = None if body is None else json.dumps(body).encode()
            url = f"http://127.0.0.1:{port}{target}"
            request = urllib.request.Request(url, data, named | {"content-type": "application/json"}, method=method)
            try:
                with urllib.request.urlopen(request, timeout=30) as got:  # noqa: S310 - on this machine
                    return got.status, {name.lower(): value for name, value in got.headers.items()}, got.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()

        yield send


def test_a_route_sees_the_request(ask: Ask) -> None:
    """Path parameters and repeated query keys arrive through Envoy's event."""
    status, headers, body = ask("GET", "/books/caf%C3%A9%20noir?tag=a&tag=b")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {"title": "café noir", "tags": ["a", "b"]}


def test_a_call_goes_on_in_the_request_s_trace(ask: Ask, core: Site) -> None:
    """What the function sends on-premises carries the client's trace and the mark of a function."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    status, _, body = ask("POST", "/orders", {"book": 7}, traceparent=f"00-{trace}-b7ad6b7169203331-01")
    assert (status, json.loads(body)) == (200, {"core": 200})
    seen = core.seen[-1]
    assert (seen.body, seen.headers["x-fig-origin"]) == (b'{"book": 7}', "lambda")
    assert seen.headers["traceparent"].split("-")[1] == trace


def test_the_router_hears_that_nothing_was_done(ask: Ask) -> None:
    """The mark on which legacy answers a POST arrives, without the names of what is inside."""
    status, headers, body = ask("POST", "/denied", {})
    assert (status, headers["x-fig-fallback"], body) == (503, "safe", b"CredentialsRefused\n")


def test_the_router_does_not_hear_it_when_it_is_not_known(ask: Ask, core: Site) -> None:
    """An order whose answer was lost is a 502 without the mark."""
    core.acts.append(drop)
    status, headers, _ = ask("POST", "/orders", {"book": 7})
    assert status == 502
    assert "x-fig-fallback" not in headers


def test_the_router_hears_that_a_shadow_left_no_trace(ask: Ask, core: Site) -> None:
    """A shadow is honoured whether it answers or would have sent something, and sends nothing."""
    before = len(core.seen)
    status, headers, _ = ask("GET", "/books/moss?tag=a", x_fig_shadow="1")
    assert (status, headers["x-fig-shadow"]) == (200, "honoured")
    status, headers, _ = ask("POST", "/orders", {"book": 7}, x_fig_shadow="1")
    assert (status, headers["x-fig-shadow"]) == (204, "honoured")
    assert len(core.seen) == before
