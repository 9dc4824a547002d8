"""No request goes round for ever, and what a function calls back does not come to the function again."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .harness import Running, running_router
from .standins import InvokeApi, Reply, Seen, StandIn, echo

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
  max_hops: 3
  proxies: [127.0.5.0/24, "fd00:5::/32"]
legacy:
  shop:
    endpoints:
      - 127.0.0.1:${LEGACY_PORT}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 2s
routes:
  books: {match: {path: {prefix: /books}}, legacy: shop, lambda: books, timeout: 10s, sticky: {header: X-User}}
  exact: {match: {path: {exact: /one}}, legacy: shop, lambda: books, timeout: 10s}
  new: {match: {path: {prefix: /new}}, lambda: books, timeout: 10s}
"""
PROXY, ELSEWHERE = "127.0.5.9", "127.0.6.9"


class World:
    """A router whose routes are all on Lambda."""

    def __init__(self, router: Running, legacy: StandIn, api: InvokeApi) -> None:
        self.router, self.legacy, self.api = router, legacy, api

    def ask(self, path: str, origin: str | None, *, source: str) -> tuple[int, bytes]:
        """Status and body of a GET from that address that says where it comes from."""
        connection = http.client.HTTPConnection("127.0.0.1", self.router.port, 20, (source, 0))
        headers = {"X-User": "a"} | ({"X-Fig-Origin": origin} if origin else {})
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        found = response.status, response.read()
        connection.close()
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("loops")
    with ExitStack() as stack:
        legacy = stack.enter_context(StandIn(echo).running())
        api = stack.enter_context(InvokeApi().running())
        assert isinstance(api, InvokeApi)
        ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port)}
        weights = {"books": 10_000, "exact": 10_000}
        yield World(
            stack.enter_context(running_router(folder, ESTATE, weights=weights, environment=ports)), legacy, api
        )


@pytest.mark.parametrize("path", ["/books/7", "/one"])
def test_what_a_function_calls_back_is_legacys(world: World, path: str) -> None:
    """A call that comes back from a function, from the proxies' ranges, is served by legacy even at 100 %."""
    world.legacy.answer = echo
    world.legacy.seen.clear()
    status, body = world.ask(path, "lambda", source=PROXY)
    assert (status, b'"side": "legacy"' in body) == (200, True)
    (seen,) = world.legacy.seen
    assert seen.header("x-fig-origin") is None


@pytest.mark.parametrize(
    ("origin", "source"), [("lambda", ELSEWHERE), (None, PROXY), ("other", PROXY)], ids=["forged", "unmarked", "other"]
)
def test_the_origin_is_believed_from_the_proxies_only(world: World, origin: str | None, source: str) -> None:
    """The same header from elsewhere, or another word in it, changes nothing: Lambda serves, and does not see it."""
    world.api.events.clear()
    status, body = world.ask("/books/7", origin, source=source)
    assert (status, b'"side": "lambda"' in body) == (200, True)
    assert "x-fig-origin" not in world.api.events[0].event["headers"]


def test_a_route_without_legacy_serves_its_callers(world: World) -> None:
    """Where there is no legacy side, a call that comes back reaches the function."""
    assert b'"side": "lambda"' in world.ask("/new/1", "lambda", source=PROXY)[1]


@pytest.mark.parametrize("forged", [None, "1", "evil", "x1x"])
def test_a_loop_ends_with_508(world: World, forged: str | None) -> None:
    """A legacy application that sends a request back to the VIP gets it three times, whatever the client forged."""
    visits: list[Seen] = []

    def sends_back(seen: Seen) -> Reply:
        visits.append(seen)
        headers = [(name, value) for name, value in seen.headers if name.lower() != "host"]
        answer = world.router.request("/anywhere", headers)
        return Reply(answer.status, [], answer.body)

    world.legacy.answer = sends_back
    answer = world.router.request("/anywhere", [("X-Fig-Hops", forged)] if forged else [])
    assert answer.status == 508
    assert b"passed a router more than 3 times" in answer.body
    assert len(visits) == (2 if forged == "1" else 3)
    assert visits[-1].header("x-fig-hops") == (forged or "") + "1" * len(visits)
