"""What did not go as it should is counted by route and reason, whether the route moves or not, as the node reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from router.node.counters import parse
from router.node.samples import samples

from .conftest import World
from .harness import Running, eventually, running_router
from .standins import InvokeApi, Reply, StandIn, api_error, echo, function_error

USER = ("X-User", "a")
ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
  gone: {endpoints: ["127.0.0.1:9"]}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 500ms
routes:
  settled: {match: {path: {prefix: /settled}}, legacy: shop, lambda: books, timeout: 3s, sticky: {header: X-User}}
  slow: {match: {path: {prefix: /slow}}, legacy: shop, timeout: 200ms}
  gone: {match: {path: {prefix: /gone}}, legacy: gone}
"""


def faults_of(router: Running) -> dict[str, Any]:
    """The node's reading of the router's counters, by route."""
    text = router.admin("/stats?format=prometheus&filter=%5Efig%5B.%5Dfaults")
    routes: dict[str, Any] = parse(samples(text))["routes"]
    return routes


@pytest.fixture(scope="module")
def sides() -> Iterator[tuple[StandIn, InvokeApi]]:
    with StandIn(echo).running() as legacy, InvokeApi().running() as api:
        assert isinstance(api, InvokeApi)
        yield legacy, api


@pytest.fixture
def router(sides: tuple[StandIn, InvokeApi], tmp_path: Path) -> Iterator[Running]:
    """A router whose two-sided route is settled on Lambda, so that nothing moves and all counters are zero."""
    legacy, api = sides
    legacy.answer, api.api, api.function = echo, None, InvokeApi.echo
    ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port)}
    with running_router(tmp_path, ESTATE, weights={"settled": 10_000}, environment=ports) as running:
        yield running


FAILURES: dict[str, Callable[[InvokeApi], None]] = {
    "throttled": lambda api: setattr(api, "api", api_error(429, "TooManyRequestsException")),
    "denied": lambda api: setattr(api, "api", api_error(403, "ExpiredTokenException")),
    "timeout": lambda api: setattr(api, "api", Reply(hang=True)),
    "broken_connection": lambda api: setattr(api, "api", Reply(reset=True)),
    "function_error": lambda api: setattr(api, "function", lambda _: function_error()),
    "own_5xx": lambda api: setattr(api, "function", lambda _: {"status_code": 503}),
    "function_asked": lambda api: setattr(
        api, "function", lambda _: {"status_code": 200, "headers": {"x-fig-fallback": "safe"}}
    ),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_failed_calls_and_fallbacks_are_counted(router: Running, sides: tuple[StandIn, InvokeApi], reason: str) -> None:
    """A call that fails is counted by its route and reason, and the request that legacy answers in its stead."""
    FAILURES[reason](sides[1])
    assert router.request("/settled", [USER]).status == 200
    wanted = {"settled": {"calls": {reason: 1}, "requests": {"fallback": 1}}}
    eventually(lambda: faults_of(router) == wanted)


def test_a_failure_that_legacy_may_not_mend_is_no_fallback(router: Running, sides: tuple[StandIn, InvokeApi]) -> None:
    """A POST whose function raised an error is a failed call, and its 502 no fallback."""
    FAILURES["function_error"](sides[1])
    assert router.request("/settled", [USER], method="POST", body=b"x").status == 502
    eventually(lambda: faults_of(router) == {"settled": {"calls": {"function_error": 1}}})


def test_what_goes_well_is_not_counted(router: Running, sides: tuple[StandIn, InvokeApi]) -> None:
    """Answers of both sides leave no trace in the counters of faults, refusals of their own included."""
    for status in (200, 302, 401, 403, 404, 429, 503, 508):
        sides[0].answer = lambda _, status=status: Reply(status)  # type: ignore[misc]
        sides[1].function = lambda _, status=status: {"status_code": status if status < 500 else 200}  # type: ignore[misc]
        for path in ("/settled", "/elsewhere"):
            router.request(path, [USER])
    router.request("/gone")
    eventually(lambda: faults_of(router) == {"gone": {"requests": {"unreachable": 1}}})


def test_timeouts_and_resets_of_legacy_are_counted(router: Running, sides: tuple[StandIn, InvokeApi]) -> None:
    """An upstream that does not answer in time, and one that drops the connection, are told apart."""
    sides[0].answer = lambda _: Reply(hang=True)
    assert router.request("/slow").status == 504
    sides[0].answer = lambda _: Reply(reset=True)
    assert router.request("/elsewhere", method="POST", body=b"x").status == 503
    wanted = {"slow": {"requests": {"timeout": 1}}, "default": {"requests": {"reset": 1}}}
    eventually(lambda: faults_of(router) == wanted)


def test_loops_are_counted(router: Running) -> None:
    """A request that passed routers too often is counted as a loop."""
    assert router.request("/slow", [("x-fig-hops", "1" * 20)]).status == 508
    eventually(lambda: [one["requests"] for one in faults_of(router).values()] == [{"loop": 1}])


def test_counters_are_few_and_make_room(sides: tuple[StandIn, InvokeApi], tmp_path: Path) -> None:
    """There are never more counters than are good for reading them, and one that nothing is added to is forgotten."""
    ports = {"LEGACY_PORT": str(sides[0].port), "LAMBDA_PORT": str(sides[1].port)}
    scaled = {
        '"max_counters":2000': '"max_counters":1',
        '"stats_eviction_interval":"600s"': '"stats_eviction_interval":"1s"',
    }
    with running_router(tmp_path, ESTATE, environment=ports, scaled=scaled) as router:
        router.request("/gone")
        eventually(lambda: faults_of(router).keys() == {"gone"})
        sides[0].answer = lambda _: Reply(reset=True)
        router.request("/elsewhere", method="POST", body=b"x")
        router.request("/gone", [("X-Request-Id", "later")])
        router.log_line("later")
        assert faults_of(router).keys() <= {"gone"}
        eventually(lambda: faults_of(router) == {})
        router.request("/elsewhere", method="POST", body=b"x")
        eventually(lambda: faults_of(router) == {"default": {"requests": {"reset": 1}}})


def test_shadows_are_counted_apart(world: World) -> None:
    """A shadow's failed call is not a call of the route's users."""
    world.router.shift(by_header=0)
    world.api.api = api_error(429, "TooManyRequestsException")
    world.router.put_runtime(_with_shadow(world.router))
    assert world.router.request("/h", [USER]).status == 200
    eventually(lambda: faults_of(world.router).get("by-header") == {"shadow_calls": {"throttled": 1}})


def _with_shadow(router: Running) -> bytes:
    text = (router.state / "live" / "rtds" / "current").read_bytes()
    return text.replace(b'"layer":{', b'"layer":{"shadow.by-header":10000,')
