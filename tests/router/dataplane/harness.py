"""A real Envoy that runs a compiled estate, without a node or a control process."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import envoy

from router.node.identity_watch import IdentityWatch
from router.node.report import Problems
from router.node.state_directory import StateDirectory
from router.node.tls_material import needs
from router.snapshot.compiler import compile_estate
from router.snapshot.directory import write
from router.snapshot.figures import Shares
from router.snapshot.manifest import Manifest
from router.snapshot.runtime import NOT_TOLD, weights_file
from router.source.load import load_estate
from router.weight import Weight

ENVOY = Path(envoy.__file__).parent / "_bin" / "envoy"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Answer:
    """A response as a client got it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of that header."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Running:
    """A running router: its entry's port, its state directory, and how to move weights in it."""

    port: int
    state: Path
    manifest: Manifest
    version: int = 1
    moving: dict[str, Weight] = field(default_factory=dict)
    shares: Shares = NOT_TOLD

    def __post_init__(self) -> None:
        self._kept = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def close(self) -> None:
        """Close the connection that requests with `keep_alive` shared."""
        self._kept.close()

    def request(
        self,
        path: str,
        headers: Sequence[tuple[str, str]] = (),
        *,
        method: str = "GET",
        body: bytes | Iterator[bytes] | None = None,
        keep_alive: bool = False,
    ) -> Answer:
        """Send one request, on a connection of its own unless `keep_alive`."""
        connection = self._kept if keep_alive else http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=any(name.lower() == "host" for name, _ in headers))
            for name, value in headers:
                connection.putheader(name, value)
            if isinstance(body, bytes):
                connection.putheader("content-length", str(len(body)))
            elif body is not None:
                connection.putheader("transfer-encoding", "chunked")
            connection.endheaders(body, encode_chunked=not isinstance(body, bytes))
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            if not keep_alive:
                connection.close()

    def refused_upload(self, path: str, headers: Sequence[tuple[str, str]], size: int) -> int:
        """The status that answers a POST of `size` bytes before its body was sent."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest("POST", path)
            for name, value in [*headers, ("content-length", str(size))]:
                connection.putheader(name, value)
            connection.endheaders()
            return connection.getresponse().status
        finally:
            connection.close()

    def admin(self, path: str, method: str = "GET") -> bytes:
        """What Envoy's admin socket answers."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.state / "admin.sock"))
            client.sendall(f"{method} {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n".encode())
            response = http.client.HTTPResponse(client)
            response.begin()
            return response.read()

    def shift(self, **weights: int) -> None:
        """Put weights (parts per 10,000, by route with `_` for `-`) in force."""
        self.moving.update({name.replace("_", "-"): Weight(parts) for name, parts in weights.items()})
        self.put_runtime(weights_file(self.version + 1, self.manifest, self.moving, self.shares))

    def tell(self, nodes: int, **shares: int) -> None:
        """Put shares in force, as a node does that is one of `nodes`; by cluster and resource: legacy_shop_requests."""
        keys = {f"{one.cluster}.{one.resource.word}".replace(".", "_"): one.key for one in self.manifest.figures}
        self.shares = Shares(nodes=nodes, of={keys[name]: share for name, share in shares.items()})
        self.shift()

    def put_runtime(self, data: bytes) -> None:
        """Write the next weights file and wait until Envoy has it."""
        self.version += 1
        file = self.state / "weights" / f"{self.version}.json"
        file.write_bytes(data)
        link(self.state / "live" / "rtds" / "current", file)
        wanted = {key: str(value) for key, value in json.loads(data)["resources"][0]["layer"].items()}
        eventually(lambda: wanted.items() <= self._runtime().items())

    def _runtime(self) -> dict[str, str]:
        entries = json.loads(self.admin("/runtime"))["entries"]
        return {name: entry["final_value"] for name, entry in entries.items()}

    def log_line(self, request_id: str) -> dict[str, Any]:
        """The access log's line of the request with this id, once it is written."""
        file = self.state / "logs" / "access.jsonl"
        eventually(lambda: f'"{request_id}"' in file.read_text())
        lines = [json.loads(line) for line in file.read_text().splitlines() if request_id in line]
        assert len(lines) == 1
        return dict(lines[0])


@contextmanager
def running_router(  # noqa: PLR0913
    folder: Path,
    estate_text: str,
    *,
    weights: Mapping[str, int] | None = None,
    environment: Mapping[str, str] = {},
    scaled: Mapping[str, str] = {},
    credentials: Mapping[str, str] = CREDENTIALS,
    workers: int = 2,
) -> Iterator[Running]:
    """A router of this estate; `${ENTRY_PORT}` is a free port. The estate must pass the checks.

    `scaled` replaces text in the compiled files: what no test can wait for, name servers that it brings.
    """
    port = free_port()
    loaded = load_estate(estate_text, file="estate.yaml", environment={"ENTRY_PORT": str(port), **environment})
    assert loaded.estate is not None, "\n".join(map(str, loaded.diagnostics))
    settled = {name: Weight(parts) for name, parts in (weights or {}).items()}
    snapshot = compile_estate(loaded.estate, settled)
    target = write(snapshot, folder / "snapshots")
    _scale(target, scaled)
    for name in ("logs", "weights", "identities", "tls"):
        (folder / name).mkdir(exist_ok=True)
    lend_tls(folder, target)
    for kind, file in {"cds": "clusters.json", "lds": "listeners.json", "rds": "routes.json"}.items():
        link(folder / "live" / kind / "current", target / file)
    first = folder / "weights" / "1.json"
    first.write_bytes(weights_file(1, snapshot.manifest, {}))
    link(folder / "live" / "rtds" / "current", first)
    (folder / "log.key").write_text("00112233445566ff")
    identities(folder, environment).lend(target.name)
    command = [str(ENVOY), "-c", str(target / "bootstrap.json"), "--disable-hot-restart", "--concurrency", str(workers)]
    command += ["--service-node", "test", "--service-cluster", "fig", "--file-flush-interval-msec", "50"]
    log = (folder / "logs" / "envoy.log").open("wb")
    process = subprocess.Popen(
        [*command, "--log-level", "warning"],
        cwd=folder,
        stderr=log,
        env={**os.environ, **credentials, **environment},
    )
    try:
        eventually(lambda: process.poll() is not None or accepts(port))
        assert process.poll() is None, (folder / "logs" / "envoy.log").read_text()[-3000:]
        running = Running(port, folder, snapshot.manifest)
        yield running
        running.close()
    finally:
        process.kill()
        process.wait(10)
        log.close()


def _scale(snapshot: Path, scaled: Mapping[str, str]) -> None:
    files = [snapshot / f"{name}.json" for name in ("bootstrap", "clusters", "listeners", "routes")]
    for old, new in scaled.items():
        found = [file for file in files if old in file.read_text()]
        assert found, f"{old} is not in the compiled files"
        for file in found:
            file.write_text(file.read_text().replace(old, new))


def identities(folder: Path, environment: Mapping[str, str]) -> IdentityWatch:
    """What a node in this state directory does for identities."""
    state = StateDirectory(folder)
    return IdentityWatch(state=state, problems=Problems(), environment=environment, serving=lambda: None)


def lend_tls(folder: Path, snapshot: Path) -> None:
    """Give Envoy what the snapshot's TLS needs, as a node does."""
    for need in needs(snapshot):
        need.read(folder).store(folder)


def link(path: Path, target: Path) -> None:
    """Make `path` a symlink to `target`, by rename, so that Envoy notices."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(".next")
    fresh.symlink_to(target.resolve())
    fresh.rename(path)


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Whether something listens on that loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def eventually(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until the condition holds; fail after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (OSError, ValueError):
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.005)
