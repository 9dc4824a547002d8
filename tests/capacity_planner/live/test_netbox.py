"""NetBox is asked over HTTP: a real server answers on this machine, as NetBox does and as it should not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from capacity_planner.allocations.netbox import from_objects
from capacity_planner.live.errors import NetboxFailed
from capacity_planner.live.netbox import Netbox, prefixes
from strangler_fig.diagnostics import Refused

TOKEN = "0123456789abcdef"  # noqa: S105 - of a server of the test's own


class Server(ThreadingHTTPServer):
    """Pages of two prefixes each; `asked` has the headers of every request."""

    daemon_threads = True

    def __init__(self, answer: Any = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers as `Server.answer` says, else with the next page."""

    server: Server

    def do_GET(self) -> None:
        """Answer one request."""
        self.server.asked.append((self.path, dict(self.headers)))
        status, headers, body = self.server.answer(self) if self.server.answer else self.page()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def page(self) -> tuple[int, dict[str, str], Any]:
        """The page at the offset that was asked for."""
        parts = urlsplit(self.path)
        offset = int(parse_qs(parts.query).get("offset", ["0"])[0])
        following = f"https://127.0.0.1{parts.path}?limit=2&offset={offset + 2}" if offset < 4 else None
        results = [{"prefix": f"10.0.{number}.0/24"} for number in (offset, offset + 1)]
        return 200, {}, {"count": 6, "next": following, "results": results}

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(answer: Any = None) -> Iterator[Server]:
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_every_page_is_read_with_the_token_from_the_address_that_was_named() -> None:
    """NetBox may take itself for an https host without a port: the next page is asked where the first was."""
    with serving() as server:
        found = [one["prefix"] for one in prefixes(Netbox(url=server.url, token=TOKEN))]
    assert found == [f"10.0.{number}.0/24" for number in range(6)]
    assert server.asked[0][0] == "/api/ipam/prefixes/?limit=1000"
    assert {headers["Authorization"] for _path, headers in server.asked} == {f"Token {TOKEN}"}


def test_newer_tokens_are_bearers_and_a_filter_stays() -> None:
    """NetBox 4.5's tokens have another scheme; an address with a filter is asked as it is."""
    with serving() as server:
        list(prefixes(Netbox(url=f"{server.url}/api/ipam/prefixes/?vrf_id=7", token="nbt_abc.def")))  # noqa: S106
    path, headers = server.asked[0]
    assert path == "/api/ipam/prefixes/?vrf_id=7&limit=1000"
    assert headers["Authorization"] == "Bearer nbt_abc.def"


def test_the_token_goes_to_no_other_host() -> None:
    """Neither a further page nor a redirection takes the token elsewhere."""
    with serving() as other:
        page = {"results": [], "next": f"http://localhost:{other.server_port}/api/"}
        with serving(lambda _: (200, {}, page)) as server, pytest.raises(NetboxFailed, match="not sent there"):
            list(prefixes(Netbox(url=server.url, token=TOKEN)))
        moved: Any = (302, {"Location": f"http://127.0.0.1:{other.server_port}/"}, {})
        with serving(lambda _: moved) as server, pytest.raises(NetboxFailed, match=r"302 .* name that"):
            list(prefixes(Netbox(url=server.url, token=TOKEN)))
    assert other.asked == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((403, {}, {"detail": "no"}), "403 Forbidden .* does the token"),
        ((500, {}, b"<html>"), "500 Internal Server Error"),
        ((200, {}, b"<html>"), "does not answer as NetBox's API does"),
        ((200, {}, b"[1]"), "does not answer as NetBox's API does"),
        ((200, {}, {"detail": 1}), "no results"),
    ],
)
def test_what_is_no_netbox_is_one_line(answer: Any, message: str) -> None:
    """Which address, what it answered, and what to look at."""
    with serving(lambda _: answer) as server, pytest.raises(NetboxFailed, match=message):
        list(prefixes(Netbox(url=server.url, token=TOKEN)))


def test_a_host_that_is_not_there_is_one_line() -> None:
    """A refused connection names the address."""
    with serving() as server:
        gone = server.url
    with pytest.raises(NetboxFailed, match="does not answer at"):
        list(prefixes(Netbox(url=gone)))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://netbox.example", "in the clear"),
        ("ftp://netbox.example", "is not the address"),
        ("https://user:secret@netbox.example", "no user and password"),
        ("https://", "is not the address"),
    ],
)
def test_an_address_that_would_tell_the_token_is_refused(url: str, message: str) -> None:
    """Plain HTTP to another machine, other schemes, passwords in addresses."""
    with pytest.raises(Refused, match=message):
        list(prefixes(Netbox(url=url, token=TOKEN)))


def test_prefixes_become_allocations() -> None:
    """A container is a pool; role, site and description are purpose, AZ and name; VRFs are never mixed."""
    given = [
        {"prefix": "10.0.0.0/8", "status": {"value": "container"}, "vrf": None, "description": "all"},
        {
            "prefix": "10.0.0.0/24",
            "status": {"value": "active"},
            "role": {"slug": "web", "name": "Web"},
            "site": {"slug": "fra1"},
            "vrf": None,
            "description": "frontends",
        },
    ]
    rows, found = from_objects(given, vrf=None)
    assert found == ()
    assert rows is not None
    assert [(str(row.block), row.name, row.az, row.purpose) for row in rows.rows()] == [
        ("10.0.0.0/8", "all", "", "pool"),
        ("10.0.0.0/24", "frontends", "fra1", "web"),
    ]
    both = [*given, {"prefix": "10.0.0.0/24", "vrf": {"name": "guests"}}]
    rows, found = from_objects(both, vrf=None)
    assert (rows, [one.code for one in found]) == (None, ["AL122"])
    rows, _found = from_objects(both, vrf="guests")
    assert rows is not None
    assert len(rows) == 1
    rows, _found = from_objects(both, vrf="global")
    assert rows is not None
    assert len(rows) == 2
