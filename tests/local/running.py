"""A local Lambda for tests: on a thread of its own, so that blocking clients (boto3, http.client) can call it."""

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.functions.app import LocalLambda
from infra.local.functions.functions_file import load_functions
from tests.local.handlers import HANDLERS

ROOT = "/2015-03-31/functions/"
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def error_type(self) -> str | None:
        """The API's own error, if it is one."""
        return self.headers.get("x-amzn-errortype")


class Running:
    """A local Lambda that serves."""

    def __init__(self, url: str, logs: list[str]) -> None:
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self.logs = logs

    def request(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a new connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        try:
            connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read())
        finally:
            connection.close()

    def invoke(self, name: str, event: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Invoke a function; bytes are sent as they are, all else as JSON."""
        body = event if isinstance(event, bytes) else json.dumps(event if event is not None else {}).encode()
        return self.request("POST", f"{ROOT}{name}/invocations", body, headers)

    def state(self, name: str) -> dict[str, Any]:
        """What the admin surface says of a function."""
        state: dict[str, Any] = self.request("GET", "/_local/functions").document["functions"][name]
        return state

    def fail(self, name: str, fault: str, count: int | None = None) -> Answer:
        """Switch a fault on."""
        body = json.dumps({"fail": fault, "count": count}).encode()
        return self.request("POST", f"/_local/faults/{name}", body)


@contextmanager
def serving(folder: Path, text: str, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """A local Lambda of the functions in `text`, with the folder `code` beside it."""
    write_code(folder)
    loaded = load_functions(text, file="lambda.yaml", folder=folder, environment=environment or {})
    assert loaded.settings, loaded.diagnostics
    settings = loaded.settings
    logs: list[str] = []
    started: list[str] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        async with LocalLambda(settings, sink=logs.append) as local:
            started.append(local.url)
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(DEADLINE_SECONDS)
        yield Running(started[0], logs)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive()


def write_code(folder: Path) -> None:
    """Put the handlers into the folder `code`."""
    code = folder / "code"
    code.mkdir(exist_ok=True)
    (code / "app.py").write_text(HANDLERS)
    (code / "broken.py").write_text("def handler(:\n")
    (code / "raises.py").write_text("raise KeyError('at import')\n")


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_SECONDS} s for {what}"
        pause.wait(0.01)


def process_state(pid: int) -> str | None:
    """The kernel's letter for a process's state (T stopped, S sleeping, Z zombie), None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()[0]


def has_gone(pid: int) -> bool:
    """Whether a process is no more (a zombie that nobody reaped counts as gone)."""
    return process_state(pid) in (None, "Z")
