"""docs/adapters.md says what the adapters do, and its five recipes are run as they stand there."""

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from adapters.profiles.document import database, of_url, service
from adapters.profiles.load import DOCUMENT as PROFILES
from adapters.profiles.load import forget
from adapters.testing import FakeContext, request
from docs.adapters_tables import DOCUMENT, renewed

from ..adapters.mariadb import NAME, MariaDb, running
from ..adapters.service.site import Site, answer, client_certificate, connect_proxy, drop, site

ROOT = Path(__file__).parents[2]
_RECIPES = re.compile(r"<!-- run: (\w+) -->\n```python\n(.*?)```", re.DOTALL)
_PROFILES = re.compile(r"<!-- profiles -->\n```json\n(.*?)```", re.DOTALL)
_URL = re.compile(r"^    (mysql\+onprem://\S+)$", re.MULTILINE)
RECIPES = dict(_RECIPES.findall(DOCUMENT.read_text(encoding="utf-8")))


def profiles() -> dict[str, Any]:
    """The profiles that the page shows."""
    (text,) = _PROFILES.findall(DOCUMENT.read_text(encoding="utf-8"))
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """The legacy database, with the certificates of all."""
    with running(tmp_path_factory.mktemp("mariadb")) as one:
        client_certificate(one.folder)
        yield one


@pytest.fixture(scope="module")
def core(server: MariaDb) -> Iterator[Site]:
    """The service that asks for a client's certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(server.ca))
    context.load_cert_chain(server.folder / "server.pem", server.folder / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    with site(context) as one:
        yield one


@pytest.fixture
def proxied(core: Site) -> Iterator[int]:
    """The proxy on the way to the service."""
    with connect_proxy(core.port) as (port, _):
        yield port


@pytest.fixture
def here(server: MariaDb, proxied: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The page's profiles, whose places are on this machine, in force."""
    found = profiles()
    orders, bank = found["databases"]["legacy-orders"], found["services"]["core-bank"]
    orders["endpoints"] = [{"host": "127.0.0.1", "port": server.port, "az": one["az"]} for one in orders["endpoints"]]
    orders["tls"] |= {"name": NAME, "ca_file": str(server.ca)}
    orders["credentials"] = {"user": "app", "password": "pw"}
    bank["proxy"] = f"http://127.0.0.1:{proxied}"
    files = {"certificate_file": str(server.folder / "client.pem"), "key_file": str(server.folder / "client.key")}
    bank["tls"] |= {"name": NAME, "ca_file": str(server.ca), **files}
    monkeypatch.setenv(PROFILES, json.dumps(found))
    forget()
    yield found
    forget()


def run(name: str) -> dict[str, Any]:
    """The names that a recipe defines."""
    names: dict[str, Any] = {}
    exec(compile(RECIPES[name], f"docs/adapters.md: {name}", "exec"), names)  # noqa: S102 - our own documentation
    return names


def test_what_is_generated_is_current() -> None:
    """Settings, defaults and errors are those of today; `make golden` writes them anew."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert renewed(text) == text


def test_there_are_five_recipes() -> None:
    """Each of them has a test below."""
    assert list(RECIPES) == ["database", "service", "routes", "breaker", "testing"]


def test_the_profiles_are_sound() -> None:
    """The profiles and the URL that the page shows have no fault."""
    found = profiles()
    for name, document in found["databases"].items():
        assert database(name, document).budget.connections == 60
    for name, document in found["services"].items():
        assert service(name, document).way.proxy is not None
    (url,) = _URL.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(database("x", of_url(url)).way.endpoints) == 2


def test_a_database_is_read_and_written(here: object) -> None:  # noqa: ARG001 - the profiles are in force
    """Recipe 1."""
    names = run("database")
    function = names["books"]
    try:
        assert function(request("GET", "/books/7"), FakeContext())["body"] == '{"title": "Moss"}'
        for path in ("/books/8", "/books/abc", "/books/²", "/books/"):
            assert function(request("GET", path), FakeContext())["status_code"] == 404
        put = request("PUT", "/books/7", json={"title": "Fern"}, shadow=True)
        assert function(put, FakeContext())["body"] == '{"title": "Fern"}'
        assert function(request("GET", "/books/7"), FakeContext())["body"] == '{"title": "Moss"}'
    finally:
        names["orders"].dispose()


def test_a_service_is_called_once(here: object, core: Site) -> None:  # noqa: ARG001
    """Recipe 2, through the proxy and with mTLS; the answer of the payment is lost, and it is asked for again."""
    names = run("service")
    core.acts += [answer(200, b'{"factor": 2}'), drop, answer(201)]
    body, headers = {"amount": 5, "currency": "EUR"}, {"Idempotency-Key": "k-1"}
    got = names["pay"](request("POST", "/pay", json=body, headers=headers), FakeContext(seconds=20))
    assert got["status_code"] == 201
    assert [one.target for one in core.seen] == ["/rates?of=EUR", "/payments", "/payments"]
    assert [one.headers.get("idempotency-key") for one in core.seen] == [None, "k-1", "k-1"]
    core.acts += [answer(200, b'{"factor": 2}'), answer(409)]
    got = names["pay"](request("POST", "/pay", json=body), FakeContext(seconds=20))
    assert (got["status_code"], core.seen[-1].headers.get("idempotency-key")) == (409, None)
    names["core"].close()


def test_routes(here: object) -> None:  # noqa: ARG001
    """Recipe 3."""
    names = run("routes")
    got = names["routes"](request("GET", "/books/7", user="alice"), FakeContext())
    assert json.loads(got["body"]) == {"title": "Moss", "for": "alice"}
    for path in ("/nowhere", "/books/8"):
        assert names["routes"](request("GET", path), FakeContext())["status_code"] == 404
    names["orders"].dispose()


def test_a_breaker(here: object, core: Site, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Recipe 4: after five failures in a row nothing is sent, and legacy serves the request."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="circuits",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        names = run("breaker")
        kept = ("content-type", "application/problem+json")
        core.acts += [answer(500, b"\xff\x00", kept)] + [drop] * 5
        headers = {"content-type": "application/octet-stream", "authorization": "s3cret"}
        got = names["order"](request("POST", "/orders", body=b"\x00\xff", headers=headers), FakeContext(seconds=20))
        assert (got["status_code"], got["headers"]["content-type"], got["body"]) == (500, kept[1], "/wA=")
        assert core.seen[-1].body == b"\x00\xff"
        assert core.seen[-1].headers["content-type"] == "application/octet-stream"
        assert "authorization" not in core.seen[-1].headers
        before = len(core.seen)
        order = request("POST", "/orders", json={"book": 7})
        for _ in range(5):
            got = names["order"](order, FakeContext(seconds=20))
            assert (got["status_code"], "x-fig-fallback" in got["headers"]) == (502, False)
        got = names["order"](order, FakeContext(seconds=20))
        assert (got["status_code"], got["headers"]["x-fig-fallback"]) == (503, "safe")
        assert len(core.seen) - before == 5
    names["core"].close()


def test_tests_of_a_function(here: dict[str, Any], tmp_path: Path) -> None:
    """Recipe 5: its tests pass on the functions of the first two recipes."""
    (tmp_path / "shop.py").write_text(RECIPES["database"] + RECIPES["service"])
    (tmp_path / "test_shop.py").write_text(RECIPES["testing"])
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n\n@pytest.fixture\ndef shop():\n    import shop\n\n    return shop\n"
    )
    environment = {**os.environ, PROFILES: json.dumps(here), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
