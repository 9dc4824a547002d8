from collections.abc import Iterator
from typing import Any

import pytest

from adapters.database import Database
from adapters.profiles.document import database

from ..mariadb import NAME, MariaDb, running


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """One MariaDB for all tests of this folder."""
    with running(tmp_path_factory.mktemp("mariadb")) as one:
        yield one


def document(server: MariaDb, *ports: int, **changes: Any) -> dict[str, Any]:
    """A profile's document for that server, through these ports of this machine where any are given."""
    return {
        "endpoints": [f"127.0.0.1:{port}" for port in ports or (server.port,)],
        "tls": {"name": NAME, "ca_file": str(server.ca)},
        "credentials": {"user": "app", "password": "pw"},
        "database": "shop",
        "connect_timeout": "1s",
        "handshake_timeout": "1s",
        **changes,
    }


@pytest.fixture
def orders(server: MariaDb) -> Iterator[Database]:
    """The database as a function uses it."""
    one = Database(database("orders", document(server)))
    yield one
    one.dispose()
