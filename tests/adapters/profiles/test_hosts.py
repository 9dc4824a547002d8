"""Hosts: what could write lines of its own, or could never be looked up, is refused where it is written."""

from typing import Any

import pytest

from adapters.errors import ProfileInvalid
from adapters.profiles.document import database, service
from adapters.profiles.values import Endpoint

SMALL: dict[str, Any] = {"endpoints": ["db.bank.example"], "credentials": {"user": "app", "password": "pw"}}
PLACE = "not HOST or HOST:PORT"


def faults(document: object) -> tuple[str, ...]:
    """What is wrong with a database's document; at least one thing is."""
    with pytest.raises(ProfileInvalid) as caught:
        database("orders", document)
    assert caught.value.faults
    return caught.value.faults


INJECTED = ["a\r\nX-Injected: 1", "a\nb", "a b", "a\0b", "a\x0bb", "a/b", "a@b", "a%0d%0ab", "a\u2028b", "a;b", '"a"']


def test_no_host_writes_lines_of_its_own() -> None:
    """What stands in the head of a request, or of CONNECT, is a host and no more, in every place of a profile."""
    for host in INJECTED:
        assert "is not a host" in faults(SMALL | {"endpoints": [{"host": host}]})[0]
        assert PLACE in faults(SMALL | {"endpoints": [host]})[0]
        assert "is not a host" in faults(SMALL | {"tls": {"name": host}})[0]
        for change in ({"host": host}, {"host": f"{host}:1"}, {"base_path": f"/{host}?"}):
            with pytest.raises(ProfileInvalid, match=PLACE if "host" in change else "base_path is"):
                service("core", {"endpoints": "core.example"} | change)


def test_what_nobody_could_look_up_is_no_host() -> None:
    """Names that are too long, or have an empty label, are refused here and not by the look-up."""
    for host in ("a..b", ".a", "a" * 64, ".".join(["abcdefgh"] * 30), "ä" * 60, "-a", "\ud800", "::x", ":"):
        assert faults(SMALL | {"endpoints": [{"host": host}]})
        assert faults(SMALL | {"tls": {"name": host}})


def test_hosts_that_are() -> None:
    """Names, international ones too, and addresses are hosts; a request names one of IPv6 in brackets."""
    for host in ("db", "db.example.", "a_b.example", "10.0.0.7", "::1", "fe80::1%eth0", "bücher.example"):
        assert database("x", SMALL | {"endpoints": [{"host": host}]}).way.endpoints == (Endpoint(host, 3306),)
    assert database("x", SMALL | {"endpoints": [{"host": "[::1]", "port": 1}]}).way.endpoints == (Endpoint("::1", 1),)
    assert service("x", {"endpoints": "[::1]:8443"}).host == "[::1]"
    assert service("x", {"endpoints": "bücher.example:8443"}).host == "xn--bcher-kva.example"
    assert service("x", {"endpoints": "a", "host": "core.example:8443"}).host == "core.example:8443"


@pytest.mark.parametrize("place", ["::1", "::1:3306", "fe80::1", "[db]:1", "db:0", "db:65536", "db:", "[::1"])
def test_a_place_is_a_host_and_a_port(place: str) -> None:
    """An address of IPv6 without brackets could be one with a port: it is refused, as no port is."""
    assert PLACE in faults(SMALL | {"endpoints": [place]})[0]
    with pytest.raises(ProfileInvalid, match=PLACE):
        service("core", {"endpoints": "core.example", "host": place})
