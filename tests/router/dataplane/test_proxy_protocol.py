"""The PROXY protocol: who the client is when the VIP passes connections, not requests."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

import pytest

from .both_ends import ConnectionEnded, Scripted, client, fields
from .harness import Running, running_router

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
  proxy_protocol: ${KIND}
  health: {path: /router-health}
  client_address: {trusted: [192.0.2.0/24]}
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
"""
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = b"GET /x HTTP/1.1\r\nHost: shop\r\n%s\r\n"


def version_2(source: str, *, command: int = 1, more: bytes = b"") -> bytes:
    """A version 2 header: command 1 tells of a client, 0 is the proxy's own connection."""
    address = ip_address(source)
    family = 0x11 if address.version == 4 else 0x21
    here = ip_address("127.0.0.1" if address.version == 4 else "::1").packed
    body = address.packed + here + struct.pack("!HH", 4711, 80) + more
    return SIGNATURE + bytes([0x20 | command, family]) + struct.pack("!H", len(body)) + body


@dataclass
class Both:
    """A router and the legacy application behind it."""

    router: Running
    legacy: Scripted

    def send(self, data: bytes) -> bytes:
        """What comes back, to its end, on a connection that begins with these bytes."""
        self.legacy.requests.clear()
        with client(self.router.port) as wire:
            try:
                wire.send(data)
                return wire.rest()
            except OSError:
                return b""  # reset

    def client_of(self, head: bytes, *headers: str) -> str | None:
        """The client that legacy is told of a request behind this header."""
        self.legacy.requests.clear()
        lines = "".join(f"{one}\r\n" for one in headers).encode()
        with client(self.router.port) as wire:
            wire.send(head + REQUEST % lines)
            try:
                wire.answer()
            except (ConnectionEnded, ConnectionResetError):
                return None
        return fields(self.legacy.requests[0])["x-fig-client"]


@pytest.fixture(scope="module", params=["required", "optional"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Both, str]]:
    with Scripted().running() as legacy:
        environment = {"LEGACY_PORT": str(legacy.port), "KIND": request.param}
        with running_router(tmp_path_factory.mktemp("proxied"), ESTATE, environment=environment) as router:
            yield Both(router, legacy), request.param


HEADERS = {
    "version 1": (b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 80\r\n", "198.51.100.7"),
    "version 1, IPv6": (b"PROXY TCP6 2001:db8::7 ::1 4711 80\r\n", "2001:db8::7"),
    "version 1, unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "version 2": (version_2("198.51.100.7"), "198.51.100.7"),
    "version 2, IPv6": (version_2("2001:db8::7"), "2001:db8::7"),
    "version 2, the proxy itself": (version_2("198.51.100.7", command=0), "127.0.0.1"),
    "version 2, more": (version_2("198.51.100.7", more=b"\x04\x00\x03abc\x20\x00\x01x"), "198.51.100.7"),
}


@pytest.mark.parametrize(("head", "told"), HEADERS.values(), ids=HEADERS)
def test_the_header_says_who_the_client_is(both: tuple[Both, str], head: bytes, told: str) -> None:
    """Version 1 and 2, IPv4 and IPv6; a proxy that speaks for itself is the client."""
    world, _ = both
    assert world.client_of(head) == told
    assert fields(world.legacy.requests[0])["x-forwarded-for"].split(",")[-1] != "198.51.100.9"


def test_trusted_proxies_behind_the_header(both: tuple[Both, str]) -> None:
    """X-Forwarded-For is believed when the header's address is a trusted proxy's."""
    world, _ = both
    forwarded = "X-Forwarded-For: 203.0.113.9"
    assert world.client_of(version_2("192.0.2.1"), forwarded) == "203.0.113.9"
    assert world.client_of(version_2("198.51.100.7"), forwarded) == "198.51.100.7"
    assert fields(world.legacy.requests[0])["x-forwarded-for"] == "203.0.113.9,198.51.100.7"


WRONG = {
    "an address that is none": b"PROXY TCP4 300.1.1.1 127.0.0.1 4711 80\r\n",
    "IPv6 said to be IPv4": b"PROXY TCP4 2001:db8::7 ::1 4711 80\r\n",
    "too few words": b"PROXY TCP4 198.51.100.7\r\n",
    "a port that is none": b"PROXY TCP4 198.51.100.7 127.0.0.1 99999 80\r\n",
    "an endless line": b"PROXY TCP4 " + b"1" * 300 + b"\r\n",
    "version 3": SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
    "an unknown command": SIGNATURE + b"\x2f\x11\x00\x0c" + bytes(12),
    "addresses that are too short": SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),
    "lower case": b"proxy TCP4 198.51.100.7 127.0.0.1 4711 80\r\n",
}


@pytest.mark.parametrize("head", WRONG.values(), ids=WRONG)
def test_wrong_headers_reach_nobody(both: tuple[Both, str], head: bytes) -> None:
    """Nothing of a connection that begins with a wrong header is served."""
    world, _ = both
    answer = world.send(head + REQUEST % b"")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert world.legacy.requests == []


def test_without_a_header(both: tuple[Both, str]) -> None:
    """Required: the connection is closed, whatever it asks. Optional: the peer is the client."""
    world, kind = both
    assert world.client_of(b"") == (None if kind == "required" else "127.0.0.1")


def test_the_monitor_speaks_as_everybody(both: tuple[Both, str]) -> None:
    """A monitor without the header is answered where the header is optional alone; with it always."""
    world, kind = both
    asked = b"GET /router-health HTTP/1.0\r\n\r\n"
    assert world.send(HEADERS["version 2, the proxy itself"][0] + asked).startswith(b"HTTP/1.0 200 OK\r\n")
    assert world.send(asked)[:12] == (b"" if kind == "required" else b"HTTP/1.0 200")
    assert world.legacy.requests == []


def test_a_second_header_is_no_request(both: tuple[Both, str]) -> None:
    """A client behind the VIP cannot send a header of its own: the VIP's came first."""
    world, _ = both
    answer = world.send(version_2("198.51.100.7") + b"PROXY TCP4 6.6.6.6 127.0.0.1 1 80\r\n" + REQUEST % b"")
    assert answer.startswith(b"HTTP/1.1 400")
    assert world.legacy.requests == []
