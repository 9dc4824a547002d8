"""The public fakes, used as the author of a function uses them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from adapters import effects, handler
from adapters.errors import ConnectionLost, DeadlineExceeded, Overloaded, Rejected, ShadowSuppressed, Unreachable
from adapters.shadow import marked
from adapters.testing import FakeClock, FakeContext, FakeDatabase, FakeService, deadline, request

TABLE = "create table books (id integer primary key, title text)"


class Shop:
    """A function as somebody writes it, with what it uses as attributes, so that a test can give it others."""

    def __init__(self, orders: Any, core: Any) -> None:
        self.orders = orders
        self.core = core
        self.handler = handler(route="books")(self.book)

    def book(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        """Read a book and its rate; a POST adds it and tells the core system."""
        number = int(event["rawPath"].rpartition("/")[2])
        if event["requestContext"]["http"]["method"] == "POST":
            with self.orders.begin() as connection:
                title = json.loads(event["body"])["title"]
                connection.execute(text("insert into books values (:id, :title)"), {"id": number, "title": title})
            self.core.post("/added", json_body={"id": number}).expect()
            return {"statusCode": 201}
        with self.orders.begin() as connection:
            found = connection.execute(text("select title from books where id = :id"), {"id": number}).scalar()
        rate = self.core.get("/rates", query={"of": number}).expect().json()
        return {"statusCode": 200, "body": json.dumps({"title": found, "rate": rate["eur"]})}


@pytest.fixture
def orders() -> Iterator[FakeDatabase]:
    """A database with one book."""
    one = FakeDatabase(TABLE, "insert into books values (7, 'Moss')")
    yield one
    one.close()


def titles(orders: FakeDatabase) -> list[str]:
    with orders.connect() as connection:
        return list(connection.execute(text("select title from books order by id")).scalars())


def test_a_function_with_fakes(orders: FakeDatabase) -> None:
    """Reads and writes reach the fakes, and the test sees what was asked."""
    core = FakeService().on("GET", "/rates", json={"eur": 1.1}).on("POST", "/added", status=202)
    shop = Shop(orders, core)
    answer = shop.handler(request("GET", "/books/7", user="alice"), FakeContext())
    assert (answer["status_code"], json.loads(answer["body"])) == (200, {"title": "Moss", "rate": 1.1})
    assert [(one.method, one.target) for one in core.asked] == [("GET", "/rates?of=7")]
    assert shop.handler(request("POST", "/books/8", json={"title": "Fern"}), FakeContext())["status_code"] == 201
    assert titles(orders) == ["Moss", "Fern"]
    assert core.asked[-1].body == b'{"id": 8}'


def test_a_shadow_leaves_the_fakes_as_they_were(orders: FakeDatabase) -> None:
    """What a shadow writes is rolled back, and it sends nothing."""
    core = FakeService().on("POST", "/added")
    answer = Shop(orders, core).handler(request("POST", "/books/8", json={"title": "Fern"}, shadow=True), None)
    assert (answer["status_code"], answer["headers"]["x-fig-shadow"]) == (204, "honoured")
    assert (titles(orders), core.asked) == (["Moss"], [])


def test_targets_for_shadows() -> None:
    """Where there are targets for shadows these get all of it."""
    copy, core_copy = FakeDatabase(TABLE), FakeService("copy").on("POST", "/added")
    both = FakeDatabase(TABLE, shadow=copy)
    shop = Shop(both, FakeService(shadow=core_copy))
    shop.handler(request("POST", "/books/8", json={"title": "Fern"}, shadow=True), None)
    assert len(core_copy.asked) == 1
    assert titles(both) == []
    copy.close()
    both.close()


@pytest.mark.parametrize("error", [Unreachable("orders"), Overloaded("orders")])
def test_a_database_that_is_away(orders: FakeDatabase, error: Unreachable) -> None:
    """A failure of the database can be had for the asking; the next use goes well again."""
    shop = Shop(orders.fail(error), FakeService().on("POST", "/added"))
    event = request("POST", "/books/8", json={"title": "Fern"})
    answer = shop.handler(event, FakeContext())
    assert (answer["status_code"], answer["headers"]["x-fig-fallback"]) == (503, "safe")
    assert shop.handler(event, FakeContext())["status_code"] == 201


def test_what_was_committed_keeps_legacy_away(orders: FakeDatabase) -> None:
    """When the second target fails after the first one was written, legacy must not do it again."""
    core = FakeService(retries=0).on("POST", "/added", error=Unreachable("core"))
    answer = Shop(orders, core).handler(request("POST", "/books/8", json={"title": "Fern"}), FakeContext())
    assert answer["status_code"] == 503
    assert "x-fig-fallback" not in answer["headers"]


def test_errors_of_the_database_are_ours(orders: FakeDatabase) -> None:
    """A statement that is refused is `Rejected`, as in production, and is rolled back."""
    with pytest.raises(Rejected, match="UNIQUE"), orders.begin() as connection:
        connection.execute(text("insert into books values (9, 'Lost'), (7, 'Twice')"))
    with pytest.raises(ZeroDivisionError), orders.begin() as connection:  # noqa: PT012 - the block is the subject
        connection.execute(text("insert into books values (9, 'Lost')"))
        raise ZeroDivisionError
    assert titles(orders) == ["Moss"]
    with effects.new_page():
        titles(orders)
        assert effects.noted() == ()


def test_answers_in_turn_and_tries(orders: FakeDatabase) -> None:
    """Several answers come in turn, and tries are made as in production, in no time."""
    core = FakeService().on("GET", "/rates", error=ConnectionLost("core")).on("GET", "/rates", json={"eur": 2})
    answer = Shop(orders, core).handler(request(path="/books/7"), None)
    assert json.loads(answer["body"])["rate"] == 2
    assert len(core.asked) == 2


def test_time_passes_when_the_test_says_so(orders: FakeDatabase) -> None:
    """A slow service runs into the invocation's deadline, without waiting for it."""
    clock = FakeClock()
    core = FakeService(clock=clock).on("GET", "/rates", json={"eur": 1}, seconds=2.0)
    shop = Shop(orders, core)
    with deadline(3.0, clock):
        assert shop.handler(request(path="/books/7"), None)["status_code"] == 200
        late = shop.handler(request(path="/books/7"), None)
        assert late["status_code"] == 504
        with pytest.raises(DeadlineExceeded, match="running a statement on fake"), orders.begin() as connection:
            connection.execute(text("select 1"))
    assert clock() == 4.0


def test_what_the_test_did_not_write_down(orders: FakeDatabase) -> None:
    """A call that has no answer fails the test, and says which answers there are."""
    core = FakeService().on("GET", "/rates", json={})
    with pytest.raises(AssertionError, match=r"no answer to GET /nothing: the test wrote down GET /rates"):
        core.get("/nothing")
    with marked(shadow=True), pytest.raises(ShadowSuppressed):
        core.post("/rates")
    assert titles(orders) == ["Moss"]


def test_a_request_says_what_the_router_says() -> None:
    """Path, query, JSON, user, route and claims arrive where a handler looks for them."""
    seen: list[Any] = []

    @handler
    def function(event: Any, _context: Any) -> Any:
        seen.append(event)
        return {"statusCode": 204}

    event = request("PUT", "/é b", query={"a": [1, 2]}, json={"x": 1}, route="r", user="u", claims={"sub": "s"})
    function(event, None)
    [one] = seen
    assert (one["rawPath"], one["queryStringParameters"], one["body"]) == ("/é b", {"a": "1,2"}, '{"x": 1}')
    fig = {"shadow": False, "route": "r", "user": "u", "claims": {"sub": "s"}}
    assert (one["requestContext"]["fig"], one["headers"]["host"]) == (fig, "shop.example")


def test_a_statement_that_sqlite_refuses_is_named() -> None:
    """Who fills a fake wrongly is told which fake it is, which statement, and why."""
    told = r"the database books cannot be filled by 'creat table x': near \"creat\": syntax error"
    with pytest.raises(ValueError, match=told):
        FakeDatabase(TABLE, "creat table x", name="books")


def test_an_answer_is_in_the_shape_of_who_asked(orders: FakeDatabase) -> None:
    """A fake request is the router's, so its answer is in Envoy's spelling; API Gateway's is answered in its own."""
    shop = Shop(orders, FakeService().on("GET", "/rates", json={"eur": 1}))
    answer = shop.handler(request(path="/books/7"), None)
    assert answer.keys() == {"status_code", "headers", "cookies", "body", "is_base64_encoded"}
    http = {"method": "GET", "path": "/books/7", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "t"}
    event = {"version": "2.0", "routeKey": "$default", "rawPath": "/books/7", "rawQueryString": "", "headers": {}}
    answer = shop.handler(event | {"requestContext": {"http": http}, "isBase64Encoded": False}, None)
    assert answer["statusCode"] == 200
