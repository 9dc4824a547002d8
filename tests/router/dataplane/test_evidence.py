"""What a gate is given: requests by bucket of users, latencies by fold, limited calls, the versions that answered."""

import json
from typing import Any

from router.node.evidence import evidence
from router.node.samples import samples
from router.weight import MOST_COUNTED

from ..half_sip_hash import half_sip_hash
from .conftest import World
from .harness import eventually
from .standins import Reply, api_error

_USERS = [f"user-{number}" for number in range(40)]


def reading(world: World) -> dict[str, Any]:
    """The evidence of the route by header, by assigned side."""
    text = world.router.admin("/stats?format=prometheus&filter=%5Efig%5B.%5D%28requests%7Ccalls%29")
    found = evidence(samples(text), epoch="1", serving=world.router.manifest)
    return dict(found.routes.get("by-header", {}))


def bucket_of(user: str) -> str:
    """The bucket that the published algorithm puts the user into, under the key that all hosts share."""
    return str(int(half_sip_hash(user.encode(), 0x6669672D, 0x6275636B)[:8], 16) % 64)


def buckets(side: dict[str, Any], name: str = "requests") -> dict[str, int]:
    """One count of each bucket that has it."""
    return {key: counts[name] for key, counts in side.items() if key.isdigit() and name in counts}


def moving(world: World, parts: int) -> None:
    """Shift the route and wait until its requests are counted: the scripts' view lags by a tenth of a second."""
    world.router.shift(by_header=parts)
    before = sum(sum(buckets(side).values()) for side in reading(world).values())

    def counted() -> bool:
        world.router.request("/h", [("X-User", "first")])
        return sum(sum(buckets(side).values()) for side in reading(world).values()) > before

    eventually(counted)


def test_users_are_counted_in_their_buckets(world: World) -> None:
    """Each request is in its user's bucket, on the side that was drawn, with its status and its bytes."""
    moving(world, 5_000)
    before = reading(world)
    for user in _USERS:
        world.router.request("/h", [("X-User", user)])
    after = reading(world)
    wanted: dict[str, int] = {}
    for user in _USERS:
        wanted[bucket_of(user)] = wanted.get(bucket_of(user), 0) + 1
    found: dict[str, int] = {}
    for name, side in after.items():
        for bucket, count in buckets(side).items():
            gone = buckets(before.get(name, {})).get(bucket, 0)
            found[bucket] = found.get(bucket, 0) + count - gone
    assert {bucket: count for bucket, count in found.items() if count} == wanted
    assert set(after) == {"legacy", "lambda"}
    for side in after.values():
        assert buckets(side, "by_status").keys() == buckets(side).keys()
        assert all(count > 0 for count in buckets(side, "response_bytes").values())


def test_latencies_are_counted_by_fold(world: World) -> None:
    """Latencies are kept in eighths of the buckets, each count between two bounds; together they are all requests."""
    moving(world, 10_000)
    for user in _USERS[:8]:
        world.router.request("/h", [("X-User", user)])

    def merged() -> bool:
        side = reading(world)["lambda"]
        told = sum(sum(one["counts"]) for one in side.get("latency_ms", {}).values())
        return bool(told == sum(buckets(side).values()))

    eventually(merged)
    folds = reading(world)["lambda"]["latency_ms"]
    assert {str(int(bucket_of(user)) % 8) for user in _USERS[:8]} <= folds.keys() <= set("01234567")
    assert all(len(one["counts"]) == len(one["bounds"]) + 1 for one in folds.values())


def test_cold_starts_have_latencies_of_their_own(world: World) -> None:
    """What a function marks as a cold start is counted apart, by fold; no client sees the mark, nor legacy's."""
    moving(world, 10_000)

    def cold(side: str = "lambda") -> int:
        folds = reading(world).get(side, {}).get("cold_latency_ms", {})
        return sum(sum(one["counts"]) for one in folds.values())

    def told() -> int:
        return cold() + sum(sum(one["counts"]) for one in reading(world)["lambda"]["latency_ms"].values())

    before = cold()
    world.api.function = lambda _event: {"status_code": 200, "headers": {"x-fig-cold-start": "1"}, "body": "ok"}
    answers = [world.router.request("/h", [("X-User", user)]) for user in _USERS[:3]]
    assert [(answer.status, answer.header("x-fig-cold-start")) for answer in answers] == [(200, None)] * 3
    world.api.function = world.api.echo
    world.router.request("/h", [("X-User", "bob")])
    eventually(lambda: told() == sum(buckets(reading(world)["lambda"]).values()))
    assert cold() - before == 3
    world.api.api = api_error(429, "TooManyRequestsException")
    world.legacy.answer = lambda _seen: Reply(headers=[("x-fig-cold-start", "1")], body=b"old")
    answer = world.router.request("/h", [("X-User", _USERS[3])])
    assert (answer.body, answer.header("x-fig-cold-start")) == (b"old", None)


def test_limited_calls_are_counted_where_legacy_answered(world: World) -> None:
    """A throttled call is in its user's bucket as a throttle and as a fallback, although the client saw a 200."""
    moving(world, 10_000)
    world.api.api = api_error(429, "TooManyRequestsException")
    assert world.router.request("/h", [("X-User", "bob")], method="POST", body=b"x").status == 200
    counts = reading(world)["lambda"][bucket_of("bob")]
    assert (counts["throttles"], counts["fallbacks"], counts["by_status"]) == (1, 1, {"200": counts["requests"]})


def test_the_versions_that_answered_are_told(world: World) -> None:
    """The function's executed version stands beside the counts, as the Invoke API named it."""
    moving(world, 10_000)
    versions = reading(world)["lambda"]["executed_version"]
    assert sum(versions.values()) >= 1
    assert "none" not in versions


def test_more_moving_routes_than_are_judged_have_no_buckets(world: World) -> None:
    """Where too many routes move at once nobody is put into buckets: the counters stay few, and weights fast."""
    moving(world, 10_000)
    kind = "type.googleapis.com/envoy.service.runtime.v3.Runtime"
    keys = world.router.manifest.routes["by-header"]
    others = {f"shift.other-{number}.lambda.books": 1 for number in range(MOST_COUNTED)}
    layer = {keys.lambda_key: 10_000, keys.legacy_key: 0, **others}
    content = {"resources": [{"@type": kind, "name": "shift", "layer": layer}]}
    world.router.put_runtime(json.dumps(content, separators=(",", ":")).encode())

    def is_uncounted() -> bool:
        before = buckets(reading(world)["lambda"])
        world.router.request("/h", [("X-User", "bob")])
        return buckets(reading(world)["lambda"]) == before

    eventually(is_uncounted)
