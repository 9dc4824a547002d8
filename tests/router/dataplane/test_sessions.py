"""Sessions of a legacy application: it alone says whose they are, is asked each time, and is asked for nothing else."""

import http.client
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from .guarded import CLAIMS_KEY, World, claims_of, guarded, header_of, no_session
from .harness import eventually, running_router
from .standins import InvokeApi, Reply, Seen, StandIn

ALICE = [("Cookie", "theme=1; SID=of-alice; lang=de")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with guarded(tmp_path_factory.mktemp("sessions")) as world:
        yield world


@pytest.fixture
def world(shared: World) -> World:
    shared.reset()
    shared.portal.answer = knows
    shared.router.shift(mine=0)
    return shared


def knows(seen: Seen) -> Reply:
    """The application knows the user whose name is in the session's value; roles are his name's too."""
    value = (seen.header("cookie") or "").partition("SID=")[2]
    if not value.startswith("of-"):
        return Reply(302, [("Location", "/login"), ("Set-Cookie", "SID=fresh")])
    user = value.removeprefix("of-")
    return Reply(
        200, [("X-User", user), ("X-Roles", f"{user}s, customer"), ("Set-Cookie", "other=1")], b"<html>welcome"
    )


def test_without_the_cookie_nobody_is_asked(world: World) -> None:
    """Without the session's cookie the answer is 401, and no application hears of the request."""
    for cookies in ([], ["other=1"], ["SID="], ["SID"], ["sid=of-alice"], ["xSID=of-alice"], ["SID2=of-alice"], [""]):
        answer = world.router.request("/mine/1", [("Cookie", cookie) for cookie in cookies])
        assert answer.status == 401
        assert answer.header("www-authenticate") == 'Cookie realm="customers", cookie-name="SID"'
    assert world.untouched


def test_the_application_is_asked_by_the_cookie_alone(world: World) -> None:
    """Whatever the request is, the question is a GET of one path with the session's cookie and nothing else of it."""
    headers = [
        *ALICE,
        ("X-User", "root"),
        ("Authorization", "Basic cm9vdDpyb290"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Content-Type", "text/plain"),
        ("X-Fig-Client", "6.6.6.6"),
        ("X-Fig-For", "6.6.6.6"),
        ("X-Fig-Affinity", "evil"),
        ("Range", "bytes=0-1"),
        ("If-None-Match", "*"),
    ]
    assert world.router.request("/mine/1?sid=2", headers, method="DELETE", body=b"body").status == 200
    (asked,) = world.portal.seen
    assert (asked.method, asked.path, asked.body) == ("GET", "/session", b"")
    assert asked.header("cookie") == "SID=of-alice"
    names = {name.lower() for name, _ in asked.headers}
    own = {"host", "cookie", "x-forwarded-for", "x-forwarded-proto", "x-request-id", "x-fig-hops"}
    assert names == own
    assert asked.header("x-forwarded-for") == world.legacy.seen[0].header("x-forwarded-for")


def test_what_the_application_says_is_signed(world: World) -> None:
    """The claims are those of the answer's headers, signed; the answer's other headers and its body go nowhere."""
    answer = world.router.request("/mine/1", ALICE)
    claims = claims_of(header_of(answer, "x-fig-claims"))
    assert claims.pop("exp") - claims.pop("iat") == 60
    assert claims == {"iss": "fig:customers", "sub": "alice", "roles": "alices, customer"}
    assert answer.header("set-cookie") is None
    assert "x-fig-claim-sub" not in {name.lower() for name, _ in world.legacy.seen[0].headers}


def test_functions_get_the_claims_of_a_session(world: World) -> None:
    """A route behind a session cookie can move: the function gets the claims in its event."""
    world.router.shift(mine=10_000)
    answer = world.router.request("/mine/1", [*ALICE, ("X-Key", "k"), ("X-User", "root")])
    assert answer.header("x-fig-side") == "lambda"
    headers = world.api.events[0].event["headers"]
    assert claims_of(headers["x-fig-claims"])["sub"] == "alice"
    assert "x-user" not in headers


@pytest.mark.parametrize(
    "forged", ["X-User", "x-user", "X-ROLES", "X-City", "X_User", "x_roles", "x-fig-claims", "x-fig-claim-sub"]
)
def test_forged_claims_do_not_survive(world: World, forged: str) -> None:
    """Headers that a client names like claims reach neither the application's check nor any upstream."""
    answer = world.router.request("/mine/1", [*ALICE, (forged, "root"), (forged, "admin")])
    claims = claims_of(header_of(answer, "x-fig-claims"))
    assert (claims["sub"], claims["roles"]) == ("alice", "alices, customer")
    assert b"root" not in answer.body
    assert "city" not in claims


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(302, [("Location", "/login")]), 401),
        (Reply(401, [("WWW-Authenticate", "Negotiate")]), 401),
        (Reply(404), 401),
        (Reply(204), 401),
        (Reply(201, [("X-User", "alice")]), 401),
        (Reply(200, [], b"<form>sign in</form>"), 401),
        (Reply(200, [("X-Roles", "teller"), ("X-City", "Bern")], b"<form>sign in</form>"), 401),
        (Reply(200, [("X-User", ""), ("X-Roles", "teller")]), 401),
        (Reply(200, [("X-User", "alice"), ("X-User", "root")]), 503),
        (Reply(403, [("X-User", "alice")], b"stack trace"), 403),
        (Reply(429, [("X-User", "alice")]), 503),
        (Reply(500, [("X-User", "alice")]), 503),
        (Reply(503), 503),
        (Reply(reset=True), 503),
    ],
    ids=lambda value: f"{value.status} {dict(value.headers)}" if isinstance(value, Reply) else str(value),
)
def test_anything_but_a_user_refuses(world: World, reply: Reply, status: int) -> None:
    """Only a 200 that names the user lets pass; the client learns nothing of the application's answer."""
    world.portal.answer = lambda _seen: reply
    answer = world.router.request("/mine/1", ALICE)
    assert answer.status == status
    assert not world.legacy.seen
    assert not world.api.seen
    names = {name.lower() for name, _ in answer.headers}
    assert not names & {"x-user", "x-roles", "location", "set-cookie", "x-fig-claim-sub"}
    assert b"stack trace" not in answer.body
    challenge = answer.header("www-authenticate")
    assert (challenge or "").startswith("Cookie ") is (status == 401)


def test_a_slow_application_is_503_in_its_time(world: World) -> None:
    """When the application does not answer within the timeout the answer is 503, not a pass, and others are served."""
    world.portal.answer = lambda _seen: Reply(hang=True)
    began = time.monotonic()
    assert world.router.request("/mine/1", ALICE).status == 503
    assert time.monotonic() - began < 10
    assert world.router.request("/elsewhere", ALICE).status == 200
    assert not any(seen.path.startswith("/mine") for seen in world.legacy.seen)


def test_an_application_that_is_down_is_503(tmp_path: Path) -> None:
    """With nobody at the application's address every request of its sessions is refused with 503."""
    with guarded(tmp_path, {"PORTAL_PORT": "9"}) as world:
        assert world.router.request("/mine/1", ALICE).status == 503
        assert world.router.request("/mine/1").status == 401
        assert world.router.request("/elsewhere").status == 200
        eventually(lambda: world.refused("mine", 503) == 1)


def test_refusals_of_sessions_are_counted(world: World) -> None:
    """Each refusal is counted for its route, by status."""
    before = {status: world.refused("vault", status) for status in (401, 403)}
    assert world.router.request("/vault").status == 401
    assert world.router.request("/vault", ALICE).status == 403
    eventually(lambda: all(world.refused("vault", status) == count + 1 for status, count in before.items()))


@pytest.mark.parametrize("roles", ["teller", "x,teller", "x, teller ,y", "x teller", "teller,"])
def test_roles_stand_between_commas_or_spaces(world: World, roles: str) -> None:
    """One of the roles that the application names is enough, however it separates them."""
    world.portal.answer = lambda _seen: Reply(200, [("X-User", "a"), ("X-Roles", roles)])
    assert world.router.request("/vault", ALICE).status == 200


@pytest.mark.parametrize("roles", ["", "tellers", "Teller", "x-teller", "teller;x", None])
def test_other_roles_are_none(world: World, roles: str | None) -> None:
    """A role that only looks alike is another, and the answer is 403 before any upstream is touched."""
    headers = [("X-User", "a"), *([("X-Roles", roles)] if roles is not None else [])]
    world.portal.answer = lambda _seen: Reply(200, headers)
    assert world.router.request("/vault", ALICE).status == 403
    assert not world.legacy.seen


def test_roles_in_several_headers_all_count(world: World) -> None:
    """An application may send a header for each role."""
    world.portal.answer = lambda _seen: Reply(200, [("X-User", "a"), ("X-Roles", "x"), ("X-Roles", "teller")])
    assert world.router.request("/vault", ALICE).status == 200


@pytest.mark.parametrize("name", ["Zoë Müller", 'name with, comma; 100% "quoted" \\', "ünï=%41%zz", "a" * 4000])
def test_odd_names_arrive_whole(world: World, name: str) -> None:
    """Names in ISO 8859-1, as old applications write them, and with any sign in them, arrive as they are."""
    world.portal.answer = lambda _seen: Reply(200, [("X-User", name)])
    assert claims_of(header_of(world.router.request("/mine/1", ALICE), "x-fig-claims"))["sub"] == name


def test_utf_8_names_arrive_whole(world: World) -> None:
    """Names in UTF-8 are not taken for ISO 8859-1."""
    world.portal.answer = lambda _seen: Reply(200, [("X-User", "Zoë €".encode().decode("latin-1"))])
    assert claims_of(header_of(world.router.request("/mine/1", ALICE), "x-fig-claims"))["sub"] == "Zoë €"


def test_no_answer_serves_two_requests(world: World) -> None:
    """Each request is asked about, so that a session that ends is over at once, and no user is taken for another."""
    users = [f"user-{number}" for number in range(40)]

    def whoami(user: str) -> str:
        found = world.router.request("/mine/1", [("Cookie", f"SID=of-{user}")])
        return str(claims_of(header_of(found, "x-fig-claims"))["sub"])

    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(whoami, users)) == users
    assert len(world.portal.seen) == 120
    world.portal.answer = lambda _seen: Reply(401)
    assert world.router.request("/mine/1", [("Cookie", "SID=of-user-1")]).status == 401


def test_two_cookies_of_one_name_are_asked_about_together(world: World) -> None:
    """Both go to the application in their order: it is the one that knows which it takes."""
    world.router.request("/mine/1", [("Cookie", "SID=of-alice; SID=of-bob")])
    assert world.portal.seen[0].header("cookie") == "SID=of-alice; SID=of-bob"


def test_a_large_upload_waits_for_the_answer(world: World) -> None:
    """A body that is sent before the application has answered is held back, not refused, and arrives whole."""

    def slowly(seen: Seen) -> Reply:
        time.sleep(0.2)  # an application's time to answer, while the body comes
        return knows(seen)

    world.portal.answer = slowly
    world.legacy.answer = lambda seen: Reply(200, [], str(len(seen.body)).encode())
    answer = world.router.request("/mine/1", ALICE, method="PUT", body=b"x" * 18_000_000)
    assert (answer.status, answer.body) == (200, b"18000000")


def test_head_and_preflights(world: World) -> None:
    """A HEAD is asked about like any request; a preflight is not."""
    assert world.router.request("/mine/1", ALICE, method="HEAD").status == 200
    refused = world.router.request("/mine/1", method="HEAD")
    assert (refused.status, refused.body) == (401, b"")
    world.portal.answer = no_session
    assert world.router.request("/mine/1", ALICE, method="HEAD").status == 401
    asks = [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "POST")]
    asked = len(world.portal.seen)
    assert world.router.request("/mine/1", asks, method="OPTIONS").status == 200
    assert len(world.portal.seen) == asked


def test_a_question_that_comes_back_ends(world: World) -> None:
    """An application that sends the question to the router again does not go round for ever."""
    asked: list[Seen] = []

    def sends_back(seen: Seen) -> Reply:
        asked.append(seen)
        found = world.router.request("/mine/1", [(name, value) for name, value in seen.headers if name != "host"])
        return Reply(found.status)

    world.portal.answer = sends_back
    assert world.router.request("/mine/1", ALICE).status in (401, 503)
    assert len(asked) < 30


AFFINE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop}
legacy:
  shop:
    endpoints: ["127.0.0.1:${HOST_0}", "127.0.0.1:${HOST_1}", "127.0.0.1:${HOST_2}"]
    AFFINITY
lambda:
  books: {arn: "arn:aws:lambda:eu-west-1:123456789012:function:books:live", endpoint: "http://127.0.0.1:${LAMBDA_PORT}", timeout: 2s}
identities:
  customers:
    session: {service: shop, path: /session, cookie: SID, claims: {sub: X-Name}}
    claims: {key: {secret_env: CLAIMS_KEY}}
routes:
  mine: {match: {path: {prefix: /mine}}, legacy: shop, lambda: books, timeout: 10s, sticky: {header: X-Key}, authorize: {identity: customers}}
"""  # noqa: E501 - one route a line reads best


@pytest.mark.parametrize(
    "affinity",
    ["", "affinity: {client_address: true}", "affinity: {cookie: sso}", "affinity: {header: X-Key}"],
    ids=["chosen by the router", "address", "cookie", "header"],
)
def test_the_host_that_knows_the_session_is_asked(tmp_path: Path, affinity: str) -> None:
    """Sessions in hosts' memories: each user's host is asked, whatever leads to it, and nobody is signed out."""
    known: list[set[str]] = [set(), set(), set()]

    def host(number: int) -> Callable[[Seen], Reply]:
        def answer(seen: Seen) -> Reply:
            session = (seen.header("cookie") or "").partition("SID=")[2].partition(";")[0]
            if seen.path == "/login":
                known[number].add(session)
            if seen.path == "/session":
                assert seen.header("x-key") is None
                return Reply(200, [("X-Name", session)]) if session in known[number] else Reply(401)
            return Reply(200)

        return answer

    with ExitStack() as stack:
        hosts = [stack.enter_context(StandIn(host(number)).running()) for number in range(3)]
        api = stack.enter_context(InvokeApi().running())
        environment = {f"HOST_{number}": str(one.port) for number, one in enumerate(hosts)}
        environment |= {"LAMBDA_PORT": str(api.port), "CLAIMS_KEY": CLAIMS_KEY}
        estate = AFFINE.replace("AFFINITY", affinity)
        router = stack.enter_context(running_router(tmp_path, estate, environment=environment))

        def request(user: int, path: str) -> int:
            connection = http.client.HTTPConnection("127.0.0.1", router.port, 20, (f"127.0.1.{user + 1}", 0))
            cookies = f"SID=s{user}; sso=u{user}"
            connection.request("GET", path, headers={"Cookie": cookies, "X-Key": f"k{user}"})
            answer = connection.getresponse()
            answer.read()
            connection.close()
            return answer.status

        users = range(30)
        assert {request(user, "/login") for user in users} == {200}
        assert all(known), "every host has users"
        for weight in (0, 5_000, 0):
            router.shift(mine=weight)
            assert {request(user, "/mine/1") for user in users} == {200}


def test_a_connection_that_was_closed_meanwhile_costs_nothing(world: World) -> None:
    """When the application closes an idle connection the question goes again, and the user does not notice."""
    broken: list[Seen] = []

    def breaks_once(seen: Seen) -> Reply:
        if not broken:
            broken.append(seen)
            return Reply(reset=True)
        return knows(seen)

    world.portal.answer = breaks_once
    assert (world.router.request("/mine/1", ALICE).status, len(broken)) == (200, 1)
