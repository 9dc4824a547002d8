"""Everything that the soak runs and breaks: control, two nodes, two legacy hosts, a function behind the Invoke API."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks.measuring import free_port
from benchmarks.soak_network import SERVICES, Network, host
from router.client import ControlAddress, ControlClient

ENTRY_PORT = 8080
API_PORT = 9002
"""Each host has the Invoke API on its own loopback: credentials go over no other network in the clear."""
_TOKEN = "a-token-of-the-soak-that-nobody-else-has"  # noqa: S105 - it protects nothing
_START_SECONDS = 90.0
_ESTATE = """
version: 1
entry:
  address: 0.0.0.0:{entry}
  default: shop
  expose_side: true
  health: {{path: /fig-health}}
legacy:
  shop:
    endpoints: [{endpoints}]
lambda:
  books:
    arn: arn:aws:lambda:eu-west-1:123456789012:function:books:live
    endpoint: http://127.0.0.1:{api}
    timeout: 2s
routes:
  by-header:
    match: {{path: {{prefix: /h}}}}
    legacy: shop
    lambda: books
    timeout: {timeout}s
    sticky: {{header: X-User}}
  by-cookie:
    match: {{path: {{prefix: /c}}}}
    legacy: shop
    lambda: books
    timeout: {timeout}s
    sticky: {{cookie: sid}}
{more}"""
_MORE = """  added:
    match: {path: {prefix: /added}}
    legacy: shop
"""
_FUNCTION = """
import os
JOURNAL = os.open({journal!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
def handler(event, context):
    os.write(JOURNAL, event["headers"]["x-soak-id"].encode() + b" lambda\\n")
    return {{"statusCode": 200, "headers": {{"content-type": "application/json"}}, "body": '{{"side":"lambda"}}'}}
"""
_FUNCTIONS = """
version: 1
functions:
  books:
    handler: app.handler
    code: code
    concurrency: {concurrency}
    aliases: {{live: "1"}}
"""


class Estate:
    """The running estate; every process in it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journals = [folder / "legacy-0.journal", folder / "legacy-1.journal", folder / "lambda.journal"]
        self.access_logs = [folder / f"node-{node}" / "logs" / "access.jsonl" for node in (0, 1)]
        self.networks: list[Network] = []
        self._stack = ExitStack()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = {name: free_port() for name in ("control", "legacy-0", "legacy-1")}
        self._published = 0

    def __enter__(self) -> "Estate":  # noqa: PYI034
        """Start everything and publish the estate."""
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        """End everything, the Envoys of killed agents, too."""
        for process in self._running.values():
            if process.poll() is None:
                process.terminate()
        for process in self._running.values():
            _ended(process)
        for node in range(len(self.networks)):
            if (pid := self.envoy(node)) is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._stack.close()

    def _start(self) -> None:
        (self.folder / "token").write_text(_TOKEN)
        (self.folder / "token").chmod(0o600)
        code = self.folder / "code"
        code.mkdir()
        (code / "app.py").write_text(_FUNCTION.format(journal=str(self.journals[2])))
        (self.folder / "functions.yaml").write_text(_FUNCTIONS.format(concurrency=4))
        self.networks = [self._stack.enter_context(host(number)) for number in (1, 2)]
        names = ("control", "api-0", "api-1", "legacy-0", "legacy-1", "node-0", "node-1")
        for ready in [self._begin(name) for name in names]:
            ready()
        self.publish()

    def start(self, name: str) -> None:
        """Start this process and wait until it is ready, as far as can be told from outside."""
        self._begin(name)()

    def _begin(self, name: str) -> Callable[[], None]:
        """Start this process; what is returned waits until it is ready."""
        log_file = self.folder / f"{name}.log"
        with log_file.open("ab") as log:
            begin = log.tell()
            self._running[name] = subprocess.Popen(
                self._command(name), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "FIG_TOKEN": _TOKEN, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s",
                     "AWS_EC2_METADATA_DISABLED": "true"},
            )  # fmt: skip

        def ready() -> bool:
            if name.startswith("api"):
                return b"ready" in log_file.read_bytes()[begin:]
            return name not in self._ports or _accepts(self._ports[name])

        return lambda: _until(ready, f"{name} is not ready; see {log_file}")

    def _command(self, name: str) -> list[str]:
        fig, port = [sys.executable, "-m", "fig"], str(self._ports.get(name, 0))
        if name == "control":
            state = ["--state", "control", "--token-file", "token", "--no-run-file"]
            return [*fig, "control", "--host", SERVICES, "--port", port, *state]
        number = int(name[-1])
        if name.startswith("api"):
            return [*self.networks[number].enter, *fig, "lambda", "functions.yaml", "--port", str(API_PORT)]
        if name.startswith("legacy"):
            script = str(Path(__file__).parent / "soak_legacy.py")
            return [sys.executable, script, SERVICES, port, str(self.journals[number])]
        state = ["--state", name, "--name", name, "--concurrency", "1", "--control", self._control_url()]
        return [*self.networks[number].enter, *fig, "node", *state, "--drain", "2s", "--finish", "5s"]

    def kill(self, name: str) -> None:
        """Kill a process as a power cut would, and wait for its end."""
        self._running[name].kill()
        self._running[name].wait()

    def stop(self, name: str) -> None:
        """Ask a process to end, as an operator would, and wait for its end."""
        self._running[name].terminate()
        _ended(self._running[name])

    def kill_function(self, chance: random.Random) -> None:
        """Kill one of the processes that run the function."""
        pid = self._running[chance.choice(("api-0", "api-1"))].pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if children:
            with suppress(ProcessLookupError):
                os.kill(int(chance.choice(children)), signal.SIGKILL)

    def envoy(self, node: int) -> int | None:
        """The id of that node's Envoy, while it lives."""
        try:
            pid = int((self.folder / f"node-{node}" / "envoy.pid").read_text().split(" ")[0])
            alive = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (OSError, ValueError):
            return None
        return pid if alive else None

    def kill_envoy(self, node: int) -> None:
        """Kill that node's Envoy."""
        if (pid := self.envoy(node)) is not None:
            os.kill(pid, signal.SIGKILL)

    def client(self) -> ControlClient:
        """A connection to control."""
        return ControlClient(ControlAddress(url=self._control_url(), token=_TOKEN))

    def publish(self) -> None:
        """Publish the estate: every time with another timeout, every other time with one route more."""
        self._published += 1
        file = self.folder / "estate.yaml"
        file.write_text(
            _ESTATE.format(
                entry=ENTRY_PORT,
                api=API_PORT,
                endpoints=", ".join(f"{SERVICES}:{self._ports[name]}" for name in ("legacy-0", "legacy-1")),
                timeout=4 + self._published % 2,
                more=_MORE if self._published % 2 == 0 else "",
            )
        )
        self._fig("publish", "--yes", "--wait", "120s", "--control", self._control_url(), str(file))

    def publish_back(self) -> None:
        """Publish what was published before."""
        self._fig("publish", "--back", "--yes", "--wait", "120s", "--control", self._control_url())

    def replace_envoy(self, node: int) -> None:
        """Have a new Envoy take over on that node."""
        self._fig("node", "restart", "--state", f"node-{node}")

    def _fig(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "fig", *words],
            cwd=self.folder, capture_output=True, text=True, check=False, env={**os.environ, "FIG_TOKEN": _TOKEN},
        )  # fmt: skip
        if done.returncode:
            message = f"fig {' '.join(words[:2])} ended with {done.returncode}: {done.stdout}{done.stderr}"
            raise RuntimeError(message)

    def _control_url(self) -> str:
        return f"http://{SERVICES}:{self._ports['control']}"

    def logs(self, names: Sequence[str] = ("control", "node-0", "node-1", "api-0", "api-1")) -> str:
        """The last lines of the processes' output."""
        texts = []
        for name in names:
            path = self.folder / f"{name}.log"
            texts.append(f"--- {name}\n{path.read_text(errors='replace')[-800:] if path.exists() else ''}")
        return "\n".join(texts)


def _accepts(port: int) -> bool:
    socket.create_connection((SERVICES, port), 1).close()
    return True


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _until(condition: Callable[[], bool], what: str) -> None:
    """Wait for what may raise `OSError` meanwhile."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with suppress(OSError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise RuntimeError(what)
        time.sleep(0.02)
