from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine

from router.ledger.store import Ledger
from tests.adapters.mariadb import MariaDb, running


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    """One MariaDB for all tests of this folder."""
    with running(tmp_path_factory.mktemp("mariadb")) as one:
        yield one


@pytest.fixture
def database(server: MariaDb) -> Iterator[Engine]:
    """An empty database of that server."""
    server.run("drop database if exists ledger", "create database ledger")
    engine = create_engine(f"mysql+pymysql://root@/ledger?unix_socket={server.socket}&charset=utf8mb4")
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(database: Engine) -> Iterator[Ledger]:
    """A ledger in that database."""
    one = Ledger.over(database)
    yield one
    one.close()
