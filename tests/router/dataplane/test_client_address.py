"""Who the client is: the peer, or whom trusted proxies name; never whom anybody else names."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from router.side import side_of, slot
from router.weight import Weight

from .harness import Running, running_router
from .standins import InvokeApi, Seen, StandIn, echo

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
  expose_side: true
  CLIENT_ADDRESS
  proxies: [127.0.5.0/24, 203.0.113.0/24]
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 2s
routes:
  address: {match: {path: {prefix: /ip}}, legacy: shop, lambda: books, sticky: {client_address: true}}
  assign: {match: {path: {prefix: /ha}}, legacy: shop, lambda: books, sticky: {header: X-User, without_key: assign}}
  issued: {match: {path: {prefix: /c}}, legacy: shop, lambda: books}
"""
NOBODY, TRUSTED, HOPS = "", "client_address: {trusted: [127.0.1.0/24, 10.0.0.0/8]}", "client_address: {hops: 2}"
VIP, CLIENT, FUNCTION = "127.0.1.1", "127.0.2.2", "127.0.5.5"
FORGED = [("X-Fig-Address", "9.9.9.9"), ("X-Envoy-External-Address", "9.9.9.9"), ("X-Fig-Client", "9.9.9.9")]


class World:
    """A router and its upstreams; requests come from any loopback address."""

    def __init__(self, router: Running, legacy: StandIn, api: InvokeApi) -> None:
        self.router, self.legacy, self.api = router, legacy, api

    def ask(self, path: str, *headers: tuple[str, str], source: str) -> http.client.HTTPResponse:
        """The answer to a GET from that address."""
        connection = http.client.HTTPConnection("127.0.0.1", self.router.port, 20, (source, 0))
        connection.putrequest("GET", path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        connection.close()
        return response

    def seen(self, path: str, *headers: tuple[str, str], source: str) -> Seen:
        """What legacy gets of such a request."""
        self.legacy.seen.clear()
        assert self.ask(path, *headers, source=source).status == 200
        (seen,) = self.legacy.seen
        return seen


@contextmanager
def world_of(folder: Path, client_address: str, weights: dict[str, int]) -> Iterator[World]:
    """A router that believes whom this says."""
    with ExitStack() as stack:
        legacy = stack.enter_context(StandIn(echo).running())
        api = stack.enter_context(InvokeApi().running())
        assert isinstance(api, InvokeApi)
        ports = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port)}
        estate = ESTATE.replace("CLIENT_ADDRESS", client_address)
        yield World(
            stack.enter_context(running_router(folder, estate, weights=weights, environment=ports)), legacy, api
        )


@pytest.fixture(scope="module", params=[NOBODY, TRUSTED, HOPS], ids=["nobody", "trusted", "hops"])
def believed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    weights = {"address": 5_000, "assign": 5_000, "issued": 10_000}
    with world_of(tmp_path_factory.mktemp("client"), request.param, weights) as world:
        yield world, request.param


ADDRESSES = [
    # peer, X-Forwarded-For, the client when nobody, trusted ranges, two hops are believed
    (CLIENT, None, (CLIENT, CLIENT, CLIENT)),
    (VIP, "198.51.100.7", (VIP, "198.51.100.7", VIP)),
    (CLIENT, "198.51.100.7", (CLIENT, CLIENT, CLIENT)),
    (VIP, "198.51.100.7, 10.1.1.1", (VIP, "198.51.100.7", "198.51.100.7")),
    (VIP, "6.6.6.6, 198.51.100.7, 10.1.1.1, 10.1.1.2", (VIP, "198.51.100.7", "10.1.1.1")),
    (VIP, "6.6.6.6, 198.51.100.7", (VIP, "198.51.100.7", "6.6.6.6")),
    (VIP, "2001:db8::7", (VIP, "2001:db8::7", VIP)),
    (VIP, "198.51.100.7, nonsense", (VIP, VIP, "198.51.100.7")),
    (VIP, "198.51.100.7:4711", (VIP, VIP, VIP)),
    (VIP, "10.1.1.1", (VIP, "10.1.1.1", VIP)),
    (VIP, "", (VIP, VIP, VIP)),
    (VIP, ", ".join([*["6.6.6.6"] * 18, "198.51.100.7", "10.1.1.1"]), (VIP, "198.51.100.7", "198.51.100.7")),
]


@pytest.mark.parametrize(("peer", "forwarded", "clients"), ADDRESSES)
def test_the_client_is_who_believed_proxies_say(
    believed: tuple[World, str], peer: str, forwarded: str | None, clients: tuple[str, str, str]
) -> None:
    """Upstreams, sides, the sticky key and the log have the same client, and forged headers change nothing."""
    world, whom = believed
    client = clients[(NOBODY, TRUSTED, HOPS).index(whom)]
    number = f"address-{peer}-{forwarded}".replace(" ", "")[-60:]
    headers = [] if forwarded is None else [("X-Forwarded-For", forwarded)]
    for path, route in (("/ip", "address"), ("/ha", "assign")):
        identified = ("X-Request-Id", number + route)
        answer = world.ask(path, *headers, *FORGED, identified, source=peer)
        assert answer.getheader("x-fig-assigned") == side_of(route, client, Weight(5_000)).value
        assert world.router.log_line(identified[1])["client"] == client
    seen = world.seen("/default", *headers, *FORGED, source=peer)
    assert seen.header("x-fig-client") == client
    assert seen.header("x-fig-address") is None


def test_nobody_passes_for_the_vip_by_many_addresses(believed: tuple[World, str]) -> None:
    """A list that Envoy would not read to its end, and take the VIP for the client, is refused where that may be."""
    world, whom = believed
    many = ("X-Forwarded-For", ", ".join([*["6.6.6.6"] * 20, "198.51.100.7"]))
    for path in ("/default", "/ip"):
        assert world.ask(path, many, source=VIP).status == (400 if whom == TRUSTED else 200)
    world.ask("/ip", many, ("X-Request-Id", f"many-{len(whom)}"), source=VIP)
    client = {NOBODY: VIP, HOPS: "6.6.6.6", TRUSTED: VIP}[whom]
    assert world.router.log_line(f"many-{len(whom)}")["client"] == client


def test_a_drawn_address_reaches_upstreams_as_the_user(believed: tuple[World, str]) -> None:
    """The client's address is the sticky key that legacy gets, on the route that draws by it."""
    world, _ = believed
    source = next(one for one in (f"127.0.3.{host}" for host in range(1, 255)) if slot("address", one) >= 5_000)
    seen = world.seen("/ip", ("X-Fig-User", "evil"), *FORGED, source=source)
    assert seen.header("x-fig-user") == source
    assert seen.header("x-fig-side") == "legacy"


def test_legacy_sees_what_a_proxy_appends(believed: tuple[World, str]) -> None:
    """X-Forwarded-For grows by one address whomever the router believes; what was said of TLS in front stays."""
    world, _ = believed
    said = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")]
    said += [("X-Forwarded-Proto", "https"), ("X-Forwarded-Client-Cert", "By=vip;Hash=0123")]
    seen = world.seen("/default", *said, source=VIP)
    one, two, peer = (seen.header("x-forwarded-for") or "").split(",")
    assert (one, two, bool(peer)) == ("1.1.1.1", "2.2.2.2", True)
    assert seen.header("x-forwarded-proto") == "https"
    assert seen.header("x-forwarded-client-cert") == "By=vip;Hash=0123"


def test_a_cookie_is_for_tls_alone_where_the_vip_ends_it(believed: tuple[World, str]) -> None:
    """A cookie that the router issues is Secure when the VIP says that the client used TLS."""
    world, _ = believed
    for proto, secure in (("https", True), ("http", False)):
        cookie = world.ask("/c", ("X-Forwarded-Proto", proto), source=VIP).getheader("set-cookie")
        assert cookie is not None
        assert ("; Secure" in cookie) == secure


@pytest.mark.parametrize(
    ("whom", "peer", "forwarded", "side"),
    [
        (NOBODY, FUNCTION, None, "legacy"),
        (NOBODY, VIP, "203.0.113.9", "lambda"),
        (TRUSTED, VIP, "203.0.113.9", "legacy"),
        (TRUSTED, CLIENT, "203.0.113.9", "lambda"),
        (TRUSTED, VIP, "203.0.113.9, 198.51.100.7", "lambda"),
        (HOPS, VIP, "203.0.113.9, 10.1.1.1", "legacy"),
        (HOPS, VIP, "203.0.113.9, 198.51.100.7, 10.1.1.1", "lambda"),
    ],
)
def test_calls_of_functions_are_told_by_the_client(
    tmp_path: Path, whom: str, peer: str, forwarded: str | None, side: str
) -> None:
    """What comes back from a function through the VIP is legacy's, and nobody else can claim to come from there."""
    with world_of(tmp_path, whom, {"address": 10_000}) as world:
        headers = [("X-Fig-Origin", "lambda"), *FORGED]
        headers += [("X-Forwarded-For", forwarded)] if forwarded else []
        assert world.ask("/ip", *headers, source=peer).getheader("x-fig-side") == side


def test_nobody_is_one_of_envoys_own(believed: tuple[World, str]) -> None:
    """Headers that Envoy obeys from its own kind are not obeyed, from an internal address neither."""
    world, _ = believed
    world.legacy.answer = echo
    orders = [("X-Envoy-Upstream-Rq-Timeout-Ms", "1"), ("X-Envoy-Max-Retries", "9"), ("X-Envoy-Internal", "true")]
    seen = world.seen("/default", *orders, ("X-Forwarded-For", "10.1.1.1"), source=VIP)
    assert [name for name, _ in seen.headers if name.lower().startswith("x-envoy")] == []
