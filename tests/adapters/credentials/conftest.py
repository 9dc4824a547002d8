import json
import secrets
from collections.abc import Iterator

import pytest

from adapters import stores

from ..aws import Aws, serving
from ..mariadb import MariaDb, running


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """One MariaDB for all tests of this folder."""
    with running(tmp_path_factory.mktemp("mariadb")) as one:
        yield one


@pytest.fixture(scope="package")
def moto() -> Iterator[Aws]:
    """One AWS for all tests of this folder."""
    with serving() as one:
        yield one


@pytest.fixture
def aws(moto: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """The AWS that this process's functions reach, with nothing wrong and nothing counted."""
    for name, value in moto.variables.items():
        monkeypatch.setenv(name, value)
    moto.way.mode = "pass"
    moto.way.accepted = 0
    stores.forget()
    yield moto
    stores.forget()


class Stored:
    """A secret of Secrets Manager."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.name = name
        self._client = aws.client("secretsmanager")
        self._client.create_secret(Name=name, SecretString="{}")

    def holds(self, user: str, password: str) -> None:
        """Store a login, as rotation does."""
        text = json.dumps({"engine": "mariadb", "username": user, "password": password})
        self._client.put_secret_value(SecretId=self.name, SecretString=text)

    def holds_text(self, text: str | bytes) -> None:
        """Store anything."""
        kind = "SecretString" if isinstance(text, str) else "SecretBinary"
        self._client.put_secret_value(SecretId=self.name, **{kind: text})


@pytest.fixture
def secret(aws: Aws) -> Stored:
    """A secret of this test's own."""
    return Stored(aws, f"orders-{secrets.token_hex(4)}")
