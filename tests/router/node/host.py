"""A router host in a test: a state directory, upstreams, and `fig node` processes that are ended by id."""

import http.client
import http.server
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from router.node import hot_restart
from router.node.state_directory import Note

from .fake_control import TOKEN
from .waiting import until


class Host:
    """One state directory and the processes on it."""

    def __init__(self, state: Path, entry_port: int) -> None:
        self.state = state
        self.entry_port = entry_port
        self.log = state.parent / "agent.log"
        self.agent: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}

    def start(self, control: str | None, *options: str) -> subprocess.Popen[bytes]:
        """Start `fig node`; without a control it is told an address where nobody listens."""
        command = [
            sys.executable,
            "-m",
            "fig",
            "node",
            "--state",
            str(self.state),
            "--name",
            "n1",
            "--concurrency",
            "1",
        ]
        command += ["--drain", "0s", "--finish", "2s", "--control", control or "http://127.0.0.1:9", *options]
        with self.log.open("ab") as log:
            self.agent = subprocess.Popen(
                command, stdout=log, stderr=log, env=self._environment(), start_new_session=True, cwd=self.state.parent
            )
        return self.agent

    def rollback(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `fig node rollback` on the state directory."""
        return self.command("rollback", *arguments)

    def command(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a subcommand of `fig node` on the state directory."""
        command = [sys.executable, "-m", "fig", "node", name, "--state", str(self.state), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, env=self._environment())

    def said(self, words: str) -> bool:
        """Whether the agent's output has these words."""
        return self.log.exists() and words in self.log.read_text()

    def envoy_pid(self, note: Note = Note.PRESENT) -> int | None:
        """The id in that note, while such a process lives."""
        try:
            pid = int((self.state / note.value).read_text().split(" ")[0])
            alive = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (OSError, ValueError):
            return None
        return pid if alive else None

    def side(self, user: str = "anyone", path: str = "/books/1", **more: str) -> str:
        """Which upstream answers this user (`more`: further headers), or the status or error instead."""
        connection = http.client.HTTPConnection("127.0.0.1", self.entry_port, timeout=5)
        try:
            connection.request("GET", path, headers={"X-User": user, **more})
            answer = connection.getresponse()
            body = answer.read().decode()
        except OSError as error:
            return type(error).__name__
        finally:
            connection.close()
        return body if answer.status == 200 else str(answer.status)

    def sides(self, count: int = 40) -> set[str]:
        """Which upstreams answer `count` different users."""
        return {self.side(f"user-{number}") for number in range(count)}

    def weights(self) -> dict[str, int]:
        """The runtime keys in the weights file that Envoy reads."""
        layer: dict[str, int] = json.loads((self.state / "live/rtds/current").read_bytes())["resources"][0]["layer"]
        return layer

    def admin(self, path: str) -> bytes:
        """What Envoy's admin interface answers."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.state / "admin.sock"))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n".encode())
            response = http.client.HTTPResponse(client)
            response.begin()
            return response.read()

    def end_agent(self, number: int = signal.SIGTERM) -> int:
        """Send the agent a signal and wait for its end; returns its exit code."""
        assert self.agent is not None
        self.agent.send_signal(number)
        return self.agent.wait(20)

    def end(self) -> None:
        """End whatever still runs."""
        if self.agent is not None and self.agent.poll() is None:
            self.agent.terminate()
            try:
                self.agent.wait(10)
            except subprocess.TimeoutExpired:
                self.agent.kill()
                self.agent.wait(10)
        for note in Note:
            pid = self.envoy_pid(note)
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                until(lambda: self.envoy_pid(note) is None)  # noqa: B023 - awaited before the next
        root = self.state.resolve()
        if root.exists():
            hot_restart.forget(root, hot_restart.base_id(root))

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FIG_")}
        return {**kept, **self.environment, "FIG_TOKEN": TOKEN}


def free_port() -> int:
    """A port that nobody listens on, outside the range from which the system gives ports to others meanwhile."""
    while True:
        port = random.randrange(15_000, 32_000)  # noqa: S311 - no secret
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class _Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = ""
    timeout = 30
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        body = self.name.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


@contextmanager
def upstream(name: str) -> Iterator[int]:
    """An HTTP server that answers every GET with its name; yields its port."""
    handler = type("Upstream", (_Upstream,), {"name": name})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
