"""What a profile refuses: with our own error, which names every fault, when the profile is named and not at a call."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.credentials import provider_for
from adapters.database import Database, create_engine
from adapters.errors import CredentialsRefused, ProfileInvalid
from adapters.profiles import load
from adapters.profiles.document import database, of_url, service
from adapters.profiles.values import Endpoint, FileCredentials, IamCredentials
from adapters.service import HttpService

from ..mariadb import certificates
from ..service.site import client_certificate

SMALL: dict[str, Any] = {"endpoints": ["db.bank.example"], "credentials": {"user": "app", "password": "pw"}}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Each test finds its profiles anew."""
    load.forget()
    yield
    load.forget()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with certificates and keys."""
    folder = tmp_path_factory.mktemp("tls")
    certificates(folder)
    client_certificate(folder)
    return folder


def faults(document: object) -> tuple[str, ...]:
    """What is wrong with a database's document; at least one thing is."""
    with pytest.raises(ProfileInvalid) as caught:
        database("orders", document)
    assert caught.value.faults
    return caught.value.faults


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        ({"user": "u"}, 'credentials.password is missing: write "" where the user has none, in a URL USER:@HOST'),
        ({"user": "", "password": "p"}, "credentials.user is empty"),
        ({"user": None, "password": "p"}, "credentials.user is missing"),
        ({"secret": ""}, "credentials.secret is empty"),
        ({"secret": " "}, "credentials.secret is empty"),
        ({"secret": 7}, "credentials.secret is a number, not text"),
        ({"file": ""}, "credentials.file is empty"),
        ({"iam_user": "u"}, "credentials.region is missing"),
        ({"iam_user": "u", "region": "mars"}, "credentials is wrong: region 'mars' is no Region of AWS, as eu-west-1"),
        ({"iam_user": "u", "region": "eu-west-1a"}, "credentials is wrong: region 'eu-west-1a' is no Region"),
        ({}, "credentials needs one of"),
        (None, "credentials needs one of"),
    ],
)
def test_credentials_are_said(credentials: Any, told: str) -> None:
    """A login without its password, and empty names, are faults; a user without a password says so."""
    (fault,) = faults(SMALL | {"credentials": credentials})
    assert fault.startswith(told)
    assert database("x", SMALL | {"credentials": {"user": "u", "password": ""}})


LOGINS = ('{"username": null, "password": "p"}', '{"username": "u", "password": null}', '{"username": ""}', "[" * 99999)


@pytest.mark.parametrize("number", range(4))
def test_a_file_holds_a_login(tmp_path: Path, number: int) -> None:
    """Null is no user, and a file of brackets no login: the error is ours and shows nothing."""
    path = tmp_path / "login.json"
    path.write_text(LOGINS[number])
    with pytest.raises(CredentialsRefused, match="is not JSON with username and password"):
        provider_for(FileCredentials(path=str(path)), "orders").get(Endpoint("h", 1))


def test_every_empty_place_is_a_fault() -> None:
    """An empty host, and no endpoint at all, are told by their own name, and nothing else is blamed for them."""
    assert faults(SMALL | {"endpoints": [{"host": ""}]}) == ("endpoints[0].host is empty",)
    assert faults(SMALL | {"endpoints": []}) == ("endpoints is empty: write host:port, one for each zone",)
    assert faults({"credentials": SMALL["credentials"]}) == (
        "endpoints is missing: write host:port, one for each zone",
    )
    with pytest.raises(ProfileInvalid) as caught:
        service("core", {})
    assert caught.value.faults == ("endpoints is missing: write host:port, one for each zone",)


def test_a_duration_is_one_that_can_be_waited() -> None:
    """What no timer takes is refused, shortly; a bare number is seconds, in a URL as well."""
    for value in ("inf", "nan", "1e400", "1e9", 86401, 10**400, 10**5000, float("inf"), "0", -1, True, "9" * 5000):
        (fault,) = faults(SMALL | {"read_timeout": value})
        assert fault.startswith("read_timeout is")
        assert len(fault) < 160
    assert database("x", of_url("mysql+onprem://u:p@h/?connect_timeout=1&read_timeout=0.5")).way.connect_timeout == 1.0


def test_a_count_is_one() -> None:
    """Numbers of thousands of digits are no counts."""
    for value in ("9" * 5000, 10**5000, 1.5, -1, "x", True):
        with pytest.raises(ProfileInvalid, match=r"retries is .*, not a whole number, 0 or more"):
            service("core", {"endpoints": "core.example", "retries": value})
        (fault,) = faults(SMALL | {"budget": {"environments": value}})
        assert fault.endswith("not a whole number, 0 or more (at most 15 digits)")


def test_every_region_of_aws_is_one() -> None:
    """Regions of all partitions are taken, those with two words too."""
    for region in (
        "eu-west-1",
        "ap-southeast-7",
        "us-gov-east-1",
        "cn-northwest-1",
        "eusc-de-east-1",
        "us-isob-east-1",
    ):
        found = database("x", SMALL | {"credentials": {"iam_user": "u", "region": region}})
        assert isinstance(found.credentials, IamCredentials)
        assert found.credentials.region == region


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"endpoints": ["a"], "endpoints": ["b"]}', "the key endpoints is there twice"),
        ('{"tls": {"mode": "verify", "mode": "off"}}', "the key mode is there twice"),
        ('{"read_timeout": Infinity}', "Infinity is no number"),
        ('{"read_timeout": NaN}', "NaN is no number"),
        ("[" * 100_000, "is nested too deeply"),
        ("mysql+onprem://u:p@h/?ca_file=a&ca_file=b", "the URL has ca_file twice"),
    ],
)
def test_a_text_says_one_thing(monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    """Doubled keys, numbers that are none, and bottomless nesting are faults of the document."""
    monkeypatch.setenv("ADAPTERS_DATABASE_ORDERS", text)
    with pytest.raises(ProfileInvalid, match=told):
        load.database_profile("orders")


@pytest.mark.parametrize("url", ["mysql+pymysql://u:s3cret@h/x", "postgresql://h", "", "mysql+onprem:/h"])
def test_a_url_of_another_scheme_is_a_fault(url: str) -> None:
    """It is told as every fault of a profile, without any of the URL."""
    for make in (Database.from_url, create_engine):
        with pytest.raises(ProfileInvalid, match="does not begin with mysql") as caught:
            make(url)
        assert "s3cret" not in str(caught.value)


def test_a_file_of_profiles_is_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and a path that is none, are faults, for each profile by its own name."""
    (tmp_path / "p").write_bytes(b"\xff\xfe{}")
    monkeypatch.setenv("ADAPTERS_PROFILES", f"file:{tmp_path / 'p'}")
    for name in ("orders", "books"):
        with pytest.raises(ProfileInvalid, match=f"profile {name}: ADAPTERS_PROFILES: .*/p is not UTF-8 text"):
            load.database_profile(name)


def test_files_of_tls_are_looked_at_when_a_profile_is_named(
    monkeypatch: pytest.MonkeyPatch, files: Path, tmp_path: Path
) -> None:
    """A function whose CA or key is missing, or is none, does not start; every file that is wrong is named."""
    (tmp_path / "none.pem").write_text("no certificate")
    away, none = str(tmp_path / "away.pem"), str(tmp_path / "none.pem")
    ca, own, key = (str(files / one) for one in ("ca.pem", "client.pem", "client.key"))
    cases = [
        ({"ca_file": away}, ["tls.ca_file", "away.pem cannot be read: No such file"]),
        ({"certificate_file": away, "key_file": away}, ["tls.certificate_file", "tls.key_file"]),
        ({"ca_file": none}, ["tls.ca_file", "none.pem has no certificates"]),
        ({"ca_file": none, "certificate_file": own, "key_file": none}, ["tls.ca_file", "tls.key_file do not fit"]),
        ({"certificate_file": own, "key_file": str(files / "server.key")}, ["do not fit: KEY_VALUES_MISMATCH"]),
    ]
    for tls, told in cases:
        document = {"databases": {"orders": SMALL | {"tls": tls}}, "services": {"core": {"endpoints": "c", "tls": tls}}}
        monkeypatch.setenv("ADAPTERS_PROFILES", json.dumps(document))
        for name in (lambda: Database.named("orders"), lambda: HttpService.named("core")):
            load.forget()
            with pytest.raises(ProfileInvalid) as caught:
                name()
            assert all(one in str(caught.value) for one in told), caught.value
    url = f"mysql+onprem://u:p@h/x?ca_file={ca}&certificate_file={own}&key_file="
    assert Database.from_url(url + key).profile.tls.ca_file == ca
    with pytest.raises(ProfileInvalid, match="cannot be read"):
        Database.from_url(url + away)


def test_what_a_profile_refers_to_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A login's file and the shadow's profile are there, the latter sound and another one; all faults at once."""
    away = str(tmp_path / "away.json")
    databases = {
        "orders": SMALL | {"shadow": "nope", "credentials": {"file": away}},
        "itself": SMALL | {"shadow": "itself"},
        "wrong": SMALL | {"shadow": "orders"},
        "sound": SMALL | {"shadow": "wrong"},
    }
    services = {"core": {"endpoints": "c", "shadow": "orders"}, "bank": {"endpoints": "c", "shadow": "core"}}
    monkeypatch.setenv("ADAPTERS_PROFILES", json.dumps({"databases": databases, "services": services}))
    unread, itself = (
        f"credentials.file {away} cannot be read: No such file or directory",
        "shadow is this profile itself",
    )
    told: list[tuple[type[Database | HttpService], str, tuple[str, ...]]] = [
        (Database, "orders", (unread, "shadow nope: there is no such database: ADAPTERS_DATABASE_NOPE is not set")),
        (Database, "itself", (itself,)),
        (Database, "wrong", (f"shadow orders: {unread}",)),
        (HttpService, "core", ("shadow orders: there is no such service",)),
    ]
    for kind, name, beginnings in told:
        with pytest.raises(ProfileInvalid) as caught:
            kind.named(name)
        assert len(caught.value.faults) == len(beginnings)
        assert all(one.startswith(other) for one, other in zip(caught.value.faults, beginnings, strict=True))
    assert Database.named("sound").profile.shadow == "wrong"
    assert HttpService.named("bank").profile.shadow == "core"
    with pytest.raises(ProfileInvalid, match="shadow nope: there is no such database"):
        Database.from_url("mysql+onprem://u:p@h/?shadow=nope")
