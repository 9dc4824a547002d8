"""Logins of Secrets Manager, against moto's server and a real MariaDB."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from adapters import stores
from adapters.credentials import provider_for
from adapters.database import Database
from adapters.deadline import Deadline, in_force
from adapters.errors import CredentialsRefused, DeadlineExceeded
from adapters.profiles.document import database
from adapters.profiles.values import Endpoint, SecretCredentials

from ..aws import Aws
from ..database.conftest import document
from ..mariadb import MariaDb
from .conftest import Stored

HERE = Endpoint("127.0.0.1", 3306)


@contextmanager
def orders_of(server: MariaDb, secret: Stored, **changes: Any) -> Iterator[Database]:
    """A database whose login is that secret."""
    one = Database(database("orders", document(server, credentials={"secret": secret.name, **changes})))
    try:
        yield one
    finally:
        one.dispose()


def who(orders: Database) -> str:
    """The user as whom the function is logged in."""
    with orders.begin() as connection:
        return str(connection.execute(text("select substring_index(user(), '@', 1)")).scalar_one())


@pytest.fixture
def password(server: MariaDb) -> Iterator[str]:
    """The password of `app`, which a test may change."""
    yield "pw"
    server.run("alter user app@'%' identified by 'pw'")


def denials(server: MariaDb) -> int:
    """How many logins the server has denied so far."""
    return int(server.run("show global status like 'Access_denied_errors'")[0][1])


def test_a_login_is_fetched_once_and_kept(server: MariaDb, aws: Aws, secret: Stored, password: str) -> None:
    """Several connections of one environment ask Secrets Manager once."""
    secret.holds("app", password)
    with orders_of(server, secret) as orders:
        for _ in range(3):
            assert who(orders) == "app"
            orders.engine.dispose()
    assert aws.way.accepted == 1


def test_an_old_login_is_fetched_again(server: MariaDb, aws: Aws, secret: Stored, password: str) -> None:
    """A login older than its `max_age` is not used for a new connection before it was asked for."""
    secret.holds("app", password)
    with orders_of(server, secret, max_age="10ms") as orders:
        who(orders)
        orders.engine.dispose()
        secret.holds("other", "pw2")
        time.sleep(0.02)  # the age itself is the subject
        assert who(orders) == "other"
    assert aws.way.accepted == 2


def test_a_rotated_password_costs_one_denial(server: MariaDb, aws: Aws, secret: Stored, password: str) -> None:
    """After a rotation the new password is fetched once, and the invocation notices nothing."""
    secret.holds("app", password)
    with orders_of(server, secret) as orders:
        who(orders)
        server.run("alter user app@'%' identified by 'rotated'")
        secret.holds("app", "rotated")
        server.run(*(f"kill {one[0]}" for one in server.sessions()))
        before = denials(server)
        assert who(orders) == "app"
        assert denials(server) == before + 1
    assert aws.way.accepted == 2


def test_users_that_alternate_are_followed(server: MariaDb, aws: Aws, secret: Stored, password: str) -> None:
    """Rotation by a second user: open connections live on as the first, the next connection is the second's."""
    secret.holds("app", password)
    with orders_of(server, secret) as orders:
        who(orders)
        secret.holds("other", "pw2")
        assert who(orders) == "app"
        server.run("alter user app@'%' account lock", *(f"kill {one[0]}" for one in server.sessions()))
        try:
            assert who(orders) == "other"
        finally:
            server.run("alter user app@'%' account unlock")
    assert aws.way.accepted == 2


def test_a_login_that_stays_wrong_is_tried_once_more_at_most(
    server: MariaDb, aws: Aws, secret: Stored, password: str
) -> None:
    """A denial is answered by one fetch, and by one more try where the login is another; then it is refused."""
    assert password
    secret.holds("app", "wr0ng")
    with orders_of(server, secret) as orders:
        before = denials(server)
        with pytest.raises(CredentialsRefused, match="denied the login app") as caught:
            who(orders)
        assert (denials(server), aws.way.accepted) == (before + 1, 2)
        assert caught.value.nothing_done
        secret.holds("app", "wr0ng too")
        with pytest.raises(CredentialsRefused):
            who(orders)
        assert (denials(server), aws.way.accepted) == (before + 3, 3)


@pytest.mark.parametrize("mode", ["reset", "silent", "hole"])
def test_the_last_good_login_serves_while_the_store_is_down(
    server: MariaDb, aws: Aws, secret: Stored, password: str, mode: str
) -> None:
    """When Secrets Manager is down, new connections use the last login that worked, and ask it rarely."""
    secret.holds("app", password)
    with orders_of(server, secret, max_age="10ms") as orders:
        who(orders)
        aws.way.mode = mode
        for _ in range(2):
            orders.engine.dispose()
            time.sleep(0.02)  # the age itself is the subject
            begin = time.monotonic()
            with in_force(Deadline(3.0)):
                assert who(orders) == "app"
            assert time.monotonic() - begin < 3.0


def test_a_store_that_is_down_is_not_asked_for_every_connection(aws: Aws, secret: Stored) -> None:
    """After it was down it is left alone for a while, unless the login is denied."""
    secret.holds("app", "pw")
    now = [1000.0]
    provider = provider_for(SecretCredentials(secret=secret.name, max_age=300.0), "orders", lambda: now[0])
    provider.worked(provider.get(HERE))
    aws.way.mode = "reset"
    asked = []
    for now[0] in (1301.0, 1302.0, 1330.0, 1332.0):
        assert provider.get(HERE).user == "app"
        asked.append(aws.way.accepted)
    assert asked[0] > 1
    assert asked[0] == asked[1] == asked[2] < asked[3]
    assert provider.refresh(HERE) is None
    assert aws.way.accepted > asked[3]


def test_without_any_login_the_store_is_named(server: MariaDb, aws: Aws, secret: Stored) -> None:
    """When Secrets Manager is down before any login worked, the error says which secret could not be read."""
    aws.way.mode = "reset"
    with orders_of(server, secret) as orders, pytest.raises(CredentialsRefused, match=secret.name) as caught:
        who(orders)
    assert (caught.value.nothing_done, caught.value.status) == (True, 503)


def test_a_secret_that_is_not_there_is_named(server: MariaDb, aws: Aws, secret: Stored) -> None:
    """A secret that does not exist, or that the role may not read, is refused with what AWS said."""
    assert aws.way.accepted == 0
    secret.name = "nobody-made-it"
    with orders_of(server, secret) as orders, pytest.raises(CredentialsRefused, match=r"nobody-made-it.*find"):
        who(orders)


def test_a_silent_store_does_not_outlast_the_deadline(server: MariaDb, aws: Aws, secret: Stored) -> None:
    """A Secrets Manager that accepts and is silent costs no more than the invocation has left."""
    aws.way.mode = "silent"
    stores.secrets()  # making the client is work, which nothing can bound
    begin = time.monotonic()
    refused = (CredentialsRefused, DeadlineExceeded)
    with orders_of(server, secret) as orders, in_force(Deadline(0.5)), pytest.raises(refused):
        who(orders)
    assert time.monotonic() - begin < 0.5 + 1.0
