"""Users stay on their side, and only ever move forward while a weight rises."""

import random

import pytest

from router.side import Side, side_of, slot
from router.weight import Weight

from .conftest import World
from .standins import Reply

USERS = [f"user-{number}" for number in range(2_000)]


def assigned(world: World, path: str, headers: list[tuple[str, str]]) -> str:
    """The user's side, which answers; on a busy machine legacy stands in now and then, and the next request tells."""
    sides = set()
    for _ in range(5):
        answer = world.router.request(path, headers, keep_alive=True)
        assert answer.status == 200
        sides.add(answer.header("x-fig-assigned"))
        if answer.header("x-fig-side") == answer.json()["side"] == answer.header("x-fig-assigned"):
            break
    else:
        pytest.fail(f"{path} of {headers} is never answered by the side that is assigned")
    [side] = sides
    assert side is not None
    return side


def test_nobody_moves_backwards_and_shares_are_right(world: World) -> None:
    """Over 2,000 users and a random ramp nobody moves back while the weight rises, and shares are within 1.5 points."""
    chosen = random.Random(7)  # noqa: S311 - a ramp, not a secret
    ramp = sorted(chosen.sample(range(100, 9_900), 3))
    on_lambda: set[str] = set()
    for parts in [0, *ramp, 10_000]:
        world.router.shift(by_header=parts)
        now = {user for user in USERS if assigned(world, "/h", [("X-User", user)]) == "lambda"}
        assert on_lambda <= now
        assert abs(len(now) / len(USERS) - parts / 10_000) <= 0.015
        assert now == {user for user in USERS if side_of("by-header", user, Weight(parts)) is Side.LAMBDA}
        on_lambda = now
    world.router.shift(by_header=0)


def test_prediction_agrees_for_every_kind_of_key(world: World) -> None:
    """The side that the toolkit predicts is Envoy's, for headers and cookies with awkward values."""
    keys = ["a", "alice@example.com", "x" * 200, "1=2", "%41", "tab\tin", "a b", '"quoted"']
    world.router.shift(by_header=5_000, by_cookie=5_000)
    for key in keys:
        assert assigned(world, "/h", [("X-User", key)]) == side_of("by-header", key, Weight(5_000)).value
        if not set(key) & set(" \t"):
            cookie = f"first=1; sid={key}; sid=second; xsid=9"
            assert assigned(world, "/c", [("Cookie", cookie)]) == side_of("by-cookie", key, Weight(5_000)).value


def test_a_new_user_keeps_the_side_of_the_first_answer(world: World) -> None:
    """A user without the cookie gets one, and the side of the first response is already that cookie's side."""
    world.router.shift(by_cookie=5_000)
    sides = set()
    for _ in range(40):
        first = world.router.request("/c")
        cookie = first.header("set-cookie")
        assert cookie is not None
        assert "; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax" in cookie
        value = cookie.split(";")[0]
        side = first.header("x-fig-assigned")
        assert side == side_of("by-cookie", value.removeprefix("sid="), Weight(5_000)).value
        assert assigned(world, "/c", [("Cookie", value)]) == side
        sides.add(side)
    assert sides == {"legacy", "lambda"}


def test_no_cookie_while_the_weight_is_zero(world: World) -> None:
    """At weight 0 the router adds nothing that a user could see."""
    world.router.shift(by_cookie=0)
    assert world.router.request("/c").header("set-cookie") is None


@pytest.mark.parametrize(
    ("control", "issued"),
    [
        ("public", False),
        ("max-age=60", False),
        ("s-maxage=60", False),
        ("no-cache", False),
        ("private, max-age=60", True),
        ("no-store", True),
        (None, True),
    ],
)
def test_no_cookie_on_what_shared_caches_may_keep(world: World, control: str | None, issued: bool) -> None:  # noqa: FBT001
    """A cookie never goes out on an answer that a shared cache may keep."""
    world.router.shift(by_cookie=1)
    headers = [("cache-control", control)] if control else []
    world.legacy.answer = lambda _seen: Reply(headers=headers, body=b"{}")
    world.api.function = lambda _event: {"status_code": 200, "headers": dict(headers), "body": "{}"}
    assert (world.router.request("/c").header("set-cookie") is not None) == issued


def test_without_key_legacy(world: World) -> None:
    """Requests without the key stay on legacy, whatever the weight, where the route says so."""
    world.router.shift(by_header=10_000, by_app_cookie=10_000)
    assert world.router.request("/h").header("x-fig-assigned") == "legacy"
    assert world.router.request("/h", [("X-User", "")]).header("x-fig-assigned") == "legacy"
    answer = world.router.request("/app", [("Cookie", "other=1")])
    assert answer.header("x-fig-assigned") == "legacy"
    assert answer.header("set-cookie") is None
    assert world.router.request("/app", [("Cookie", "JSESSIONID=1")]).header("x-fig-assigned") == "lambda"


def test_the_client_address_as_key(world: World) -> None:
    """The client's address decides where the route says so, and a client cannot choose it by a header."""
    for route, path in (("by-client", "/ip"), ("by-header-assign", "/ha")):
        place = slot(route, "127.0.0.1")
        for parts, side in ((place, "legacy"), (place + 1, "lambda")):
            world.router.shift(**{route.replace("-", "_"): parts})
            for forged in ("1.1.1.1", "2.2.2.2", "3.3.3.3"):
                answer = world.router.request(path, [("x-envoy-external-address", forged), ("X-Forwarded-For", forged)])
                assert answer.header("x-fig-assigned") == side


def test_a_forged_sticky_header_changes_nothing(world: World) -> None:
    """Inbound x-fig headers are removed before the side is drawn and never reach an upstream."""
    world.router.shift(by_header=5_000)
    for user in USERS[:50]:
        forged = [("X-User", user), ("x-fig-user", "evil"), ("X-Fig-Side", "lambda"), ("x-fig-claims", "{}")]
        answer = world.router.request("/h", forged)
        assert answer.header("x-fig-assigned") == side_of("by-header", user, Weight(5_000)).value
    for seen in world.legacy.seen:
        assert seen.header("x-fig-claims") is None
        assert seen.header("x-fig-user") in USERS


def test_at_rest_the_built_in_weight_decides(world: World) -> None:
    """Without a runtime key the weight that was folded into the route is in force."""
    assert world.router.manifest.routes["no-fallback"].weight == 0
    assert world.router.request("/nf", [("X-User", "a")]).header("x-fig-assigned") == "legacy"
