import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import text

from adapters.connection.tls import context_for
from adapters.database import Database, create_engine
from adapters.deadline import Deadline, in_force
from adapters.errors import (
    ConnectionLost,
    CredentialsRefused,
    DeadlineExceeded,
    Overloaded,
    Rejected,
    StatementTimedOut,
    TlsUnverified,
    Unreachable,
)
from adapters.profiles.document import database
from adapters.shadow import marked

from ..faults import FaultProxy, fault_proxy
from ..mariadb import NAME, MariaDb, running
from .conftest import document


@contextmanager
def target(server: MariaDb, *ports: int, **changes: Any) -> Iterator[Database]:
    """A database with these differences from the usual profile."""
    one = Database(database("orders", document(server, *ports, **changes)))
    try:
        yield one
    finally:
        one.dispose()


def title(orders: Database) -> str:
    """What a function reads."""
    with orders.begin() as connection:
        return str(connection.execute(text("select title from books where id = :id"), {"id": 7}).scalar_one())


@pytest.fixture
def faulty(server: MariaDb) -> Iterator[FaultProxy]:
    """A proxy in front of the server."""
    with fault_proxy(server.port) as one:
        yield one


def test_it_reads_over_verified_tls(orders: Database) -> None:
    """A function reads over TLS that was verified in the database's own name, not in the endpoint's."""
    assert title(orders) == "Moss"
    with orders.begin() as connection:
        assert connection.execute(text("show status like 'Ssl_version'")).one()[1] == "TLSv1.3"


def test_one_connection_serves_all_invocations(server: MariaDb, orders: Database) -> None:
    """An environment holds one connection, and uses it again."""
    for _ in range(5):
        title(orders)
    assert len(server.sessions()) == 1


def test_another_name_or_ca_is_refused(server: MariaDb) -> None:
    """A certificate of another name, or of another CA, ends the attempt: nothing falls back."""
    for tls in ({"name": "other.example", "ca_file": str(server.ca)}, {"name": NAME, "ca_file": str(server.other_ca)}):
        with target(server, tls=tls) as orders, pytest.raises(TlsUnverified) as caught:
            title(orders)
        assert isinstance(caught.value.__cause__, Exception)
        assert caught.value.nothing_done


def test_a_server_without_tls_is_refused(tmp_path: Path) -> None:
    """A server that offers no TLS is refused, unless the profile has the word for it."""
    with running(tmp_path, "--skip-ssl") as server:
        with target(server) as orders, pytest.raises((TlsUnverified, Unreachable)):
            title(orders)
        with target(server, tls={"mode": "off"}) as orders:
            assert title(orders) == "Moss"


def test_a_write_is_committed_and_an_error_rolls_back(server: MariaDb, orders: Database) -> None:
    """What a block wrote stays, unless an exception left it."""
    with orders.begin() as connection:
        connection.execute(text("insert into books values (8, 'Fern')"))
    with pytest.raises(ZeroDivisionError), orders.begin() as connection:  # noqa: PT012 - the block is the subject
        connection.execute(text("insert into books values (9, 'Lost')"))
        raise ZeroDivisionError
    assert server.run("select title from shop.books where id > 7") == [("Fern",)]
    server.run("delete from shop.books where id > 7")


def test_a_shadow_leaves_no_trace(server: MariaDb, orders: Database) -> None:
    """What a shadow writes is rolled back, with `begin` and with a commit of its own."""
    with marked(shadow=True):
        with orders.begin() as connection:
            connection.execute(text("insert into books values (10, 'Shadow')"))
        with orders.connect() as connection:
            connection.execute(text("insert into books values (11, 'Shadow')"))
            connection.commit()
    assert server.run("select * from shop.books where id >= 10") == []


def test_inside_sqlalchemys_errors_outside_ours(orders: Database) -> None:
    """Inside the block SQLAlchemy's exceptions can be handled; what leaves it says who must act."""
    insert = text("insert into books values (7, 'Twice')")
    with orders.begin() as connection, pytest.raises(sqlalchemy.exc.IntegrityError):
        connection.execute(insert)
    with pytest.raises(Rejected) as caught, orders.begin() as connection:
        connection.execute(insert)
    assert isinstance(caught.value.__cause__, sqlalchemy.exc.IntegrityError)
    assert not caught.value.retry


def test_a_black_hole_costs_a_third_of_a_second(server: MariaDb, faulty: FaultProxy) -> None:
    """A connection whose packets vanish is noticed at checkout by a bounded ping, and replaced."""
    with target(server, faulty.port, ping_after=0.05) as orders:
        title(orders)
        time.sleep(0.1)  # the idle time itself is the subject
        faulty.mode = "hole"
        begin = time.monotonic()
        with pytest.raises(Unreachable), orders.begin():
            pytest.fail("a black hole answered")
        assert time.monotonic() - begin < 0.3 + 1.0 + 1.0  # the ping's bound, then the new connection's own
        faulty.mode = "pass"
        assert title(orders) == "Moss"


def test_only_the_idle_connection_is_black_holed(server: MariaDb, faulty: FaultProxy) -> None:
    """When only the old connection is dead, a function notices nothing but a moment."""
    with target(server, faulty.port, ping_after=0.05) as orders:
        title(orders)
        time.sleep(0.1)  # as above
        faulty.mode = "hole"
        threading.Timer(0.2, lambda: setattr(faulty, "mode", "pass")).start()
        begin = time.monotonic()
        assert title(orders) == "Moss"
        assert time.monotonic() - begin < 1.5
        assert faulty.accepted == 2


def test_a_closed_connection_is_replaced_for_nothing(server: MariaDb, faulty: FaultProxy) -> None:
    """A connection that the peer closed is seen at checkout, without a question to anybody."""
    with target(server, faulty.port) as orders:
        title(orders)
        faulty.cut()
        assert title(orders) == "Moss"
        server.run(*(f"kill {one[0]}" for one in server.sessions()))
        assert title(orders) == "Moss"


def test_age_is_told_by_the_wall_clock(server: MariaDb) -> None:
    """A connection that was idle for too long is not used again, whatever the monotonic clock says."""
    with target(server, idle_recycle=0.05) as orders:
        title(orders)
        first = server.sessions()[0][0]
        time.sleep(0.1)  # the idle time itself is the subject
        title(orders)
        assert [one[0] for one in server.sessions()] != [first]


@pytest.mark.parametrize("mode", ["silent", "drip"])
def test_no_handshake_outlasts_its_bound(server: MariaDb, faulty: FaultProxy, mode: str) -> None:
    """A peer that accepts and is silent, and one that drips bytes, are given up within the handshake's bound."""
    faulty.mode = mode
    with target(server, faulty.port) as orders:
        begin = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            title(orders)
        assert time.monotonic() - begin < 1.0 + 2.0
        assert caught.value.nothing_done


def test_the_deadline_bounds_a_statement_here_and_on_the_server(server: MariaDb, orders: Database) -> None:
    """A statement that would take longer than the invocation has left ends, and the server runs it no longer."""
    title(orders)
    begin = time.monotonic()
    with in_force(Deadline(0.5)), pytest.raises((DeadlineExceeded, StatementTimedOut)) as caught, orders.begin() as one:
        one.execute(text("select sleep(20)"))
    assert time.monotonic() - begin < 2.5
    assert caught.value.status == 504
    deadline = time.monotonic() + 3
    while any(info for _, info in server.sessions()):
        assert time.monotonic() < deadline, server.sessions()
        time.sleep(0.05)


def test_a_connection_is_not_bound_by_the_invocation_that_opened_it(server: MariaDb) -> None:
    """What little time there was when a connection came about does not bound the statements of later invocations."""
    with target(server) as orders:
        with in_force(Deadline(0.8)):
            title(orders)
        with orders.begin() as connection:
            assert connection.execute(text("select sleep(1.2)")).scalar_one() == 0


def test_after_the_deadline_nothing_is_begun(orders: Database) -> None:
    """When the time is over, the error says what it was about to do."""
    with in_force(Deadline(-1.0)), pytest.raises(DeadlineExceeded, match="orders"):
        title(orders)


def test_a_statement_has_its_own_bound(server: MariaDb) -> None:
    """`statement_timeout` holds without a deadline, too, and for writes."""
    with target(server, statement_timeout="200ms") as orders:
        with pytest.raises(StatementTimedOut), orders.begin() as connection:
            connection.execute(text("select sleep(20)"))
        with pytest.raises(StatementTimedOut), orders.begin() as connection:
            connection.execute(text("update books set title = 'x' where sleep(20) = 0"))
        assert title(orders) == "Moss"


def test_a_connection_that_breaks_is_not_known_to_have_done_nothing(server: MariaDb, faulty: FaultProxy) -> None:
    """A connection that breaks in a statement leaves open whether it was done."""
    with target(server, faulty.port) as orders:
        threading.Timer(0.3, faulty.cut).start()
        with pytest.raises(ConnectionLost) as caught, orders.begin() as connection:
            connection.execute(text("select sleep(5)"))
        assert (caught.value.nothing_done, caught.value.retry) == (False, False)


def test_the_other_endpoint_is_used_when_one_is_gone(server: MariaDb, faulty: FaultProxy) -> None:
    """Several endpoints: the first that can be reached serves."""
    with target(server, 1, faulty.port) as orders:
        assert title(orders) == "Moss"
        assert faulty.accepted == 1


def test_a_wrong_password_is_refused_at_once(server: MariaDb) -> None:
    """A login that cannot be renewed fails with its name, without the password."""
    with target(server, credentials={"user": "app", "password": "wr0ng"}) as orders:
        with pytest.raises(CredentialsRefused, match="app") as caught:
            title(orders)
        assert "wr0ng" not in f"{caught.value}{caught.value.__cause__!r}"


def test_a_rotated_password_is_fetched_once(server: MariaDb, tmp_path: Path) -> None:
    """A denied login is read anew, once; the connection then comes about, also with the other user of a pair."""
    login = tmp_path / "login.json"
    login.write_text('{"username": "app", "password": "old"}')
    with target(server, credentials={"file": str(login)}) as orders:
        with pytest.raises(CredentialsRefused):
            title(orders)
        login.write_text('{"username": "other", "password": "pw2"}')
        assert title(orders) == "Moss"


def test_a_full_server_says_so(server: MariaDb) -> None:
    """A server without room for another connection is overloaded: legacy may answer."""
    server.run("alter user app@'%' with max_user_connections 1")
    try:
        with target(server) as one, target(server) as other:
            title(one)
            with pytest.raises(Overloaded) as caught:
                title(other)
            assert caught.value.nothing_done
    finally:
        server.run("alter user app@'%' with max_user_connections 0")


def test_the_engine_alone_is_plain_sqlalchemy(server: MariaDb) -> None:
    """`create_engine` takes a URL and raises what SQLAlchemy raises."""
    url = f"mysql+onprem://app:pw@127.0.0.1:{server.port}/shop?tls_name={NAME}&ca_file={server.ca}"
    engine = create_engine(url)
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.ProgrammingError):
        connection.execute(text("select nonsense from nowhere"))
    engine.dispose()


def test_tls_contexts_are_made_once(orders: Database) -> None:
    """All connections of one setting share one context: making one is what costs."""
    title(orders)
    made = context_for.cache_info().misses
    orders.dispose()
    title(orders)
    assert context_for.cache_info().misses == made
    context = context_for(orders.profile.tls)
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
