import pytest

from benchmarks.estates import large_estate
from router.estate import Estate
from router.explanation import Basis, Explanation, explain, in_words
from router.precedence import Request
from router.side import Side, slot
from router.source.load import load_estate
from router.weight import Weight

from .estates import bookshop


@pytest.fixture(scope="module")
def estate() -> Estate:
    return bookshop()


def asked(
    estate: Estate, method: str, path: str, parts: int = 0, client: str | None = None, **headers: str
) -> Explanation:
    given = [(name.replace("_", "-"), value) for name, value in headers.items()]
    weights = {route.name: Weight(parts) for route in estate.routes if route.has_two_sides}
    return explain(estate, weights, Request.of(method, path, host="shop.example", headers=given), client=client)


def test_a_user_moves_at_the_weight_that_is_said(estate: Estate) -> None:
    """At the weight that is said, and not one part before it, the user is on Lambda."""
    place = slot("books-read", "alice")
    before = asked(estate, "GET", "/books/7", place, x_user="alice")
    after = asked(estate, "GET", "/books/7", place + 1, x_user="alice")
    assert before.assignment.lambda_from == after.assignment.lambda_from == Weight(place + 1)
    assert (before.assignment.side, after.assignment.side) == (Side.LEGACY, Side.LAMBDA)
    assert (before.upstream, after.upstream) == ("bookshop", "books")


@pytest.mark.parametrize(
    ("path", "parts", "basis", "side", "words"),
    [
        ("/books", 10_000, Basis.NO_KEY_LEGACY, Side.LEGACY, "legacy: requests without a key stay there"),
        ("/cookie", 0, Basis.NO_KEY_DRAWN, Side.LEGACY, "legacy, at weight 0%; above it the router draws"),
        ("/cookie", 2_500, Basis.NO_KEY_DRAWN, None, "either side: the router draws one at weight 25%"),
        ("/cookie", 10_000, Basis.NO_KEY_DRAWN, Side.LAMBDA, "lambda: the router draws one at weight 100%"),
        ("/address", 2_500, Basis.CLIENT_UNKNOWN, None, "either side, by the client's address"),
        ("/new/7", 0, Basis.ONE_SIDE, Side.LAMBDA, "lambda: it is the only side"),
        ("/events", 0, Basis.ONE_SIDE, Side.LEGACY, "legacy: it is the only side"),
        ("/nothing", 0, Basis.ONE_SIDE, Side.LEGACY, "legacy: it is the only side"),
    ],
)
def test_requests_without_a_key(  # noqa: PLR0913, PLR0917 - a row of the table
    estate: Estate, path: str, parts: int, basis: Basis, side: Side | None, words: str
) -> None:
    """Without a key it is said what happens: legacy, a drawn side, or that the client's address would tell."""
    found = asked(estate, "GET", path, parts)
    assert (found.assignment.basis, found.assignment.side) == (basis, side)
    assert in_words(found).startswith(words)


@pytest.mark.parametrize("path", ["/address", "/orders"])
def test_the_client_address_decides(estate: Estate, path: str) -> None:
    """The client's address is the key by `client_address`, and for a header that is missing but assigned."""
    found = asked(estate, "GET", path, 5_000, client="10.1.2.3", x_api="v2")
    assert found.assignment.basis is Basis.CLIENT_ADDRESS
    assert found.assignment.key == "10.1.2.3"


def test_every_other_route_has_a_reason(estate: Estate) -> None:
    """In a small estate each route that was not taken is named with the first condition that failed."""
    found = asked(estate, "POST", "/books")
    reasons = {other.route: other.reason for other in found.others}
    assert found.route is None
    assert reasons["books-read"] == "method POST is not GET or HEAD"
    assert reasons["chat"] == "path /books is not below /chat"
    assert len(reasons) == len(estate.routes)
    assert found.left_out == 0


def test_a_route_that_matches_too_says_what_is_before_it() -> None:
    """A route that matches but comes later says which comes first, and why."""
    text = """
version: 1
entry: {address: "127.0.0.1:80", default: old}
legacy: {old: {endpoints: ["10.0.0.1:80"]}}
routes:
  exact: {match: {path: {exact: /a/b}}, legacy: old}
  longer: {match: {path: {prefix: /a}}, legacy: old}
  root: {match: {path: {prefix: /}}, legacy: old}
  host: {match: {path: {prefix: /}, host: a.example, methods: [GET]}, legacy: old}
"""
    estate = load_estate(text, file="e", environment={}).estate_or_refused()
    found = explain(estate, {}, Request.of("GET", "/a/b", host="a.example", headers=[]))
    first = "it matches too, but host comes first: its host is more specific"
    assert [(other.route, other.reason) for other in found.others] == [
        ("exact", first),
        ("longer", first),
        ("root", first),
    ]
    found = explain(estate, {}, Request.of("GET", "/a/b", headers=[]))
    assert {other.route: other.reason for other in found.others} == {
        "longer": "it matches too, but exact comes first: an exact path goes before a prefix",
        "root": "it matches too, but exact comes first: an exact path goes before a prefix",
        "host": "host (none) is not a.example",
    }


def test_a_large_estate_is_cut_to_what_is_near() -> None:
    """Of many routes only a dozen of the same first segment are explained, and it is said how many are not."""
    estate = load_estate(large_estate(2_000), file="e", environment={}).estate_or_refused()
    found = explain(estate, {}, Request.of("GET", "/team-1/page-98/x", headers=[]))
    assert 0 < len(found.others) <= 12
    assert all("/team-1/" in (estate.route(other.route) or estate.routes[0]).match.path.value for other in found.others)
    assert found.left_out + len(found.others) + (found.route is not None) == 2_000
