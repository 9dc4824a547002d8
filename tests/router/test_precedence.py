import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.estate import PathKind, PathMatch, Route
from router.hosts import specificity
from router.precedence import Request, first_mismatch, for_host, in_match_order, matches, path_matches, virtual_hosts

from .estates import route

EXACT, PREFIX, REGEX = PathKind.EXACT, PathKind.PREFIX, PathKind.REGEX


def names(routes: tuple[Route, ...]) -> list[str]:
    return [one.name for one in routes]


def request(path: str, method: str = "GET", host: str = "", **headers: str) -> Request:
    return Request.of(method, path, host=host, headers=headers.items())


@pytest.mark.parametrize(
    ("kind", "condition", "path", "holds"),
    [
        (PREFIX, "/books", "/books", True),
        (PREFIX, "/books", "/books/", True),
        (PREFIX, "/books", "/books/7", True),
        (PREFIX, "/books", "/booksale", False),
        (PREFIX, "/books", "/Books", False),
        (PREFIX, "/books/", "/books", False),
        (PREFIX, "/books/", "/books/7", True),
        (PREFIX, "/", "/anything", True),
        (EXACT, "/books", "/books", True),
        (EXACT, "/books", "/books/", False),
        (REGEX, "/books/[0-9]+", "/books/7", True),
        (REGEX, "/books/[0-9]+", "/books/7/reviews", False),
        (REGEX, "/books|/b", "/b", True),
    ],
)
def test_path_conditions(kind: PathKind, condition: str, path: str, *, holds: bool) -> None:
    """A prefix takes whole segments, an exact path itself, a regex the whole path; case counts."""
    assert path_matches(PathMatch(kind, condition), path) is holds


def test_query_and_port_are_not_compared() -> None:
    """The path is compared without its query, the host in lower case without its port."""
    one = route("one", EXACT, "/books", hosts=["books.example"])
    assert matches(one, request("/books?id=1#top", host="BOOKS.example:8080"))


@pytest.mark.parametrize(
    ("host", "holds"),
    [("a.example", True), ("b.a.example", True), ("example", False), ("aexample", False), ("", False)],
)
def test_wildcards_take_what_is_below(host: str, *, holds: bool) -> None:
    """A wildcard host takes every name below it at any depth, and not the name itself."""
    assert matches(route("one", PREFIX, "/", hosts=["*.example"]), request("/", host=host)) is holds


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (request("/books"), "host (none) is not a.example"),
        (request("/bo", host="a.example"), "path /bo is not below /books"),
        (request("/books", method="PUT", host="a.example"), "method PUT is not GET or POST"),
        (request("/books", host="a.example"), "header x-api is missing"),
        (Request.of("GET", "/books", host="a.example", headers=[("X-API", "1")]), "header x-api is 1, not 2"),
        (Request.of("GET", "/books", host="a.example", headers=[("X-API", "2")]), None),
        (
            Request.of("GET", "/books", host="a.example", headers=[("X-API", "2"), ("x-api", "2")]),
            "header x-api is 2,2, not 2",
        ),
    ],
)
def test_the_first_condition_that_fails_is_named(asked: Request, reason: str | None) -> None:
    """A route that does not match says which condition failed first: host, path, method, headers."""
    one = route("one", PREFIX, "/books", hosts=["a.example"], methods=["GET", "POST"], headers=[("x-api", "2")])
    assert first_mismatch(one, asked) == reason


def test_connect_is_taken_by_its_own_routes_only() -> None:
    """A CONNECT request, which has no path, is taken by `upgrade: connect` alone, and that takes nothing else."""
    tunnel, plain = route("tunnel", PREFIX, "/", upgrade="connect"), route("plain", PREFIX, "/")
    asked = Request.of("CONNECT", "db.internal:443")
    assert matches(tunnel, asked)
    assert not matches(plain, asked)
    assert not matches(tunnel, request("/"))


def test_most_specific_first() -> None:
    """The order is host, path kind, length, header conditions, methods, name."""
    expected = [
        route("host-prefix", PREFIX, "/", hosts=["a.example"]),
        route("long-wildcard", PREFIX, "/", hosts=["*.b.example"]),
        route("wildcard", EXACT, "/a/b/c", hosts=["*.example"]),
        route("exact-two-headers", EXACT, "/a", headers=[("x", "1"), ("y", "1")]),
        route("exact-one-header", EXACT, "/a", headers=[("x", "1")]),
        route("exact-methods", EXACT, "/a", methods=["GET"]),
        route("exact-a", EXACT, "/a"),
        route("exact-b", EXACT, "/a"),
        route("long-prefix", PREFIX, "/a/b/"),
        route("shorter-prefix", PREFIX, "/a/b"),
        route("root", PREFIX, "/"),
        route("long-regex", REGEX, "/a/[0-9]+"),
        route("text-a", REGEX, "/a.*"),
        route("text-b", REGEX, "/b.*"),
    ]
    for shuffled in (expected[::-1], expected[5:] + expected[:5]):
        assert names(in_match_order(shuffled)) == [one.name for one in expected]


def test_each_host_has_its_own_order() -> None:
    """A route with several hosts stands in each host's list where that host puts it."""
    both = route("both", PREFIX, "/a", hosts=["shop.example", "*.example"])
    deep = route("deep", PREFIX, "/", hosts=["www.example"])
    everywhere = route("everywhere", EXACT, "/a")
    hosts = virtual_hosts([everywhere, deep, both])
    assert {host: [names(group) for group in groups] for host, groups in hosts.items()} == {
        "shop.example": [["both"], ["everywhere"]],
        "www.example": [["deep"], ["both"], ["everywhere"]],
        "*.example": [["both"], ["everywhere"]],
        "*": [["everywhere"]],
    }
    assert list(hosts) == sorted(hosts, key=lambda host: (specificity(host), host))


_HOSTS = ("a.example", "b.a.example", "*.example", "*.a.example", "c.test")
_PATHS = ((EXACT, "/a"), (EXACT, "/a/b"), (PREFIX, "/a"), (PREFIX, "/"), (PREFIX, "/a/"), (REGEX, "/a.*"))
_routes = st.lists(
    st.builds(
        lambda path, hosts, methods, headers: (path, hosts, methods, headers),
        st.sampled_from(_PATHS),
        st.sets(st.sampled_from(_HOSTS), max_size=3),
        st.sets(st.sampled_from(["GET", "POST"])),
        st.sets(st.sampled_from([("x", "1"), ("y", "1")])),
    ),
    max_size=8,
)


@given(_routes)
def test_virtual_hosts_and_requests_agree(
    drawn: list[tuple[tuple[PathKind, str], set[str], set[str], set[tuple[str, str]]]],
) -> None:
    """What a request takes by walking all routes is what it takes from the list of its most specific host pattern."""
    routes = [
        route(f"r{number}", kind, path, hosts=sorted(hosts), methods=sorted(methods), headers=sorted(headers))
        for number, ((kind, path), hosts, methods, headers) in enumerate(drawn)
    ]
    tables = virtual_hosts(routes)
    for host, path, method in itertools.product(
        ("a.example", "b.a.example", "z.a.example", "q", ""), ("/a", "/a/b", "/b"), ("GET", "PUT")
    ):
        asked = Request.of(method, path, host=host, headers=[("X", "1")])
        table = next(
            found
            for pattern, found in tables.items()
            if pattern in (host, "*") or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        )
        from_table = next((one for group in table for one in group if matches(one, asked)), None)
        assert next((one for one in for_host(routes, host) if matches(one, asked)), None) is from_table


@given(_routes, st.randoms(use_true_random=False))
def test_order_does_not_depend_on_the_file(
    drawn: list[tuple[tuple[PathKind, str], set[str], set[str], set[tuple[str, str]]]], random: object
) -> None:
    """The match order is the same whatever the order of the routes in the file."""
    routes = [
        route(f"r{number}", kind, path, hosts=sorted(hosts), methods=sorted(methods), headers=sorted(headers))
        for number, ((kind, path), hosts, methods, headers) in enumerate(drawn)
    ]
    shuffled = list(routes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_match_order(shuffled) == in_match_order(routes)
