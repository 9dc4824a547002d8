"""The bank of `soak_adapters`: MariaDB behind a proxy that forgets, two real proxies, a secret that rotates."""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import pymysql

sys.path.insert(0, str(Path(__file__).parent.parent))  # a script's folder is on the path, the repository's is not

from tests.adapters import aws
from tests.adapters.environment import Environment, environment
from tests.adapters.faults import FaultProxy, fault_proxy
from tests.adapters.mariadb import NAME, MariaDb, running
from tests.adapters.proxies import ONLY_THERE, RealProxy, dante, tinyproxy

_USERS = ("app", "other")


@dataclass(kw_only=True)
class Bank:
    """What stands between the environments and the database, and the database."""

    server: MariaDb
    way: FaultProxy
    proxies: tuple[RealProxy, RealProxy]
    store: aws.Aws
    client: Any
    secret: str
    rotations: int = 0

    def environment(self, number: int, longest: float) -> AbstractContextManager[Environment]:
        """A process that goes through one of the proxies."""
        scheme, proxy = ("http", self.proxies[0]) if number % 2 else ("socks5h", self.proxies[1])
        profile: dict[str, Any] = {
            "endpoints": f"{ONLY_THERE}:{self.way.port}",
            "proxy": f"{scheme}://127.0.0.1:{proxy.port}",
            "tls": {"name": NAME, "ca_file": str(self.server.ca)},
            "credentials": {"secret": self.secret},
            "database": "shop",
            "ping_after": "200ms",
        }
        return environment(profile, self.store.variables, longest=longest)

    def rotate(self) -> None:
        """Give the idle user a new password, and store it: from here on the other one is retired."""
        self.rotations += 1
        user, password = _USERS[self.rotations % 2], f"pw-{self.rotations}"
        self.server.run(f"alter user {user}@'%' identified by '{password}' account unlock")
        text = json.dumps({"username": user, "password": password})
        self.client.put_secret_value(SecretId=self.secret, SecretString=text)

    def retire(self) -> None:
        """Lock the retired user, and end its sessions."""
        user = _USERS[(self.rotations + 1) % 2]
        self.server.run(f"alter user {user}@'%' account lock")
        self._kill(user)

    def kill_idle(self) -> None:
        """End all sessions on the server."""
        for user in _USERS:
            self._kill(user)

    def sessions(self) -> list[tuple[Any, ...]]:
        """The sessions of functions: id and what they run."""
        return [one for user in _USERS for one in self.server.sessions(user)]

    def _kill(self, user: str) -> None:
        for number, _ in self.server.sessions(user):
            with suppress(pymysql.err.OperationalError):  # it may have ended by itself meanwhile
                self.server.run(f"kill {number}")


@contextmanager
def bank(folder: Path) -> Iterator[Bank]:
    """A bank until the block ends."""
    with (
        running(folder) as server,
        fault_proxy(server.port) as way,
        tinyproxy(folder) as http,
        dante(folder) as socks,
        aws.serving() as store,
    ):
        secret = f"orders-{token_hex(4)}"  # one process has one moto, whatever servers it runs
        client = store.client("secretsmanager")
        client.create_secret(Name=secret, SecretString=json.dumps({"username": "app", "password": "pw"}))
        yield Bank(server=server, way=way, proxies=(http, socks), store=store, client=client, secret=secret)
