"""What is recorded of a request: trace context, the access log, counters, shadows."""

import json
import re
from typing import Any

import pytest

from router.node.samples import samples
from router.node.traffic import parse

from ..half_sip_hash import half_sip_hash
from .conftest import World
from .harness import eventually
from .standins import api_error

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize("parts", [0, 10_000])
@pytest.mark.parametrize("sampled", ["00", "01"])
def test_trace_context_is_kept_on_both_sides(world: World, parts: int, sampled: str) -> None:
    """The trace id, the sampling decision and baggage of the client reach legacy and the function."""
    world.router.shift(by_header=parts)
    sent = [("X-User", "a"), ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-{sampled}"), ("baggage", "k=v")]
    world.router.request("/h", sent)
    if parts:
        headers = world.api.events[0].event["headers"]
    else:
        headers = {name.lower(): value for name, value in world.legacy.seen[0].headers}
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-{sampled}", headers["traceparent"])
    assert headers["baggage"] == "k=v"


def test_no_trace_is_begun(world: World) -> None:
    """Without telemetry a request without trace context gets none: each application samples as it always did."""
    world.router.shift(by_header=0)
    world.router.request("/h", [("X-User", "a")])
    assert world.legacy.seen[0].header("traceparent") is None
    assert world.legacy.seen[0].header("tracestate") is None


def test_the_access_log(world: World) -> None:
    """A line tells who was assigned, who answered, at which weight, for whom - and holds no query, body or key."""
    world.router.shift(by_header=10_000)
    world.api.api = api_error(429, "TooManyRequestsException")
    trace = ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01")
    secret = [trace, ("Authorization", "Bearer tok-1"), ("Cookie", "session=c-1"), ("Content-Type", "t/x")]
    for number, user in enumerate(("alice@example.com", "alice@example.com", "bob")):
        sent = [("X-User", user), ("X-Request-Id", f"log-{number}"), *secret]
        world.router.request("/h?token=q-1", sent, method="POST", body=b"body-1")
    lines = [world.router.log_line(f"log-{number}") for number in range(3)]
    first = lines[0]
    assert first["route"] == "by-header"
    assert (first["assigned"], first["answered"]) == ("lambda", "legacy")  # which is a fallback
    assert first["traceparent"] == f"00-{TRACE}-00f067aa0ba902b7-01"
    assert {first["weight"], lines[1]["weight"]} <= {0, 10_000}  # the log's view may lag by a tenth of a second
    assert (first["status"], first["method"], first["path"]) == (200, "POST", "/h")
    assert first["bytes_received"] == len(b"body-1")
    assert first["client"] == "127.0.0.1"
    assert isinstance(first["duration_ms"], int)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert re.fullmatch(r"[0-9a-f]{16}", first["user"])
    assert first["user"] == lines[1]["user"] != lines[2]["user"]
    text = json.dumps(lines)
    for private in ("alice", "tok-1", "c-1", "q-1", "body-1"):
        assert private not in text


def test_the_log_names_the_weight_in_force(world: World) -> None:
    """The weight of a moving route shows in the log within a fraction of a second."""
    world.router.shift(by_header=2_525)
    numbers = iter(range(1_000))

    def shows() -> bool:
        request_id = f"weight-{next(numbers)}"
        world.router.request("/h", [("X-User", "a"), ("X-Request-Id", request_id)])
        return bool(world.router.log_line(request_id)["weight"] == 2_525)

    eventually(shows, 2)


def test_a_served_request_is_no_fallback(world: World) -> None:
    """Where the assigned side answered, the log names it twice; what no side was chosen for has no user and weight."""
    world.router.shift(by_header=10_000)
    world.router.request("/h", [("X-User", "a"), ("X-Request-Id", "served-1")])
    world.router.request("/elsewhere", [("X-Request-Id", "served-2")])
    ours, other = world.router.log_line("served-1"), world.router.log_line("served-2")
    assert (ours["assigned"], ours["answered"], ours["traceparent"]) == ("lambda", "lambda", None)
    assert (other["route"], other["answered"], other["user"], other["weight"]) == ("default", "legacy", None, None)


def test_the_pseudonym_is_the_published_algorithm(world: World) -> None:
    """A user's pseudonym is HalfSipHash-2-4-64 under the host's key, so another tool can compute it."""
    world.router.shift(by_header=0)
    for number, user in enumerate(("a", "abcd", "hello world", "x" * 63)):
        world.router.request("/h", [("X-User", user), ("X-Request-Id", f"hash-{number}")])
        assert world.router.log_line(f"hash-{number}")["user"] == half_sip_hash(user.encode(), 0x00112233, 0x445566FF)


def test_the_log_and_the_draw_take_the_same_cookie(world: World) -> None:
    """Of several cookies with the sticky name the first that is not empty is the user, in the draw and in the log."""
    world.router.shift(by_cookie=10_000)
    world.router.request("/c", [("Cookie", "sid=; xsid=0; sid=bob; sid=eve"), ("X-Request-Id", "cookie-1")])
    assert world.router.log_line("cookie-1")["user"] == half_sip_hash(b"bob", 0x00112233, 0x445566FF)
    assert world.api.events[0].event["headers"]["x-fig-user"] == "bob"


def test_shadowing_goes_to_the_side_that_did_not_serve(world: World) -> None:
    """With a shadow share, safe requests are mirrored to the other side; at 0, and for a POST, nothing is."""
    for parts, served in ((0, "legacy"), (10_000, "lambda")):
        world.reset()
        world.router.shift(by_header=parts)
        data = json.loads((world.router.state / "live" / "rtds" / "current").read_bytes())
        data["resources"][0]["layer"]["shadow.by-header"] = 10_000
        world.router.put_runtime(json.dumps(data).encode())
        answer = world.router.request("/h", [("X-User", "a")])
        assert answer.header("x-fig-side") == served
        eventually(lambda: len(world.legacy.seen) == 1 and len(world.api.events) == 1)
        shadow = (
            world.api.events[0].event["headers"]
            if served == "legacy"
            else {name.lower(): value for name, value in world.legacy.seen[0].headers}
        )
        assert shadow["x-fig-shadow"] == "1"
        assert "x-fig-mirror" not in shadow
        world.router.request("/h", [("X-User", "a")], method="POST", body=b"x")
        world.router.shift(by_header=parts)
        world.router.request("/h", [("X-User", "a")])
        assert len(world.legacy.seen) + len(world.api.events) == 4


def test_moving_routes_are_counted(world: World) -> None:
    """Requests of a moving route are counted by assigned side, status and fallback; others are not."""
    # Just after a shift a request may not be counted yet: the log's view of the weights lags by a tenth of a second.
    world.router.shift(by_header=10_000)

    def counted() -> bool:
        world.router.request("/h", [("X-User", "a")])
        return "by-header" in reading()

    def reading() -> dict[str, dict[str, Any]]:
        return parse(samples(world.router.admin("/stats?format=prometheus&filter=%5Efig%5B.%5Drequests")))

    eventually(counted)
    before = reading()["by-header"]["lambda"]
    world.api.api = api_error(429, "TooManyRequestsException")
    world.router.request("/elsewhere")

    def fell_back() -> bool:
        world.router.request("/h", [("X-User", "a")])
        return bool(reading()["by-header"]["lambda"]["fallbacks"] >= before["fallbacks"] + 3)

    eventually(fell_back)
    after = reading()
    assert after["by-header"]["lambda"]["requests"] >= before["requests"] + 3
    assert after["by-header"]["lambda"]["by_status"]["200"] == after["by-header"]["lambda"]["requests"]
    assert "default" not in after
    eventually(lambda: bool(reading()["by-header"]["lambda"]["latency_ms"]["bounds"]))
    latency = reading()["by-header"]["lambda"]["latency_ms"]
    assert latency["bounds"] == sorted(latency["bounds"])
    assert latency["counts"] == sorted(latency["counts"])
