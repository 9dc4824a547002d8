"""What a warm invocation costs on the local Lambda, beside the goals: a table, medians of several runs.

    python benchmarks/local_lambda.py [--seconds 1.5] [--runs 5]

Starts `fig lambda` in a process of its own with an echo handler. The raw client is one thread over keep-alive sockets
with TCP_NODELAY, a payload of 200 bytes, signing off; boto3 is shown beside it, because its own work is most of what
its users wait for. Client, server and handlers share the machine's cores.
"""

import argparse
import os
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PAYLOAD = b'{"key": "' + b"x" * 189 + b'"}'
HANDLER = "def handler(event, context):\n    return event\n"
FILE = """
version: 1
functions:
  echo:
    handler: app.handler
    code: code
    concurrency: 4
"""
BUDGET_SECONDS = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: invocations per second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=1.2, help="length of one run")
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median is shown")
    options = parser.parse_args()
    lines = 4
    if options.seconds * options.runs * lines > BUDGET_SECONDS:
        parser.error(f"that would take longer than {BUDGET_SECONDS:.0f} s: fewer runs or seconds")
    with local_lambda() as (port, pid):
        print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, payload {len(PAYLOAD)} bytes")
        print(f"{'client':<26}{'invocations/s':>14}{'p50 ms':>9}{'p99 ms':>9}   goal")
        spent, invocations = cpu_seconds(pid), 0.0
        for connections, goal in ((1, "p50 < 1 ms, >= 1,000/s"), (2, ""), (4, ">= 2,500/s")):
            raw(port, connections, 0.5)
            runs = [raw(port, connections, options.seconds) for _ in range(options.runs)]
            invocations += sum(run.rate for run in runs) * options.seconds + runs[0].rate * 0.5
            show(f"raw, {connections} connection{'s' * (connections > 1)}", runs, goal)
        spent = (cpu_seconds(pid) - spent) / invocations * 1e6
        show("boto3, 1 client, signed", [boto3_runs(port, options.seconds) for _ in range(options.runs)], "")
        print(f"server process: {memory_mb(pid):.0f} MB, {spent:.0f} us of CPU for each invocation of the raw client")


def show(name: str, runs: list[Run], goal: str) -> None:
    """Print one line: the medians of the runs."""
    rate, p50, p99 = (statistics.median(getattr(run, key) for run in runs) for key in ("rate", "p50", "p99"))
    print(f"{name:<26}{rate:>14,.0f}{p50:>9.3f}{p99:>9.3f}   {goal}")


@contextmanager
def local_lambda() -> Iterator[tuple[int, int]]:
    """`fig lambda` with an echo function: its port and process id."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "code"
        code.mkdir()
        (code / "app.py").write_text(HANDLER)
        (Path(folder) / "lambda.yaml").write_text(FILE)
        command = [sys.executable, "-m", "fig", "lambda", f"{folder}/lambda.yaml", "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield int(line.rpartition(":")[2]), process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=15)
            if process.stdout:
                process.stdout.close()


def raw(port: int, connections: int, seconds: float) -> Run:
    """Invoke over raw sockets, one request at a time on each."""
    request = (
        b"POST /2015-03-31/functions/echo/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(PAYLOAD), PAYLOAD)
    )
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    selector = selectors.DefaultSelector()
    took: list[float] = []
    sent: dict[socket.socket, float] = {}
    for one in sockets:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(one, selectors.EVENT_READ)
    begin = time.perf_counter()
    for one in sockets:
        sent[one] = time.perf_counter()
        one.sendall(request)
    while (now := time.perf_counter()) - begin < seconds:
        for key, _ in selector.select(5):
            ready = key.fileobj
            if not isinstance(ready, socket.socket):
                continue
            answer = ready.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(PAYLOAD):
                message = f"not an echo: {answer[:200]!r}"
                raise RuntimeError(message)
            now = time.perf_counter()
            took.append((now - sent[ready]) * 1000)
            sent[ready] = now
            ready.sendall(request)
    for one in sockets:
        one.recv(65536)
        one.close()
    selector.close()
    return summary(took, seconds)


def boto3_runs(port: int, seconds: float) -> Run:
    """Invoke with boto3, as a user's test would."""
    import boto3  # noqa: PLC0415 - heavy, and the table's first lines need not wait for it

    client = boto3.client(
        "lambda",
        region_name="eu-west-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - nobody checks it
    )
    took: list[float] = []
    begin = time.perf_counter()
    while (start := time.perf_counter()) - begin < seconds:
        client.invoke(FunctionName="echo", Payload=PAYLOAD)["Payload"].read()
        took.append((time.perf_counter() - start) * 1000)
    client.close()
    return summary(took, seconds)


def summary(took: list[float], seconds: float) -> Run:
    """The run that these latencies make."""
    cuts = statistics.quantiles(took, n=100)
    return Run(rate=len(took) / seconds, p50=cuts[49], p99=cuts[98])


def memory_mb(pid: int) -> float:
    """The resident memory of a process, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used, without its children's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
