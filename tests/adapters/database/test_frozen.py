"""Environments that are frozen between invocations, and restored from a snapshot: what was alive before may be dead."""

import os
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.pool import QueuePool

from adapters.credentials import provider_for
from adapters.database import Database
from adapters.database.liveness import watch
from adapters.database.login import open_connection
from adapters.deadline import Deadline, in_force
from adapters.profiles.document import database

from ..environment import Environment, environment
from ..faults import FaultProxy, fault_proxy
from ..mariadb import MariaDb
from .conftest import document

TITLE = "select title from books where id = 7"
SLACK = 1.0
"""What a busy machine may add; the benchmark has the strict figures."""


@pytest.fixture
def faulty(server: MariaDb) -> Iterator[FaultProxy]:
    """A proxy in front of the server."""
    with fault_proxy(server.port) as one:
        yield one


@pytest.fixture
def warm(server: MariaDb, faulty: FaultProxy) -> Iterator[Environment]:
    """An environment that has a connection through the proxy."""
    with environment(document(server, faulty.port, ping_after=0.05, handshake_timeout="5s")) as one:
        assert one.invoke(TITLE, 30.0).value == "Moss"
        yield one


@contextmanager
def frozen(one: Environment) -> Iterator[None]:
    """The process is stopped until the block ends."""
    os.kill(one.id, signal.SIGSTOP)
    try:
        assert os.waitpid(one.id, os.WUNTRACED)[1] & 0xFF == 0x7F  # it has stopped
        time.sleep(0.1)  # the idle time itself is the subject
        yield
    finally:
        os.kill(one.id, signal.SIGCONT)


def test_a_freeze_alone_costs_nothing(server: MariaDb, faulty: FaultProxy, warm: Environment) -> None:
    """After a freeze in which nothing happened, the connection serves on."""
    session = server.sessions()
    with frozen(warm):
        pass
    assert warm.invoke(TITLE).value == "Moss"
    assert server.sessions() == session
    assert faulty.accepted == 1


@pytest.mark.parametrize("fate", ["closed", "reset", "black-holed"])
def test_whatever_became_of_the_connection(server: MariaDb, faulty: FaultProxy, warm: Environment, fate: str) -> None:
    """A connection that was closed, reset or forgotten during a freeze is replaced, and no invocation fails."""
    with frozen(warm):
        if fate == "closed":
            server.run(*(f"kill {one[0]}" for one in server.sessions()))
        elif fate == "reset":
            faulty.cut()
        else:
            faulty.lose()
    found = warm.invoke(TITLE)
    assert (found.value, found.error) == ("Moss", "")
    assert found.seconds < 0.3 + SLACK
    assert faulty.accepted == 2


def test_a_freeze_within_an_invocation_ends_at_the_deadline(faulty: FaultProxy, warm: Environment) -> None:
    """An environment that is stopped in the middle of a call ends it when it goes on, if its time is over."""
    faulty.mode = "hole"
    warm.begin(TITLE, 0.5)
    with frozen(warm):
        time.sleep(0.6)  # the deadline passes meanwhile
    found = warm.end()
    assert found.error in {"DeadlineExceeded", "Unreachable"}
    faulty.mode = "pass"
    assert warm.invoke(TITLE).value == "Moss"


def test_a_silent_path_costs_its_bound_and_no_more(server: MariaDb, faulty: FaultProxy) -> None:
    """An idle connection that is black-holed costs one ping's bound, with a deadline and without."""
    one = Database(database("orders", document(server, faulty.port, ping_after=0.01, handshake_timeout="5s")))
    try:
        for seconds in (None, 3.0):
            with in_force(None if seconds is None else Deadline(seconds)), one.begin() as connection:
                connection.execute(text(TITLE))
            time.sleep(0.03)  # as above
            faulty.lose()
            begin = time.monotonic()
            with in_force(None if seconds is None else Deadline(seconds)), one.begin() as connection:
                assert connection.execute(text(TITLE)).scalar() == "Moss"
            assert time.monotonic() - begin < 0.3 + SLACK
    finally:
        one.dispose()


@pytest.mark.parametrize("jump", [7200.0, -7200.0, 299.0])
@pytest.mark.parametrize("fate", ["cut", "lose"])
def test_a_restored_snapshot_connects_anew(server: MariaDb, faulty: FaultProxy, jump: float, fate: str) -> None:
    """After a restore memory is as it was, sockets are dead, and the wall clock has jumped, forwards or back."""
    now = [1_800_000_000.0]
    profile = database("orders", document(server, faulty.port, handshake_timeout="5s"))
    provider = provider_for(profile.credentials, "orders")
    pool = QueuePool(lambda: open_connection(profile, provider), pool_size=1, max_overflow=0)
    watch(pool, profile, lambda: now[0])
    try:
        _ask(pool)
        now[0] += jump
        getattr(faulty, fate)()
        begin = time.monotonic()
        _ask(pool)
        assert time.monotonic() - begin < 0.3 + SLACK
        assert faulty.accepted == 2
    finally:
        pool.dispose()


def _ask(pool: QueuePool) -> None:
    connection = pool.connect()
    try:
        cursor = connection.cursor()
        cursor.execute(TITLE)
        assert cursor.fetchone() == ("Moss",)
    finally:
        connection.close()


def test_a_forked_process_takes_a_connection_of_its_own(server: MariaDb, faulty: FaultProxy) -> None:
    """Two processes never speak on one connection: the one that was forked leaves its parent's alone."""
    one = Database(database("orders", document(server, faulty.port, handshake_timeout="5s")))
    try:
        with one.begin() as connection:
            connection.execute(text(TITLE))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer interpreters dislike forks beside threads, as those of the proxy
            child = os.fork()
        if child == 0:
            with one.begin() as connection:
                found = connection.execute(text(TITLE)).scalar()
            os._exit(0 if found == "Moss" else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert faulty.accepted == 2
        with one.begin() as connection:
            assert connection.execute(text(TITLE)).scalar() == "Moss"
        assert faulty.accepted == 2
    finally:
        one.dispose()
