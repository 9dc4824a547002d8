"""Functions are made ready before a step: real boto3 against a Lambda API that is played."""

import asyncio
import json
import threading
from pathlib import Path

import pytest

from router.control.app import Outside
from router.control.lambda_warming import lambda_warm
from router.control.warming import WarmingFailed
from router.estate import Endpoint, Entry, Estate, FunctionArn, LambdaFunction
from router.gate.verdict import Outcome
from router.release.values import Ready
from tests.router.dataplane.standins import Reply, Seen, StandIn

from .fakes import FakeTime, Here, fake_load, run
from .ramps import ESTATE, RELEASE, FakeJudge, Play

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:books"


def estate(port: int) -> Estate:
    """An estate whose route books has a function behind that port."""
    function = LambdaFunction(
        name="books",
        arn=FunctionArn(text=f"{ARN}:live", region="eu-west-1", account="1", function="books", qualifier="live"),
        endpoint=Endpoint("127.0.0.1", port),
        tls=None,
        host="lambda",
        region="eu-west-1",
        timeout_seconds=5.0,
    )
    loaded, _ = fake_load(json.dumps(ESTATE))
    assert loaded is not None
    entry = Entry(address=Endpoint("127.0.0.1", 8080), default="shop")
    return Estate(entry=entry, legacy=loaded.legacy, candidates=(function,), routes=loaded.routes)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")


def test_so_many_calls_are_made_at_once(tmp_path: Path) -> None:
    """Twelve warm calls are in the function at one time; an error of the function itself is no failure."""
    together = threading.Barrier(12, timeout=20)

    def answer(_: Seen) -> Reply:
        together.wait()
        return Reply(headers=[("X-Amz-Function-Error", "Unhandled")], body=b"{}")

    del tmp_path
    with StandIn(answer).running() as api:
        asyncio.run(lambda_warm(lambda: estate(api.port))(("books",), Ready(warm_calls=12)))
        assert len(api.seen) == 12
        assert {json.loads(one.body)["x-fig-warm"] for one in api.seen} == {True}
        assert api.seen[0].path.endswith("/invocations?Qualifier=live")


def test_a_throttle_is_a_failure() -> None:
    """What the API refuses is not ready, and says why."""
    throttled = Reply(status=429, body=b'{"Type":"User","message":"Rate Exceeded."}')
    with StandIn(lambda _: throttled).running() as api, pytest.raises(WarmingFailed, match="Rate Exceeded"):
        asyncio.run(lambda_warm(lambda: estate(api.port))(("books",), Ready(warm_calls=2)))


def test_provisioned_concurrency_is_put_and_waited_for() -> None:
    """Provisioned concurrency is asked for on the alias; it is ready when AWS says so, not before."""
    with StandIn(lambda _: Reply(status=202, body=b'{"Status":"READY"}')).running() as api:
        asyncio.run(lambda_warm(lambda: estate(api.port))(("books",), Ready(provisioned_concurrency=5)))
        assert (api.seen[0].method, json.loads(api.seen[0].body)) == ("PUT", {"ProvisionedConcurrentExecutions": 5})
    with StandIn(lambda _: Reply(status=202, body=b'{"Status":"FAILED"}')).running() as api:
        warm = lambda_warm(lambda: estate(api.port))
        with pytest.raises(WarmingFailed, match="not there: failed"):
            asyncio.run(warm(("books",), Ready(provisioned_concurrency=5)))


def test_routes_without_a_function_have_nothing_to_make_ready() -> None:
    """Where no Lambda function is behind a route, it says so."""
    with pytest.raises(WarmingFailed, match="no Lambda function is behind ink"):
        asyncio.run(lambda_warm(lambda: None)(("ink",), Ready(warm_calls=1)))


def test_a_step_waits_until_what_it_needs_is_ready(tmp_path: Path) -> None:
    """While warming fails the ramp stays and says why; when it is done the step is entered, and not warmed again."""
    release = RELEASE.replace("      - lambda: 10% for", "      - ready: {warm_calls: 3}\n      - lambda: 10% for")
    time, judge, asked = FakeTime(), FakeJudge(), list[Ready]()
    fails = [True]

    async def warm(_: tuple[str, ...], ready: Ready) -> None:
        asked.append(ready)
        if fails:
            fails.pop()
            message = "books cannot be made ready: no credentials"
            raise WarmingFailed(message)

    async def story(here: Here) -> None:
        here.control.ramping.parts.warming.again_seconds = 0.0
        one = Play(here=here, time=time, node=here.node())
        await one.begin(release)
        judge.says(Outcome.PASS)
        await one.second(600)
        for _ in range(3):
            await asyncio.sleep(0)
            await one.second()
        assert one.weight() == 1000
        assert asked == [Ready(warm_calls=3)] * 2

    run(tmp_path, story, time, Outside(judge=judge, warm=warm))
