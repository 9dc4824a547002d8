"""A router host under load: both sides are stand-ins that remember the id of every request that they ran."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from router.snapshot.compiler import compile_estate
from router.snapshot.manifest import Snapshot
from router.source.load import load_estate
from router.weight import Weight

from ..dataplane.harness import CREDENTIALS
from ..dataplane.standins import InvokeApi, Reply, StandIn
from ..load import ID, Counts, Plan, load
from .fake_control import FakeControl
from .host import Host

_ESTATE = """
version: 1
entry:
  address: 127.0.0.1:{port}
  default: shop
  health: {{path: /vip-health}}
  {entry}
legacy:
  shop:
    endpoints: [{legacy}]
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:{api}
    timeout: 5s
routes:
"""
_ROUTE = """
  {name}:
    match: {{path: {{prefix: /{name}}}}}
    legacy: shop
    lambda: books
    timeout: 10s
    sticky: {{header: X-User, without_key: legacy}}
"""


class Loaded:
    """One host, its control, and its two sides; `ports` is where the load goes."""

    def __init__(self, host: Host, control: FakeControl, legacy: tuple[StandIn, ...], api: InvokeApi) -> None:
        self.host = host
        self.control = control
        self.legacy = legacy
        self.api = api
        self.ports = [host.entry_port]

    def snapshot(
        self,
        *,
        routes: tuple[str, ...] = ("books",),
        endpoints: tuple[int, ...] = (0,),
        entry: str = "expose_side: true",
        port: int | None = None,
    ) -> Snapshot:
        """The estate with these differences, with half of the users on Lambda where weights say so."""
        legacy = ", ".join(f"127.0.0.1:{self.legacy[number].port}" for number in endpoints)
        text = _ESTATE.format(port=port or self.host.entry_port, entry=entry, legacy=legacy, api=self.api.port)
        text += "".join(_ROUTE.format(name=name) for name in routes)
        loaded = load_estate(text, file="estate.yaml", environment={})
        assert loaded.estate is not None, "\n".join(map(str, loaded.diagnostics))
        return compile_estate(loaded.estate, {"books": Weight(0)})

    def start(self, *options: str) -> int:
        """Serve the first estate with half of the users on each side; Envoy's process id."""
        self.control.want(self.snapshot(), books=5000)
        self.host.start(self.control.url, *options)
        self.control.await_in_force()
        pid = self.host.envoy_pid()
        assert pid is not None
        return pid

    def publish(self, snapshot: Snapshot) -> None:
        """Want a snapshot and wait until it is in force."""
        self.control.want(snapshot, books=5000)
        self.control.await_in_force()

    @contextmanager
    def load(self, plan: Plan | None = None, *, may_fail: bool = False) -> Iterator[Counts]:
        """Load until the block ends; then nothing may be lost, and both sides must have had a part.

        Nothing may have run twice, even where requests may fail because something is killed.
        """
        for one in self.legacy:
            one.seen.clear()
        self.api.events.clear()
        with load(self.ports, plan) as counts:
            yield counts
        ran = self.ran()
        twice = {one: times for one, times in ran.items() if times > 1 and one not in counts.repeated}
        print(f"{os.environ.get('PYTEST_CURRENT_TEST', '').split('::')[-1]}: {counts}, run twice {len(twice)}")  # noqa: T201
        assert not twice
        assert self.api.events
        assert any(one.seen for one in self.legacy)
        if not may_fail:
            assert not counts.failures
            assert not counts.repeated
            assert counts.answered == counts.sent == len(ran)

    def ran(self) -> Counter[str]:
        """How often each request ran, on whichever side."""
        legacy = [seen.header(ID) for one in self.legacy for seen in one.seen]
        functions = [event.request.header(ID) or event.event["headers"].get(ID) for event in self.api.events]
        return Counter(one for one in [*legacy, *functions] if one is not None)


@pytest.fixture
def loaded(host: Host, control: FakeControl, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loaded]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    answer = Reply(body=b"legacy")
    with (
        StandIn(lambda _: answer).running() as one,
        StandIn(lambda _: answer).running() as other,
        InvokeApi().running() as api,
    ):
        assert isinstance(api, InvokeApi)
        api.function = lambda _: {"status_code": 200, "body": "lambda"}
        yield Loaded(host, control, (one, other), api)
