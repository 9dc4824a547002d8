"""What is sent to the server: no end of a transaction that it has not begun, and always the end of one that it has."""

import pymysql
import pytest
from sqlalchemy import text

from adapters.credentials import Login, provider_for
from adapters.database import Database
from adapters.database.login import open_connection
from adapters.deadline import Deadline, in_force
from adapters.errors import DeadlineExceeded, Rejected, StatementTimedOut
from adapters.profiles.values import Endpoint, Secret

from ..mariadb import MariaDb


def ends(orders: Database) -> tuple[int, int]:
    """How many commits and rollbacks this session has sent; asking begins no transaction."""
    with orders.connect() as connection:
        asked = text("show session status where variable_name in ('Com_commit', 'Com_rollback')")
        found = {name: int(count) for name, count in connection.execute(asked)}
    return found["Com_commit"], found["Com_rollback"]


def test_what_begins_no_transaction_needs_no_end(orders: Database) -> None:
    """A statement that touches no table is one round trip, with `connect` and with `begin`."""
    before = ends(orders)
    for use in (orders.connect, orders.begin):
        with use() as connection:
            assert connection.execute(text("select 1")).scalar_one() == 1
    assert ends(orders) == before


def test_a_login_sets_all_in_one_round_trip(orders: Database) -> None:
    """Character set and autocommit are set by one statement, and are those that PyMySQL asks for."""
    variables = "@@autocommit, @@character_set_client, @@character_set_connection, @@character_set_results"
    with open_connection(orders.profile, provider_for(orders.profile.credentials, "orders")) as driver:
        cursor = driver.cursor()
        cursor.execute("show session status like 'Questions'")
        assert int(cursor.fetchone()[1]) == 2, "the login's one, and this"
        cursor.execute(f"select {variables}")
        assert cursor.fetchone() == (0, "utf8mb4", "utf8mb4", "utf8mb4")
        assert not driver.get_autocommit()


def test_what_was_read_is_not_read_for_ever(server: MariaDb, orders: Database) -> None:
    """A read of a table holds a snapshot: it is ended with its block, and the next one sees what others wrote."""
    commits, rollbacks = ends(orders)
    read = text("select title from books where id = 7")
    for use, title in ((orders.connect, "Moss"), (orders.begin, "Fern"), (orders.connect, "Moss")):
        server.run(f"update shop.books set title = '{title}' where id = 7")  # noqa: S608
        with use() as connection:
            assert connection.execute(read).scalar_one() == title
    assert ends(orders) == (commits + 1, rollbacks + 2)
    with orders.connect() as connection:
        assert len(list(connection.execution_options(stream_results=True).execute(read))) == 1
    assert ends(orders) == (commits + 1, rollbacks + 3)


def test_what_failed_is_ended_whatever_was_said_before(orders: Database) -> None:
    """An error tells no status: the transaction that it may have begun is rolled back."""
    _, rollbacks = ends(orders)
    with pytest.raises(Rejected, match="more than 1 row"), orders.connect() as connection:
        connection.execute(text("select * from books where id = (select 1 union select 2)"))
    assert ends(orders)[1] == rollbacks + 1


def test_what_was_written_is_committed_whatever_is_said(server: MariaDb, orders: Database) -> None:
    """A write is always committed, and one that nobody commits is always rolled back."""
    with orders.begin() as connection:
        connection.execute(text("insert into books values (30, 'Ivy')"))
        connection.execute(text("select 1"))
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.server_status &= ~1  # what a proxy might say
    assert server.run("select title from shop.books where id = 30") == [("Ivy",)]
    with orders.connect() as connection:
        connection.execute(text("delete from books where id = 30"))
    assert server.run("select title from shop.books where id = 30") == [("Ivy",)]
    server.run("delete from shop.books where id = 30")


def test_a_batch_is_one_statement_and_bounded(server: MariaDb, orders: Database) -> None:
    """Many rows go in one statement, as PyMySQL has it, within a deadline too; what follows is bounded by itself."""
    rows = [{"id": number, "title": f"Ivy {number}"} for number in range(100, 400)]
    with in_force(Deadline(20)), orders.begin() as connection:
        asked = text("show session status like 'Com_insert'")
        before = int(connection.execute(asked).one()[1])
        connection.execute(text("insert into books (id, title) values (:id, :title)"), rows)
        assert int(connection.execute(asked).one()[1]) == before + 1
    assert server.run("select count(*) from shop.books where id between 100 and 399") == [(300,)]
    slow = text("update books set title = :title where id = :id and sleep(9) = 0")
    with in_force(Deadline(0.6)), pytest.raises((StatementTimedOut, DeadlineExceeded)), orders.begin() as connection:
        connection.execute(slow, rows[:2])
    assert server.run("select count(*) from shop.books where title like 'Ivy %'") == [(300,)]
    with orders.begin() as connection:
        assert connection.execute(text("delete from books where id >= 100")).rowcount == 300


def test_a_connection_that_is_closed_says_so(orders: Database) -> None:
    """On a closed connection ending a transaction fails as it does in PyMySQL."""
    with orders.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver._force_close()  # noqa: SLF001 - what the driver does by itself
        for end in (driver.commit, driver.rollback):
            with pytest.raises(pymysql.err.InterfaceError):
                end()
        connection.invalidate()


def test_the_login_is_there_before_the_connection(server: MariaDb, orders: Database) -> None:
    """Nobody is connected to while a login is fetched: a server gives up who does not log in for some seconds."""
    seen: list[int] = []

    class Slow:
        def get(self, _endpoint: Endpoint) -> Login:
            seen.append(len(server.run("select id from information_schema.processlist where user like 'unauth%'")))
            return Login(user="app", password=Secret("pw"))

        def refresh(self, _endpoint: Endpoint) -> Login | None:
            return None

        def worked(self, _login: Login) -> None:
            seen.append(-1)

    open_connection(orders.profile, Slow()).close()
    assert seen == [0, -1]
