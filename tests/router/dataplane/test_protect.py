"""What legacy services and functions may be given at once: never more arrives, and the rest is answered at once."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .harness import Running, eventually, running_router
from .standins import InvokeApi, Reply, Seen, StandIn, api_error, echo

ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop, expose_side: true}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"], protect: {requests: 40}}
  narrow: {endpoints: ["127.0.0.1:${LEGACY_PORT}"], protect: {connections: 16}}
  brief: {endpoints: ["127.0.0.1:${LEGACY_PORT}"], protect: {connections: 16, pending: 12}}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 8s
    max_concurrency: 24
routes:
  one: {match: {path: {prefix: /one}}, legacy: shop}
  two:
    match: {path: {prefix: /two}}
    legacy: shop
    lambda: books
    sticky: {header: X-User}
  narrow: {match: {path: {prefix: /narrow}}, legacy: narrow, timeout: 15s}
  brief: {match: {path: {prefix: /brief}}, legacy: brief, timeout: 15s}
  only: {match: {path: {prefix: /only}}, lambda: books}
"""
REFUSED = (503, "1", "The service is at its limit.\n")
PASSED = (200, "", "")


class Full:
    """An answer that keeps its requests until they are let go; `most` were there at once, `total` ever."""

    def __init__(self) -> None:
        self.now = self.most = self.total = 0
        self.go = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, _seen: object) -> Reply:
        """Keep the request."""
        with self._lock:
            self.now += 1
            self.total += 1
            self.most = max(self.most, self.now)
        self.go.wait(30)
        with self._lock:
            self.now -= 1
        return Reply(headers=[("content-type", "application/json")], body=b'{"status_code": 200, "body": ""}')


@dataclass
class Protected:
    """The running router and its upstreams."""

    router: Running
    legacy: StandIn
    api: InvokeApi

    def storm(self, paths: dict[str, int], full: Full, *, let_in: int | None) -> Counter[tuple[int, str, str]]:
        """Send all these requests at once, and count status, wait and sentence of the answers.

        What is kept is let go when `let_in` are kept and all others refused; None: somebody else lets it go.
        """
        found: Counter[tuple[int, str, str]] = Counter()
        total = sum(paths.values())

        async def one(path: str, number: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.router.port)
            lines = f"Host: a\r\nX-User: u{number}\r\nContent-Length: 0\r\nConnection: close"
            writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n\r\n".encode())
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
            writer.close()
            status = int(head[9:12])
            wait = next((line[13:] for line in head.lower().split("\r\n") if line.startswith("retry-after: ")), "")
            found[status, wait, body if status != 200 else ""] += 1

        async def let_go() -> None:
            while let_in is None or (found.total(), full.now) != (total - let_in, let_in):  # noqa: ASYNC110 - of threads
                await asyncio.sleep(0.005)
            full.go.set()

        async def all_of_them() -> None:
            async with asyncio.timeout(30):
                letting_go = asyncio.create_task(let_go())
                await asyncio.gather(*(one(path, n) for path, count in paths.items() for n in range(count)))
                letting_go.cancel()

        asyncio.run(all_of_them())
        return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Protected]:
    folder: Path = tmp_path_factory.mktemp("protect")
    with StandIn(echo).running() as legacy, InvokeApi().running() as api:
        assert isinstance(api, InvokeApi)
        ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port)}
        # Each further worker may let in one more: they look at the count, and then add to it.
        with running_router(folder, ESTATE, environment=ports, workers=1) as router:
            yield Protected(router, legacy, api)


@pytest.fixture
def protected(shared: Protected) -> Protected:
    shared.legacy.answer, shared.api.api, shared.api.function = echo, None, InvokeApi.echo
    shared.legacy.seen.clear()
    shared.api.seen.clear()
    return shared


def test_a_node_that_was_told_nothing_uses_a_quarter(protected: Protected) -> None:
    """Of 40 requests in flight, a node that does not know its share lets 10 in."""
    full = protected.legacy.answer = Full()
    found = protected.storm({"/one": 30}, full, let_in=10)
    assert (found, full.most) == ({PASSED: 10, REFUSED: 20}, 10)


def test_all_routes_of_a_service_share_what_it_may_be_given(protected: Protected) -> None:
    """Two routes and the default one together let in as much as the node's share; the rest is refused, not repeated."""
    protected.router.tell(2, legacy_shop_requests=20)
    full = protected.legacy.answer = Full()
    found = protected.storm({"/one": 20, "/two": 20, "/other": 20}, full, let_in=20)
    assert (found, full.most, full.total) == ({PASSED: 20, REFUSED: 40}, 20, 20)


def test_legacy_after_a_failed_function_counts_too(protected: Protected) -> None:
    """What the function failed and legacy takes instead is part of its share, and is not tried again and again."""
    protected.router.tell(2, legacy_shop_requests=20)
    protected.router.shift(two=10_000)
    protected.api.api = api_error(429, "TooManyRequestsException")
    full = protected.legacy.answer = Full()
    found = protected.storm({"/two": 40, "/one": 10}, full, let_in=20)
    assert (found, full.most, full.total) == ({PASSED: 20, REFUSED: 30}, 20, 20)
    assert len(protected.api.seen) <= 40


def test_a_share_changes_while_requests_are_in_flight(protected: Protected) -> None:
    """A smaller share ends no request and lets none in; a larger one lets in at once."""
    protected.router.tell(1, legacy_shop_requests=12)
    full = protected.legacy.answer = Full()
    first = threading.Thread(target=protected.storm, args=({"/one": 12}, full), kwargs={"let_in": None})
    first.start()
    eventually(lambda: full.now == 12)
    protected.router.tell(2, legacy_shop_requests=6)
    assert protected.router.request("/one").status == 503
    assert full.now == 12
    protected.router.tell(1, legacy_shop_requests=14)
    second = threading.Thread(target=protected.storm, args=({"/one": 2}, full), kwargs={"let_in": None})
    second.start()
    eventually(lambda: full.now == 14)
    assert protected.router.request("/one").status == 503
    full.go.set()
    first.join(30)
    second.join(30)
    assert full.total == 14


def test_a_functions_share_changes_without_a_snapshot(protected: Protected) -> None:
    """Three in the function, all others on legacy; then nine."""
    protected.router.shift(two=10_000)
    for share in (3, 9):
        protected.router.tell(2, upstream_books_requests=share, legacy_shop_requests=40)
        full = Full()
        protected.api.function = full

        def let_go(seen: Seen, full: Full = full, share: int = share) -> Reply:
            if len(protected.legacy.seen) >= 30 - share:
                full.go.set()
            return echo(seen)

        protected.legacy.answer = let_go
        found = protected.storm({"/two": 30}, full, let_in=None)
        assert (found, full.most, full.total) == ({PASSED: 30}, share, share)
        protected.legacy.seen.clear()


def test_a_function_without_legacy_says_when_to_come_again(protected: Protected) -> None:
    """Without a legacy side what exceeds a function's share gets 503 with Retry-After, and nothing of the API."""
    protected.router.tell(2, upstream_books_requests=4)
    full = Full()
    protected.api.function = full
    found = protected.storm({"/only": 10}, full, let_in=4)
    assert found == {PASSED: 4, (503, "1", "The service could not answer (overflow).\n"): 6}


def test_connections_are_limited_and_requests_wait_for_one(protected: Protected) -> None:
    """With eight connections no more than eight requests are in legacy, the others wait, and all are answered."""
    protected.router.tell(2, legacy_narrow_connections=8)
    full = protected.legacy.answer = Full()

    def let_go_when_full() -> None:
        eventually(lambda: full.now == 8)
        full.go.set()

    opener = threading.Thread(target=let_go_when_full)
    opener.start()
    found = protected.storm({"/narrow": 40}, full, let_in=None)
    opener.join(30)
    assert (found, full.most, full.total) == ({PASSED: 40}, 8, 40)


def test_a_bounded_wait_refuses_the_rest(protected: Protected) -> None:
    """With eight connections in use and six requests waiting for one, the others are refused at once."""
    protected.router.tell(2, legacy_brief_connections=8, legacy_brief_pending=8)
    full = protected.legacy.answer = Full()
    first = threading.Thread(target=protected.storm, args=({"/brief": 8}, full), kwargs={"let_in": None})
    first.start()
    eventually(lambda: full.now == 8)
    protected.router.tell(2, legacy_brief_connections=8, legacy_brief_pending=6)
    found: Counter[tuple[int, str, str]] = Counter()
    before = refused_waits(protected)
    refusing = threading.Thread(target=lambda: found.update(protected.storm({"/brief": 20}, full, let_in=None)))
    refusing.start()
    eventually(lambda: refused_waits(protected) == before + 14)
    full.go.set()
    first.join(30)
    refusing.join(30)
    assert (found, full.most) == ({PASSED: 6, REFUSED: 14}, 8)


def test_overflows_are_counted(protected: Protected) -> None:
    """What was refused is a counter of its cluster, which the node reads."""
    protected.router.tell(2, legacy_shop_requests=2)
    full = protected.legacy.answer = Full()
    before = overflows(protected)
    protected.storm({"/one": 10}, full, let_in=2)
    assert overflows(protected) == before + 8


def refused_waits(protected: Protected) -> int:
    """How many requests could not even wait."""
    text = protected.router.admin("/stats?filter=cluster.legacy.brief.upstream_rq_pending_overflow").decode()
    return int(text.rpartition(" ")[2])


def overflows(protected: Protected) -> int:
    """How often the shop's share of requests was too little."""
    text = protected.router.admin("/stats?filter=cluster.legacy.shop.upstream_rq_active_overflow").decode()
    return int(text.rpartition(" ")[2])
