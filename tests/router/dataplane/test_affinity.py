"""Sessions live in the memory of legacy hosts: a user must meet the same host on every route, ramp or not."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .harness import Running, running_router
from .standins import InvokeApi, Reply, Seen, StandIn, api_error, function_error

USERS = 40
PATHS = ("/a/x", "/b/x", "/only/x", "/anything", "/new/x")
ESTATE = """
version: 1
entry:
  address: 127.0.0.1:${ENTRY_PORT}
  default: shop
legacy:
  shop:
    endpoints: ["127.0.0.1:${HOST_0}", "127.0.0.1:${HOST_1}", "127.0.0.1:${HOST_2}"]
    ${AFFINITY}
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:${LAMBDA_PORT}
    timeout: 1s
routes:
  a: {match: {path: {prefix: /a}}, legacy: shop, lambda: books, timeout: 10s, sticky: ${STICKY_A}}
  b: {match: {path: {prefix: /b}}, legacy: shop, lambda: books, timeout: 10s, sticky: ${STICKY_B}}
  only: {match: {path: {prefix: /only}}, legacy: shop}
"""


@dataclass(frozen=True)
class User:
    """Someone who logs in: how the router may know him."""

    number: int

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What all his requests carry."""
        return [("X-User", f"user-{self.number}"), ("Cookie", f"lang=de; sso=s{self.number}; theme=1")]

    def request(self, port: int, path: str, *, method: str = "GET") -> int:
        """The status that he gets, from an address of his own."""
        connection = http.client.HTTPConnection("127.0.0.1", port, 20, (f"127.0.1.{self.number + 1}", 0))
        try:
            connection.request(method, path, headers=dict(self.headers))
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()


@dataclass
class Host:
    """A legacy host: who logs in here is known here, and nowhere else."""

    sessions: set[str] = field(default_factory=set)

    def answer(self, seen: Seen) -> Reply:
        """200 with a session, 401 without."""
        user = seen.header("x-user") or ""
        if seen.path == "/login":
            self.sessions.add(user)
        return Reply(200 if user in self.sessions else 401)


class Faulty:
    """A Lambda that fails two calls of three: once before the function ran, once in it."""

    def __init__(self) -> None:
        self.calls = 0

    def answer(self, _event: object) -> object:
        """A throttle, an error, an answer, and again."""
        self.calls += 1
        match self.calls % 3:
            case 0:
                return api_error(429, "TooManyRequestsException")
            case 1:
                return function_error()
            case _:
                return {"status_code": 200, "body": "lambda"}


Start = Callable[..., tuple[Running, list[Host], Faulty]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts three hosts, a faulty Lambda, and a router of the estate with these keys."""
    with ExitStack() as stack:

        def start(*, affinity: str, a: str, b: str) -> tuple[Running, list[Host], Faulty]:
            hosts, faulty = [Host() for _ in range(3)], Faulty()
            servers = [stack.enter_context(StandIn(host.answer).running()) for host in hosts]
            api = stack.enter_context(InvokeApi().running())
            assert isinstance(api, InvokeApi)
            api.function = faulty.answer
            text = ESTATE.replace("${AFFINITY}", affinity).replace("${STICKY_A}", a).replace("${STICKY_B}", b)
            ports = {f"HOST_{number}": str(server.port) for number, server in enumerate(servers)}
            environment = {**ports, "LAMBDA_PORT": str(api.port)}
            return stack.enter_context(running_router(tmp_path, text, environment=environment)), hosts, faulty

        yield start


HEADER, COOKIE = "{header: X-User}", "{cookie: fig-user}"


@pytest.mark.parametrize(
    ("affinity", "a", "b"),
    [
        ("", HEADER, HEADER),
        ("affinity: {cookie: sso}", HEADER, COOKIE),
        ("", HEADER, COOKIE),
        ("affinity: {client_address: true}", COOKIE, COOKIE),
    ],
    ids=["by the header that routes share", "by a cookie", "by address where keys differ", "by address"],
)
def test_nobody_is_logged_out_by_a_ramp(start: Start, affinity: str, a: str, b: str) -> None:
    """From 0 to 50 % and back, with a Lambda that fails, every answer of legacy comes from the host of the session."""
    router, hosts, faulty = start(affinity=affinity, a=a, b=b)
    users = [User(number) for number in range(USERS)]
    assert {user.request(router.port, "/login", method="POST") for user in users} == {200}
    assert all(host.sessions for host in hosts), "every host has users"
    for weight in (0, 5_000, 0):
        router.shift(a=weight, b=weight)
        statuses = {user.request(router.port, path) for user in users for path in PATHS}
        assert statuses == {200}, f"at {weight}"
    assert faulty.calls > USERS / 2, "Lambda had its share"


def test_a_service_may_do_without(start: Start) -> None:
    """`affinity: {none: true}` spreads one user's requests over all hosts."""
    router, hosts, _ = start(affinity="affinity: {none: true}", a=HEADER, b=HEADER)
    for _ in range(9):
        User(1).request(router.port, "/login", method="POST")
    assert [len(host.sessions) for host in hosts] == [1, 1, 1]
