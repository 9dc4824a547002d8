"""What is left to legacy whatever the weight: paths that two servers may read differently, and CORS preflights."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .harness import Running, eventually, running_router
from .standins import InvokeApi, StandIn, echo

ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop, expose_side: true, paths: "${PATHS:-as-is}"}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
routes:
  books: {match: {path: {prefix: /books}}, legacy: shop, lambda: books, sticky: {header: X-User}}
  raw: {match: {path: {prefix: /raw}}, legacy: shop, lambda: books, sticky: {header: X-User}, paths: as-is}
  new: {match: {path: {prefix: /new}}, lambda: books}
"""
USER = ("X-User", "alice")
ODD = (
    *("/books//7", "/books/./7", "/books/../admin", "/books/..", "/books/..;/x", "/books/%2e%2e/x", "/books/a%2Fb"),
    *("/books/a\\b", "/books/%5c", "/books/%00", "/books/%zz", "/books/%4", "/books/%"),
    *("/books/%61", "/books/%5A", "/books/%30", "/books/%2d", "/books/%5F", "/books/%7E"),
)
PLAIN = (
    "/books",
    "/books/7",
    "/books/7/",
    "/books/a.b",
    "/books/...",
    "/books/%20x",
    "/books/%40%5B%60%7B%3A%2C%C3%A9",
    "/books/x?next=//a/../b%2F",
    "/books;v=1",
)
PREFLIGHT = [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "POST")]


@pytest.fixture(scope="module")
def sides() -> Iterator[tuple[StandIn, InvokeApi]]:
    with StandIn(echo).running() as legacy, InvokeApi().running() as api:
        assert isinstance(api, InvokeApi)
        yield legacy, api


@pytest.fixture(scope="module")
def router(sides: tuple[StandIn, InvokeApi], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    legacy, api = sides
    ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port)}
    with running_router(tmp_path_factory.mktemp("node"), ESTATE, environment=ports) as running:
        running.shift(books=10_000, raw=10_000)
        yield running


@pytest.mark.parametrize("path", ODD)
def test_odd_paths_are_left_to_legacy(router: Running, sides: tuple[StandIn, InvokeApi], path: str) -> None:
    """On a strict route legacy gets an odd path byte for byte, and the function never hears of it."""
    legacy, api = sides
    for method in ("GET", "POST"):
        legacy.seen.clear()
        api.events.clear()
        answer = router.request(path, [USER], method=method, body=b"x" if method == "POST" else None)
        assert (answer.status, answer.header("x-fig-side")) == (200, "legacy")
        assert [one.path for one in legacy.seen] == [path]
        assert not api.events


@pytest.mark.parametrize("path", PLAIN)
def test_plain_paths_go_to_the_function(router: Running, path: str) -> None:
    """What only looks odd is not: dots in names, encoded blanks, a query full of slashes."""
    answer = router.request(path, [USER])
    assert answer.header("x-fig-side") == ("legacy" if ";" in path else "lambda")


def test_a_route_may_take_paths_as_they_are(router: Running) -> None:
    """With `paths: as-is` the function gets odd paths too."""
    assert router.request("/raw/a%2Fb", [USER]).header("x-fig-side") == "lambda"


def test_a_route_without_legacy_refuses_odd_paths(router: Running) -> None:
    """Where nobody could take it as it always did, an odd path is answered 400."""
    assert router.request("/new//x").status == 400
    assert router.request("/new/x").status == 200


def test_odd_paths_are_counted_by_route(router: Running) -> None:
    """What strictness changes can be counted before any weight is raised."""
    router.request("/books//7", [USER])
    router.request("/elsewhere//7", [USER])
    eventually(lambda: all(f"route.{name}" in counted(router) for name in ("books", "default")))


def counted(router: Running) -> str:
    """The counters of odd paths."""
    return router.admin("/stats?filter=fig.paths").decode()


def test_a_strict_entry_refuses_odd_paths_that_no_route_takes(sides: tuple[StandIn, InvokeApi], tmp_path: Path) -> None:
    """With `entry.paths: strict` the default route answers 400 for them, and takes the rest."""
    legacy, api = sides
    ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port), "PATHS": "strict"}
    with running_router(tmp_path, ESTATE, environment=ports) as running:
        assert running.request("/x/../admin").status == 400
        assert running.request("//books").status == 400
        assert running.request("/%62ooks").status == 400
        assert running.request("/x?a=//").status == 200


def test_preflights_go_to_legacy_until_everything_has_moved(router: Running, sides: tuple[StandIn, InvokeApi]) -> None:
    """A preflight carries no user: while some users are on legacy, legacy answers it, and the function at 100 %."""
    _, api = sides
    router.shift(books=9_999)
    eventually(lambda: preflight(router) == "legacy", 5)
    for _ in range(20):
        assert preflight(router) == "legacy"
    api.events.clear()
    assert router.request("/books/7", [*PREFLIGHT], method="POST", body=b"x").header("x-fig-side") == "legacy"  # no key
    router.shift(books=10_000)
    eventually(lambda: preflight(router) == "lambda", 5)
    assert router.request("/books/7", [USER], method="OPTIONS").header("x-fig-side") == "lambda"


def preflight(router: Running) -> str | None:
    """Which side answers a preflight of somebody with a key."""
    return router.request("/books/7", [USER, *PREFLIGHT], method="OPTIONS").header("x-fig-side")
