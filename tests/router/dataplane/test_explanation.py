"""What `fig explain` says is what Envoy does: which route is taken, and on which side the user is."""

import functools
import json
import random
import string
from collections.abc import Iterator

import pytest

from router.estate import Estate
from router.explanation import Explanation, explain
from router.precedence import Request
from router.source.load import load_estate
from router.weight import Weight

from .harness import Running, running_router
from .standins import InvokeApi, StandIn, echo

ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop, expose_side: true}
legacy: {shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 2s
routes:
  exact: {match: {path: {exact: /books}}, legacy: shop, lambda: books, sticky: {header: X-User}}
  below: {match: {path: {prefix: /books}}, legacy: shop, lambda: books, sticky: {cookie: sid}}
  deeper: {match: {path: {prefix: /books/new}}, legacy: shop, lambda: books, sticky: {header: X-User}}
  slash: {match: {path: {prefix: /books/old/}}, legacy: shop, lambda: books, sticky: {header: X-User}}
  reads: {match: {path: {prefix: /books/new}, methods: [GET, HEAD]}, legacy: shop, lambda: books, salt: shared}
  v2:
    match: {path: {prefix: /books}, headers: {X-Api: v2}}
    legacy: shop
    lambda: books
    sticky: {client_address: true}
  pattern: {match: {path: {regex: "/[a-z]+/[0-9]+"}}, legacy: shop, lambda: books, sticky: {header: X-User}}
  wild: {match: {host: "*.shop.example", path: {prefix: /books}}, legacy: shop, lambda: books, sticky: {header: X-User}}
  host: {match: {host: eu.shop.example, path: {exact: /books}}, legacy: shop}
  single: {match: {path: {prefix: /only}}, lambda: books}
"""
HOSTS = ("a.example", "eu.shop.example", "us.shop.example", "shop.example", "EU.shop.example:8443")
PATHS = ("/", "/books", "/books/", "/books/7", "/booksale", "/books/new", "/books/newest", "/books/new/1", "/books/old")
MORE_PATHS = ("/books/old/", "/books/old/2", "/abc/12", "/abc/12x", "/only", "/only/x", "/BOOKS", "/books?new=1")
METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with StandIn(echo).running() as legacy, InvokeApi().running() as api:
        ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port)}
        with running_router(tmp_path_factory.mktemp("node"), ESTATE, environment=ports) as running:
            names = ("exact", "below", "deeper", "slash", "reads", "v2", "pattern", "wild")
            running.shift(**dict.fromkeys(names, 5_000))
            yield running


def explained(router: Running, request: Request) -> Explanation:
    return explain(parsed(), router.moving, request, client="127.0.0.1")


@functools.cache
def parsed() -> Estate:
    ports = {"ENTRY_PORT": "1", "LEGACY_PORT": "2", "LAMBDA_PORT": "3"}
    return load_estate(ESTATE, file="e", environment=ports).estate_or_refused()


def random_request(chosen: random.Random, number: int) -> tuple[str, str, list[tuple[str, str]]]:
    """A method, a target, and headers with the host first."""
    headers = [("Host", chosen.choice(HOSTS)), ("X-Request-Id", f"r-{number}")]
    user = "".join(chosen.choices(string.ascii_letters + string.digits + "-._@ =", k=chosen.randint(1, 24))).strip()
    if chosen.random() < 0.8:
        headers.append(("X-User", user or "u"))
    if chosen.random() < 0.7:
        headers.append(("Cookie", f"a=1; sid={user.replace(' ', '')}; b=2"))
    if chosen.random() < 0.2:
        headers.append(("X-Api", chosen.choice(("v1", "v2"))))
    return chosen.choice(METHODS), chosen.choice(PATHS + MORE_PATHS), headers


def test_explain_agrees_with_envoy_for_a_thousand_random_users(router: Running) -> None:
    """For 1,000 random users and requests the explained route and side are those that Envoy chose."""
    chosen = random.Random(20)  # noqa: S311 - variety, not secrecy
    keyed, taken = 0, dict[str, str]()
    for number in range(1_000):
        method, target, headers = random_request(chosen, number)
        answer = router.request(target, headers, method=method, keep_alive=True)
        said = explained(router, Request.of(method, target, host=headers[0][1], headers=headers[1:]))
        taken[f"r-{number}"] = said.route.name if said.route else "default"
        if said.assignment.side is not None:
            assert answer.header("x-fig-assigned") == said.assignment.side.value, (method, target, headers)
        if said.assignment.slot is not None:
            keyed += 1
            assert said.assignment.lambda_from == Weight(said.assignment.slot + 1)
    assert keyed > 300
    router.log_line("r-999")
    lines = map(json.loads, (router.state / "logs" / "access.jsonl").read_text().splitlines())
    assert {line["request_id"]: line["route"] for line in lines} == taken
    assert len(set(taken.values())) == 11
