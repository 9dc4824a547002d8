"""Real processes: one `fig control`, several `fig node`, and a legacy application that counts what it is given."""

import asyncio
import http.server
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from router.client import ControlAddress, ControlClient
from router.node import hot_restart

from ..node.waiting import until
from .networks import SERVICES, Network, network

ENTRY_PORT = 18080
TOKEN = "a-token-for-tests-only"  # noqa: S105 - it opens nothing


class Legacy:
    """An application that keeps every request until it is told to let them go; `most` were there at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.go = threading.Event()
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer((SERVICES, 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port: int = self._server.server_address[1]

    @contextmanager
    def running(self) -> Iterator["Legacy"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.go.set()
            self._server.shutdown()
            self._server.server_close()

    def reset(self) -> None:
        """Keep requests again, and count anew."""
        until(lambda: self.now == 0)
        self.most = 0
        self.go.clear()

    def took(self) -> None:
        """A request is here."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.go.wait(60)
        with self._lock:
            self.now -= 1

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.took()
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                pass

        return Handler


@dataclass
class Answers:
    """What came back so far, as (status, Retry-After), and what is still awaited."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    thread: threading.Thread | None = None

    def refused(self) -> int:
        """How many were refused so far."""
        return sum(count for (status, _), count in self.seen.items() if status != "200")

    def all(self) -> Counter[tuple[str, str]]:
        """All answers, once they are there."""
        assert self.thread is not None
        self.thread.join(60)
        return self.seen


class Fleet:
    """The processes in one folder; nodes are numbered from 1."""

    def __init__(self, folder: Path, *, grace: str) -> None:
        self.folder = folder
        self.legacy = Legacy()
        self._grace = grace
        self._stack = ExitStack()
        self._networks: dict[int, Network] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._port = 0

    def __enter__(self) -> Self:
        self._stack.enter_context(self.legacy.running())
        (self.folder / "token").write_text(TOKEN)
        (self.folder / "token").chmod(0o600)
        for number in (1, 2):
            self._networks[number] = self._stack.enter_context(network(number))
        self.start_control()
        return self

    def __exit__(self, *_error: object) -> None:
        self.legacy.go.set()
        for name in list(self._running):
            self.kill(name)
        for number in self._networks:
            root = self.folder / f"n{number}"
            if root.exists():
                hot_restart.forget(root.resolve(), hot_restart.base_id(root.resolve()))
        self._stack.close()

    def start_control(self) -> None:
        """Start control and wait until it is ready, at the address that it had before."""
        words = ["control", "--state", "control", "--host", SERVICES, "--port", str(self._port), "--grace", self._grace]
        self._start("control", *words, "--token-file", "token", "--no-run-file")
        said = until(lambda: re.search(rf"ready http://{SERVICES}:(\d+)", self.log("control")))
        self._port = int(said[1])

    def start_node(self, number: int) -> None:
        """Start a node and wait until its entry answers."""
        words = ["--state", f"n{number}", "--name", f"n{number}", "--concurrency", "1", "--control", self.url]
        words += ["--drain", "0s", "--finish", "1s", "--no-check-clock"]
        self._start(f"n{number}", "node", *words, before=self._networks[number].enter)
        until(lambda: self._answers(number), seconds=60, what=lambda: self.log(f"n{number}")[-2000:])

    def stop(self, name: str) -> int:
        """Ask a process to end, as an operator would; its exit code."""
        process = self._running.pop(name)
        process.terminate()
        return process.wait(30)

    def kill(self, name: str) -> None:
        """Kill a process as a power cut would, a node with its Envoy."""
        process = self._running.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()
        self.kill_envoy(name)

    def kill_envoy(self, name: str) -> None:
        """Kill the node's Envoy, if it has one."""
        with suppress(OSError, ValueError):
            pid = int((self.folder / name / "envoy.pid").read_text().split(" ")[0])
            os.kill(pid, signal.SIGKILL)

    def kill_agent(self, name: str) -> None:
        """Kill a node's agent alone; its Envoy serves on."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def publish(self, estate: str) -> str:
        """Publish the estate; what the command said."""
        file = self.folder / "estate.yaml"
        file.write_text(estate)
        return self.fig("publish", "--yes", str(file))

    def fig(self, *arguments: str) -> str:
        """What a command prints, which must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "fig", *arguments, "--control", self.url],
            capture_output=True, text=True, check=False, env=self._environment(), timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def url(self) -> str:
        """Control's address."""
        return f"http://{SERVICES}:{self._port}"

    def status(self) -> dict[str, Any]:
        """Control's status."""
        with ControlClient(ControlAddress(url=self.url, token=TOKEN)) as client:
            return dict(client.status())

    def parts(self, of: str, resource: str) -> dict[str, dict[str, Any]]:
        """What each node has of a figure, by name."""
        found = [one for one in self.status()["figures"] if (one["of"], one["resource"]) == (of, resource)]
        return {node["name"]: node for one in found for node in one["nodes"]}

    def await_shares(self, of: str, resource: str, **shares: int) -> None:
        """Wait until these are the shares in force, and no others."""
        last: dict[str, Any] = {}

        def are_in_force() -> bool:
            last.clear()
            last.update(self.parts(of, resource))
            return {name: one["share"] for name, one in last.items()} == shares

        until(are_in_force, seconds=40, what=lambda: f"{last}\n{self.status()['nodes']}")

    def ask(self, numbers: Sequence[int], count: int, path: str = "/") -> Answers:
        """Send `count` requests at once to each of these nodes, and do not wait for the answers."""
        answers = Answers()

        async def all_of_them() -> None:
            asked = (self._ask(number, path, answers) for number in numbers for _ in range(count))
            await asyncio.gather(*asked)

        answers.thread = threading.Thread(target=lambda: asyncio.run(all_of_them()), daemon=True)
        answers.thread.start()
        return answers

    def log(self, name: str) -> str:
        """What a process said."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    async def _ask(self, number: int, path: str, answers: Answers) -> None:
        reader, writer = await asyncio.open_connection(self._networks[number].address, ENTRY_PORT)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            wait = re.search(r"\nretry-after: (\S+)", head)
            answers.seen[head[9:12], wait[1] if wait else ""] += 1
        finally:
            writer.close()

    def _answers(self, number: int) -> bool:
        with suppress(OSError, asyncio.IncompleteReadError):
            answers = Answers()
            asyncio.run(self._ask(number, "/nothing-here", answers))
            return True
        return False

    def _start(self, name: str, *arguments: str, before: tuple[str, ...] = ()) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                [*before, sys.executable, "-P", "-m", "fig", *arguments],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment(),
            )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FIG_")}
        return {**kept, "FIG_TOKEN": TOKEN, "AWS_EC2_METADATA_DISABLED": "true", "PYTHONUNBUFFERED": "1"}
