"""Static stability: with traffic running, processes are killed one after the other, and readers notice nothing."""

import http.client
import json
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from .test_bookshop_up import Up, fig, until, up

READERS = 6


class Traffic:
    """Readers that each ask again and again on one connection; what failed, and the sides each was assigned to.

    Every reader is so many users in turn.
    """

    def __init__(self, entry: str, users: int = 10) -> None:
        self._entry = urlsplit(entry)
        self._users = users
        self._over = threading.Event()
        self.failed: list[str] = []
        self.asked = 0
        self.sides: defaultdict[str, set[str]] = defaultdict(set)

    @contextmanager
    def running(self) -> Iterator["Traffic"]:
        """Ask until the block ends."""
        readers = [threading.Thread(target=self._read, args=(number,)) for number in range(READERS)]
        for reader in readers:
            reader.start()
        try:
            yield self
        finally:
            self._over.set()
            for reader in readers:
                reader.join()

    def goes_on(self, requests: int = 150) -> None:
        """Wait until so many further requests were answered."""
        wanted = self.asked + requests
        assert until(lambda: self.asked >= wanted)

    def _read(self, number: int) -> None:
        turn = 0
        while not self._over.is_set():
            connection = http.client.HTTPConnection(self._entry.hostname or "", self._entry.port, timeout=10)
            try:
                while not self._over.is_set():
                    turn += 1
                    self._ask(connection, f"reader-{number}-{turn % self._users}")
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                time.sleep(0.01)
            finally:
                connection.close()

    def _ask(self, connection: http.client.HTTPConnection, user: str) -> None:
        connection.request("GET", "/books/7", headers={"X-User": user})
        response = connection.getresponse()
        if (response.status, json.loads(response.read())["id"]) != (200, 7):
            self.failed.append(f"status {response.status}")
        self.sides[user].add(response.headers["x-fig-assigned"])
        self.asked += 1


def envoy_pid(running: Up) -> int:
    return int((running.folder / ".fig" / "node" / "envoy.pid").read_text().split()[0])


def test_control_is_killed_under_load(tmp_path: Path) -> None:
    """Kill -9 of control: no request fails, no user moves, and the host alone can still send everyone to legacy."""
    with up(tmp_path) as running:
        assert fig("shift", "books-read", "50%", folder=tmp_path).returncode == 0
        traffic = Traffic(running.addresses["entry"])
        with traffic.running():
            traffic.goes_on()
            os.kill(running.child("control"), signal.SIGKILL)
            traffic.goes_on()
            assert all(len(sides) == 1 for sides in traffic.sides.values())
            assert set().union(*traffic.sides.values()) == {"legacy", "lambda"}

            node = str(tmp_path / ".fig" / "node")
            done = fig("node", "rollback", "--reason", "night", "--state", node, "--json", folder=tmp_path)
            assert done.returncode == 0, done.stderr
            traffic.sides.clear()
            traffic.goes_on()
            assert set().union(*traffic.sides.values()) == {"legacy"}
        assert traffic.failed == []
        refused = fig("shift", "books-read", "10%", folder=tmp_path)
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr


def test_envoy_is_killed_under_load(tmp_path: Path) -> None:
    """Kill -9 of Envoy: the node starts it again from disk, with the same weights, and readers go on."""
    with up(tmp_path) as running:
        assert fig("shift", "books-read", "100%", folder=tmp_path).returncode == 0
        traffic = Traffic(running.addresses["entry"])
        with traffic.running():
            traffic.goes_on()
            assert traffic.failed == []
            pid = envoy_pid(running)
            os.kill(pid, signal.SIGKILL)
            assert until(lambda: envoy_pid(running) != pid)
            traffic.goes_on()
            back = len(traffic.failed)
            traffic.goes_on()
        assert len(traffic.failed) == back
        assert set().union(*traffic.sides.values()) == {"lambda"}
