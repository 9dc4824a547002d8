"""The VIP's monitor: 200 while requests are welcome, 503 once the router drains, and no trace of it anywhere else."""

from collections.abc import Iterator

import pytest

from .both_ends import Scripted, client
from .harness import Running, eventually, running_router

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
  health: {path: /router-health?deep=1}
  max_hops: 1
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:9
    timeout: 1s
routes:
  all: {match: {path: {prefix: /}}, legacy: shop, lambda: books, sticky: {client_address: true}}
"""
MONITORS = {
    "HTTP/1.1": b"GET /router-health?deep=1 HTTP/1.1\r\nHost: 10.0.0.1\r\nConnection: close\r\n\r\n",
    "HTTP/1.0": b"GET /router-health?deep=1 HTTP/1.0\r\nHost: 10.0.0.1\r\n\r\n",
    "HTTP/1.0 without Host": b"GET /router-health?deep=1 HTTP/1.0\r\n\r\n",
    "no version at all": b"GET /router-health?deep=1\r\n",
    "HEAD": b"HEAD /router-health?deep=1 HTTP/1.0\r\n\r\n",
    "with what loops carry": b"GET /router-health?deep=1 HTTP/1.0\r\nX-Fig-Hops: 1111\r\n\r\n",
}
VISITOR = b"GET /router-health HTTP/1.1\r\nHost: shop\r\nX-Request-Id: visitor\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def legacy() -> Iterator[Scripted]:
    with Scripted().running() as running:
        yield running


@pytest.fixture(scope="module")
def router(legacy: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    environment = {"LEGACY_PORT": str(legacy.port)}
    with running_router(tmp_path_factory.mktemp("health"), ESTATE, environment=environment) as running:
        yield running


def ask(router: Running, request: bytes) -> bytes:
    """The answer to that request, on a connection of its own."""
    with client(router.port) as wire:
        wire.send(request)
        return wire.answer(request.split()[0].decode())


@pytest.mark.parametrize("asked", MONITORS.values(), ids=MONITORS)
def test_the_monitor_is_told_whether_requests_are_welcome(router: Running, legacy: Scripted, asked: bytes) -> None:
    """Every kind of monitor gets 200, then 503 while the router drains, then 200 again; legacy hears of none."""
    legacy.requests.clear()
    for order, status in (("ok", b"200"), ("fail", b"503"), ("ok", b"200")):
        router.admin(f"/healthcheck/{order}", "POST")
        answer = ask(router, asked)
        assert answer.split(b" ")[1] == status
        assert b"x-envoy" not in answer
    assert legacy.requests == []


def test_only_the_whole_target_is_the_monitors(router: Running, legacy: Scripted) -> None:
    """The same path with another query is a visitor's."""
    legacy.requests.clear()
    assert ask(router, VISITOR).startswith(b"HTTP/1.1 200")
    assert len(legacy.requests) == 1


def test_visitors_are_served_while_the_monitor_fails(router: Running) -> None:
    """Requests are answered on, with the offer to come again elsewhere, and without Envoy's words about its health."""
    router.admin("/healthcheck/fail", "POST")
    try:
        with client(router.port) as wire:
            wire.send(VISITOR.replace(b"Connection: close\r\n", b""))
            answer = wire.answer().lower()
    finally:
        router.admin("/healthcheck/ok", "POST")
    assert answer.startswith(b"http/1.1 200")
    assert b"connection: close" in answer
    assert b"x-envoy" not in answer


def counted(router: Running) -> int:
    """How many requests of the moving route Envoy has counted."""
    text = router.admin("/stats?filter=^fig[.]requests.*total&usedonly").decode()
    return sum(int(line.rpartition(" ")[2]) for line in text.splitlines())


def test_the_monitor_is_no_traffic(router: Running) -> None:
    """Neither the access log nor the counters of routes know of the monitor."""
    router.shift(all=5_000)
    # Each worker looks for new weights ten times a second, so the first visitors may not be counted.
    eventually(lambda: ask(router, VISITOR) and counted(router))
    before = counted(router)
    for asked in MONITORS.values():
        ask(router, asked)
    eventually(lambda: ask(router, VISITOR) and counted(router) > before)
    assert counted(router) == before + 1
    ask(router, VISITOR.replace(b"visitor", b"the-last-one"))
    router.log_line("the-last-one")
    log = (router.state / "logs" / "access.jsonl").read_text()
    assert log.count('"path":"/router-health"') == log.count('"request_id":"visitor"') + 1
