"""Limits of routes: 429 with Retry-After, from one bucket for each route or client, before any upstream is touched."""

import http.client
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from .harness import Running, eventually, running_router
from .standins import StandIn, echo

ESTATE = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop, expose_side: true}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
lambda:
  new: {http: {endpoints: ["127.0.0.1:${NEW_PORT}"]}}
routes:
  all: {match: {path: {prefix: /all}}, legacy: shop, limit: {requests: 8, per: 10m}}
  halves: {match: {path: {prefix: /halves}}, legacy: shop, limit: {requests: 8, per: 10m}}
  untold: {match: {path: {prefix: /untold}}, legacy: shop, limit: {requests: 8, per: 10m}}
  probe: {match: {path: {prefix: /probe}}, legacy: shop, limit: {requests: 1, per: 10m, burst: 9}}
  few: {match: {path: {prefix: /few}}, legacy: shop, limit: {requests: 60, per: 60s, burst: 2}}
  fast: {match: {path: {prefix: /fast}}, legacy: shop, limit: {requests: 4, per: 1s}}
  tiny: {match: {path: {prefix: /tiny}}, legacy: shop, limit: {requests: 1, per: 1ms}}
  split:
    match: {path: {prefix: /split}}
    legacy: shop
    lambda: new
    sticky: {header: X-User}
    limit: {requests: 6, per: 10m}
  seen:
    match: {path: {prefix: /seen}}
    legacy: shop
    lambda: new
    sticky: {header: X-User}
    shadow: true
    limit: {requests: 4, per: 10m}
  elsewhere: {match: {host: shop.example, path: {prefix: /elsewhere}}, legacy: shop}
  mine: {match: {path: {prefix: /mine}}, legacy: shop, limit: {requests: 5, per: 60s, by: client}}
  yours: {match: {path: {prefix: /yours}}, legacy: shop, limit: {requests: 5, per: 60s, by: client}}
  crowd: {match: {path: {prefix: /crowd}}, legacy: shop, limit: {requests: 2, per: 10m, by: client}}
"""
BEHIND_A_VIP = """
version: 1
entry: {address: "127.0.0.1:${ENTRY_PORT}", default: shop, client_address: {hops: 1}}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
routes:
  mine: {match: {path: {prefix: /mine}}, legacy: shop, limit: {requests: 3, per: 10m, by: client}}
"""
MOST_CLIENTS = 20


@dataclass
class Limited:
    """The running router and its upstreams."""

    router: Running
    legacy: StandIn
    new: StandIn

    def tell(self, nodes: int) -> None:
        """Be one of so many nodes, and wait until every worker knows it: each looks ten times a second."""
        self.router.tell(nodes)
        wait = str(nodes * 600)
        eventually(lambda: set(self.ask("/probe", 12)) == {(429, wait)})
        self.legacy.seen.clear()

    def ask(self, path: str, count: int, headers: Mapping[str, str] = {}) -> Counter[tuple[int, str | None]]:
        """Statuses and Retry-Afters of so many requests."""
        answers = (self.router.request(path, list(headers.items())) for _ in range(count))
        return Counter((answer.status, answer.header("retry-after")) for answer in answers)

    def ask_from(self, address: str, path: str, headers: Mapping[str, str] = {}) -> tuple[int, str | None]:
        """The status and Retry-After of a request that comes from this loopback address."""
        source = (address, 0)
        connection = http.client.HTTPConnection("127.0.0.1", self.router.port, timeout=20, source_address=source)
        try:
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.getheader("retry-after")
        finally:
            connection.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Limited]:
    folder: Path = tmp_path_factory.mktemp("limits")
    with StandIn(echo).running() as legacy, StandIn(echo).running() as new:
        ports = {"LEGACY_PORT": str(legacy.port), "NEW_PORT": str(new.port)}
        fewer = {'"max_dynamic_descriptors":10000': f'"max_dynamic_descriptors":{MOST_CLIENTS}'}
        with running_router(folder, ESTATE, environment=ports, scaled=fewer) as router:
            yield Limited(router, legacy, new)


@pytest.fixture
def limited(shared: Limited) -> Limited:
    shared.legacy.seen.clear()
    shared.new.seen.clear()
    return shared


def test_a_node_that_was_told_nothing_lets_a_quarter_pass(limited: Limited) -> None:
    """Before a node knows how many there are, it takes itself for one of four."""
    assert limited.ask("/untold", 10) == {(200, None): 2, (429, "300"): 8}


def test_what_exceeds_the_limit_is_answered_before_any_upstream(limited: Limited) -> None:
    """Of 12 requests 8 pass; the rest get 429, seconds until there is room, one sentence, and reach nobody."""
    limited.tell(1)
    assert limited.ask("/all", 12) == {(200, None): 8, (429, "75"): 4}
    assert len(limited.legacy.seen) == 8
    answer = limited.router.request("/all", [("x-request-id", "limited-1")])
    assert (answer.status, answer.body) == (429, b"Too many requests.\n")
    line = limited.router.log_line("limited-1")
    assert (line["route"], line["status"], line["flags"], line["answered"]) == ("all", 429, "RL", None)
    assert b"fig.limits.refused.route.all: 5" in limited.router.admin("/stats?filter=fig.limits")


def test_two_nodes_let_half_of_it_pass_each(limited: Limited) -> None:
    """A node that is one of two lets four of eight pass, and the wait is twice as long."""
    limited.tell(2)
    assert limited.ask("/halves", 8) == {(200, None): 4, (429, "150"): 4}


def test_each_node_lets_one_pass_however_many_there_are(limited: Limited) -> None:
    """Seven nodes, two at once: each lets one pass, not none."""
    limited.tell(7)
    assert limited.ask("/few", 3) == {(200, None): 1, (429, "2"): 2}


def test_there_is_room_again_after_the_wait(limited: Limited) -> None:
    """A bucket fills steadily, not at the end of its period: what was refused passes a moment later."""
    limited.tell(1)
    while (429, "1") not in limited.ask("/fast", 5):
        pass
    eventually(lambda: limited.router.request("/fast").status == 200)


def test_the_shortest_period_is_a_rate_all_the_same(limited: Limited) -> None:
    """One in a millisecond, which Envoy cannot fill one by one, lets requests pass."""
    assert limited.ask("/tiny", 1) == {(200, None): 1}


def test_a_route_has_one_bucket_whatever_entry_or_host_its_requests_take(limited: Limited) -> None:
    """With a key or without, on either side, on whichever host: six in all."""
    limited.tell(1)
    limited.router.shift(split=5_000)
    kinds: list[dict[str, str]] = [{}, {"Host": "shop.example"}, {"X-User": "a"}, {"X-User": "b"}, {"X-User": "c"}]
    answers = [limited.ask("/split", 1, kind) for _ in range(3) for kind in kinds]
    found = Counter(status for answer in answers for status, _ in answer)
    assert found == {200: 6, 429: 9}
    assert len(limited.legacy.seen) + len(limited.new.seen) == 6


def test_what_is_refused_is_not_shadowed_either(limited: Limited) -> None:
    """With every request shadowed, both sides see those that passed, and no other."""
    limited.tell(1)
    version = limited.router.version + 1
    layer = {"@type": "type.googleapis.com/envoy.service.runtime.v3.Runtime", "name": "shift"}
    values = {"shadow.seen": 10_000, "fleet.nodes": 1}
    resource = {**layer, "layer": values}
    limited.router.put_runtime(json.dumps({"version_info": str(version), "resources": [resource]}).encode())
    assert limited.ask("/seen", 7, {"X-User": "a"}) == {(200, None): 4, (429, "150"): 3}
    eventually(lambda: len(limited.new.seen) == 4)
    assert len(limited.legacy.seen) == 4
    assert {seen.header("x-fig-shadow") for seen in limited.new.seen} == {"1"}


def test_a_preflight_is_never_refused(limited: Limited) -> None:
    """CORS preflights pass a route whose limit is reached: browsers send them on their own."""
    asks = [("Origin", "https://a"), ("Access-Control-Request-Method", "GET")]
    limited.ask("/all", 12)
    assert limited.router.request("/all", asks, method="OPTIONS").status == 200


def test_each_client_has_its_own_bucket(limited: Limited) -> None:
    """Five for one address, and five for another, on each route; what a client says of itself changes nothing."""
    limited.tell(3)  # a client's limit is each node's own
    for address in ("127.1.0.1", "127.1.0.2"):
        for path in ("/mine", "/yours"):
            forged = ({"X-Forwarded-For": f"10.0.0.{one}", "X-Fig-Client": f"10.0.0.{one}"} for one in range(7))
            found = Counter(limited.ask_from(address, path, headers) for headers in forged)
            assert found == {(200, None): 5, (429, "12"): 2}


def test_clients_are_forgotten_when_there_are_too_many(limited: Limited) -> None:
    """Buckets of more clients than are kept cost no memory: who was away for longest begins anew."""
    limited.tell(1)
    assert [limited.ask_from("127.2.0.1", "/crowd")[0] for _ in range(3)] == [200, 200, 429]
    for number in range(MOST_CLIENTS):
        assert limited.ask_from(f"127.2.1.{number}", "/crowd")[0] == 200
    assert limited.ask_from("127.2.0.1", "/crowd")[0] == 200
    assert [limited.ask_from(f"127.2.1.{MOST_CLIENTS - 1}", "/crowd")[0] for _ in range(2)] == [200, 429]


def test_behind_a_vip_a_client_is_who_the_vip_says(tmp_path: Path) -> None:
    """The address that the VIP wrote counts, whatever stands before it; an IPv6 client is its network."""
    with StandIn(echo).running() as legacy:
        ports = {"LEGACY_PORT": str(legacy.port)}
        with running_router(tmp_path, BEHIND_A_VIP, environment=ports) as router:
            limited = Limited(router, legacy, legacy)

            def found(address: str) -> list[int]:
                forged = (f"10.9.9.{number}, {address}" for number in range(4))
                return [limited.ask_from("127.0.0.1", "/mine", {"X-Forwarded-For": one})[0] for one in forged]

            passes = [200, 200, 200, 429]
            assert found("10.0.0.1") == found("10.0.0.2") == found("2001:db8::1") == passes
            assert found("2001:db8::2") == [429] * 4
            assert found("2001:db8:0:1::2") == passes
