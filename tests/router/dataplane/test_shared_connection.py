"""Many clients share the connection to an inner listener: what one of them may not say costs nobody else anything."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .harness import Running, eventually, running_router
from .standins import InvokeApi, StandIn, echo

ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
legacy:
  shop: {endpoints: ["127.0.0.1:${LEGACY_PORT}"]}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 10s
routes:
  books: {match: {path: {prefix: /books}}, legacy: shop, lambda: books, sticky: {header: X-User}, timeout: 20s}
"""
USER = [("X-User", "ann")]
_CHUNKED = b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
REQUESTS = {
    "a length in a trailer": _CHUNKED + b"Content-Length: 9\r\n\r\n",
    "a connection in a trailer": _CHUNKED + b"Connection: q\r\n\r\n",
    "an empty host": b"Host: \r\nContent-Length: 0\r\n\r\n",
    "a host with a user": b"Host: a:b@c\r\nContent-Length: 0\r\n\r\n",
}
ANSWERS: dict[str, dict[str, Any]] = {
    "a space in a name": {"status_code": 200, "headers": {"x bad": "v"}, "body": "x"},
    "a line end in a value": {"status_code": 200, "headers": {"x-a": "a\r\nx-b: c"}, "body": "x"},
    "a status beyond all": {"status_code": 1000, "body": "x"},
    "a name without letters": {"status_code": 200, "headers": {"": "v"}, "body": "x"},
}


@contextmanager
def someone_else(router: Running, api: InvokeApi, odd: dict[str, Any]) -> Iterator[list[int]]:
    """A POST of another client inside the function in the block; yields the list where its status is afterwards."""
    over = threading.Event()

    def function(event: dict[str, Any]) -> dict[str, Any]:
        if event["raw_path"] != "/books/slow":
            return odd
        over.wait(20)
        return {"status_code": 200, "body": "done"}

    api.function = function
    api.events.clear()
    statuses: list[int] = []
    asking = threading.Thread(
        target=lambda: statuses.append(router.request("/books/slow", USER, method="POST", body=b"x").status)
    )
    asking.start()
    try:
        eventually(lambda: len(api.events) == 1)
        yield statuses
    finally:
        over.set()
        asking.join(30)


@pytest.fixture(scope="module")
def api() -> Iterator[InvokeApi]:
    with InvokeApi().running() as running:
        assert isinstance(running, InvokeApi)
        yield running


@pytest.fixture(scope="module")
def router(api: InvokeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with StandIn(echo).running() as legacy:
        environment = {"LEGACY_PORT": str(legacy.port), "LAMBDA_PORT": str(api.port)}
        with running_router(tmp_path_factory.mktemp("shared"), ESTATE, environment=environment) as running:
            running.shift(books=10_000)
            yield running


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS)
def test_an_odd_request_costs_nobody_else_an_answer(router: Running, api: InvokeApi, sent: bytes) -> None:
    """A request that HTTP/2 does not allow is answered somehow, and a POST of somebody else inside Lambda well."""
    with (
        someone_else(router, api, {"status_code": 200, "body": "x"}) as statuses,
        socket.create_connection(("127.0.0.1", router.port), 20) as client,
    ):
        client.sendall(b"POST /books/odd HTTP/1.1\r\nX-User: ann\r\nConnection: close\r\n" + sent)
        assert client.recv(100).startswith(b"HTTP/1.1 ")
    assert statuses == [200]


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_odd_answer_costs_nobody_else_an_answer(router: Running, api: InvokeApi, answer: dict[str, Any]) -> None:
    """A function's answer that HTTP/2 does not allow is a 502 for its own caller only."""
    with someone_else(router, api, answer) as statuses:
        assert router.request("/books/odd", USER, method="POST", body=b"x").status == 502
    assert statuses == [200]
