"""Signed claims: what upstreams get of them, on which way, and that nobody else can make or keep them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from router.estate import SecretReference
from router.snapshot.identity_files import claims_key

from .guarded import CLAIMS_KEY, World, claims_of, guarded, header_of
from .harness import eventually, identities
from .standins import api_error
from .tokens import bearer

KEYED = [("X-Key", "someone")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with guarded(tmp_path_factory.mktemp("claims")) as world:
        yield world


@pytest.fixture
def world(shared: World) -> World:
    shared.reset()
    shared.router.shift(any=0, shadowed=0)
    return shared


CLAIMS: dict[str, Any] = {
    "name": 'Zoë "the \\ boss"\n\t\u0000\u007f \u2028 😀 </script>',
    "scope": "books:read books:write",
    "amount": 0.1,
    "count": 3,
    "negative": -7,
    "large": 2**53 - 1,
    "tiny": 1e-300,
    "yes": True,
    "no": False,
    "list": [1, "two", [3.5], {"four": False}],
    "empty": [],
    "realm_access": {"roles": ["teller"], "a b": {"c": "d"}},
    "kéy \"'": "quoted",
}


def test_claims_arrive_as_the_token_has_them(world: World) -> None:
    """Every claim arrives as it was, but for what the router vouches for: who signed, when, and until when."""
    before = int(time.time())
    answer = world.router.request("/any/1", bearer(world.key.token({**CLAIMS, "nbf": before - 1, "jti": "x"})))
    found = claims_of(header_of(answer, "x-fig-claims"))
    assert found.pop("iss") == "fig:staff"
    issued, ends = found.pop("iat"), found.pop("exp")
    assert before - 1 <= issued <= time.time() + 1
    assert ends == issued + 30
    assert found == {**CLAIMS, "sub": "alice", "aud": "https://api.bank.example", "jti": "x"}


def test_functions_get_claims_in_the_event(world: World) -> None:
    """On the Lambda side the claims are in the event, and the Invoke API's own request has none."""
    world.router.shift(any=10_000)
    answer = world.router.request("/any/1", [*KEYED, *bearer(world.key.token())])
    assert answer.header("x-fig-side") == "lambda"
    (event,) = world.api.events
    assert claims_of(event.event["headers"]["x-fig-claims"])["sub"] == "alice"
    assert event.request.header("x-fig-claims") is None


def test_a_route_without_legacy_gets_claims_too(world: World) -> None:
    """A route that has a function only hands its claims on as well."""
    assert world.router.request("/new/1").status == 401
    assert world.router.request("/new/1", bearer(world.key.token())).status == 200
    assert claims_of(world.api.events[0].event["headers"]["x-fig-claims"])["sub"] == "alice"


def test_fallback_has_the_same_claims(world: World) -> None:
    """When Lambda fails legacy gets the request with the claims that Lambda got: they were signed once."""
    world.router.shift(any=10_000)
    world.api.api = api_error(429, "TooManyRequestsException")
    token = world.key.token()
    answer = world.router.request("/any/1", [*KEYED, *bearer(token)], method="POST", body=b"x")
    assert answer.header("x-fig-side") == "legacy"
    lambda_saw = json.loads(world.api.seen[0].body)["headers"]["x-fig-claims"]
    assert header_of(answer, "x-fig-claims") == lambda_saw
    assert header_of(answer, "authorization") == f"Bearer {token}"


def test_shadows_have_the_same_claims(world: World) -> None:
    """The mirrored request says the same about its user; one that is refused is mirrored to nobody."""
    layer = {"@type": "type.googleapis.com/envoy.service.runtime.v3.Runtime", "name": "shift"}
    layer["layer"] = {"shadow.shadowed": 10_000}  # type: ignore[assignment]
    world.router.put_runtime(json.dumps({"version_info": "x", "resources": [layer]}).encode())
    assert world.router.request("/shadowed/1", KEYED).status == 401
    assert world.untouched
    answer = world.router.request("/shadowed/1", [*KEYED, *bearer(world.key.token())])
    eventually(lambda: world.api.events)
    assert world.api.events[0].event["headers"]["x-fig-shadow"] == "1"
    assert world.api.events[0].event["headers"]["x-fig-claims"] == header_of(answer, "x-fig-claims")


@pytest.mark.parametrize("path", ["/any/1", "/plain", "/elsewhere"])
def test_forged_claims_never_arrive(world: World, path: str) -> None:
    """Claims from a client reach no upstream: not with a token, not without, not under another spelling."""
    token = world.key.token({"scope": "a", "roles": ["r"]})
    forged = world.key.token({"sub": "root"})
    names = ("X-Fig-Claims", "x-fig-claims", "X-FIG-CLAIMS")
    answer = world.router.request(path, [*bearer(token), *((name, forged) for name in names)])
    assert answer.status == 200
    found = header_of(answer, "x-fig-claims")
    assert found is None if path != "/any/1" else claims_of(found)["sub"] == "alice"


@pytest.mark.parametrize("path", ["/x/../any/1", "//any/1", "/%61ny/1", "/ANY/1", "/any;x/1"])
def test_another_spelling_of_a_path_has_no_claims(world: World, path: str) -> None:
    """A path that a server may read as a guarded one reaches legacy as it always did, and without claims to show."""
    answer = world.router.request(path, [("X-Fig-Claims", world.key.token())])
    assert answer.status == 200
    assert header_of(answer, "x-fig-claims") is None


def test_the_key_is_nowhere_to_be_read(world: World) -> None:
    """The key is in no snapshot, no log and no configuration that Envoy shows; its file is its owner's alone."""
    world.router.request("/any/1", bearer(world.key.token()))
    file = world.router.state / claims_key(SecretReference(environment="CLAIMS_KEY"))
    assert file.stat().st_mode & 0o777 == 0o600
    hidden = (CLAIMS_KEY.encode(), file.read_bytes())
    for page in ("/config_dump", "/config_dump?include_eds", "/stats", "/server_info", "/runtime"):
        assert not any(one in world.router.admin(page) for one in hidden)
    for path in world.router.state.rglob("*"):
        if path.is_file() and path != file:
            assert not any(one in path.read_bytes() for one in hidden), path


def test_tokens_and_claims_are_in_no_log(world: World) -> None:
    """Neither a token nor claims get into the access log or Envoy's own."""
    token = world.key.token()
    request = [("X-Request-Id", "a-request-to-find"), *bearer(token)]
    signed = header_of(world.router.request("/any/1?access_token=secret", request), "x-fig-claims")
    world.router.log_line("a-request-to-find")
    logs = "".join(path.read_text() for path in (world.router.state / "logs").iterdir())
    assert token.split(".")[1] not in logs
    assert signed is not None
    assert signed.split(".")[1] not in logs


def test_a_renewed_key_signs_without_a_restart(tmp_path: Path) -> None:
    """A new key is used soon after the node wrote it, and one that is too short is not."""
    with guarded(tmp_path) as world:

        def signed_with(key: str) -> bool:
            answer = world.router.request("/any/1", bearer(world.key.token()))
            try:
                return bool(claims_of(header_of(answer, "x-fig-claims"), key))
            except AssertionError:
                return False

        assert signed_with(CLAIMS_KEY)
        (snapshot,) = (world.router.state / "snapshots").iterdir()
        renewed = "another key of sufficient length, in 2027"
        identities(world.router.state, {"CLAIMS_KEY": renewed}).lend(snapshot.name)
        eventually(lambda: all(signed_with(renewed) for _ in range(8)))  # each of Envoy's workers looks for itself
        found = identities(world.router.state, {"CLAIMS_KEY": "short"}).lend(snapshot.name)
        assert "has 5 bytes, and at least 32 are needed; the last one is used" in found["identity staff key"]
        assert signed_with(renewed)


def test_a_damaged_key_file_signs_nothing(tmp_path: Path) -> None:
    """When the file with the key is damaged or gone the routes that need it answer 503, until it is whole again."""
    with guarded(tmp_path) as world:
        file = world.router.state / claims_key(SecretReference(environment="CLAIMS_KEY"))
        whole = file.read_bytes()

        def status() -> int:
            return world.router.request("/any/1", bearer(world.key.token())).status

        for damaged in (b"", b"not hex", whole[:-1], None):
            if damaged is None:
                file.unlink()
            else:
                file.write_bytes(damaged)
            eventually(lambda: status() == 503)
            file.write_bytes(whole)
            eventually(lambda: status() == 200)


def test_an_application_may_be_asked_for_much(world: World) -> None:
    """Five hundred groups in a token arrive, signed."""
    groups = [f"group-{number}" for number in range(500)]
    answer = world.router.request("/any/1", bearer(world.key.token({"groups": groups})))
    assert claims_of(header_of(answer, "x-fig-claims"))["groups"] == groups


def test_claims_of_an_answer_stay_inside(world: World) -> None:
    """What an upstream answers under the header's name does not reach the client."""
    world.router.shift(any=10_000)
    world.api.function = lambda _event: {"status_code": 200, "headers": {"x-fig-claims": "x"}, "body": ""}
    assert world.router.request("/any/1", [*KEYED, *bearer(world.key.token())]).header("x-fig-claims") is None
