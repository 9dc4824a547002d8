"""Logins that a role signs, and logins in files."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.connection.tls import context_for
from adapters.credentials import provider_for
from adapters.database import Database
from adapters.database.login import open_connection
from adapters.errors import CredentialsRefused, TlsUnverified
from adapters.profiles.document import database
from adapters.profiles.values import Endpoint, FileCredentials, IamCredentials

from ..aws import REGION, Aws
from ..connection.peers import peer
from ..database.conftest import document
from ..mariadb import MariaDb
from .test_secrets_manager import who

IAM = {"iam_user": "signed", "region": REGION}
HERE = Endpoint("127.0.0.1", 3306)


@contextmanager
def orders_with(server: MariaDb, *ports: int, **changes: Any) -> Iterator[Database]:
    """A database with these differences from the usual profile."""
    one = Database(database("orders", document(server, *ports, **changes)))
    try:
        yield one
    finally:
        one.dispose()


def test_a_token_is_for_one_endpoint_and_user(aws: Aws) -> None:
    """A token names its endpoint, user and action, is valid for 15 minutes, and needs no call of AWS."""
    login = provider_for(IamCredentials(user="signed", region=REGION), "orders").get(Endpoint("db.example", 3307))
    parts = urlsplit(f"//{login.password.reveal()}")
    query = parse_qs(parts.query)
    assert (login.user, login.is_token, parts.netloc) == ("signed", True, "db.example:3307")
    assert (query["Action"], query["DBUser"], query["X-Amz-Expires"]) == (["connect"], ["signed"], ["900"])
    assert aws.way.accepted == 0


@pytest.mark.usefixtures("aws")
def test_a_token_is_used_for_ten_minutes() -> None:
    """Tokens are used again while they are young by the wall clock, one for each endpoint, and signed anew after."""
    now = [1_800_000_000.0]
    provider = provider_for(IamCredentials(user="signed", region=REGION), "orders", lambda: now[0])
    first = provider.get(HERE)
    now[0] += 599
    assert provider.get(HERE) is first
    assert provider.get(Endpoint("other", 3306)) != first
    now[0] += 2
    assert provider.get(HERE) is not first


@pytest.mark.usefixtures("aws")
def test_a_token_logs_in(server: MariaDb) -> None:
    """A server that takes the token lets the function in, over TLS that was verified."""
    profile = database("orders", document(server, credentials=IAM))
    provider = provider_for(profile.credentials, "orders")
    token = provider.get(profile.way.endpoints[0]).password.reveal()
    server.run(f"create or replace user signed@'%' identified by '{token}'", "grant all on shop.* to signed@'%'")
    with closing(open_connection(profile, provider)) as connection, connection.cursor() as cursor:
        cursor.execute("select substring_index(user(), '@', 1)")
        assert cursor.fetchone() == ("signed",)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("mode", ["unverified", "off"])
def test_a_token_goes_over_verified_tls_only(mode: str) -> None:
    """Where the peer does not prove who it is, no token is sent: not even the user's name."""
    heard: list[bytes] = []

    def listen(accepted: Any) -> None:
        accepted.settimeout(5)
        while data := accepted.recv(65536):
            heard.append(data)

    with peer(listen) as end:
        profile = database("orders", {"endpoints": f"127.0.0.1:{end.port}", "tls": {"mode": mode}, "credentials": IAM})
        with pytest.raises(TlsUnverified, match="verified TLS only") as caught, Database(profile).begin():
            pytest.fail("a token was sent")
    assert caught.value.nothing_done
    assert heard == []


def test_a_role_without_credentials_is_refused(
    server: MariaDb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A function that has no credentials of AWS's is told so, and whose token could not be signed."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    with orders_with(server, credentials=IAM) as orders, pytest.raises(CredentialsRefused, match="no token for signed"):
        who(orders)


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    """A file is read once, and again when it is another one: also by a rename, and within the same second."""
    file = tmp_path / "login.json"
    provider = provider_for(FileCredentials(path=str(file)), "orders")
    file.write_text('{"username": "app", "password": "one"}')
    first = provider.get(HERE)
    assert provider.get(HERE) is first
    (tmp_path / "new").write_text('{"username": "app", "password": "two"}')
    (tmp_path / "new").rename(file)
    assert provider.get(HERE).password.reveal() == "two"
    assert provider.refresh(HERE) is None
    file.write_text('{"username": "app", "password": "three"}')
    found = provider.refresh(HERE)
    assert found is not None
    assert found.password.reveal() == "three"


def test_a_file_that_is_not_there_is_named(server: MariaDb, tmp_path: Path) -> None:
    """A login's file that is missing is refused with its name, and nothing was done."""
    path = str(tmp_path / "none.json")
    with orders_with(server, credentials={"file": path}) as orders, pytest.raises(CredentialsRefused) as caught:
        who(orders)
    assert path in str(caught.value)
    assert caught.value.nothing_done


def test_the_context_of_tls_is_made_before_a_token_is_signed(server: MariaDb) -> None:
    """A profile of tokens has a context that verifies name and chain."""
    context = context_for(database("orders", document(server, credentials=IAM)).tls)
    assert context is not None
    assert context.check_hostname
