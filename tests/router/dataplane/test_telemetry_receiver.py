"""The receiver may be down, slow, a black hole or somebody else: no request notices, and memory stays bounded."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ..authority import Authority
from .harness import Running, eventually, running_router
from .otlp import Receiver
from .standins import Reply, StandIn, echo

ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
routes: {}
telemetry: {otlp: "${OTLP}", sample: 100%}
"""
SECURE = ESTATE.replace("sample: 100%", 'tls: {ca: "${CA}", name: "${NAME}"}')
# A batch for each request, so that few requests are many batches.
SMALL_BATCHES = {'"tracing.opentelemetry.min_flush_spans":256': '"tracing.opentelemetry.min_flush_spans":1'} | {
    f'"buffer_size_bytes":{256 * 1024}': '"buffer_size_bytes":1'
}
REQUESTS = 400
MOST_CONNECTIONS = 32 + 2  # each of the two workers may open one beyond the limit
MOST_BYTES = 16_000_000


@contextmanager
def nobody() -> Iterator[int]:
    """A port that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@contextmanager
def black_hole() -> Iterator[int]:
    """A port whose queue of connections is full, so that nothing answers."""
    with socket.socket() as deaf, ExitStack() as waiting:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(2):
            one = waiting.enter_context(socket.socket())
            one.settimeout(0)
            one.connect_ex(deaf.getsockname())
        yield int(deaf.getsockname()[1])


@contextmanager
def silent() -> Iterator[int]:
    """A receiver that takes everything and never answers."""
    with StandIn(lambda _: Reply(hang=True)).running() as receiver:
        yield receiver.port


@contextmanager
def overloaded() -> Iterator[int]:
    """A receiver that refuses everything."""
    with StandIn(lambda _: Reply(503)).running() as receiver:
        yield receiver.port


@pytest.mark.parametrize("receiver", [nobody, black_hole, silent, overloaded])
def test_no_request_waits_for_the_receiver(tmp_path: Path, receiver: type) -> None:
    """All requests are served, what cannot be told is dropped, and little is kept for a receiver that takes nothing."""
    with StandIn(echo).running() as legacy, receiver() as port:
        ports = {"LEGACY_PORT": str(legacy.port), "OTLP": f"http://127.0.0.1:{port}"}
        with running_router(tmp_path, ESTATE, environment=ports, scaled=SMALL_BATCHES) as router:
            before = allocated(router)
            assert {router.request("/x", keep_alive=True).status for _ in range(REQUESTS)} == {200}
            eventually(lambda: told(router, "upstream_rq_completed") + held(router) > REQUESTS)
            assert told(router, "upstream_rq_2xx") == 0
            assert told(router, "upstream_cx_active") <= MOST_CONNECTIONS
            assert allocated(router) - before < MOST_BYTES


@pytest.mark.parametrize(("name", "is_told"), [("otlp.bank.example", True), ("other.example", False)])
def test_a_receiver_is_verified(tmp_path: Path, name: str, *, is_told: bool) -> None:
    """Over TLS telemetry goes to the receiver that has the name and the authority of the estate, and to no other."""
    authority = Authority(tmp_path / "ca")
    tls = authority.server("otlp.bank.example")
    with StandIn(echo).running() as legacy, Receiver(tls=tls).receiving() as receiver:
        ports = {"LEGACY_PORT": str(legacy.port), "OTLP": f"https://127.0.0.1:{receiver.port}/otlp"}
        environment = ports | {"CA": str(authority.ca), "NAME": name}
        with running_router(tmp_path, SECURE, environment=environment) as router:
            assert router.request("/x", [("X-Request-Id", "tls-1")]).status == 200
            if is_told:
                assert receiver.record("tls-1").attributes["fig.route"] == "default"
            else:
                eventually(lambda: told(router, "upstream_cx_connect_fail") > 0)
                assert receiver.seen == []


def told(router: Running, name: str) -> int:
    """One of Envoy's statistics of the receiver."""
    text = router.admin(f"/stats?filter=^cluster.telemetry.{name}$").decode()
    return int(text.rpartition(": ")[2] or 0)


def held(router: Running) -> int:
    """How many batches wait for the receiver or for its answers."""
    return told(router, "upstream_rq_active") + told(router, "upstream_rq_pending_overflow")


def allocated(router: Running) -> int:
    """How much memory Envoy uses."""
    return int(json.loads(router.admin("/memory"))["allocated"])
