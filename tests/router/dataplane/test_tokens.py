"""Bearer tokens: who has a good one and may pass, who has none, and who pretends."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from router.node import traffic
from router.node.samples import samples

from .guarded import World, guarded, header_of
from .harness import eventually
from .standins import Reply
from .tokens import Key, base64url, bearer, by_secret, jwks, signing_input

Token = Callable[[World], str]
SCOPES = "books:read books:write"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with guarded(tmp_path_factory.mktemp("tokens")) as world:
        yield world


@pytest.fixture
def world(shared: World) -> World:
    shared.reset()
    return shared


def test_no_token_is_401(world: World) -> None:
    """Without a token the answer is 401 with the challenge of RFC 6750, and no upstream is touched."""
    answer = world.router.request("/any/1")
    assert answer.status == 401
    assert (answer.header("www-authenticate") or "").startswith("Bearer ")
    assert world.untouched


def test_a_good_token_passes_as_it_came(world: World) -> None:
    """With a good token the request arrives, and the token with it."""
    token = world.key.token()
    answer = world.router.request("/any/1", bearer(token))
    assert answer.status == 200
    assert header_of(answer, "authorization") == f"Bearer {token}"


HOSTILE: dict[str, Token] = {
    "expired": lambda world: world.key.token({"exp": int(time.time()) - 60}),
    "not yet valid": lambda world: world.key.token({"nbf": int(time.time()) + 600}),
    "without an end": lambda world: world.key.token({"exp": None}),
    "end is a text": lambda world: world.key.token({"exp": "9999999999"}),
    "end is huge": lambda world: world.key.token({"exp": 1e400}),
    "another issuer": lambda world: world.key.token({"iss": "https://evil.example/"}),
    "issuer is a list": lambda world: world.key.token({"iss": ["https://login.bank.example/"]}),
    "no issuer": lambda world: world.key.token({"iss": None}),
    "alg none": lambda _world: signing_input({}, {"alg": "none"}) + ".",
    "alg None": lambda _world: signing_input({}, {"alg": "None", "kid": "first"}) + ".",
    "alg none, signed": lambda world: world.key.token(header={"alg": "none", "kid": "first"}),
    "HS256 by the public key": lambda world: by_secret(world.key.public, {}, {"alg": "HS256", "kid": "first"}),
    "HS256 by the modulus": lambda world: by_secret(world.key.jwk["n"].encode(), {}, {"alg": "HS256", "kid": "first"}),
    "HS256 by nothing": lambda _world: by_secret(b"", {}, {"alg": "HS256"}),
    "another key's id": lambda world: world.key.token(header={"alg": "RS256", "kid": "second"}),
    "id is a path": lambda world: world.key.token(header={"alg": "RS256", "kid": "../../../dev/null"}),
    "id is an object": lambda world: world.key.token(header={"alg": "RS256", "kid": {"first": 1}}),
    "another alg": lambda world: world.key.token(header={"alg": "RS512", "kid": "first"}),
    "no signature": lambda world: world.key.token().rpartition(".")[0] + ".",
    "two parts": lambda world: world.key.token().rpartition(".")[0],
    "other claims": lambda world: ".".join(
        [
            world.key.token().split(".")[0],
            base64url(json.dumps({"sub": "root"}).encode()),
            world.key.token().split(".")[2],
        ]
    ),
    "standard base64": lambda world: base64.b64encode(world.key.token().encode()).decode(),
    "no JSON": lambda _world: f"{base64url(b'{')}.{base64url(b'{')}.{base64url(b'x')}",
    "empty": lambda _world: "",
    "very long": lambda world: world.key.token() + "A" * 20_000,
    "a space in it": lambda world: world.key.token().replace(".", " .", 1),
}


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE)
def test_who_pretends_gets_401(world: World, token: Token) -> None:
    """No token that the issuer did not sign, or whose time is over, passes; no upstream is touched."""
    answer = world.router.request("/any/1", bearer(token(world)))
    assert answer.status == 401
    assert (answer.header("www-authenticate") or "").startswith("Bearer ")
    assert world.untouched


def test_a_key_of_somebody_else_signs_nothing(world: World, tmp_path: Any) -> None:
    """A token under another key with the issuer's key id, or with its own key in its header, is refused."""
    other = Key(tmp_path, "first")
    inside = {"alg": "RS256", "kid": "first", "jwk": other.jwk, "jku": "https://evil.example/jwks", "x5u": "x"}
    for header in (None, inside, {**inside, "kid": "unheard"}):
        assert world.router.request("/any/1", bearer(other.token(header=header))).status == 401
    assert world.untouched


def test_another_audience_is_403(world: World) -> None:
    """A good token for somebody else's service is known and not allowed."""
    for audience in ("https://evil.example", ["a", "b"], None, {"https://api.bank.example": 1}):
        assert world.router.request("/any/1", bearer(world.key.token({"aud": audience}))).status in (401, 403)
    assert world.untouched
    assert world.router.request("/any/1", bearer(world.key.token({"aud": ["x", "other"]}))).status == 200


def test_clocks_may_differ(world: World) -> None:
    """A token that ended within the clock skew passes."""
    assert world.router.request("/any/1", bearer(world.key.token({"exp": int(time.time()) - 2}))).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        lambda good, bad: [*bearer(good), *bearer(bad)],
        lambda good, bad: [*bearer(bad), *bearer(good)],
        lambda good, _bad: [*bearer(good), *bearer(good)],
        lambda good, _bad: [("Authorization", "Basic cm9vdDpyb290"), *bearer(good)],
        lambda good, _bad: [*bearer(good), ("Authorization", "Basic cm9vdDpyb290")],
        lambda good, _bad: [("Authorization", f"Basic cm9vdDpyb290, Bearer {good}")],
        lambda good, _bad: [("Authorization", f"Bearer {good}, Basic cm9vdDpyb290")],
        lambda good, _bad: [("Authorization", f"Digest Bearer {good}")],
        lambda good, _bad: [("Authorization", f"Bearer {good}\t"), *bearer("x")],
    ],
)
def test_two_proofs_are_none(world: World, headers: Callable[[str, str], list[tuple[str, str]]]) -> None:
    """A request with two Authorization headers, or two proofs in one, is refused: upstreams might believe the other."""
    given = headers(world.key.token(), world.key.token({"exp": 1}))
    assert world.router.request("/any/1", given).status == 401
    assert world.untouched


def test_a_token_elsewhere_is_none(world: World) -> None:
    """Tokens in the query, a cookie or another header are not looked at."""
    token = world.key.token()
    for path, headers in (
        (f"/any/1?access_token={token}", []),
        ("/any/1", [("Cookie", f"access_token={token}")]),
        ("/any/1", [("X-Authorization", f"Bearer {token}")]),
    ):
        assert world.router.request(path, headers).status == 401
    assert world.untouched


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": SCOPES}, 200),
        ({"scope": f"x {SCOPES} y"}, 200),
        ({"scope": ["books:write", "books:read"]}, 200),
        ({"scope": "books:read"}, 403),
        ({"scope": "books:read books:writer"}, 403),
        ({"scope": "BOOKS:READ BOOKS:WRITE"}, 403),
        ({"scope": "books:read,books:write"}, 403),
        ({"scope": ["books:read books:write"]}, 403),
        ({"scope": [["books:read", "books:write"]]}, 403),
        ({"scope": {"books:read": True, "books:write": True}}, 403),
        ({"scope": {"1": "books:read", "2": "books:write"}}, 403),
        ({"scope": 7}, 403),
        ({"scope": True}, 403),
        ({"scope": []}, 403),
        ({"scope": ""}, 403),
        ({"scp": SCOPES}, 403),
        ({"inner": {"scope": SCOPES}}, 403),
        ({"scope": [None, "books:read", None, "books:write"]}, 403),
    ],
)
def test_all_scopes_are_needed(world: World, claims: dict[str, Any], status: int) -> None:
    """A route's scopes must all be there, as words of a text or texts of a list; whatever else is there is no scope."""
    answer = world.router.request("/scoped", bearer(world.key.token(claims)))
    assert answer.status == status
    if status == 403:
        expected = 'Bearer error="insufficient_scope", scope="books:read books:write"'
        assert answer.header("www-authenticate") == expected
        assert world.untouched


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"realm_access": {"roles": ["teller"]}}, 200),
        ({"realm_access": {"roles": ["x", "auditor"]}}, 200),
        ({"realm_access": {"roles": "auditor"}}, 200),
        ({"realm_access.roles": ["teller"]}, 200),
        ({"realm_access": {"roles": "no teller"}}, 403),
        ({"realm_access": {"roles": ["no teller"]}}, 403),
        ({"realm_access": {"roles": {"teller": "teller"}}}, 403),
        ({"realm_access": "roles"}, 403),
        ({"realm_access": ["roles", "teller"]}, 403),
        ({"roles": ["teller"]}, 403),
        ({"realm_access.roles": [], "realm_access": {"roles": ["teller"]}}, 403),
        ({}, 403),
    ],
)
def test_one_role_is_enough(world: World, claims: dict[str, Any], status: int) -> None:
    """One of a route's roles must be there, in a list or as the whole text, under its name or its path."""
    answer = world.router.request("/roles", bearer(world.key.token(claims)))
    assert answer.status == status
    assert status == 200 or world.untouched


def test_scopes_and_roles_are_both_needed(world: World) -> None:
    """A route that names both wants both."""
    for claims, status in (({"scope": "a"}, 403), ({"roles": ["r"]}, 403), ({"scope": "a", "roles": ["r"]}, 200)):
        assert world.router.request("/plain", bearer(world.key.token(claims))).status == status


def test_refusals_are_counted_by_route(world: World) -> None:
    """401 and 403 of the router are counted for their route; those of an application are not."""
    before = world.refused("any", 401), world.refused("scoped", 403), world.refused("any", 403)
    world.router.request("/any/1")
    world.router.request("/scoped", bearer(world.key.token()))
    for status in (401, 403):
        world.legacy.answer = lambda _seen: Reply(status)  # noqa: B023 - called before the next
        assert world.router.request("/any/1", bearer(world.key.token())).status == status
    eventually(lambda: world.refused("any", 401) == before[0] + 1)
    eventually(lambda: world.refused("scoped", 403) == before[1] + 1)
    assert (world.refused("any", 401), world.refused("any", 403)) == (before[0] + 1, before[2])


def test_what_is_refused_is_no_evidence(world: World) -> None:
    """A moving route's counters have the requests that a side answered, and none that its identity refused."""
    world.router.shift(any=5_000)
    for number in range(20):
        assert world.router.request("/any/1", [("X-Key", str(number))]).status == 401
        assert world.router.request("/any/1", [("X-Key", str(number)), *bearer(world.key.token())]).status == 200
    counted = traffic.parse(samples(world.router.admin("/stats?format=prometheus&filter=fig.requests")))["any"]
    assert sum(side["requests"] for side in counted.values()) == 20
    assert all(side["by_status"].keys() == {"200"} for side in counted.values())


def test_preflights_need_no_token(world: World) -> None:
    """A CORS preflight passes without proof, and without claims; what only looks like one does not pass."""
    asks = [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "POST")]
    answer = world.router.request("/any/1", [*asks, ("X-Fig-Claims", "forged")], method="OPTIONS")
    assert answer.status == 200
    assert header_of(answer, "x-fig-claims") is None
    for headers, method in ((asks[:1], "OPTIONS"), (asks[1:], "OPTIONS"), (asks, "GET"), (asks, "POST")):
        assert world.router.request("/any/1", headers, method=method).status == 401


def test_upgrades_are_asked_too(world: World) -> None:
    """A WebSocket begins with a proof, or not at all."""
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x" * 22 + "==")]
    assert world.router.request("/ws", upgrade).status == 401
    assert world.untouched


def test_odd_methods_and_paths_are_asked_too(world: World) -> None:
    """No method and no spelling of a route's path goes round its proof."""
    for method in ("HEAD", "OPTIONS", "TRACE", "PROPFIND", "POST"):
        assert world.router.request("/any/1", method=method).status == 401
    for path in ("/any", "/any?x=/plain", "/any//1", "/any/../any/1", "/any/%2e%2e/1", "/any/;x=1"):
        assert world.router.request(path).status == 401
    assert world.untouched


def test_missing_keys_are_503_on_their_routes_only(world: World) -> None:
    """An identity whose keys were never found answers 503, whatever the token; the other routes serve."""
    assert world.router.request("/absent", bearer(world.key.token())).status == 503
    assert world.router.request("/absent").status == 401
    assert world.untouched
    assert world.router.request("/plain", bearer(world.key.token({"scope": "a", "roles": "r"}))).status == 200
    assert world.router.request("/elsewhere").status == 200


def test_claims_that_cannot_be_signed_are_503(world: World) -> None:
    """An identity whose claims have no key answers 503: no upstream gets a request without its claims."""
    answer = world.router.request("/unsigned", bearer(world.key.token()))
    assert answer.status == 503
    assert world.untouched


def test_a_renewed_file_counts_without_a_restart(world: World, tmp_path: Any) -> None:
    """Keys that are added to the file count soon, keys that were taken out do not; a damaged file changes nothing."""
    second = Key(tmp_path, "second")

    def status(key: Key) -> int:
        return world.router.request("/any/1", bearer(key.token())).status

    assert status(second) == 401
    try:
        world.jwks.write_text(jwks([world.key, second]))
        eventually(lambda: status(second) == 200)
        assert status(world.key) == 200
        world.jwks.write_text(jwks([second]))
        eventually(lambda: status(world.key) == 401)
        for damaged in ('{"keys": [{"kty": "RSA"', "<html>", ""):
            world.jwks.write_text(damaged)
            asked = world.questions()
            eventually(lambda: status(second) == 200 and world.questions() >= asked + 2)  # noqa: B023 - awaited here
            assert status(second) == 200
        world.jwks.unlink()
        assert status(second) == 200
    finally:
        world.jwks.write_text(jwks([world.key]))
        eventually(lambda: status(world.key) == 200)
    assert world.router.request("/absent", bearer(world.key.token())).status == 503


def test_a_file_that_comes_late_counts(world: World) -> None:
    """Keys that were missing at the start count once they are there."""
    late = world.jwks.with_name("jwks.json.absent")
    late.write_text(jwks([world.key]))
    try:
        eventually(lambda: world.router.request("/absent", bearer(world.key.token())).status == 200)
    finally:
        late.unlink()
