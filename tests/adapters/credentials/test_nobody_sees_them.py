"""No password and no token in a log, a repr, a traceback, nor in what an error is chained to."""

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.connection.way import dial
from adapters.credentials import provider_for
from adapters.database import Database
from adapters.errors import AdaptersFailed, CredentialsRefused, ProfileInvalid, ProxyRefused
from adapters.profiles.document import database, of_url
from adapters.profiles.load import database_profile, forget
from adapters.profiles.values import Endpoint, FileCredentials, IamCredentials, Proxy, ProxyKind, Secret, Way
from adapters.stores import signed_token, signer

from ..aws import REGION, Aws
from ..connection.peers import answering, peer
from ..database.conftest import document
from ..mariadb import MariaDb
from .conftest import Stored
from .test_secrets_manager import orders_of, who

PASSWORD = "h1dden-5ecret"  # noqa: S105 - the subject


def everything(error: BaseException) -> str:
    """All that a report of the error could show: texts, reprs, attributes, tracebacks, of all that it is chained to."""
    parts = ["".join(traceback.format_exception(error))]
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        parts += [str(one), repr(one), repr(one.args), repr(vars(one))]
        waiting += [one.__cause__, one.__context__]
    return "\n".join(parts)


@pytest.fixture
def debug(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything is logged, as by a function whose root logger is at DEBUG."""
    caplog.set_level(logging.DEBUG)
    yield caplog
    assert PASSWORD not in caplog.text


def test_secrets_manager_at_debug(server: MariaDb, aws: Aws, secret: Stored, debug: pytest.LogCaptureFixture) -> None:
    """A secret that is fetched while everything is logged is in no log; other calls of AWS are logged as ever."""
    secret.holds("app", PASSWORD)
    server.run(f"alter user app@'%' identified by '{PASSWORD}'")
    try:
        with orders_of(server, secret) as orders:
            assert who(orders) == "app"
    finally:
        server.run("alter user app@'%' identified by 'pw'")
    aws.client("secretsmanager").list_secrets()
    assert "botocore.parsers" in {record.name for record in debug.records}


def test_a_parameter_at_debug(
    server: MariaDb, aws: Aws, debug: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Profiles of SSM may hold a password: they are read, and are in no log."""
    import json  # noqa: PLC0415

    profiles = {"databases": {"orders": document(server, credentials={"user": "app", "password": PASSWORD})}}
    aws.client("ssm").put_parameter(Name="/bank/profiles", Value=json.dumps(profiles), Type="SecureString")
    monkeypatch.setenv("ADAPTERS_PROFILES", "ssm:/bank/profiles")
    forget()
    try:
        assert database_profile("orders").database == "shop"
        assert PASSWORD not in repr(database_profile("orders"))
        assert debug.records
    finally:
        forget()


@pytest.mark.usefixtures("aws")
def test_a_token_at_debug(debug: pytest.LogCaptureFixture) -> None:
    """How a token is signed is in no log, from which it could be put together."""
    token = signed_token(signer(REGION), Endpoint("db.example", 3306), "signed")
    signature = token.partition("X-Amz-Signature=")[2]
    assert signature
    assert signature not in debug.text
    assert token not in repr(provider_for(IamCredentials(user="signed", region=REGION), "o").get(Endpoint("h", 1)))


@pytest.mark.parametrize(
    "content",
    [
        PASSWORD,
        f'{{"username": "app", "password": "{PASSWORD}"',
        f'["{PASSWORD}"]',
        f'{{"user": "app", "pass": "{PASSWORD}"}}',
        PASSWORD.encode() + b"\xff",
    ],
)
def test_a_secret_that_cannot_be_read(
    server: MariaDb, secret: Stored, debug: pytest.LogCaptureFixture, content: str | bytes
) -> None:
    """A secret of another form is refused by its name; neither the error nor what it came from has its text."""
    secret.holds_text(content)
    with orders_of(server, secret) as orders, pytest.raises(CredentialsRefused, match=secret.name) as caught:
        who(orders)
    assert PASSWORD not in everything(caught.value)
    assert debug.handler


def test_a_file_that_cannot_be_read(tmp_path: Path, debug: pytest.LogCaptureFixture) -> None:
    """A login's file of another form is refused by its name, without its text."""
    file = tmp_path / "login.json"
    for content in (PASSWORD.encode(), PASSWORD.encode() + b"\xff"):
        file.write_bytes(content)
        with pytest.raises(CredentialsRefused) as caught:
            provider_for(FileCredentials(path=str(file)), "orders").get(Endpoint("h", 1))
        assert PASSWORD not in everything(caught.value)
    assert debug.handler


def test_profiles_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, debug: pytest.LogCaptureFixture
) -> None:
    """Profiles with a fault are refused without their passwords: JSON that is none, URLs, wrong keys, proxies."""
    broken = tmp_path / "profiles.json"
    broken.write_text(f'{{"databases": {{"password": "{PASSWORD}"')
    good = "127.0.0.1:1"
    texts = [
        f'{{"password": "{PASSWORD}"',
        f"mysql+onprem://app:{PASSWORD}@",
        f"mysql://app:{PASSWORD}@host/db",
        f"mysql+onprem://app:{PASSWORD}@host:99999/db",
        f"mysql+onprem://app:{PASSWORD}@host/db?unknown=1",
        f"mysql+onprem://app:{PASSWORD}@host/db?proxy=ftp://u:{PASSWORD}@p:1",
        f"mysql+onprem://app:{PASSWORD}@host:x/db",
        f'{{"endpoints": "{good}", "proxy": "http://u:{PASSWORD}@p:port"}}',
    ]
    for text in texts:
        forget()
        monkeypatch.setenv("ADAPTERS_DATABASE_ORDERS", text)
        with pytest.raises(ProfileInvalid) as caught:
            database_profile("orders")
        assert PASSWORD not in everything(caught.value), text
    monkeypatch.delenv("ADAPTERS_DATABASE_ORDERS")
    monkeypatch.setenv("ADAPTERS_PROFILES", f"file:{broken}")
    forget()
    with pytest.raises(ProfileInvalid) as caught:
        database_profile("orders")
    assert PASSWORD not in everything(caught.value)
    assert debug.handler


def test_a_denied_login(server: MariaDb, debug: pytest.LogCaptureFixture) -> None:
    """A login that is denied is told by its user, without the password."""
    for changes in (
        {"credentials": {"user": "app", "password": PASSWORD}},
        {"credentials": {"user": "nobody", "password": ""}},
    ):
        with (
            pytest.raises(CredentialsRefused) as caught,
            Database(database("orders", document(server, **changes))).begin(),
        ):
            pytest.fail("it was let in")
        assert PASSWORD not in everything(caught.value)
    assert debug.handler


@pytest.mark.parametrize(
    ("kind", "said"), [(ProxyKind.CONNECT, b"HTTP/1.1 407 Who are you\r\n\r\n"), (ProxyKind.SOCKS5, b"\x05\xff")]
)
def test_a_proxy_that_refuses(kind: ProxyKind, said: bytes, debug: pytest.LogCaptureFixture) -> None:
    """A proxy that denies its own login is named, without the password that it was shown."""
    with peer(answering(said)) as end:
        proxy = Proxy(kind=kind, endpoint=end, user="fn", password=Secret(PASSWORD))
        with pytest.raises(ProxyRefused) as caught:
            dial(Way(endpoints=(Endpoint("db", 1),), proxy=proxy), "orders")
    assert PASSWORD not in everything(caught.value)
    assert debug.handler


def test_values_that_hold_one() -> None:
    """Profiles, proxies, logins and secrets show no password, however they are printed."""
    profile = database("orders", of_url(f"mysql+onprem://app:{PASSWORD}@host/db?proxy=http://u:{PASSWORD}@p:1"))
    login: Any = provider_for(profile.credentials, "orders").get(Endpoint("h", 1))
    secret = login.password
    for text in (profile, login, f"{secret} {secret!r}", f"{secret:>20}", [secret], {"a": login}):
        assert PASSWORD not in f"{text} {text!r}"
    assert PASSWORD not in f"{AdaptersFailed(profile)!r}"
