"""What is told of what was done: after the deadline nothing, and what the server commits by itself at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from adapters import effects, handler
from adapters.database import Database
from adapters.database.statements import _UNDONE
from adapters.deadline import Deadline, in_force
from adapters.errors import ConnectionLost, DeadlineExceeded, Rejected, ShadowSuppressed
from adapters.profiles.document import database
from adapters.shadow import marked

from ..envoy_model import Request, event
from ..mariadb import MariaDb
from .conftest import document

INSERT = text("insert into books values (20, 'Lost')")


def test_a_deadline_before_a_statement_and_before_the_commit_did_nothing(server: MariaDb, orders: Database) -> None:
    """What is refused because the time is over was not done; what came before it is undone: legacy may serve."""
    clock = [0.0]

    @handler
    def function(given: Any, _context: Any) -> Any:
        with in_force(Deadline(1.0, clock=lambda: clock[0])), orders.begin() as connection:
            connection.execute(INSERT)
            clock[0] += 2.0
            if given["rawPath"] == "/more":
                connection.execute(text("select 1"))

    with orders.connect() as connection:
        session = connection.execute(text("select connection_id()")).scalar_one()
    for path in ("/", "/more"):
        answer = function(event(Request(method="POST", target=path)), None)
        assert (answer["status_code"], answer["headers"].get("x-fig-fallback")) == (504, "safe")
    assert [one[0] for one in server.sessions()] == [session], "it was rolled back in the grace, and kept"
    with in_force(Deadline(-1.0)), pytest.raises(DeadlineExceeded) as caught, orders.begin() as connection:
        connection.execute(INSERT)
    assert caught.value.nothing_done
    assert server.run("select * from shop.books where id = 20") == []


def test_what_the_server_commits_at_once_is_noted_and_no_shadow_s(server: MariaDb, orders: Database) -> None:
    """What autocommit, or the statement itself, commits is noted when it is sent; a shadow sends none of it."""
    own = {"isolation_level": "AUTOCOMMIT"}
    with effects.new_page():
        with orders.connect() as connection:
            connection.execute(INSERT)
        assert effects.noted() == ()
        with orders.connect() as connection:
            connection.execution_options(**own).execute(INSERT)
        assert effects.noted() == ("running a statement on orders",)
        with orders.connect() as connection:
            connection.execute(text("create table short (id int)"))
        assert len(effects.noted()) == 2
    with marked(shadow=True):
        with pytest.raises(ShadowSuppressed, match="cannot be rolled back to orders"), orders.connect() as connection:
            connection.execution_options(**own).execute(text("delete from books"))
        for statement in ("drop table short", "/*! truncate */ books", "set autocommit=1", "commit"):
            with pytest.raises(ShadowSuppressed), orders.begin() as connection:
                connection.execute(text(statement))
        with orders.begin() as connection:
            connection.execute(text("/* of a tool */ -- and more\n delete from books"))
            connection.execute(text("create temporary table t (id int)"))
            connection.execute(text("set @x = 1"))
    assert server.run("select title from shop.books where id = 20", "select count(*) from shop.books") == [(2,)]
    server.run("delete from shop.books where id = 20", "drop table shop.short")


@pytest.mark.parametrize("statement", ["alter table t", "lock tables t write", "grant all on t to u", "begin", "desk"])
def test_what_is_not_known_is_committed_at_once(statement: str) -> None:
    """Only what a rollback surely undoes is left to the commit."""
    assert not _UNDONE.match(statement)


def test_a_guard_judges_errors_of_our_tree(server: MariaDb) -> None:
    """A guard sees what leaves the block as the caller does, and may swallow it."""
    seen: list[BaseException] = []

    @contextmanager
    def guard() -> Iterator[None]:
        try:
            yield
        except Exception as error:
            seen.append(error)
            if isinstance(error, ConnectionLost):
                return
            raise

    orders = Database(database("orders", document(server)), guard=guard)
    with pytest.raises(Rejected) as caught, orders.begin() as connection:
        connection.execute(text("select nothing"))
    assert seen == [caught.value]
    assert type(caught.value.__cause__).__module__.startswith("sqlalchemy")
    with pytest.raises(ZeroDivisionError), orders.begin():
        raise ZeroDivisionError
    assert isinstance(seen[1], ZeroDivisionError)
    with orders.begin() as connection:
        connection.execute(text(f"kill {connection.execute(text('select connection_id()')).scalar_one()}"))
    assert isinstance(seen[2], ConnectionLost)
    orders.dispose()
