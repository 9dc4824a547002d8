import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import ProfileInvalid
from adapters.profiles import load
from adapters.profiles.document import database, of_url, service
from adapters.profiles.values import (
    Budget,
    Endpoint,
    FileCredentials,
    IamCredentials,
    ProxyKind,
    ProxyProtocol,
    Secret,
    SecretCredentials,
    StaticCredentials,
    TlsMode,
)

SMALL: dict[str, Any] = {"endpoints": ["db.bank.example"], "credentials": {"user": "app", "password": "s3cret"}}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Each test finds its profiles anew."""
    load.forget()
    yield
    load.forget()


def faults(document: object) -> tuple[str, ...]:
    """What is wrong with a database's document."""
    with pytest.raises(ProfileInvalid) as caught:
        database("orders", document)
    return caught.value.faults


def test_little_has_to_be_said() -> None:
    """An endpoint and credentials are enough: TLS is verified against the endpoint's own name."""
    found = database("orders", SMALL)
    assert found.way.endpoints == (Endpoint("db.bank.example", 3306),)
    assert (found.tls.mode, found.tls.name) == (TlsMode.VERIFY, "db.bank.example")
    assert found.credentials == StaticCredentials(user="app", password=Secret("s3cret"))
    assert "s3cret" not in repr(found)


def test_everything_can_be_said() -> None:
    """Every key of a document ends in its place."""
    found = database(
        "orders",
        {
            "endpoints": [{"host": "vpce-1.example", "port": 3307, "az": "euw1-az1"}, "10.0.0.7:3308", "[::1]:3309"],
            "proxy": "socks5://fn:p%40ss@proxy.example:1081",
            "proxy_protocol": "v2",
            "connect_timeout": "500ms",
            "tls": {"name": "db.bank.example", "ca_file": "/ca.pem", "lenient_x509": True},
            "credentials": {"secret": "prod/orders", "max_age": 60},
            "database": "orders",
            "statement_timeout": 3,
            "read_timeout": "4s",
            "sql_comments": True,
            "budget": {"environments": 40, "connections": 80},
            "shadow": "orders-replica",
        },
    )
    assert [str(one) for one in found.way.endpoints] == ["vpce-1.example:3307", "10.0.0.7:3308", "[::1]:3309"]
    assert found.way.endpoints[0].az == "euw1-az1"
    proxy = found.way.proxy
    assert proxy is not None
    assert (proxy.kind, str(proxy.endpoint), proxy.user) == (ProxyKind.SOCKS5, "proxy.example:1081", "fn")
    assert proxy.password.reveal() == "p@ss"
    assert (found.way.proxy_protocol, found.way.connect_timeout) == (ProxyProtocol.V2, 0.5)
    assert (found.tls.ca_file, found.tls.lenient_x509) == ("/ca.pem", True)
    assert found.credentials == SecretCredentials(secret="prod/orders", max_age=60.0)  # noqa: S106 - its name
    assert (found.statement_timeout, found.read_timeout, found.sql_comments) == (3.0, 4.0, True)
    assert (found.budget, found.shadow) == (Budget(environments=40, connections=80), "orders-replica")


def test_all_faults_are_told_at_once() -> None:
    """Every wrong value and every unknown key is named with its place, in one error."""
    assert faults(
        {
            "endpoints": ["db.example:99999", {"host": "a b"}, {"port": 3306}],
            "proxy": "ftp://user:s3cret@proxy",
            "tls": {"mode": "off", "name": "x", "cafile": "/ca.pem"},
            "credentials": {"user": "a", "secret": "b"},
            "read_timeout": "5 minutes",
            "connect_timeout": -1,
            "statement_timout": 3,
            "budget": {"environments": 100, "connections": 10},
        }
    ) == (
        "endpoints[0] is 'db.example:99999', not HOST or HOST:PORT: its port is not between 1 and 65535",
        "endpoints[1] is wrong: endpoint host 'a b' is not a host",
        "endpoints[2].host is missing",
        "proxy is not a proxy's URL: write http://host:3128 or socks5://host:1080",
        "connect_timeout is -1: a duration is above zero, and a day at most",
        "tls.cafile is not known: did you mean ca_file?",
        "tls is wrong: tls.mode off verifies nothing: leave name and ca_file out",
        "credentials has user and secret: one of user and password, secret, iam_user, or file",
        "read_timeout is '5 minutes', not a duration: write seconds, or 500ms, 2s",
        "budget is wrong: 100 environments may hold 10 connections: each needs one",
        "statement_timout is not known: did you mean statement_timeout?",
    )


@pytest.mark.parametrize(
    ("document", "kind"), [(None, "nothing"), ([], "a list"), ("x", "text"), (7, "a number"), (True, "a truth value")]
)
def test_what_is_no_document_is_told(document: object, kind: str) -> None:
    """A document of another kind is one fault: that it lacks keys is not told besides; an empty one lacks them."""
    assert faults(document) == (f"it is {kind}, not a mapping",)
    with pytest.raises(ProfileInvalid) as caught:
        service("core", document)
    assert caught.value.faults == (f"it is {kind}, not a mapping",)
    assert len(faults({})) == 2
    for key in ("tls", "credentials", "budget"):
        assert faults(SMALL | {key: [1]}) == (f"{key} is a list, not a mapping",)
    assert faults(SMALL | {"endpoints": [7]}) == ("endpoints[0] is a number, not a mapping",)


def test_several_endpoints_need_a_name() -> None:
    """Endpoints in several zones have no common name that a certificate could carry: it has to be said."""
    assert faults(SMALL | {"endpoints": "a.example,b.example"}) == (
        "tls.name is missing: several endpoints have no common name that a certificate could carry",
    )


def test_unverified_needs_its_word() -> None:
    """TLS that is not verified, and none, take their own words."""
    for word in ("unverified", "off"):
        assert database("orders", SMALL | {"tls": {"mode": word}}).tls.mode is TlsMode(word)
    assert faults(SMALL | {"tls": {"mode": "preferred"}}) == (
        "tls.mode is 'preferred': it may be verify, unverified, off",
    )


def test_a_url_says_the_same() -> None:
    """A URL is the document that it stands for."""
    url = (
        "mysql+onprem://app:s%3Acret@a.example:3306,b.example/orders"
        "?tls_name=db.example&ca_file=/ca.pem&proxy=http://proxy:3128&statement_timeout=5s&environments=4"
    )
    found = database("orders", of_url(url))
    assert [str(one) for one in found.way.endpoints] == ["a.example:3306", "b.example:3306"]
    assert found.credentials == StaticCredentials(user="app", password=Secret("s:cret"))
    assert (found.database, found.tls.name, found.statement_timeout) == ("orders", "db.example", 5.0)
    assert found.budget.environments == 4
    iam = database("orders", of_url("mysql+onprem://db.example/?iam_user=fn&region=eu-west-1"))
    assert iam.credentials == IamCredentials(user="fn", region="eu-west-1")
    kept = database("orders", of_url("mysql+onprem://db.example?credentials_file=/run/login.json"))
    assert kept.credentials == FileCredentials(path="/run/login.json")


def test_services() -> None:
    """An HTTP service's document has its own keys; its Host is the certificate's name unless it says another."""
    found = service("core", {"endpoints": "vpce.example", "tls": {"name": "core.bank"}, "base_path": "/api/"})
    assert (str(found.way.endpoints[0]), found.host, found.base_path) == ("vpce.example:443", "core.bank", "/api")
    with pytest.raises(ProfileInvalid, match="base_path is 'api': it begins with /"):
        service("core", {"endpoints": "core.example", "base_path": "api"})


def test_profiles_are_found_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile's own variable wins over the document; the document may be text or a file."""
    document = {"databases": {"legacy-orders": SMALL}, "services": {"core": {"endpoints": "core.example"}}}
    monkeypatch.setenv("ADAPTERS_PROFILES", json.dumps(document))
    assert load.database_profile("legacy-orders").way.endpoints[0].host == "db.bank.example"
    assert load.service_profile("core").host == "core.example"
    load.forget()
    monkeypatch.setenv("ADAPTERS_DATABASE_LEGACY_ORDERS", "mysql+onprem://u:@own.example/x")
    assert load.database_profile("legacy-orders").way.endpoints[0].host == "own.example"
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps(document))
    monkeypatch.setenv("ADAPTERS_PROFILES", f"file:{path}")
    load.forget()
    assert load.service_profile("core").name == "core"


def test_a_profile_has_a_name_that_a_variable_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of other characters is refused, and a variable of it is not advised; one that is empty is told so."""
    monkeypatch.setenv("ADAPTERS_PROFILES", json.dumps({"databases": {"ü/..": SMALL}}))
    for name in ("ü/..", "a.b", "", "a b", "a\n"):
        with pytest.raises(ProfileInvalid, match="no name of a profile: it has ASCII letters") as caught:
            load.database_profile(name)
        assert "ADAPTERS_" not in str(caught.value)
    monkeypatch.setenv("ADAPTERS_DATABASE_ORDERS", "")
    monkeypatch.setenv("ADAPTERS_PROFILES", "")
    with pytest.raises(ProfileInvalid) as caught:
        load.database_profile("orders")
    told = "there is no such database: ADAPTERS_DATABASE_ORDERS is empty, ADAPTERS_PROFILES is empty"
    assert caught.value.faults == (told,)


def test_a_service_is_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL in a service's variable is called one, and none of it is shown."""
    monkeypatch.setenv("ADAPTERS_SERVICE_CORE", "https://u:s3cret@a.b/c")
    with pytest.raises(ProfileInvalid, match="ADAPTERS_SERVICE_CORE is a URL, which only a database's") as caught:
        load.service_profile("core")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("file:", "orders: ADAPTERS_PROFILES is file: without a path"),
        ("ssm: ", "orders: ADAPTERS_PROFILES is ssm: without a name"),
        (None, "there is no such database: ADAPTERS_DATABASE_ORDERS is not set, ADAPTERS_PROFILES is not set"),
        ('{"databases": {"a": {}}}', "ADAPTERS_PROFILES has a"),
        ('{"databases": {', "ADAPTERS_PROFILES is not JSON: Expecting property name"),
        ('{"database": {}}', "database is neither databases nor services"),
        ("[]", "holds no mapping"),
        ("file:/nowhere.json", "/nowhere.json cannot be read: No such file"),
    ],
)
def test_what_is_not_found_says_where_it_was_looked_for(
    monkeypatch: pytest.MonkeyPatch, place: str | None, told: str
) -> None:
    """A name without a profile, and a document that cannot be read, say where was looked."""
    if place is None:
        monkeypatch.delenv("ADAPTERS_PROFILES", raising=False)
    else:
        monkeypatch.setenv("ADAPTERS_PROFILES", place)
    with pytest.raises(ProfileInvalid) as caught:
        load.database_profile("orders")
    assert told in str(caught.value)


def test_broken_json_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be parsed may hold a password: no text of it is repeated."""
    monkeypatch.setenv("ADAPTERS_DATABASE_ORDERS", '{"credentials": {"password": "s3cret"')
    with pytest.raises(ProfileInvalid) as caught:
        load.database_profile("orders")
    assert "s3cret" not in f"{caught.value}{caught.value!r}{caught.value.__cause__}"


@pytest.mark.parametrize(
    "url",
    [
        "mysql+onprem://u:SECRETPW/more@db.example/x?tls=off",
        "mysql+onprem://u:SECRETPW?m=1@db.example",
        "mysql+onprem://u:SECRETPW",
    ],
)
def test_a_password_in_a_wrong_place_is_not_told(url: str) -> None:
    """A URL whose password has characters of a URL is refused without showing any of it."""
    with pytest.raises(ProfileInvalid) as refused:
        database("database", of_url(url))
    assert "SECRETPW" not in str(refused.value)
    assert "HOST:PORT" in str(refused.value)
    assert "a password's / ? # @ are written %2F %3F %23 %40" in str(refused.value)


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("db:99999", "its port is not between 1 and 65535"),
        ("db:0", "its port is not between 1 and 65535"),
        ("db:0000443", "its port is not between 1 and 65535"),
        ("db:x", "its port is no number"),
        (":3306", "the host before the port is empty"),
        ("", "it is empty"),
        ("a b:1", "it has a space"),
        ("http://x:3", "it is a URL, with a scheme"),
        ("x:3/y", "it has a path or a query"),
        ("::1", "an IPv6 address stands in brackets, as [::1]:443"),
        ("[db]:1", "that is no name of a host"),
        ("a..b", "that is no name of a host"),
        ("[::1", "that is no name of a host"),
    ],
)
def test_an_endpoint_that_is_none_says_why(endpoint: str, why: str) -> None:
    """What was written is shown, with what is wrong about it; what has an @, or stands in a text, may be a password."""
    told = f"endpoints[0] is {endpoint!r}, not HOST or HOST:PORT: {why}"
    if endpoint != "[::1":
        assert faults(SMALL | {"endpoints": [endpoint]}) == (told,)
    for hidden in ([f"u:s3cret@{endpoint}"], f"u:s3cret@{endpoint}", "s3cret:s3cret"):
        assert "s3cret" not in str(faults(SMALL | {"endpoints": hidden}))


@pytest.mark.parametrize("endpoint", ["https://core:8443", "u:p@core:8443", "::1:3306", "core:8443/x"])
def test_an_endpoint_is_a_host_and_a_port(endpoint: str) -> None:
    """A URL is no endpoint: what it says besides would be dropped without a word."""
    with pytest.raises(ProfileInvalid, match="not HOST or HOST:PORT"):
        service("core", {"endpoints": [endpoint], "tls": {"mode": "off"}})
