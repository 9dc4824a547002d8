"""A router host whose functions need AWS credentials: lent, renewed, watched, with real processes."""

import asyncio
import http.client
import os
import signal
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from router.node.clock_skew import Api, ClockWatch, skew_seconds
from router.node.credentials_files import CredentialsFiles
from router.node.report import Problems
from router.snapshot.compiler import compile_estate
from router.snapshot.manifest import Snapshot
from router.source.load import load_estate
from router.weight import Weight

from ..authority import Authority
from ..dataplane.standins import InvokeApi, Reply, StandIn, echo
from .fake_control import FakeControl
from .host import Host
from .keys import Keys
from .waiting import until

ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop, expose_side: true}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 2s
routes:
  books: {match: {path: {prefix: /books}}, legacy: shop, lambda: books, sticky: {header: X-User}}
"""


class World:
    """A router host with real keys to lose, and both of its upstreams."""

    def __init__(self, host: Host, control: FakeControl, keys: Keys, api: InvokeApi) -> None:
        self.host, self.control, self.keys, self.api = host, control, keys, api
        self.files = CredentialsFiles(host.state / "credentials")

    def side(self, method: str = "GET") -> str | None:
        """Which side answers; anything but 200 fails the test."""
        connection = http.client.HTTPConnection("127.0.0.1", self.host.entry_port, timeout=5)
        try:
            connection.request(method, "/books/1", body=b"order" if method == "POST" else None, headers={"X-User": "a"})
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        assert answer.status == 200
        return answer.getheader("x-fig-side")

    def key(self) -> str | None:
        """The access key that signs a request's call; None when legacy answers without one."""
        self.api.seen.clear()
        side = self.side()
        if not self.api.seen:
            assert side == "legacy"
            return None
        signature = self.api.seen[-1].header("authorization") or ""
        return signature.partition("Credential=")[2].partition("/")[0]

    def reported(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first report of the node that fits."""
        return self.control.await_report(fits)


@pytest.fixture
def world(host: Host, control: FakeControl, tmp_path: Path) -> Iterator[World]:
    keys = Keys(tmp_path / "home")
    host.environment = keys.environment()
    with StandIn(echo).running() as legacy, InvokeApi().running() as api:
        assert isinstance(api, InvokeApi)
        one = World(host, control, keys, api)
        control.want(compiled(host.entry_port, legacy.port, api.port))
        try:
            yield one
        finally:
            host.end()
            left = one.files.server()
            if left is not None:
                os.kill(left, signal.SIGKILL)


def compiled(entry: int, legacy: int, api: int) -> Snapshot:
    environment = {"ENTRY_PORT": str(entry), "LEGACY_PORT": str(legacy), "LAMBDA_PORT": str(api)}
    loaded = load_estate(ESTATE, file="estate.yaml", environment=environment)
    assert loaded.estate is not None
    return compile_estate(loaded.estate, {"books": Weight(10_000)})


def test_credentials_are_renewed_while_the_agent_is_dead(world: World) -> None:
    """The first call is signed; after kill -9 of the agent Envoy gets the next keys all the same; the next agent takes
    the server over, restarts a killed one on the same port, and ends it when it stops.
    """  # noqa: D205
    world.keys.give("AKIAONE", seconds=8)
    world.host.start(world.control.url)
    world.control.await_in_force()
    assert world.key() == "AKIAONE"
    server = world.files.server()
    world.host.end_agent(signal.SIGKILL)
    world.keys.give("AKIATWO", seconds=3600)
    until(lambda: world.key() == "AKIATWO")
    world.control.reports.clear()
    world.host.start(world.control.url)
    report = world.reported(lambda report: bool(report["aws"] and report["aws"]["valid"]))
    assert report["aws"]["method"] == "custom-process"
    assert report["aws"]["source"] == "boto3's chain"
    assert report["problems"] == []
    assert world.files.server() == server
    port = world.files.port()
    assert server is not None
    os.kill(server, signal.SIGKILL)
    until(lambda: world.files.server() not in (None, server))
    assert world.files.port() == port
    assert world.key() == "AKIATWO"
    assert world.host.end_agent() == 0
    assert world.files.server() is None


def test_the_end_of_the_credentials_is_seen_and_harms_nobody(world: World) -> None:
    """When the chain gives nothing more, the node says so and when the keys end; after their end legacy answers GET and POST; with new keys Lambda answers again and the trouble is over.

    No request fails.
    """  # noqa: E501
    world.keys.give("AKIAONE", seconds=20)
    world.host.start(world.control.url)
    world.control.await_in_force()
    assert world.key() == "AKIAONE"
    world.keys.refuse()
    world.reported(lambda report: "cannot be renewed" in str(report["problems"]))
    assert world.key() == "AKIAONE"
    until(lambda: world.key() is None)
    assert world.side("POST") == "legacy"
    report = world.reported(lambda report: "no valid AWS credentials, calls to Lambda go to" in str(report["problems"]))
    assert report["aws"]["valid"] is False
    assert "AKIAONE" not in str(report)
    world.keys.give("AKIATWO", seconds=3600)
    until(lambda: world.key() == "AKIATWO", seconds=35)
    assert world.side("POST") == "lambda"
    world.reported(lambda report: report["aws"]["valid"] and "mended since" in str(report["problems"]))


def test_keys_in_the_environment_need_no_server(world: World) -> None:
    """Static keys reach Envoy as they are; no process is started, and the report says where they are from."""
    world.host.environment = {
        "AWS_ACCESS_KEY_ID": "AKIAENV",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    world.host.start(world.control.url)
    world.control.await_in_force()
    assert world.key() == "AKIAENV"
    report = world.reported(lambda report: report["aws"] is not None)
    assert report["aws"]["source"] == "keys in the environment"
    assert world.files.server() is None


def test_a_missing_boto3_is_refused_with_the_extras_name(world: World, tmp_path: Path) -> None:
    """`--aws-credentials chain` without boto3 ends with exit code 2 and one line that names the extra."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'botocore' else found(name, *rest)\n"
    )
    world.host.environment["PYTHONPATH"] = f"{hidden}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    assert world.host.start(None, "--aws-credentials", "chain").wait(20) == 2
    assert world.host.said("pip install 'strangler-fig[aws]'")


def test_the_clock_is_compared_with_the_apis(tmp_path: Path) -> None:
    """The API's Date, over verified TLS and on a refusal too, tells how far this host's clock is off."""
    authority = Authority(tmp_path / "ca")
    offset = 600.0

    def answer(_seen: object) -> Reply:
        return Reply(403, [("Date", formatdate(time.time() - offset, usegmt=True))])

    async def noted(api: Api, problems: Problems) -> list[str]:
        watch = ClockWatch(problems=problems, apis=lambda: frozenset({api}), root=tmp_path)
        task = asyncio.create_task(watch.run())
        async with asyncio.timeout(10):
            while not watch.skew:  # noqa: ASYNC110 - it has no event of its own
                await asyncio.sleep(0.01)
        task.cancel()
        return problems.texts()

    with StandIn(answer, tls=authority.server("lambda.example")).running() as server:
        api = Api(host="127.0.0.1", port=server.port, name="lambda.example", ca_file="ca/ca.pem")
        assert asyncio.run(skew_seconds(api, root=tmp_path)) == pytest.approx(600, abs=2)
        (text,) = asyncio.run(noted(api, Problems()))
        assert "s ahead of the Lambda API's (lambda.example): from 300 s on every call is denied" in text
        offset = 0.0
        assert asyncio.run(noted(api, Problems())) == []
        assert {seen.header("authorization") for seen in server.seen} == {None}
        stranger = Api(host="127.0.0.1", port=server.port, name="other.example", ca_file="ca/ca.pem")
        with pytest.raises(OSError, match="certificate verify failed"):
            asyncio.run(skew_seconds(stranger, root=tmp_path))
