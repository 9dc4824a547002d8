"""What statements tell by OpenTelemetry."""

from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import text

from adapters.database import Database
from adapters.deadline import Deadline, in_force
from adapters.errors import Rejected, TargetFailed, Unreachable
from adapters.profiles.document import database
from adapters.shadow import marked
from adapters.telemetry import summary

from ..mariadb import NAME, MariaDb
from ..telling import attributes, listening
from .conftest import document


def read(orders: Database) -> None:
    """What a function does."""
    with orders.begin() as connection:
        connection.execute(text("select title from books where id = :id"), {"id": 7})


def test_a_statement_is_a_client_span(server: MariaDb, orders: Database) -> None:
    """Operation, table, server and text by the semantic conventions; no value, and not the bound that was added."""
    read(orders)
    with listening() as heard, in_force(Deadline(20)):
        read(orders)
        [span] = heard.spans()
        [point] = heard.points("db.client.operation.duration")
    usual = {
        "db.system.name": "mariadb",
        "db.namespace": "shop",
        "db.operation.name": "SELECT",
        "db.collection.name": "books",
        "server.address": NAME,
        "server.port": server.port,
        "fig.profile": "orders",
    }
    assert (span.name, span.kind) == ("SELECT books", SpanKind.CLIENT)
    text_of_it = "select title from books where id = %(id)s"
    assert attributes(span) == usual | {"db.query.summary": "SELECT books", "db.query.text": text_of_it}
    assert attributes(point) == usual


def test_a_failure_is_told_without_its_text(orders: Database) -> None:
    """An error has its class and the server's number; the message, which repeats values, is left out."""
    read(orders)
    with listening() as heard, pytest.raises(Rejected), orders.begin() as connection:
        connection.execute(text("insert into books values (7, 'Tw1ce')"))
    [span] = heard.spans()
    found = attributes(span)
    assert (found["error.type"], found["db.response.status_code"]) == ("IntegrityError", "1062")
    assert span.status.status_code is StatusCode.ERROR
    assert "Tw1ce" not in span.to_json(), "neither the message nor a text without parameters"


def test_a_connection_is_told(server: MariaDb) -> None:
    """A new connection is a span and a duration, also when it does not come about."""
    with listening() as heard:
        good, bad = (Database(database("orders", document(server, *ports))) for ports in ((), (1,)))
        read(good)
        with pytest.raises(Unreachable):
            read(bad)
        spans = [one for one in heard.spans() if one.name == "CONNECT"]
        assert [attributes(one).get("error.type") for one in spans] == [None, "Unreachable"]
        assert len(heard.points("db.client.connection.create_time")) == 2
        good.dispose()


def test_a_statement_that_the_deadline_forbids_is_none(orders: Database) -> None:
    """What is not sent to the server is no call."""
    read(orders)
    with listening() as heard, orders.connect() as connection, in_force(Deadline(-1)), pytest.raises(TargetFailed):
        connection.execute(text("select 1"))
    assert heard.spans() == []


def test_comments_carry_the_trace_where_the_profile_wants_them(server: MariaDb) -> None:
    """With `sql_comments` the server's log shows which trace a statement belongs to; by default it does not."""
    for wanted in (True, False):
        orders = Database(database("orders", document(server, sql_comments=wanted)))
        with listening() as heard, orders.begin() as connection:
            ran = connection.execute(
                text("select info from information_schema.processlist where info like :mine"), {"mine": "%mine%"}
            )
            seen: Any = ran.scalars().all()
            span = heard.spans()[-1]
        orders.dispose()
        assert span.context is not None
        comment = f"-{span.context.span_id:016x}-{span.context.trace_flags:02x}'*/"
        assert any(one.endswith(comment) for one in seen) is wanted


def test_a_batch_and_a_shadow(orders: Database) -> None:
    """Many rows in one call are one span with their number, and a shadow's is marked."""
    read(orders)
    with listening() as heard, marked(shadow=True), orders.begin() as connection:
        connection.execute(text("insert into books values (:id, 'x')"), [{"id": 20}, {"id": 21}])
    [span] = heard.spans()
    assert span.name == "INSERT books"
    assert (attributes(span)["db.operation.batch.size"], attributes(span)["fig.role"]) == (2, "shadow")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select * from `shop`.`books` b", ("SELECT", "shop.books")),
        ("SELECT 1", ("SELECT", "")),
        ("insert  into books values (1)", ("INSERT", "books")),
        ("update books set title = 'from x'", ("UPDATE", "books")),
        ("delete from books", ("DELETE", "books")),
        ("call refresh_prices(1)", ("CALL", "refresh_prices")),
        ("select 'from secrets'", ("SELECT", "")),
        ("/* x */ select 1", ("", "")),
        ("commit", ("COMMIT", "")),
        ("", ("", "")),
    ],
)
def test_the_summary_of_a_statement(statement: str, expected: tuple[str, str]) -> None:
    """Operation and table, and nothing out of a literal."""
    assert summary(statement) == expected
